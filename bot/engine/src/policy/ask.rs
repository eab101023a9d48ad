//! One question, answered. Whatever cannot be decided is refused.

use std::collections::BTreeSet;

use andon_core::{ArgumentKind, Catalog, EffectKind, Plan};
use cedar_policy::{
    AuthorizationError, Context, ContextCreationError, Decision, Effect, Entities, EntityUid, PolicyId, Request,
    RequestValidationError, ResourceConstraint, Response, RestrictedExpression,
};
use serde_json::Value;
use thiserror::Error;

use super::entities::{NoEntity, World, room_name, uid};
use super::load::{Policies, Rule};
use super::schema::attribute;
use super::{Answer, Denial, Permit, Question, Resource};

/// Why a question cannot be decided. Each completes the sentence "it needs …".
#[derive(Debug, Error)]
enum Undecidable {
    #[error("something to decide about")]
    NothingAsked,
    #[error(transparent)]
    NoEntity(#[from] NoEntity),
    #[error("{name} of {action} as the policies' schema declares it")]
    Argument { action: String, name: String },
    #[error("a context that fits the policies' schema")]
    Context(#[from] Box<ContextCreationError>),
    #[error("a command that the policies' schema knows")]
    Request(#[from] Box<RequestValidationError>),
}

/// What was found over all resources so far.
#[derive(Default)]
struct Findings<'a> {
    refused: bool,
    permits: BTreeSet<&'a PolicyId>,
    forbids: BTreeSet<&'a PolicyId>,
    missed: BTreeSet<&'a PolicyId>,
    broken: BTreeSet<String>,
}

impl Policies {
    /// Answers `question` over `catalog`. Everything that goes wrong on the way refuses: a person, machine or thing that the catalog does
    /// not know, an action that no command has, an argument of another type than declared, a policy that cannot be evaluated.
    pub fn ask(&self, catalog: &Catalog, question: &Question<'_>) -> Answer {
        self.decide(catalog, question)
            .unwrap_or_else(|error| Answer::Refused(Denial { policies: Vec::new(), needs: vec![error.to_string()] }))
    }

    /// Which of `actions` are permitted on at least one of the resources of `question`, whose own action is not asked about. The world is
    /// built once for all of them, and only resources of a kind that some policy permits the action on are looked at. Whatever goes wrong
    /// permits nothing, as in [`Policies::ask`].
    pub(crate) fn permitted_anywhere(
        &self,
        catalog: &Catalog,
        question: &Question<'_>,
        actions: &[String],
    ) -> BTreeSet<String> {
        let mut world = World::new(catalog);
        let Ok(principal) = world.principal(question.principal) else { return BTreeSet::new() };
        let resources: Vec<_> =
            question.resources.iter().filter_map(|resource| world.resource(resource).ok()).flatten().collect();
        for literal in &self.literals {
            world.literal(literal);
        }
        let Ok(entities) = world.entities(&self.schema) else { return BTreeSet::new() };
        let permitted = |action: &&String| {
            let Ok(context) = self.context(&Question { action, ..*question }) else { return false };
            let action = uid("Action", action);
            let about = |resource: &&EntityUid| {
                let asked = (principal.type_name().clone(), action.clone(), resource.type_name().clone());
                self.rules.iter().any(|rule| rule.effect == Effect::Permit && rule.about.contains(&asked))
            };
            resources.iter().filter(about).any(|resource| {
                let (principal, resource) = (principal.clone(), resource.clone());
                let request = Request::new(principal, action.clone(), resource, context.clone(), Some(&self.schema));
                let response = request.map(|request| self.authorizer.is_authorized(&request, &self.set, &entities));
                response.is_ok_and(|response| {
                    response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
                })
            })
        };
        actions.iter().filter(permitted).cloned().collect()
    }

    fn decide(&self, catalog: &Catalog, question: &Question<'_>) -> Result<Answer, Undecidable> {
        if question.resources.is_empty() {
            return Err(Undecidable::NothingAsked);
        }
        let mut world = World::new(catalog);
        let principal = world.principal(question.principal)?;
        let mut resources = Vec::new();
        for resource in question.resources {
            resources.extend(world.resource(resource)?);
        }
        for literal in &self.literals {
            world.literal(literal);
        }
        let entities = world.entities(&self.schema)?;
        let action = uid("Action", question.action);
        let context = self.context(question)?;
        let mut findings = Findings::default();
        for resource in resources {
            let (principal, action) = (principal.clone(), action.clone());
            let request =
                Request::new(principal, action, resource, context.clone(), Some(&self.schema)).map_err(Box::new)?;
            let response = self.authorizer.is_authorized(&request, &self.set, &entities);
            self.note(&request, &response, &entities, &mut findings);
        }
        Ok(self.answer(&findings, self.configured_approvals(catalog, question)))
    }

    /// Notes what one resource's decision rests on.
    fn note<'a>(&'a self, request: &Request, response: &Response, entities: &Entities, findings: &mut Findings<'a>) {
        let diagnostics = response.diagnostics();
        // Cedar leaves a policy out when it cannot be evaluated. That policy may have been the one that forbids.
        findings.broken.extend(diagnostics.errors().map(|error| {
            let AuthorizationError::PolicyEvaluationError(error) = error;
            error.policy_id().to_string()
        }));
        let reasons: BTreeSet<_> = diagnostics.reason().collect();
        let decided = self.rules.iter().filter(|rule| reasons.contains(&rule.id)).map(|rule| &rule.id);
        match response.decision() {
            Decision::Allow => findings.permits.extend(decided),
            Decision::Deny => {
                findings.refused = true;
                findings.forbids.extend(decided);
                if reasons.is_empty() {
                    let near = self.rules.iter().filter(|rule| rule.could_permit(request, entities));
                    findings.missed.extend(near.map(|rule| &rule.id));
                }
            }
        }
    }

    fn answer(&self, findings: &Findings<'_>, configured: u32) -> Answer {
        let chosen = |ids: &BTreeSet<&PolicyId>| -> Vec<&Rule> {
            self.rules.iter().filter(|rule| ids.contains(&rule.id)).collect()
        };
        if !findings.broken.is_empty() {
            let needs =
                findings.broken.iter().map(|id| format!("a repair of the policy {id}, which cannot be evaluated"));
            return Answer::Refused(Denial { policies: names(&chosen(&findings.forbids)), needs: needs.collect() });
        }
        if findings.refused {
            let forbids = chosen(&findings.forbids);
            let deciding = if forbids.is_empty() { chosen(&findings.missed) } else { forbids };
            return Answer::Refused(Denial { policies: names(&chosen(&findings.forbids)), needs: needs(&deciding) });
        }
        let permits = chosen(&findings.permits);
        let approvals = permits.iter().map(|rule| rule.annotations.approvals).fold(configured, u32::max);
        Answer::Permitted(Permit { policies: names(&permits), approvals })
    }

    /// The most approvals that the configuration asks for, where the command operates on targets.
    fn configured_approvals(&self, catalog: &Catalog, question: &Question<'_>) -> u32 {
        let effect = self.actions.get(question.action).and_then(|action| action.effect);
        if effect != Some(EffectKind::Operation) {
            return 0;
        }
        let targets = question.resources.iter().filter_map(|resource| match resource {
            Resource::Target(target) => catalog.target(target),
            _ => None,
        });
        targets.map(|settings| settings.approvals).max().unwrap_or(0)
    }

    fn context(&self, question: &Question<'_>) -> Result<Context, Undecidable> {
        let mut pairs = vec![
            ("platform".to_owned(), text(question.platform)),
            ("room".to_owned(), text(&room_name(question.room))),
            ("break_glass".to_owned(), RestrictedExpression::new_bool(question.break_glass)),
            ("has_reason".to_owned(), RestrictedExpression::new_bool(question.has_reason)),
            ("arguments".to_owned(), record(self.arguments(question)?)?),
        ];
        if let Some(plan) = question.plan {
            pairs.push(("plan".to_owned(), record(facts(plan))?));
        }
        Ok(Context::from_pairs(pairs).map_err(Box::new)?)
    }

    /// The arguments that the command declares. Others are left out: no policy can name them, so they change no decision.
    fn arguments(&self, question: &Question<'_>) -> Result<Vec<(String, RestrictedExpression)>, Undecidable> {
        let declared = self.actions.get(question.action).map(|action| &action.arguments);
        let (Some(declared), Value::Object(given)) = (declared, question.arguments) else { return Ok(Vec::new()) };
        let given = given.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (attribute(name), value));
        given
            .filter_map(|(name, value)| declared.get(&name).map(|kind| (name, kind, value)))
            .map(|(name, kind, value)| match expression(kind, value) {
                Some(expression) => Ok((name, expression)),
                None => Err(Undecidable::Argument { action: question.action.to_owned(), name }),
            })
            .collect()
    }
}

impl Rule {
    /// Whether this would permit `request`, were its principal another of the same type and its conditions met.
    fn could_permit(&self, request: &Request, entities: &Entities) -> bool {
        let (Some(principal), Some(action), Some(resource)) =
            (request.principal(), request.action(), request.resource())
        else {
            return false;
        };
        let question = (principal.type_name().clone(), action.clone(), resource.type_name().clone());
        self.effect == Effect::Permit && self.about.contains(&question) && self.covers(resource, entities)
    }

    fn covers(&self, resource: &EntityUid, entities: &Entities) -> bool {
        match &self.resource {
            // The types were compared already.
            ResourceConstraint::Any | ResourceConstraint::Is(_) => true,
            ResourceConstraint::Eq(named) => named == resource,
            ResourceConstraint::In(ancestor) | ResourceConstraint::IsIn(_, ancestor) => {
                ancestor == resource || entities.is_ancestor_of(ancestor, resource)
            }
        }
    }
}

fn names(rules: &[&Rule]) -> Vec<String> {
    rules.iter().map(|rule| rule.annotations.id.clone()).collect()
}

fn needs(rules: &[&Rule]) -> Vec<String> {
    let mut needs: Vec<String> = Vec::new();
    for rule in rules {
        if !needs.contains(&rule.annotations.needs) {
            needs.push(rule.annotations.needs.clone());
        }
    }
    needs
}

/// What policies see of a plan.
fn facts(plan: &Plan) -> Vec<(String, RestrictedExpression)> {
    let steps = &plan.change.steps;
    let texts = |values: Vec<&String>| RestrictedExpression::new_set(values.into_iter().map(|value| text(value)));
    vec![
        ("steps".to_owned(), RestrictedExpression::new_long(i64::try_from(steps.len()).unwrap_or(i64::MAX))),
        ("from".to_owned(), texts(steps.iter().filter_map(|step| step.from.as_ref()).collect())),
        ("to".to_owned(), texts(steps.iter().filter_map(|step| step.to.as_ref()).collect())),
        ("reversible".to_owned(), RestrictedExpression::new_bool(plan.change.undo.is_some())),
    ]
}

/// A value as the schema declares it, or nothing where it is of another type.
fn expression(kind: &ArgumentKind, value: &Value) -> Option<RestrictedExpression> {
    match (kind, value) {
        (ArgumentKind::Flag, Value::Bool(flag)) => Some(RestrictedExpression::new_bool(*flag)),
        (ArgumentKind::Integer, Value::Number(number)) => number.as_i64().map(RestrictedExpression::new_long),
        (ArgumentKind::Choice(_) | ArgumentKind::Text(_), Value::String(string)) => Some(text(string)),
        (ArgumentKind::Choice(_) | ArgumentKind::Text(_), Value::Number(number)) => Some(text(&number.to_string())),
        (ArgumentKind::Choice(_) | ArgumentKind::Text(_), Value::Array(words)) => {
            let words: Option<Vec<_>> = words.iter().map(Value::as_str).collect();
            words.map(|words| text(&words.join(" ")))
        }
        _ => None,
    }
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

fn record(fields: Vec<(String, RestrictedExpression)>) -> Result<RestrictedExpression, Undecidable> {
    Ok(RestrictedExpression::new_record(fields).map_err(ContextCreationError::from).map_err(Box::new)?)
}

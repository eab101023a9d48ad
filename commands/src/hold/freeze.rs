//! `freeze` and `thaw [<scope>]`: the andon cord. Forward moves stop; rollbacks pass.

use andon_core::{EnvironmentName, Failure, Line, Message, Plan, Refusal, ServiceName, Target, Tone, closest};
use andon_engine::Work;
use andon_engine::command::{Act, Applied, Command};
use andon_engine::policy::Resource;
use andon_store::{NewFreeze, Scope, Transaction};
use clap::Args;
use serde::{Deserialize, Serialize};

use super::{reason, simple, until};
use crate::names::duration;

/// Pull the andon cord: nothing moves forward until it is thawed
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Freeze {
    /// A service, an environment, or service/environment; everything where none is named
    #[arg(value_name = "SCOPE")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    scope: Option<String>,
    /// For how long, such as 4h
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    #[serde(rename = "for", skip_serializing_if = "Option::is_none", default)]
    length: Option<String>,
}

/// What a scope's name means.
fn scope(work: &Work, name: Option<&str>) -> Result<Scope, Refusal> {
    let Some(name) = name.map(str::to_ascii_lowercase).filter(|name| name != "all" && name != "everything") else {
        return Ok(Scope { service: None, environment: None });
    };
    if let Some((service, environment)) = name.split_once('/') {
        let service: ServiceName = service.parse().map_err(|_| no_scope(work, &name))?;
        let environment: EnvironmentName = environment.parse().map_err(|_| no_scope(work, &name))?;
        let target = work.target(&service, &environment)?;
        return Ok(Scope { service: Some(target.service), environment: Some(target.environment) });
    }
    let environment =
        name.parse().ok().and_then(|name| work.catalog().environment(&name)).map(|found| found.name.clone());
    let service = name.parse().ok().filter(|name| work.catalog().services.contains_key(name));
    match (service, environment) {
        (None, None) => Err(no_scope(work, &name)),
        (Some(_), Some(_)) => {
            Err(Refusal::new(format!("{name} is a service and an environment"), "name it as service/environment"))
        }
        (service, environment) => Ok(Scope { service, environment }),
    }
}

fn no_scope(work: &Work, name: &str) -> Refusal {
    let catalog = work.catalog();
    let names = catalog
        .services
        .keys()
        .map(ServiceName::as_str)
        .chain(catalog.environments.keys().map(EnvironmentName::as_str));
    let near = closest(name, names.clone());
    let next = near.map_or_else(
        || format!("choose one of: {}", names.collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean {near}?"),
    );
    Refusal::new(Line::new().text("There is no service or environment ").outside(name), next)
}

fn resource(scope: &Scope) -> Resource {
    match (&scope.service, &scope.environment) {
        (None, None) => Resource::House,
        (Some(service), None) => Resource::Service(service.clone()),
        (None, Some(environment)) => Resource::Environment(environment.clone()),
        (Some(service), Some(environment)) => {
            Resource::Target(Target { service: service.clone(), environment: environment.clone() })
        }
    }
}

impl Command for Freeze {
    const PATH: &'static [&'static str] = &["freeze"];
    const EXAMPLES: &'static [&'static str] =
        &["freeze prod --reason 'checkout is failing'", "freeze hello/prod --reason 'audit' --for 1h"];
    const URGENT: bool = true;

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![resource(&scope(work, self.scope.as_deref())?)])
    }
}

impl Act for Freeze {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        let scope = scope(work, self.scope.as_deref())?;
        reason(work)?;
        until(work, self.length.as_deref(), work.catalog().defaults.freeze_expires)?;
        let step = (format!("freeze {scope}"), None, Some(work.asker().to_string()));
        simple(
            "freeze",
            self,
            Line::from(format!("freeze {scope}")),
            step,
            format!("thaw {} --reason TEXT", word(&scope)),
        )
    }

    async fn apply(&self, _: &Plan, work: &Work, transaction: &mut Transaction<'_>) -> Result<Applied, Failure> {
        let scope = scope(work, self.scope.as_deref())?;
        let freeze = NewFreeze {
            scope: scope.clone(),
            owner: work.asker().clone(),
            reason: reason(work)?,
            at: work.now,
            expires_at: until(work, self.length.as_deref(), work.catalog().defaults.freeze_expires)?,
            room: work.room.clone(),
        };
        transaction.pull_freeze(&freeze).await?;
        let summary = Line::new().text(format!("Froze {scope} until ")).time(freeze.expires_at);
        let message = Message::new(summary)
            .tone(Tone::Attention)
            .fact("reason", Line::new().outside(&freeze.reason))
            .fact("undo", Line::new().code(format!("thaw {} --reason TEXT", word(&scope))))
            .paragraph("Nothing moves forward there; rollbacks to the release just before still pass.");
        Ok(Applied::new(message))
    }
}

fn word(scope: &Scope) -> String {
    match (&scope.service, &scope.environment) {
        (None, None) => "all".to_owned(),
        _ => scope.to_string(),
    }
}

/// Let things move again after a freeze
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Thaw {
    /// What was frozen, as it was named then; everything where none is named
    #[arg(value_name = "SCOPE")]
    #[serde(skip_serializing_if = "Option::is_none", default)]
    scope: Option<String>,
}

fn not_frozen(scope: &Scope) -> Refusal {
    Refusal::new(format!("No freeze covers just {scope}"), "see `status` for what is frozen, and name it the same way")
}

impl Thaw {
    async fn frozen(&self, work: &Work) -> Result<(Scope, Vec<andon_store::Freeze>), Failure> {
        let scope = scope(work, self.scope.as_deref())?;
        let freezes = work.reader().await?.connection().freezes(work.now).await?;
        let here = freezes.into_iter().filter(|freeze| freeze.scope == scope).collect();
        Ok((scope, here))
    }
}

impl Command for Thaw {
    const PATH: &'static [&'static str] = &["thaw"];
    const EXAMPLES: &'static [&'static str] = &["thaw prod --reason 'the fix is live'"];

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        let (scope, freezes) = self.frozen(work).await?;
        if freezes.is_empty() {
            return Ok(vec![resource(&scope)]);
        }
        Ok(freezes
            .into_iter()
            .map(|freeze| Resource::Lease { over: Box::new(resource(&scope)), owner: freeze.owner })
            .collect())
    }
}

impl Act for Thaw {
    async fn plan(&self, work: &Work) -> Result<Plan, Failure> {
        let (scope, freezes) = self.frozen(work).await?;
        reason(work)?;
        if freezes.is_empty() {
            return Err(not_frozen(&scope).into());
        }
        let from =
            freezes.iter().map(|freeze| format!("{} #{}", freeze.owner, freeze.id)).collect::<Vec<_>>().join(", ");
        let step = (format!("freeze {scope}"), Some(from), None);
        simple(
            "thaw",
            self,
            Line::from(format!("thaw {scope}")),
            step,
            format!("freeze {} --reason TEXT", word(&scope)),
        )
    }

    async fn apply(&self, plan: &Plan, work: &Work, transaction: &mut Transaction<'_>) -> Result<Applied, Failure> {
        let scope = scope(work, self.scope.as_deref())?;
        let planned = plan.change.steps.first().and_then(|step| step.from.clone()).unwrap_or_default();
        let mut lifted = 0;
        for freeze in transaction.connection().freezes(work.now).await? {
            // Only the very freezes that were planned to go.
            if planned.split(", ").any(|known| known == format!("{} #{}", freeze.owner, freeze.id)) {
                lifted += usize::from(transaction.lift_freeze(freeze.id, work.now).await?);
            }
        }
        if lifted == 0 {
            return Err(not_frozen(&scope).into());
        }
        Ok(Applied::new(Message::new(format!("Thawed {scope}; it moves again")).tone(Tone::Good)))
    }
}

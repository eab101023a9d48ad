//! Who may do what: the one place where policy is asked.

use std::collections::BTreeSet;

use andon_core::{EffectKind, Line, OperationNumber, PersonId, Plan, Refusal};
use serde_json::Value;

use crate::policy::{Answer, Denial, Permit, Principal, Question, Resource};
use crate::work::Work;

/// Asks policy about `action` on `resources`, for the person of `work`.
pub(crate) fn ask(
    work: &Work,
    action: &str,
    resources: &[Resource],
    arguments: &Value,
    plan: Option<&Plan>,
) -> Result<Permit, Denial> {
    if resources.is_empty() {
        // Nothing was asked about, so nothing was permitted.
        return Err(Denial { policies: Vec::new(), needs: vec!["a resource to decide about".to_owned()] });
    }
    match work.configuration.policies.ask(work.catalog(), &question(work, action, resources, arguments, plan)) {
        Answer::Permitted(permit) => Ok(permit),
        Answer::Refused(denial) => Err(denial),
    }
}

fn question<'a>(
    work: &'a Work,
    action: &'a str,
    resources: &'a [Resource],
    arguments: &'a Value,
    plan: Option<&'a Plan>,
) -> Question<'a> {
    Question {
        principal: Principal::Person(work.asker()),
        action,
        resources,
        platform: &work.room.platform,
        room: &work.room,
        arguments,
        break_glass: false,
        has_reason: work.flags.reason.is_some(),
        plan,
    }
}

/// What the room reads when policy says no.
pub(crate) fn refusal(person: &PersonId, action: &str, denial: &Denial) -> Refusal {
    let fact = Line::new().person(person).text(" may not ").code(action).text(" here");
    let next_step = match denial.needs.as_slice() {
        [] => Line::new().text("ask somebody who owns it; no rule gives this to you"),
        [needs] => Line::new().text("it needs ").text(needs.clone()),
        several => Line::new().text("it needs one of: ").text(several.join("; ")),
    };
    Refusal::new(fact, next_step)
}

/// The commands that the person of `work` could use somewhere, were there a reason to: what `help` shows.
pub fn usable(work: &Work) -> BTreeSet<String> {
    let specs = work.house.grammar.specs();
    let somebody_else = work.catalog().people.keys().find(|person| *person != work.asker());
    let mut usable = permitted(work, &anything(work, somebody_else));
    // Operations and leases of one's own are there only for whoever can make some.
    let makes = |effect| specs.iter().any(|spec| spec.effect == effect && usable.contains(&spec.path.join(" ")));
    let mut own = if makes(EffectKind::Operation) { operations(work, work.asker()) } else { Vec::new() };
    if makes(EffectKind::Act) {
        own.push(Resource::Lease { over: Box::new(Resource::House), owner: work.asker().clone() });
    }
    usable.extend(permitted(work, &own));
    usable
}

fn permitted(work: &Work, resources: &[Resource]) -> BTreeSet<String> {
    let actions: Vec<_> = work.house.grammar.specs().iter().map(|spec| spec.path.join(" ")).collect();
    let question = Question { has_reason: true, ..question(work, "", resources, &Value::Null, None) };
    work.configuration.policies.permitted_anywhere(work.catalog(), &question, &actions)
}

/// Everything that policies could be asked about, with what belongs to somebody else.
fn anything(work: &Work, somebody_else: Option<&PersonId>) -> Vec<Resource> {
    let catalog = work.catalog();
    let mut places = vec![Resource::House];
    places.extend(catalog.environments.keys().cloned().map(Resource::Environment));
    places.extend(catalog.services.keys().cloned().map(Resource::Service));
    places.extend(catalog.targets().map(Resource::Target));
    let mut resources = vec![Resource::Trail, Resource::Room(work.room.clone())];
    if let Some(owner) = somebody_else {
        let lease = |over: &Resource| Resource::Lease { over: Box::new(over.clone()), owner: owner.clone() };
        resources.extend(places.iter().map(lease));
        resources.extend(operations(work, owner));
    }
    resources.extend(places);
    resources
}

fn operations(work: &Work, asked_by: &PersonId) -> Vec<Resource> {
    let operation = |target| {
        let number = OperationNumber(0);
        Resource::Operation { number, targets: vec![target], asked_by: asked_by.clone() }
    };
    work.catalog().targets().map(operation).collect()
}

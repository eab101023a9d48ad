//! Who may do what: the one place where policy is asked.

use andon_core::{Fault, Line, PersonId, Plan, Refusal};
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
    ask_for(work, &work.speaker.person, action, resources, arguments, plan)
}

/// Asks policy about `action` on `resources`, for another person in the room of `work`.
pub(crate) fn ask_for(
    work: &Work,
    person: &PersonId,
    action: &str,
    resources: &[Resource],
    arguments: &Value,
    plan: Option<&Plan>,
) -> Result<Permit, Denial> {
    if resources.is_empty() {
        // Nothing was asked about, so nothing was permitted.
        return Err(Denial { policies: Vec::new(), needs: vec!["a resource to decide about".to_owned()] });
    }
    let question = Question {
        principal: Principal::Person(person),
        action,
        resources,
        platform: &work.room.platform,
        room: &work.room,
        arguments,
        break_glass: false,
        has_reason: work.flags.reason.is_some(),
        plan,
    };
    match work.configuration.policies.ask(work.catalog(), &question) {
        Answer::Permitted(permit) => Ok(permit),
        Answer::Refused(denial) => Err(denial),
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

/// The commands that the person of `work` could use somewhere: what `help` shows.
///
/// # Errors
/// A command's resources could not be read.
pub fn usable(work: &Work, path: &[String]) -> Result<bool, Fault> {
    let action = path.join(" ");
    let mut resources = vec![Resource::House, Resource::Trail, Resource::Room(work.room.clone())];
    resources.extend(work.catalog().targets().map(Resource::Target));
    resources.extend(work.catalog().services.keys().cloned().map(Resource::Service));
    resources.extend(work.catalog().environments.keys().cloned().map(Resource::Environment));
    Ok(resources.into_iter().any(|resource| ask(work, &action, &[resource], &Value::Null, None).is_ok()))
}

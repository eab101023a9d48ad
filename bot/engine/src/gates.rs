//! The gates of a plan. Evaluated when it is planned, and again in the transaction that starts it.

use andon_core::{Failure, Finding, Gate, GateState, Line, OperationState, Plan, Refusal, Target};
use andon_store::Connection;
use jiff::Timestamp;

use crate::command::Exemption;
use crate::policy::Permit;
use crate::work::Work;

/// How every gate stands at `now`.
pub(crate) async fn evaluate(
    connection: &mut Connection<'_>,
    work: &Work,
    plan: &Plan,
    permit: &Permit,
    exemption: Exemption,
    now: Timestamp,
) -> Result<Vec<Finding>, Failure> {
    let mut findings = vec![permission(permit), approval(permit, exemption)];
    for target in plan.targets() {
        findings.push(lock(connection, work, &target, exemption, now).await?);
        findings.push(freeze(connection, &target, exemption, now).await?);
        if let Some(held) = hold(connection, plan, &target, exemption).await? {
            findings.push(held);
        }
        findings.push(one_at_a_time(connection, &target, exemption).await?);
    }
    Ok(findings)
}

/// The approvals that the plan needs, after its exemption.
pub(crate) fn approvals_needed(permit: &Permit, exemption: Exemption) -> u32 {
    match exemption {
        Exemption::Rollback => 0,
        Exemption::None | Exemption::Hold => permit.approvals,
    }
}

fn finding(gate: Gate, state: GateState, reason: impl Into<Line>) -> Finding {
    Finding::Gate { gate, state, reason: reason.into() }
}

fn permission(permit: &Permit) -> Finding {
    finding(Gate::Permission, GateState::Passed, format!("by {}", permit.policies.join(", ")))
}

fn approval(permit: &Permit, exemption: Exemption) -> Finding {
    match (approvals_needed(permit, exemption), permit.approvals) {
        (0, 0) => finding(Gate::Approval, GateState::Passed, "none needed"),
        (0, _) => finding(Gate::Approval, GateState::Exempt, "none needed for the release live just before"),
        (1, _) => finding(Gate::Approval, GateState::Waiting, "one other person has to agree"),
        (needed, _) => finding(Gate::Approval, GateState::Waiting, format!("{needed} other people have to agree")),
    }
}

async fn lock(
    connection: &mut Connection<'_>,
    work: &Work,
    target: &Target,
    exemption: Exemption,
    now: Timestamp,
) -> Result<Finding, Failure> {
    let Some(lock) = connection.lock(target, now).await? else {
        return Ok(finding(Gate::Lock, GateState::Passed, format!("{target} is not locked")));
    };
    if lock.owner == *work.asker() {
        return Ok(finding(Gate::Lock, GateState::Passed, format!("{target} is locked by the asker")));
    }
    let reason = Line::new()
        .text(format!("{target} is locked by "))
        .person(&lock.owner)
        .text(" until ")
        .time(lock.expires_at)
        .text(": ")
        .outside(&lock.reason);
    let state = if exemption == Exemption::Rollback { GateState::Exempt } else { GateState::Closed };
    Ok(finding(Gate::Lock, state, reason))
}

async fn freeze(
    connection: &mut Connection<'_>,
    target: &Target,
    exemption: Exemption,
    now: Timestamp,
) -> Result<Finding, Failure> {
    let Some(freeze) = connection.freezes_over(target, now).await?.into_iter().next() else {
        return Ok(finding(Gate::Freeze, GateState::Passed, format!("{target} is not frozen")));
    };
    let reason = Line::new()
        .text(format!("{} is frozen by ", freeze.scope))
        .person(&freeze.owner)
        .text(" until ")
        .time(freeze.expires_at)
        .text(": ")
        .outside(&freeze.reason);
    let state = if exemption == Exemption::Rollback { GateState::Exempt } else { GateState::Closed };
    Ok(finding(Gate::Freeze, state, reason))
}

async fn hold(
    connection: &mut Connection<'_>,
    plan: &Plan,
    target: &Target,
    exemption: Exemption,
) -> Result<Option<Finding>, Failure> {
    let steps = plan.change.steps.iter().filter(|step| step.target == target.to_string());
    for artifact in steps.flat_map(|step| &step.artifacts) {
        let Some(held) = connection.version_hold(target, artifact).await? else { continue };
        let reason = Line::new()
            .text(format!("{} was rolled back from {target} ", held.version))
            .time(held.at)
            .text("; to go out again it needs a reason");
        let state = if exemption == Exemption::None { GateState::Closed } else { GateState::Exempt };
        return Ok(Some(finding(Gate::Hold, state, reason)));
    }
    Ok(None)
}

/// One operation at a time: the next one waits for one that runs, but not for one whose end nobody can tell.
async fn one_at_a_time(
    connection: &mut Connection<'_>,
    target: &Target,
    exemption: Exemption,
) -> Result<Finding, Failure> {
    let Some(holder) = connection.holder(target).await? else {
        return Ok(finding(Gate::Target, GateState::Passed, format!("nothing is at work on {target}")));
    };
    let number = holder.number;
    Ok(match (exemption, holder.state) {
        (Exemption::Rollback, _) => {
            let reason = Line::new()
                .text(format!("{number} is at work on {target} and is asked to stop first; only to stop it, say "))
                .code(format!("cancel {number}"));
            finding(Gate::Target, GateState::Exempt, reason)
        }
        (_, OperationState::Unknown) => {
            let reason = format!("{target} is held by {number}, of which nobody can tell how it ended");
            finding(Gate::Target, GateState::Closed, reason)
        }
        _ => finding(Gate::Target, GateState::Waiting, format!("{number} is at work on {target} and goes first")),
    })
}

/// Why a gate refuses a plan, and the next step; nothing where none does.
pub(crate) fn closed(plan: &Plan) -> Option<Refusal> {
    let (gate, reason) = plan.closed_gate()?;
    Some(Refusal::new(reason.clone(), way_through(gate, plan)))
}

/// The next step when a gate refuses a plan.
fn way_through(gate: Gate, plan: &Plan) -> Line {
    let target = plan.targets().into_iter().next();
    let on = target.as_ref().map(|target| format!("{} --env {}", target.service, target.environment));
    match gate {
        Gate::Lock => {
            Line::new().text("ask the owner, or say ").code(format!("unlock {} --reason TEXT", on.unwrap_or_default()))
        }
        Gate::Freeze => Line::new().text("wait, or thaw it: see ").code("help thaw").text("; rollbacks pass a freeze"),
        Gate::Hold => Line::new().text("choose another version, or say why with ").code(again(plan, target.as_ref())),
        Gate::Target => Line::new()
            .text("find out how that ended and ")
            .code("settle")
            .text(" it; a rollback to the release just before passes"),
        Gate::Permission | Gate::Approval => Line::new().text("see ").code("help").text(" for what you can do"),
    }
}

/// The line that puts a held version live all the same, whichever command was asked: only `deploy` knows the flag.
fn again(plan: &Plan, target: Option<&Target>) -> String {
    let to = plan.change.steps.first().and_then(|step| step.to.as_deref()).unwrap_or_default();
    let version = to.split_once('@').map_or(to, |(version, _)| version);
    match target {
        Some(target) => {
            format!("deploy {} {version} --env {} --again --reason TEXT", target.service, target.environment)
        }
        None => "--again --reason TEXT".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use andon_core::{Change, Step};

    use super::*;

    #[test]
    fn the_way_past_a_hold_is_a_line_that_can_be_said() {
        let step = Step {
            target: "hello/prod".to_owned(),
            from: None,
            to: Some(format!("v2@{}", "0".repeat(64))),
            artifacts: Vec::new(),
            generation: None,
            configuration: None,
        };
        let change = Change {
            command: vec!["rollback".to_owned()],
            arguments: serde_json::Value::Null,
            steps: vec![step],
            undo: None,
        };
        let findings = vec![finding(Gate::Hold, GateState::Closed, "v2 was rolled back from hello/prod")];
        let refusal = closed(&Plan { summary: Line::new(), change, findings }).expect("a closed gate");
        assert!(
            refusal.next_step.plain().ends_with("deploy hello v2 --env prod --again --reason TEXT"),
            "{}",
            refusal.next_step.plain()
        );
    }
}

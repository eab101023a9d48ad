//! From a plan to what becomes of it: shown (`--dry-run`), applied (an act), or reserved as an operation.

use std::sync::Arc;

use andon_core::{Digest, Failure, Fault, Line, Message, OperationId, PersonId, Plan, RecordKind, Refusal, Target};
use andon_store::{Accepted, Connection, InvocationState, NewOperation, StoredCommand, Transaction};
use serde_json::Value;

use crate::command::{Apply, Exemption};
use crate::policy::Permit;
use crate::probe::Point;
use crate::work::Work;
use crate::{approvals, card, gates, record, reply};

/// The most people that one request for approval mentions.
const MENTIONED: usize = 5;

/// What stands before the digest of the plan that was shown.
const IF_PLAN: &str = " --if-plan ";

/// Proof that a plan was computed, digested and permitted. Nothing is reserved without one.
pub(crate) struct Planned {
    plan: Plan,
    digest: Digest,
    permit: Permit,
    about: Vec<Target>,
    exemption: Exemption,
}

impl Planned {
    /// Digests a permitted plan. What changes no target itself is `about` some all the same.
    pub(crate) fn new(
        plan: Plan,
        permit: Permit,
        about: Vec<Target>,
        exemption: impl FnOnce(&Plan) -> Result<Exemption, Fault>,
    ) -> Result<Self, Fault> {
        let changed = plan.targets();
        let about = if changed.is_empty() { about } else { changed };
        Ok(Self { digest: plan.digest()?, exemption: exemption(&plan)?, plan, permit, about })
    }

    /// The plan with how its gates stand now.
    async fn with_gates(mut self, connection: &mut Connection<'_>, work: &Work) -> Result<Self, Failure> {
        let findings = gates::evaluate(connection, work, &self.plan, &self.permit, self.exemption, work.now).await?;
        self.plan.findings.extend(findings);
        Ok(self)
    }

    /// Refuses where a gate is closed.
    fn refuse_closed(&self) -> Result<(), Refusal> {
        gates::closed(&self.plan).map_or(Ok(()), Err)
    }

    fn record(&self, work: &Work, accepted: &Accepted) -> andon_core::Record {
        let mut record = work.house.record_of_invocation(RecordKind::Planned, accepted.invocation());
        record.targets.clone_from(&self.about);
        record.decision = Some(record::decision(work.configuration(), Ok(&self.permit), &self.plan.findings));
        record.plan = Some(record::plan(&self.plan, self.digest, self.exemption == Exemption::Rollback));
        record
    }
}

/// `--dry-run` of an act: the plan is shown and recorded, nothing is changed.
pub(crate) async fn show(
    work: &Work,
    accepted: &Arc<Accepted>,
    plan: Plan,
    permit: Permit,
    about: Vec<Target>,
) -> Result<(), Failure> {
    let planned = Planned::new(plan, permit, about, |_| Ok(Exemption::None))?;
    conclude_dry_run(work, accepted, planned).await
}

/// `--dry-run` of an operation: as [`show`], with how its gates stand.
pub(crate) async fn show_operation(work: &Work, accepted: &Arc<Accepted>, planned: Planned) -> Result<(), Failure> {
    let mut reader = work.house.store.read().await?;
    let planned = planned.with_gates(&mut reader.connection(), work).await?;
    conclude_dry_run(work, accepted, planned).await
}

async fn conclude_dry_run(work: &Work, accepted: &Arc<Accepted>, planned: Planned) -> Result<(), Failure> {
    let (house, accepted) = (Arc::clone(&work.house), Arc::clone(accepted));
    let mut record = planned.record(work, &accepted);
    record.details = serde_json::json!({ "dry_run": true });
    let sealed = house.seal(&record)?;
    let said = accepted.invocation().said.text.trim().to_owned();
    let path = accepted.invocation().command.as_ref().map(|command| command.path.join(" ")).unwrap_or_default();
    let message = card::dry_run(&planned.plan, planned.digest, for_good(&said, &path, planned.digest).as_deref());
    let store = house.store.clone();
    store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.append(&sealed).await?;
                reply::say(&house, transaction, accepted.invocation(), &message).await?;
                let summary = message.summary.plain();
                transaction.finish_invocation(&accepted, InvocationState::Answered, &summary).await?;
                Ok::<_, Failure>(())
            })
        })
        .await
}

/// What was said, to be done and not shown, if its plan is still the one with this digest: in the place of its `--dry-run`, which is its end,
/// or right behind the command, where nothing else can hold it.
fn for_good(said: &str, path: &str, shown: Digest) -> Option<String> {
    let if_plan = format!("{IF_PLAN}{shown}");
    let at_the_end = || said.strip_suffix(" --dry-run").map(|line| format!("{line}{if_plan}"));
    let behind = said.strip_prefix(path).and_then(|rest| rest.strip_prefix(" --dry-run"));
    behind.filter(|rest| rest.starts_with(' ')).map(|rest| format!("{path}{if_plan}{rest}")).or_else(at_the_end)
}

/// What was said, without the condition that its plan is the one with this digest: to be asked for anew.
pub(crate) fn of_any_plan(said: &str, planned: Digest) -> String {
    let mut parts = said.splitn(2, IF_PLAN);
    let (Some(before), Some(after)) = (parts.next(), parts.next()) else { return said.to_owned() };
    let end = after.find(' ').unwrap_or(after.len());
    match after[..end].parse::<Digest>() {
        Ok(shown) if shown == planned => format!("{before}{}", &after[end..]),
        _ => said.to_owned(),
    }
}

/// Refuses where a plan was shown and this is another one.
pub(crate) fn expect_as_shown(work: &Work, plan: &Plan) -> Result<(), Failure> {
    match work.flags.if_plan {
        Some(shown) if shown != plan.digest()? => {
            let fact = Line::new().text("The plan has changed since it was shown, and now is: ").line(&plan.summary);
            let next_step = Line::new().text("look at it again with ").code("--dry-run");
            Err(Refusal::new(fact, next_step).into())
        }
        _ => Ok(()),
    }
}

/// Applies an act: its change, its record and its answer in one transaction.
pub(crate) async fn apply(
    work: &Work,
    accepted: &Arc<Accepted>,
    plan: Plan,
    permit: Permit,
    about: Vec<Target>,
    arguments: Value,
    apply: Apply,
) -> Result<(), Failure> {
    let (work, accepted, store) = (work.clone(), Arc::clone(accepted), work.house.store.clone());
    let planned = Planned::new(plan, permit, about, |_| Ok(Exemption::None))?;
    let probe = Arc::clone(&work.house.probe);
    probe(Point::Planned);
    let applied = store
        .write(move |transaction| {
            Box::pin(async move { apply_in(&work, &accepted, &planned, &arguments, apply, transaction).await })
        })
        .await;
    probe(Point::Applied);
    applied
}

async fn apply_in(
    work: &Work,
    accepted: &Accepted,
    planned: &Planned,
    arguments: &Value,
    apply: Apply,
    transaction: &mut Transaction<'_>,
) -> Result<(), Failure> {
    let house = &work.house;
    let applied = apply(arguments, &planned.plan, work, transaction).await?;
    let mut record = planned.record(work, accepted);
    record.kind = applied.kind;
    record.operation = applied.operation.map(|(id, _)| id);
    record.operation_number = applied.operation.map(|(_, number)| number);
    record.parent = applied.parent;
    record.approval = applied.approval;
    record.outcome = Some(record::outcome("applied", &applied.message.summary.plain()));
    let sealed = house.seal(&record)?;
    let number = transaction.append(&sealed).await?;
    for operation in applied.redraw {
        card::draw(house, transaction, operation).await?;
    }
    let message = reply::with_record(applied.message, number, &sealed);
    reply::say(house, transaction, accepted.invocation(), &message).await?;
    let summary = message.summary.plain();
    transaction.finish_invocation(accepted, InvocationState::Answered, &summary).await?;
    Ok(())
}

/// Reserves an operation: its row, its record and its card in one transaction. Where no approval is missing it is queued at once.
pub(crate) async fn reserve(work: &Work, accepted: &Arc<Accepted>, planned: Planned) -> Result<(), Failure> {
    let (work, accepted, store) = (work.clone(), Arc::clone(accepted), work.house.store.clone());
    let probe = Arc::clone(&work.house.probe);
    probe(Point::Planned);
    // Asked of the policies about everybody: not while others wait to write.
    let approvers = match gates::approvals_needed(&planned.permit, planned.exemption) {
        0 => Vec::new(),
        _ => approvals::approvers_of(&work, &planned.plan, MENTIONED),
    };
    let reserved = store
        .write(move |transaction| {
            Box::pin(async move { reserve_in(&work, &accepted, planned, &approvers, transaction).await })
        })
        .await;
    probe(Point::Reserved);
    reserved
}

async fn reserve_in(
    work: &Work,
    accepted: &Accepted,
    planned: Planned,
    approvers: &[PersonId],
    transaction: &mut Transaction<'_>,
) -> Result<(), Failure> {
    let house = &work.house;
    let planned = planned.with_gates(&mut transaction.connection(), work).await?;
    planned.refuse_closed()?;
    let mut record = planned.record(work, accepted);
    let id = OperationId::new(work.now, &*house.entropy);
    let invocation = accepted.invocation();
    let command = invocation.command.as_ref().ok_or_else(|| Fault::new("an operation without a command"))?;
    let expires_at = work.now.saturating_add(work.catalog().defaults.approval_expires).unwrap_or(jiff::Timestamp::MAX);
    let new = NewOperation {
        id,
        command: StoredCommand { arguments: resolved(&command.arguments, &planned.plan), ..command.clone() },
        plan: planned.plan.clone(),
        digest: planned.digest,
        targets: planned.plan.targets(),
        asked_by: work.speaker.clone(),
        room: work.room.clone(),
        created: work.now,
        expires_at,
        approvals_needed: gates::approvals_needed(&planned.permit, planned.exemption),
        urgent: planned.exemption == Exemption::Rollback,
        planned_record: record.id,
    };
    let number = transaction.insert_operation(accepted, &new).await?;
    record.operation = Some(id);
    record.operation_number = Some(number);
    let sealed = house.seal(&record)?;
    transaction.append(&sealed).await?;
    card::place(house, transaction, id, work).await?;
    if new.approvals_needed > 0 {
        card::ask_approvers(house, transaction, id, work, approvers).await?;
    }
    let summary = Message::new(planned.plan.summary.clone()).summary.plain();
    transaction.finish_invocation(accepted, InvocationState::Planned, &summary).await?;
    Ok(())
}

/// The arguments as the plan understood them: what was resolved once, such as the newest version, is not resolved to something else later.
fn resolved(arguments: &Value, plan: &Plan) -> Value {
    let (Value::Object(said), Value::Object(planned)) = (arguments, &plan.change.arguments) else {
        return arguments.clone();
    };
    let resolve = |(name, value): (&String, &Value)| (name.clone(), planned.get(name).unwrap_or(value).clone());
    said.iter().map(resolve).collect()
}

#[cfg(test)]
mod tests {
    use andon_core::{Change, Line};
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_only_shown_can_be_said_for_good() {
        let shown = Digest::of("a plan");
        let line = |said: &str| for_good(said, "deploy", shown);
        let if_plan = format!("--if-plan {shown}");
        let at_the_end = format!("deploy hello v1 --reason 'a --dry-run b' {if_plan}");
        assert_eq!(line("deploy hello v1 --reason 'a --dry-run b' --dry-run"), Some(at_the_end.clone()));
        let behind = format!("deploy {if_plan} hello v1 --reason 'a --dry-run b'");
        assert_eq!(line("deploy --dry-run hello v1 --reason 'a --dry-run b'"), Some(behind.clone()));
        assert_eq!(line("deploy hello --dry-run v1"), None);
        // And asked for anew, whatever its plan will be.
        for said in [at_the_end, behind] {
            assert_eq!(of_any_plan(&said, shown), "deploy hello v1 --reason 'a --dry-run b'");
            assert_eq!(of_any_plan(&said, Digest::of("another")), said);
        }
        assert_eq!(of_any_plan("deploy hello v1", shown), "deploy hello v1");
    }

    #[test]
    fn what_was_resolved_stays_so() {
        let change = Change {
            command: vec!["deploy".to_owned()],
            arguments: json!({ "service": "hello", "version": "v3", "env": "staging", "just_before": true }),
            steps: Vec::new(),
            undo: None,
        };
        let plan = Plan { summary: Line::new(), change, findings: Vec::new() };
        let said = json!({ "service": "hello", "version": "latest", "env": "stage", "again": false });
        let expected = json!({ "service": "hello", "version": "v3", "env": "staging", "again": false });
        assert_eq!(resolved(&said, &plan), expected);
    }
}

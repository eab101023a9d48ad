//! Approvals, objections, withdrawals and settlements of operations. What no policy can weaken stands here: nobody approves their own
//! change, each person counts once, and an approval names the digest of the plan.

use andon_core::{
    ApprovalFacts, Cause, Digest, EffectKind, Failure, Fault, Line, Message, OperationNumber, OperationState, Outcome,
    PersonId, Plan, Private, RecordKind, Refusal, Speaker, Tone,
};
use andon_store::{Connection, InvocationRow, NewApproval, OperationRow, RecordRow, Search, Transaction};
use serde_json::Value;

use crate::command::{Applied, Flags};
use crate::house::House;
use crate::policy::{Permit, Resource};
use crate::work::Work;
use crate::{authorize, card, operations, people};

/// Proof that an operation has all approvals that it needs, and the operation itself. Made only by counting what is stored: from distinct
/// people, none of them the asker, all naming this plan, all still entitled.
pub struct Approved(OperationRow);

impl Approved {
    /// Decides again, from what is stored and under the policy now in force, whether an operation is approved.
    ///
    /// # Errors
    /// Why it is not, as a fact for the room.
    pub(crate) async fn reload(
        work: &Work,
        transaction: &mut Transaction<'_>,
        row: &OperationRow,
    ) -> Result<Self, Failure> {
        expect_as_recorded(&mut transaction.connection(), row).await?;
        let count = standing(work, &mut transaction.connection(), row).await?.len();
        if count < usize::try_from(row.approvals_needed).unwrap_or(usize::MAX) {
            let fact = format!("{count} of {} approvals still hold", row.approvals_needed);
            return Err(Refusal::new(fact, "ask again; a new request names who can approve").into());
        }
        Ok(Self(row.clone()))
    }

    /// What was approved.
    pub(crate) fn into_operation(self) -> OperationRow {
        self.0
    }
}

/// Refuses an operation whose row tells otherwise than the record of its plan: whoever owns the database can change rows, and cannot change
/// records without being found.
async fn expect_as_recorded(connection: &mut Connection<'_>, row: &OperationRow) -> Result<(), Failure> {
    let kind = Some(RecordKind::Planned.name().to_owned());
    let search = Search { operation: Some(row.id), kind, limit: 1, ..Search::default() };
    if let Some(record) = connection.search(&search).await?.pop()
        && is_as_recorded(connection, &record, row).await?
    {
        return Ok(());
    }
    let fact = "What is kept of it is not what was recorded";
    let next_step = "have the trail verified: somebody may have changed the database";
    Err(Refusal::new(fact, next_step).into())
}

/// The asker is known by number also once the configuration has dropped that person: that alone is no forgery.
async fn is_as_recorded(
    connection: &mut Connection<'_>,
    record: &RecordRow,
    row: &OperationRow,
) -> Result<bool, Failure> {
    let leaf: Value = serde_json::from_slice(&record.leaf).map_err(Fault::new)?;
    let asker = match leaf.pointer("/who/number").and_then(Value::as_i64) {
        Some(number) => connection.person_named(number).await?,
        None => None,
    };
    let digest = leaf.pointer("/plan/digest").and_then(Value::as_str);
    Ok(record.id == row.planned_record
        && asker.as_ref() == Some(&row.asked_by.person)
        && digest == Some(row.digest.to_string().as_str())
        && row.plan.digest()? == row.digest)
}

/// The people whose approvals of an operation hold now: the one count, for the last approval and for the start. One that no record tells
/// of was not given.
async fn standing(work: &Work, connection: &mut Connection<'_>, row: &OperationRow) -> Result<Vec<PersonId>, Failure> {
    let approvals = connection.approvals(row.id).await?;
    let clicks = if approvals.is_empty() { Vec::new() } else { clicks(connection, row).await? };
    let mut agreed = Vec::new();
    for approval in approvals {
        // An account that was unlinked meanwhile speaks for nobody.
        let speaker = people::speaker(work.catalog(), connection, &approval.by.identity).await?;
        let linked = speaker.as_ref() == Some(&approval.by);
        let click = clicks.iter().find(|click| click.speaker.as_ref() == Some(&approval.by));
        let counts =
            linked && click.is_some() && approval.digest == row.digest && !agreed.contains(&approval.by.person);
        if counts && may_approve(&as_said(work, &approval.by, click)?, &arguments(click), row.into()).is_ok() {
            agreed.push(approval.by.person);
        }
    }
    Ok(agreed)
}

/// How the approvals of an operation were said: their records name the invocations.
async fn clicks(connection: &mut Connection<'_>, row: &OperationRow) -> Result<Vec<InvocationRow>, Failure> {
    let kind = Some(RecordKind::Approved.name().to_owned());
    let search = Search { operation: Some(row.id), kind, limit: 100, ..Search::default() };
    let mut clicks = Vec::new();
    for record in connection.search(&search).await? {
        let Some(invocation) = record.index.invocation else { continue };
        clicks.extend(connection.invocation(invocation).await?);
    }
    Ok(clicks)
}

/// The work of an approver as it was at the click: in that room, with that reason. The policies and the people are those of now.
fn as_said(work: &Work, by: &Speaker, click: Option<&InvocationRow>) -> Result<Work, Fault> {
    let flags = click.and_then(|click| click.command.as_ref()).map(|command| command.flags.clone());
    let flags = flags.map(serde_json::from_value).transpose().map_err(Fault::new)?.unwrap_or_default();
    let room = click.map_or_else(|| work.room.clone(), |click| click.said.room.clone());
    Ok(Work { speaker: by.clone(), room, flags, ..work.clone() })
}

fn arguments(click: Option<&InvocationRow>) -> Value {
    click.and_then(|click| click.command.as_ref()).map_or(Value::Null, |command| command.arguments.clone())
}

/// What is asked about an approval: whose plan it is, and of what.
struct Asked<'a> {
    number: OperationNumber,
    asked_by: &'a PersonId,
    plan: &'a Plan,
}

impl<'a> From<&'a OperationRow> for Asked<'a> {
    fn from(row: &'a OperationRow) -> Self {
        Self { number: row.number, asked_by: &row.asked_by.person, plan: &row.plan }
    }
}

/// Whether the person of `work` may approve: under the policy in force, and never as the asker.
fn may_approve(work: &Work, arguments: &Value, asked: Asked<'_>) -> Result<Permit, Failure> {
    if work.asker() == asked.asked_by {
        let next_step = format!("ask a colleague; `why {}` names who can", asked.number);
        return Err(Refusal::new("You asked for it, so someone else must approve", next_step).into());
    }
    let (number, asked_by) = (asked.number, asked.asked_by.clone());
    let resources = [Resource::Operation { number, targets: asked.plan.targets(), asked_by }];
    authorize::ask(work, "approve", &resources, arguments, Some(asked.plan))
        .map_err(|denial| authorize::refusal(work.asker(), "approve", &denial).into())
}

/// Everybody who may approve an operation, at most `limit`.
pub fn approvers(work: &Work, row: &OperationRow, limit: usize) -> Vec<PersonId> {
    who_may(work, row.into(), limit)
}

/// Everybody who may approve what the person of `work` plans, at most `limit`. It has no number yet.
pub(crate) fn approvers_of(work: &Work, plan: &Plan, limit: usize) -> Vec<PersonId> {
    who_may(work, Asked { number: OperationNumber(0), asked_by: work.asker(), plan }, limit)
}

/// Who may, if they say why.
fn who_may(work: &Work, asked: Asked<'_>, limit: usize) -> Vec<PersonId> {
    let flags = Flags { reason: Some(String::new()), ..Flags::default() };
    let may = |person: &&PersonId| {
        let speaker = Speaker { person: (*person).clone(), identity: work.speaker.identity.clone() };
        let (work, asked) = (Work { speaker, flags: flags.clone(), ..work.clone() }, Asked { ..asked });
        may_approve(&work, &Value::Null, asked).is_ok()
    };
    work.catalog().people.keys().filter(may).take(limit).cloned().collect()
}

/// What policy is asked about an operation.
pub fn resource(row: &OperationRow) -> Resource {
    Resource::Operation { number: row.number, targets: row.targets.clone(), asked_by: row.asked_by.person.clone() }
}

/// An operation by its short name.
///
/// # Errors
/// Refused where there is none.
pub async fn find(work: &Work, number: OperationNumber) -> Result<OperationRow, Failure> {
    let row = work.reader().await?.connection().operation_by_number(number).await?;
    row.ok_or_else(|| {
        Refusal::new(format!("There is no operation {number}"), "say `status` to see the open ones").into()
    })
}

/// What was refused may have been asked of an operation that has moved on, by a button of a card that still shows it as it was: that card is
/// said once more.
pub(crate) async fn show_if_moved_on(
    house: &House,
    transaction: &mut Transaction<'_>,
    refused: &InvocationRow,
) -> Result<(), Failure> {
    let Some(number) = acts_on(house, refused) else { return Ok(()) };
    match transaction.connection().operation_by_number(number).await? {
        Some(row) if row.state != OperationState::WaitingApproval => card::repeat(house, transaction, row.id).await,
        _ => Ok(()),
    }
}

/// The operation that an invocation is to act on: to approve, deny, cancel or settle.
pub(crate) fn acts_on(house: &House, invocation: &InvocationRow) -> Option<OperationNumber> {
    let command = invocation.command.as_ref()?;
    let acts = house.grammar.entry(&command.path)?.effect() == EffectKind::Act;
    let number = command.arguments.get("operation").and_then(Value::as_i64).filter(|_| acts)?;
    Some(OperationNumber(number))
}

async fn lock(transaction: &mut Transaction<'_>, number: OperationNumber) -> Result<OperationRow, Failure> {
    let row = transaction.lock_operation(number).await?;
    row.ok_or_else(|| {
        Refusal::new(format!("There is no operation {number}"), "say `status` to see the open ones").into()
    })
}

fn not_now(work: &Work, row: &OperationRow, verb: &str) -> Failure {
    let overdue = row.state == OperationState::WaitingApproval && row.expires_at <= work.now;
    let state = if overdue { OperationState::Expired } else { row.state };
    let fact = format!("{} cannot be {verb} any more: {}", row.number, state.words());
    Refusal::new(fact, format!("say `why {}` for its story", row.number)).into()
}

/// What a person wants of an operation.
#[derive(Clone, Copy, Debug)]
pub enum Wish {
    /// Agree to it; to this very plan, where one is named.
    Approve(Option<Digest>),
    /// Say no to it.
    Deny,
    /// Withdraw it.
    Cancel,
    /// Say how it ended.
    Settle(Cause),
}

/// Whether an operation stands so that the asker's wish can be granted. Decided when it is planned, and again when it is done.
///
/// # Errors
/// Refused with what is in the way: nobody approves their own change, and an operation that has moved on is out of reach.
pub fn stands(work: &Work, row: &OperationRow, wish: Wish) -> Result<(), Failure> {
    let waits = row.state == OperationState::WaitingApproval && row.expires_at > work.now;
    let withdrawable =
        matches!(row.state, OperationState::WaitingApproval | OperationState::Queued | OperationState::Running);
    match wish {
        // Whoever asked hears that first, whatever has become of it.
        Wish::Approve(_) if row.asked_by.person == *work.asker() => {
            may_approve(work, &Value::Null, row.into()).map(|_| ())
        }
        Wish::Approve(_) if !waits => Err(not_now(work, row, "approved")),
        Wish::Approve(Some(plan)) if plan != row.digest => Err(Refusal::new(
            "That approval names another plan",
            format!("look at the card of {} and approve that", row.number),
        )
        .into()),
        Wish::Deny if !waits => Err(not_now(work, row, "denied")),
        Wish::Cancel if !withdrawable => Err(not_now(work, row, "cancelled")),
        Wish::Settle(cause) if row.state != OperationState::Unknown || row.state.after(cause).is_none() => {
            Err(not_now(work, row, "settled"))
        }
        _ => Ok(()),
    }
}

/// Counts one approval; the last one queues the operation in this same transaction.
///
/// # Errors
/// Refused to the asker, to whoever approved before, for another plan, and once it no longer waits.
pub async fn approve(
    work: &Work,
    transaction: &mut Transaction<'_>,
    number: OperationNumber,
    plan: Option<Digest>,
) -> Result<Applied, Failure> {
    let row = lock(transaction, number).await?;
    stands(work, &row, Wish::Approve(plan))?;
    expect_as_recorded(&mut transaction.connection(), &row).await?;
    let mut people = standing(work, &mut transaction.connection(), &row).await?;
    let permit = may_approve(work, &clicked(number, plan), (&row).into())?;
    let new = NewApproval { operation: row.id, by: work.speaker.clone(), digest: row.digest, at: work.now };
    if people.contains(work.asker()) {
        return Err(Refusal::new("You have approved it already", "someone else has to agree as well").into());
    }
    transaction.add_approval(&new).await?;
    people.push(work.asker().clone());
    let count = u32::try_from(people.len()).unwrap_or(u32::MAX);
    let last = count >= row.approvals_needed;
    if last {
        transaction.advance(&row, Cause::Approved, work.now, None).await?;
    }
    let rest = if last { "it is queued".to_owned() } else { format!("{count} of {}", row.approvals_needed) };
    let summary = Line::new().text(format!("Approved {number} ({rest}): ")).line(&row.plan.summary);
    let facts = facts(work, &row, permit.policies, count);
    Ok(about(&row, RecordKind::Approved, Some(facts), Message::new(summary).tone(Tone::Good)))
}

/// The arguments of an approval, as they are kept: at the start the policies are asked with the same ones.
fn clicked(number: OperationNumber, plan: Option<Digest>) -> serde_json::Value {
    match plan {
        Some(plan) => serde_json::json!({ "operation": number, "plan": plan }),
        None => serde_json::json!({ "operation": number }),
    }
}

fn facts(work: &Work, row: &OperationRow, eligible_by: Vec<String>, count: u32) -> ApprovalFacts {
    ApprovalFacts {
        digest: row.digest,
        eligible_by,
        shown: Private::new(row.plan.summary.plain()),
        shown_at: row.created,
        answered_at: work.now,
        step_up: false,
        independent_of_authors: None,
        count,
        needed: row.approvals_needed,
    }
}

fn about(row: &OperationRow, kind: RecordKind, approval: Option<ApprovalFacts>, message: Message) -> Applied {
    let (operation, parent) = (Some((row.id, row.number)), Some(row.planned_record));
    Applied { message, kind, operation, parent, approval, redraw: vec![row.id] }
}

/// An approver's no: final.
///
/// # Errors
/// Refused once it no longer waits.
pub async fn deny(work: &Work, transaction: &mut Transaction<'_>, number: OperationNumber) -> Result<Applied, Failure> {
    let row = lock(transaction, number).await?;
    stands(work, &row, Wish::Deny)?;
    let summary = end(work, transaction, &row, Cause::Denied, "Denied").await?.summary;
    let facts = facts(work, &row, Vec::new(), 0);
    Ok(about(&row, RecordKind::Objected, Some(facts), Message::new(summary)))
}

/// Withdraws an operation: at once while it waits, by asking its backend while it runs.
///
/// # Errors
/// Refused once it has ended.
pub async fn cancel(
    work: &Work,
    transaction: &mut Transaction<'_>,
    number: OperationNumber,
) -> Result<Applied, Failure> {
    let row = lock(transaction, number).await?;
    stands(work, &row, Wish::Cancel)?;
    let message = if row.state == OperationState::Running {
        transaction.request_cancel(row.id).await?;
        Message::new(Line::new().text(format!("Asked {number} to stop: ")).line(&row.plan.summary))
            .paragraph("Its card tells whether it could.")
    } else {
        Message::new(end(work, transaction, &row, Cause::Cancelled, "Cancelled").await?.summary)
    };
    Ok(about(&row, RecordKind::Cancelled, None, message))
}

/// A person says how an operation ended whose end nobody could tell.
///
/// # Errors
/// Refused where its end is known.
pub async fn settle(
    work: &Work,
    transaction: &mut Transaction<'_>,
    number: OperationNumber,
    cause: Cause,
) -> Result<Applied, Failure> {
    let row = lock(transaction, number).await?;
    stands(work, &row, Wish::Settle(cause))?;
    let state = row.state.after(cause).ok_or_else(|| not_now(work, &row, "settled"))?;
    // Before its targets are let go. Where a rollback has taken over, what came of it is history, and nothing follows from it.
    let holds = operations::holds_its_targets(&mut transaction.connection(), &row).await?;
    let outcome = end(work, transaction, &row, cause, &format!("Settled as {}", state.words())).await?;
    if holds {
        // Whoever vouches for the end vouches for all that follows from it: the release, the lock and the hold that a rollback leaves.
        operations::conclude(work, &row, &outcome, transaction).await?;
    }
    Ok(about(&row, RecordKind::Settled, None, Message::new(outcome.summary)))
}

/// A person ends an operation. Its asker is told, unless that is the same person.
async fn end(
    work: &Work,
    transaction: &mut Transaction<'_>,
    row: &OperationRow,
    cause: Cause,
    verb: &str,
) -> Result<Outcome, Failure> {
    let state = row.state.after(cause).ok_or_else(|| not_now(work, row, "ended"))?;
    let mut summary = Line::new().text(format!("{verb} by ")).person(work.asker()).text(": ").line(&row.plan.summary);
    if let Some(reason) = &work.flags.reason {
        summary = summary.text(". Reason: ").outside(reason);
    }
    let outcome = Outcome { state, summary, observed: None, details: None };
    transaction.advance(row, cause, work.now, Some(&outcome)).await?;
    if row.asked_by.person != *work.asker() {
        card::tell_end(&work.house, transaction, row.id).await?;
    }
    Ok(outcome)
}

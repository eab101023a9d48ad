//! From queued to running: everything is decided once more, in the transaction that makes the `started` mark durable.

use std::sync::Arc;

use andon_core::{
    Cause, EffectFacts, Failure, Fault, Line, OperationState, Outcome, Plan, RecordId, RecordKind, Refusal,
};
use andon_store::{OperationRow, StoreError, Transaction};
use jiff::SignedDuration;

use super::worker::lease;
use crate::approvals::Approved;
use crate::command::{Entry, Exemption, Flags, Run};
use crate::house::House;
use crate::policy::Permit;
use crate::probe::Point;
use crate::work::Work;
use crate::{authorize, card, gates, people, record};

/// How long to wait for a target that is held before looking again.
const WAIT: SignedDuration = SignedDuration::from_secs(1);

/// What became of an attempt to start.
enum Begun {
    Started(Box<OperationRow>, RecordId),
    Ended,
    Waits,
}

/// Starts an operation that was queued: gives it back marked as running, or nothing where it ended or has to wait.
pub(super) async fn begin(house: &Arc<House>, row: OperationRow) -> Result<Option<OperationRow>, Failure> {
    let work = work_of(house, &row)?;
    let entry = entry_of(house, &row)?;
    let replanned = replan(&work, entry, &row).await;
    (house.probe)(Point::Replanned);
    let (store, number, id, fence) = (house.store.clone(), row.number, row.id, row.fence);
    let begun = store
        .write(move |transaction| Box::pin(async move { begin_in(&work, row, replanned?, transaction).await }))
        .await;
    match begun {
        Ok(Begun::Started(row, record)) => {
            (house.probe)(Point::Started);
            crate::sequencer::covered(house, record).await?;
            (house.probe)(Point::Covered);
            Ok(Some(*row))
        }
        Ok(Begun::Ended) => Ok(None),
        Ok(Begun::Waits) => {
            // It is taken up again once the target is free. Where the lease is lost, somebody else looks.
            lease(house, id, fence, WAIT).await?;
            Ok(None)
        }
        // Nothing was decided: it stays queued, and is looked at again.
        Err(Failure::Faulted(fault)) if fault.told().is_some() => {
            tracing::warn!(error = %fault.chain(), "{number} cannot start yet");
            lease(house, id, fence, WAIT).await?;
            Ok(None)
        }
        Err(Failure::Refused(_)) => Err(Fault::new(format!("{number} could not be ended")).into()),
        Err(faulted) => Err(faulted),
    }
}

/// The work of an operation: on behalf of its asker, with that person's present rights.
pub(super) fn work_of(house: &Arc<House>, row: &OperationRow) -> Result<Work, Failure> {
    let flags: Flags = serde_json::from_value(row.command.flags.clone()).map_err(Fault::new)?;
    Ok(Work::new(house, row.asked_by.clone(), row.room.clone(), flags))
}

pub(super) fn entry_of(house: &House, row: &OperationRow) -> Result<&'static Entry, Failure> {
    let entry = house.grammar.entry(&row.command.path);
    Ok(entry.ok_or_else(|| Fault::new("the command of an operation is no longer part of this version"))?)
}

/// The plan as it would be made now, with the asker's rights as they are now; or why it cannot be made any more.
type Replanned = Result<Result<(Plan, Permit, Exemption), Refusal>, Failure>;

async fn replan(work: &Work, entry: &'static Entry, row: &OperationRow) -> Replanned {
    let made = async {
        let Run::Operation { plan, exemption, .. } = &entry.run else {
            return Err(Fault::new("an operation whose command is none").into());
        };
        let mut reader = work.reader().await?;
        let asker = people::speaker(work.catalog(), &mut reader.connection(), &row.asked_by.identity).await?;
        drop(reader);
        if asker.as_ref() != Some(&row.asked_by) {
            return Err(
                Refusal::new("The account that asked for it is no longer linked", "somebody else can ask").into()
            );
        }
        let arguments = &row.command.arguments;
        let made = plan(arguments, work).await?;
        let resources = (entry.resources)(arguments, work).await?;
        let permit = authorize::ask(work, &entry.name(), &resources, arguments, Some(&made))
            .map_err(|denial| authorize::refusal(work.asker(), &entry.name(), &denial))?;
        let exemption = exemption(arguments, &made)?;
        Ok((made, permit, exemption))
    };
    match made.await {
        Ok(made) => Ok(Ok(made)),
        Err(Failure::Refused(refusal)) => Ok(Err(*refusal)),
        Err(faulted) => Err(faulted),
    }
}

async fn begin_in(
    work: &Work,
    row: OperationRow,
    replanned: Result<(Plan, Permit, Exemption), Refusal>,
    transaction: &mut Transaction<'_>,
) -> Result<Begun, Failure> {
    let Some(row) = transaction.lock_operation(row.number).await?.filter(|now| now.fence == row.fence) else {
        return Ok(Begun::Waits);
    };
    if row.state != OperationState::Queued {
        return Ok(Begun::Waits);
    }
    let decided = match replanned {
        Ok((plan, permit, exemption)) => {
            let approved = still_stands(work, &row, &plan, &permit, exemption, transaction).await;
            approved.map(|approved| (approved, permit))
        }
        Err(refusal) => Err(refusal.into()),
    };
    match decided {
        Ok((approved, permit)) => start(work, approved, &permit, transaction).await,
        Err(Failure::Refused(refusal)) => {
            end_unstarted(work, &row, &refusal, transaction).await?;
            Ok(Begun::Ended)
        }
        Err(faulted) => Err(faulted),
    }
}

/// Digest, gates and approvals, all as they are now.
async fn still_stands(
    work: &Work,
    row: &OperationRow,
    plan: &Plan,
    permit: &Permit,
    exemption: Exemption,
    transaction: &mut Transaction<'_>,
) -> Result<Approved, Failure> {
    if plan.digest()? != row.digest {
        let fact = "What it was planned on has changed meanwhile";
        return Err(Refusal::new(fact, "look at the new plan: ask again").into());
    }
    if exemption != Exemption::Rollback {
        // What stops it now stops it, and whoever freezes or locks from here on is answered after it has started. A rollback passes both,
        // and must not wait for the end of the very operation that it asks to stop.
        transaction.keep_obstacles().await?;
    }
    let findings = gates::evaluate(&mut transaction.connection(), work, plan, permit, exemption, work.now).await?;
    let now = Plan { findings, ..plan.clone() };
    if let Some(refusal) = gates::closed(&now) {
        return Err(refusal.into());
    }
    if gates::approvals_needed(permit, exemption) > row.approvals_needed {
        return Err(Refusal::new("It needs more approvals than it did when it was planned", "ask again").into());
    }
    Approved::reload(work, transaction, row).await
}

/// Only what is approved starts.
async fn start(
    work: &Work,
    approved: Approved,
    permit: &Permit,
    transaction: &mut Transaction<'_>,
) -> Result<Begun, Failure> {
    let row = approved.into_operation();
    match make_way(&row, transaction).await? {
        Way::Clear => {}
        Way::Held => return Ok(Begun::Waits),
    }
    let house = &work.house;
    transaction.advance(&row, Cause::Started, work.now, None).await?;
    let mut record = house.record_of_operation(RecordKind::Started, &row);
    record.decision = Some(record::decision(work.configuration(), Ok(permit), &[]));
    record.plan = Some(record::plan(&row.plan, row.digest, row.urgent));
    // However often somebody has looked whether it could start: this is the first time that it does.
    record.effect = Some(EffectFacts { attempt: 1, ..effect(house, work, &row) });
    let sealed = house.seal(&record)?;
    transaction.append(&sealed).await?;
    card::draw(house, transaction, row.id).await?;
    let row = transaction.connection().operation(row.id).await?.ok_or_else(|| Fault::new("an operation is gone"))?;
    Ok(Begun::Started(Box::new(row), sealed.id))
}

enum Way {
    Clear,
    Held,
}

/// A rollback takes over from an operation whose end is unknown, and asks a running one to stop.
async fn make_way(row: &OperationRow, transaction: &mut Transaction<'_>) -> Result<Way, StoreError> {
    for target in &row.targets {
        let Some(holder) = transaction.connection().holder(target).await? else { continue };
        match holder.state {
            OperationState::Unknown if row.urgent => transaction.let_targets_go(holder.id).await?,
            _ => {
                if row.urgent && !holder.cancel_requested {
                    transaction.request_cancel(holder.id).await?;
                }
                return Ok(Way::Held);
            }
        }
    }
    Ok(Way::Clear)
}

/// What is done outside, for records.
pub(super) fn effect(house: &House, work: &Work, row: &OperationRow) -> EffectFacts {
    let backend =
        row.targets.first().and_then(|target| work.deployer(target).ok()).map_or("none", |deployer| deployer.name());
    EffectFacts {
        backend: backend.to_owned(),
        key: format!("{}/{}", house.origin, row.id),
        reference: None,
        credential: None,
        attempt: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        fence: row.fence,
        started: row.started_at,
        ended: None,
        observed: None,
    }
}

/// The world moved: nothing was started, and the card has a button that asks again.
async fn end_unstarted(
    work: &Work,
    row: &OperationRow,
    refusal: &Refusal,
    transaction: &mut Transaction<'_>,
) -> Result<(), Failure> {
    let house = &work.house;
    let summary = Line::new().text("Not started: ").line(&row.plan.summary).text(". ").line(&refusal.fact);
    let outcome = Outcome { state: OperationState::Failed, summary: summary.clone(), observed: None, details: None };
    transaction.advance(row, Cause::WorldMoved, work.now, Some(&outcome)).await?;
    let mut record = house.record_of_operation(RecordKind::Finished, row);
    record.outcome = Some(record::outcome("failed", &summary.plain()));
    transaction.append(&house.seal(&record)?).await?;
    card::draw(house, transaction, row.id).await?;
    card::tell_end(house, transaction, row.id).await
}

//! A running operation: its command drives the backend, the lease is kept, and the end is recorded with all that follows from it.

use std::sync::Arc;

use andon_core::{Cause, Failure, Fault, Line, OperationState, Outcome, Private, RecordKind};
use andon_store::{OperationRow, StoreError, Transaction};
use jiff::SignedDuration;
use tokio::sync::watch;

use super::Running;
use super::begin::{effect, entry_of, work_of};
use super::worker::{LEASE, lease};
use crate::command::{Ended, Run};
use crate::house::House;
use crate::probe::Point;
use crate::work::Work;
use crate::{card, record};

/// After this many attempts that broke, some minutes in all, nobody can tell how it ended.
const ATTEMPTS: i64 = 8;
/// How long to let a backend rest after the first attempt that broke, and at most.
const REST: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_REST: SignedDuration = SignedDuration::from_secs(60);

/// Whether the effect may have been started before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    First,
    Later,
}

/// Runs an operation to its end, or as far as this process can.
pub(super) async fn run(
    house: &Arc<House>,
    row: OperationRow,
    attempt: Attempt,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let work = work_of(house, &row)?;
    if row.attempts > ATTEMPTS {
        let fault = Fault::new("whoever worked on it did not come to an end, again and again");
        return broke(house, work, row, fault).await;
    }
    let stopped = async move { stop.wait_for(|stop| *stop).await.is_ok() };
    let outcome = tokio::select! {
        outcome = drive(house, &work, &row, attempt) => outcome,
        // The effect goes on outside; whoever comes next looks it up.
        _ = stopped => return rest(house, &row, SignedDuration::ZERO).await,
    };
    (house.probe)(Point::Observed);
    match outcome {
        Ok(outcome) => end(house, work, row, outcome).await,
        Err(fault) => broke(house, work, row, fault).await,
    }
}

async fn drive(house: &Arc<House>, work: &Work, row: &OperationRow, attempt: Attempt) -> Result<Outcome, Fault> {
    let entry = match entry_of(house, row) {
        Ok(entry) => entry,
        Err(_) => return Err(Fault::new("the command of an operation is no longer part of this version")),
    };
    let Run::Operation { start, resume, .. } = &entry.run else {
        return Err(Fault::new("an operation whose command is none"));
    };
    if attempt == Attempt::Later {
        resumed(house, work, row).await?;
    }
    let running = Running { work, operation: row };
    let go = if attempt == Attempt::First { start } else { resume };
    go(&row.command.arguments, &row.plan, &running).await
}

async fn resumed(house: &Arc<House>, work: &Work, row: &OperationRow) -> Result<(), Fault> {
    let mut record = house.record_of_operation(RecordKind::Resumed, row);
    record.effect = Some(effect(house, work, row));
    let sealed = house.seal(&record)?;
    let id = sealed.id;
    let now = house.store.now().await.map_err(Fault::new)?;
    let until = now.saturating_add(LEASE).unwrap_or(now);
    let (operation, fence) = (row.id, row.fence);
    let kept = house.store.write(move |transaction| {
        Box::pin(async move {
            // Whoever slept longer than its lease has nothing to say any more.
            let ours = transaction.renew_lease(operation, fence, until).await?;
            if ours {
                transaction.append(&sealed).await?;
            }
            Ok::<_, StoreError>(ours)
        })
    });
    if !kept.await.map_err(Fault::new)? {
        return Err(Fault::new("the lease is lost"));
    }
    (house.probe)(Point::Resumed);
    // What was started before the crash was started under a checkpoint; what starts now must be as well.
    crate::sequencer::covered(house, id).await
}

/// Lets go of an operation, so that it is taken up again after `length`.
async fn rest(house: &Arc<House>, row: &OperationRow, length: SignedDuration) -> Result<(), Failure> {
    lease(house, row.id, row.fence, length).await.map(|_| ())
}

/// How long to let a backend rest after an attempt broke: longer every time.
fn rest_after(attempts: i64) -> SignedDuration {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(8);
    REST.checked_mul(1 << doublings).unwrap_or(LONGEST_REST).min(LONGEST_REST)
}

/// An attempt broke. The next one looks the effect up; after too many, a person is asked.
async fn broke(house: &Arc<House>, work: Work, row: OperationRow, fault: Fault) -> Result<(), Failure> {
    tracing::warn!(error = %fault.chain(), "attempt {} at {} broke", row.attempts, row.number);
    if row.attempts < ATTEMPTS {
        return rest(house, &row, rest_after(row.attempts)).await;
    }
    let summary =
        Line::new().text("Nobody can tell how it ended: ").line(&row.plan.summary).text(". The backend did not answer");
    let outcome = Outcome { state: OperationState::Unknown, summary, observed: None, details: None };
    end(house, work, row, outcome).await
}

/// Records the end, with all that follows from it, in one transaction.
async fn end(house: &Arc<House>, work: Work, row: OperationRow, outcome: Outcome) -> Result<(), Failure> {
    let store = house.store.clone();
    let ended = store.write(move |transaction| {
        Box::pin(async move {
            let cause = cause(outcome.state)?;
            transaction.advance(&row, cause, work.house.clock.now(), Some(&outcome)).await?;
            conclude(&work, &row, &outcome, transaction).await?;
            tell(&work, &row, &outcome, RecordKind::Finished, transaction).await
        })
    });
    ended.await?;
    (house.probe)(Point::Finished);
    Ok(())
}

/// What the house keeps about an end, whoever saw it: the backend, or the person who settles it.
pub(crate) async fn conclude(
    work: &Work,
    row: &OperationRow,
    outcome: &Outcome,
    transaction: &mut Transaction<'_>,
) -> Result<(), Failure> {
    let Run::Operation { conclude, .. } = &entry_of(&work.house, row)?.run else {
        return Err(Fault::new("an operation whose command is none").into());
    };
    let ended = Ended {
        operation: row,
        plan: &row.plan,
        outcome,
        at: work.house.clock.now(),
        lock_expires: work.catalog().defaults.lock_expires,
    };
    conclude(&row.command.arguments, &ended, transaction).await
}

/// Records an end, draws the card anew and tells the asker.
pub(super) async fn tell(
    work: &Work,
    row: &OperationRow,
    outcome: &Outcome,
    kind: RecordKind,
    transaction: &mut Transaction<'_>,
) -> Result<(), Failure> {
    let house = &work.house;
    let mut record = house.record_of_operation(kind, row);
    let mut effect = effect(house, work, row);
    effect.ended = Some(house.clock.now());
    effect.observed = outcome.observed.as_ref().map(|observed| Private::new(observed.plain()));
    record.effect = Some(effect);
    record.outcome = Some(record::outcome(outcome.state.as_str(), &outcome.summary.plain()));
    transaction.append(&house.seal(&record)?).await?;
    card::draw(house, transaction, row.id).await?;
    card::tell_end(house, transaction, row.id).await
}

fn cause(state: OperationState) -> Result<Cause, Fault> {
    Ok(match state {
        OperationState::Succeeded => Cause::Succeeded,
        OperationState::Failed => Cause::Failed,
        OperationState::RolledBack => Cause::RolledBack,
        OperationState::Cancelled => Cause::Cancelled,
        OperationState::Unknown => Cause::Lost,
        other => return Err(Fault::new(format!("an operation cannot end as {}", other.as_str()))),
    })
}

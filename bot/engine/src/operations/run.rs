//! A running operation: its command drives the backend, the lease is kept, and the end is recorded with all that follows from it.

use std::sync::Arc;

use andon_core::{Cause, Failure, Fault, Line, OperationState, Outcome, Private, RecordKind};
use andon_store::{OperationRow, Transaction};
use jiff::SignedDuration;
use tokio::sync::watch;

use super::Running;
use super::begin::{effect, entry_of, work_of};
use super::worker::LEASE;
use crate::command::{Ended, Run};
use crate::house::House;
use crate::work::Work;
use crate::{card, record};

/// How often the lease is renewed.
const RENEW_EVERY: SignedDuration = SignedDuration::from_secs(4);
/// After this many attempts that broke, nobody can tell how it ended.
const ATTEMPTS: i64 = 6;
/// How long to let a backend rest after an attempt broke.
const REST: SignedDuration = SignedDuration::from_secs(5);

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
    if attempt == Attempt::Later {
        resumed(house, &work, &row).await?;
    }
    let stopped = async move { stop.wait_for(|stop| *stop).await.is_ok() };
    let outcome = tokio::select! {
        outcome = drive(house, &work, &row, attempt) => outcome,
        lost = keep_lease(house, &row) => return Err(lost),
        // The effect goes on outside; whoever comes next looks it up.
        _ = stopped => return rest(house, &row, SignedDuration::ZERO).await,
    };
    (house.probe)("observed");
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
    let running = Running { work, operation: row };
    let go = if attempt == Attempt::First { start } else { resume };
    go(&row.command.arguments, &row.plan, &running).await
}

async fn resumed(house: &Arc<House>, work: &Work, row: &OperationRow) -> Result<(), Failure> {
    let mut record = house.record_of_operation(RecordKind::Resumed, row);
    record.effect = Some(effect(house, work, row));
    let sealed = house.seal(&record)?;
    let id = sealed.id;
    house
        .store
        .write(move |transaction| Box::pin(async move { Ok::<_, Failure>(transaction.append(&sealed).await?) }))
        .await?;
    (house.probe)("resumed");
    // What was started before the crash was started under a checkpoint; what starts now must be as well.
    Ok(crate::sequencer::covered(house, id).await?)
}

/// Renews the lease for ever; returns only when it is lost.
async fn keep_lease(house: &Arc<House>, row: &OperationRow) -> Failure {
    loop {
        house.clock.sleep(RENEW_EVERY).await;
        match lease(house, row, LEASE).await {
            Ok(true) => {}
            Ok(false) => return Fault::new("the lease is lost").into(),
            Err(failure) => tracing::warn!(?failure, "the lease of {} could not be renewed", row.number),
        }
    }
}

async fn lease(house: &Arc<House>, row: &OperationRow, length: SignedDuration) -> Result<bool, Failure> {
    let now = house.store.now().await?;
    let until = now.saturating_add(length).unwrap_or(now);
    let (id, fence) = (row.id, row.fence);
    house
        .store
        .write(move |transaction| Box::pin(async move { Ok(transaction.renew_lease(id, fence, until).await?) }))
        .await
}

/// Lets go of an operation, so that it is taken up again after `length`.
async fn rest(house: &Arc<House>, row: &OperationRow, length: SignedDuration) -> Result<(), Failure> {
    lease(house, row, length).await.map(|_| ())
}

/// An attempt broke. The next one looks the effect up; after too many, a person is asked.
async fn broke(house: &Arc<House>, work: Work, row: OperationRow, fault: Fault) -> Result<(), Failure> {
    tracing::warn!(error = %fault.chain(), "attempt {} at {} broke", row.attempts, row.number);
    if row.attempts < ATTEMPTS {
        return rest(house, &row, REST).await;
    }
    let summary =
        Line::new().text("Nobody can tell how it ended: ").line(&row.plan.summary).text(". The backend did not answer");
    let outcome = Outcome { state: OperationState::Unknown, summary, observed: None, details: None };
    end(house, work, row, outcome).await
}

/// Records the end, with all that follows from it, in one transaction.
async fn end(house: &Arc<House>, work: Work, row: OperationRow, outcome: Outcome) -> Result<(), Failure> {
    let entry = entry_of(house, &row)?;
    let Run::Operation { conclude, .. } = &entry.run else {
        return Err(Fault::new("an operation whose command is none").into());
    };
    let (conclude, store) = (*conclude, house.store.clone());
    let ended = store.write(move |transaction| {
        Box::pin(async move {
            let cause = cause(outcome.state)?;
            transaction.advance(&row, cause, work.house.clock.now(), Some(&outcome)).await?;
            let ended = Ended {
                operation: &row,
                plan: &row.plan,
                outcome: &outcome,
                at: work.house.clock.now(),
                lock_expires: work.catalog().defaults.lock_expires,
            };
            conclude(&row.command.arguments, &ended, transaction).await?;
            tell(&work, &row, &outcome, transaction).await
        })
    });
    ended.await?;
    (house.probe)("finished");
    Ok(())
}

async fn tell(
    work: &Work,
    row: &OperationRow,
    outcome: &Outcome,
    transaction: &mut Transaction<'_>,
) -> Result<(), Failure> {
    let house = &work.house;
    let mut record = house.record_of_operation(RecordKind::Finished, row);
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

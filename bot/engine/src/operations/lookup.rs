//! Operations whose end nobody could tell: their backends are asked again now and then, since they may have come to themselves. Nothing is
//! guessed; where the backend still cannot tell, a person settles it.

use std::sync::Arc;

use andon_core::{Cause, Failure, Fault, OperationState, Outcome, RecordKind};
use andon_store::{OperationRow, StoreError, Transaction};
use jiff::SignedDuration;
use tokio::sync::watch;

use super::begin::{entry_of, work_of};
use super::run::{conclude, tell};
use super::{Running, holds_its_targets};
use crate::command::Run;
use crate::house::House;
use crate::work::Work;

/// How often to ask.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// Asks until told to stop.
pub(crate) async fn look_up(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        tokio::select! {
            () = round(&house) => {}
            _ = stop.changed() => return,
        }
        tokio::select! {
            () = house.clock.sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn round(house: &Arc<House>) {
    let unknown = match unknown(house).await {
        Ok(rows) => rows,
        Err(error) => return tracing::warn!(%error, "operations of unknown end cannot be read"),
    };
    for row in unknown {
        let number = row.number;
        if let Err(failure) = ask(house, row).await {
            tracing::warn!(?failure, "what became of {number} cannot be asked");
        }
    }
}

async fn unknown(house: &House) -> Result<Vec<OperationRow>, StoreError> {
    let open = house.store.read().await?.connection().open_operations(None, None).await?;
    Ok(open.into_iter().filter(|row| row.state == OperationState::Unknown).collect())
}

async fn ask(house: &Arc<House>, row: OperationRow) -> Result<(), Failure> {
    let work = work_of(house, &row)?;
    let Run::Operation { look, .. } = &entry_of(house, &row)?.run else {
        return Err(Fault::new("an operation whose command is none").into());
    };
    let found = look(&row.command.arguments, &row.plan, &Running { work: &work, operation: &row }).await?;
    let Some((outcome, cause)) = found.and_then(|outcome| cause(&outcome).map(|cause| (outcome, cause))) else {
        return Ok(());
    };
    let store = house.store.clone();
    store
        .write(move |transaction| Box::pin(async move { settle(&work, &row, &outcome, cause, transaction).await }))
        .await
}

async fn settle(
    work: &Work,
    row: &OperationRow,
    outcome: &Outcome,
    cause: Cause,
    transaction: &mut Transaction<'_>,
) -> Result<(), Failure> {
    let now = transaction.lock_operation(row.number).await?;
    // A person, or another replica, may have been quicker.
    let Some(row) = now.filter(|now| now.state == OperationState::Unknown) else { return Ok(()) };
    if !holds_its_targets(&mut transaction.connection(), &row).await? {
        // A rollback has taken over: what came of it is history, and for a person to tell.
        return Ok(());
    }
    transaction.advance(&row, cause, work.now, Some(outcome)).await?;
    conclude(work, &row, outcome, transaction).await?;
    tell(work, &row, outcome, RecordKind::Settled, transaction).await
}

/// Only what a backend is sure of settles anything.
const fn cause(outcome: &Outcome) -> Option<Cause> {
    match outcome.state {
        OperationState::Succeeded => Some(Cause::SettledSucceeded),
        OperationState::Failed => Some(Cause::SettledFailed),
        OperationState::Cancelled => Some(Cause::SettledCancelled),
        _ => None,
    }
}

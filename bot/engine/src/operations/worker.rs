//! Workers: take up what can run, one lease each. A lane of its own is kept for rollbacks, so that nothing makes them wait.

use std::sync::Arc;

use andon_core::Failure;
use andon_store::OperationRow;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{begin, run};
use crate::house::House;

/// How long a worker holds an operation without a sign of life.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(12);
/// Operations at a time.
const WORKERS: usize = 8;
/// Of which this many take rollbacks only.
const RESERVED: usize = 2;
/// How long to wait for news before looking all the same.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// Works on operations until told to stop, then finishes the present steps.
pub(crate) async fn work(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut changes = house.store.changes();
    let mut busy = JoinSet::new();
    while !*stop.borrow() {
        changes.mark_unchanged();
        while busy.try_join_next().is_some() {}
        let urgent_only = busy.len() >= WORKERS - RESERVED;
        let claimed = if busy.len() < WORKERS { claim(&house, urgent_only).await } else { Ok(None) };
        match claimed {
            Ok(Some(row)) => {
                let (house, stop) = (Arc::clone(&house), stop.clone());
                busy.spawn(async move { step(&house, row, stop).await });
                continue;
            }
            Ok(None) => {}
            Err(failure) => tracing::error!(?failure, "operations cannot be taken up"),
        }
        tokio::select! {
            _ = changes.changed() => {}
            _ = busy.join_next(), if !busy.is_empty() => {}
            () = house.clock.sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
    while busy.join_next().await.is_some() {}
}

async fn claim(house: &Arc<House>, urgent_only: bool) -> Result<Option<OperationRow>, Failure> {
    let now = house.store.now().await?;
    let until = now.saturating_add(LEASE).unwrap_or(now);
    let owner = house.owner.clone();
    house
        .store
        .write(move |transaction| {
            Box::pin(async move { Ok(transaction.claim_operation(&owner, now, until, urgent_only).await?) })
        })
        .await
}

/// One attempt at an operation.
#[tracing::instrument(name = "operation", skip_all, fields(number = %row.number, id = %row.id, fence = row.fence))]
async fn step(house: &Arc<House>, row: OperationRow, stop: watch::Receiver<bool>) {
    let number = row.number;
    let result = match row.state {
        andon_core::OperationState::Queued => match begin::begin(house, row).await {
            Ok(Some(started)) => run::run(house, started, run::Attempt::First, stop).await,
            Ok(None) => Ok(()),
            Err(failure) => Err(failure),
        },
        _ => run::run(house, row, run::Attempt::Later, stop).await,
    };
    if let Err(failure) = result {
        // The lease runs out by itself, and the next attempt looks the effect up.
        tracing::error!(?failure, "{number} could not go on; it will be taken up again");
    }
}

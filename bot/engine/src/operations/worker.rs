//! Workers: take up what can run, one lease each. A lane of its own is kept for rollbacks, so that nothing makes them wait.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use andon_core::{Failure, Fault, OperationId, OperationState};
use andon_store::{OperationRow, Topic};
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{begin, run};
use crate::house::House;

/// How long a worker holds an operation without a sign of life.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(12);
/// How often the lease is renewed.
const RENEW_EVERY: SignedDuration = SignedDuration::from_secs(4);
/// Operations at a time. Most of them only wait for their backends.
const WORKERS: usize = 32;
/// Of which this many take rollbacks only.
const RESERVED: usize = 8;
/// How long to wait for news before looking all the same.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// Works on operations until told to stop, then finishes the present steps.
pub(crate) async fn work(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut changes = house.store.changes_about(Topic::Operations);
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
        .write_quietly(move |transaction| {
            Box::pin(async move { Ok(transaction.claim_operation(&owner, now, until, urgent_only).await?) })
        })
        .await
}

/// One attempt at an operation, for as long as its lease is kept.
#[tracing::instrument(name = "operation", skip_all, fields(number = %row.number, id = %row.id, fence = row.fence))]
async fn step(house: &Arc<House>, row: OperationRow, stop: watch::Receiver<bool>) {
    let (number, id, fence) = (row.number, row.id, row.fence);
    let result = tokio::select! {
        result = AssertUnwindSafe(attempt(house, row, stop)).catch_unwind() =>
            result.unwrap_or_else(|_| Err(Fault::new("an attempt panicked").into())),
        lost = keep_lease(house, id, fence) => Err(lost),
    };
    if let Err(failure) = result {
        // The lease runs out by itself, and the next attempt looks the effect up.
        tracing::error!(?failure, "{number} could not go on; it will be taken up again");
    }
}

async fn attempt(house: &Arc<House>, row: OperationRow, stop: watch::Receiver<bool>) -> Result<(), Failure> {
    if row.state != OperationState::Queued {
        return run::run(house, row, run::Attempt::Later, stop).await;
    }
    match begin::begin(house, row).await? {
        Some(started) => run::run(house, started, run::Attempt::First, stop).await,
        None => Ok(()),
    }
}

/// Renews the lease for ever; returns only when it is lost.
async fn keep_lease(house: &House, operation: OperationId, fence: i64) -> Failure {
    loop {
        house.clock.sleep(RENEW_EVERY).await;
        match lease(house, operation, fence, LEASE).await {
            Ok(true) => {}
            Ok(false) => return Fault::new("the lease is lost").into(),
            Err(failure) => tracing::warn!(?failure, "the lease of operation {operation} could not be renewed"),
        }
    }
}

/// Makes the lease last for `length` from now. False where it is lost.
pub(super) async fn lease(
    house: &House,
    operation: OperationId,
    fence: i64,
    length: SignedDuration,
) -> Result<bool, Failure> {
    let now = house.store.now().await?;
    let until = now.saturating_add(length).unwrap_or(now);
    house
        .store
        .write_quietly(move |transaction| {
            Box::pin(async move { Ok(transaction.renew_lease(operation, fence, until).await?) })
        })
        .await
}

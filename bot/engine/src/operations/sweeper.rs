//! What time does: requests for approval, locks and freezes expire, old inbox keys are forgotten.

use std::sync::Arc;

use andon_core::{Cause, Failure, Line, OperationState, Outcome, RecordKind};
use andon_store::OperationRow;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::accept::REMEMBERED;
use crate::house::House;
use crate::{card, holds, record};

/// How often to look.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// Looks after what has run out, until told to stop.
pub(crate) async fn sweep(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut pruned = Timestamp::MIN;
    while !*stop.borrow() {
        if let Err(failure) = expire(&house).await {
            tracing::error!(?failure, "requests for approval could not be expired");
        }
        if let Err(failure) = holds::expire(&house).await {
            tracing::error!(?failure, "locks and freezes could not be expired");
        }
        let now = house.clock.now();
        if now.duration_since(pruned) > SignedDuration::from_hours(1) {
            pruned = now;
            prune(&house, now).await;
        }
        tokio::select! {
            () = house.clock.sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn prune(house: &House, now: Timestamp) {
    let before = now.saturating_sub(REMEMBERED).unwrap_or(Timestamp::MIN);
    let pruned = house.store.write(move |transaction| Box::pin(async move { transaction.prune_inbox(before).await }));
    if let Err(error) = pruned.await {
        tracing::error!(%error, "old inbox keys could not be forgotten");
    }
}

async fn expire(house: &Arc<House>) -> Result<(), Failure> {
    let now = house.clock.now();
    let overdue = house.store.read().await?.connection().overdue(now).await?;
    for row in overdue {
        let number = row.number;
        // One that cannot be ended keeps no other from ending.
        if let Err(failure) = expire_one(house, row, now).await {
            tracing::error!(?failure, "{number} could not be expired");
        }
    }
    Ok(())
}

async fn expire_one(house: &Arc<House>, row: OperationRow, now: Timestamp) -> Result<(), Failure> {
    let (house, store) = (Arc::clone(house), house.store.clone());
    store
        .write(move |transaction| {
            Box::pin(async move {
                let Some(row) = transaction.lock_operation(row.number).await? else { return Ok(()) };
                let why = match row.state {
                    OperationState::WaitingApproval => "Expired, nobody approved in time: ",
                    OperationState::Queued => "Expired, it could not be started in time: ",
                    _ => return Ok(()),
                };
                let summary = Line::new().text(why).line(&row.plan.summary);
                let outcome =
                    Outcome { state: OperationState::Expired, summary: summary.clone(), observed: None, details: None };
                transaction.advance(&row, Cause::Expired, now, Some(&outcome)).await?;
                let mut record = house.record_of_operation(RecordKind::Expired, &row);
                record.outcome = Some(record::outcome("expired", &summary.plain()));
                transaction.append(&house.seal(&record)?).await?;
                card::draw(&house, transaction, row.id).await?;
                card::tell_end(&house, transaction, row.id).await
            })
        })
        .await
}

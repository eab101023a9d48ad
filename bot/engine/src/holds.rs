//! Locks and freezes that have run out: recorded, and told to their owner where they were made. What ends by itself must not vanish.

use std::sync::Arc;

use andon_core::{Failure, Line, Message, PersonId, RecordKind, Room, Target, Tone};
use andon_store::{Freeze, Lock, NewMessage, Transaction};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::house::House;
use crate::record;

/// How long the word of an end is worth delivering.
const NEWS_EXPIRES: SignedDuration = SignedDuration::from_hours(24);

/// Ends what has run out.
pub(crate) async fn expire(house: &Arc<House>) -> Result<(), Failure> {
    let now = house.clock.now();
    let (locks, freezes) = {
        let mut reader = house.store.read().await?;
        let mut connection = reader.connection();
        (connection.locks_held().await?, connection.freezes_pulled().await?)
    };
    for lock in locks.into_iter().filter(|lock| lock.expires_at <= now) {
        end_lock(house, lock, now).await?;
    }
    for freeze in freezes.into_iter().filter(|freeze| freeze.expires_at <= now) {
        end_freeze(house, freeze, now).await?;
    }
    Ok(())
}

async fn end_lock(house: &Arc<House>, lock: Lock, now: Timestamp) -> Result<(), Failure> {
    let (house, store) = (Arc::clone(house), house.store.clone());
    store
        .write(move |transaction| {
            Box::pin(async move {
                // Another replica may have been quicker, or its owner.
                if !transaction.release_lock(&lock.target, lock.token, now).await? {
                    return Ok(());
                }
                let what = Line::new().text(format!("The lock on {} has expired", lock.target));
                let ended = Ended { what, owner: &lock.owner, reason: &lock.reason, room: lock.room.as_ref() };
                let details = json!({ "lock": lock.target.to_string(), "token": lock.token });
                tell(&house, transaction, &ended, vec![lock.target.clone()], details).await
            })
        })
        .await
}

async fn end_freeze(house: &Arc<House>, freeze: Freeze, now: Timestamp) -> Result<(), Failure> {
    let (house, store) = (Arc::clone(house), house.store.clone());
    store
        .write(move |transaction| {
            Box::pin(async move {
                if !transaction.lift_freeze(freeze.id, now).await? {
                    return Ok(());
                }
                let what = Line::new().text(format!("The freeze of {} has expired", freeze.scope));
                let ended = Ended { what, owner: &freeze.owner, reason: &freeze.reason, room: freeze.room.as_ref() };
                let configuration = house.configuration();
                let targets = configuration.catalog.targets().filter(|target| freeze.scope.covers(target));
                let details = json!({ "freeze": freeze.scope.to_string() });
                tell(&house, transaction, &ended, targets.collect(), details).await
            })
        })
        .await
}

/// What ended.
struct Ended<'a> {
    what: Line,
    owner: &'a PersonId,
    reason: &'a str,
    room: Option<&'a Room>,
}

async fn tell(
    house: &House,
    transaction: &mut Transaction<'_>,
    ended: &Ended<'_>,
    targets: Vec<Target>,
    details: serde_json::Value,
) -> Result<(), Failure> {
    let mut record = house.record(RecordKind::Expired);
    record.targets = targets;
    record.outcome = Some(record::outcome("expired", &ended.what.plain()));
    record.details = details;
    transaction.append(&house.seal(&record)?).await?;
    let Some(room) = ended.room else { return Ok(()) };
    let summary = Line::new().mention(ended.owner).text(" ").line(&ended.what);
    let message = Message::new(summary).tone(Tone::Attention).fact("reason", Line::new().outside(ended.reason));
    let expires_at = house.clock.now().saturating_add(NEWS_EXPIRES).unwrap_or(Timestamp::MAX);
    Ok(transaction.put_message(&NewMessage::new(room.clone(), message, expires_at)).await?)
}

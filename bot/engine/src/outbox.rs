//! The outbox's dispatcher: hands what is to be said to the voices, and keeps trying what could not be said.

use std::sync::Arc;

use andon_core::Fault;
use andon_core::ports::{Placement, Voice, VoiceError};
use andon_store::{OutboxItem, OutboxKind, StoreError};
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::house::House;

/// How many things are said at a time.
const AT_A_TIME: u32 = 32;
/// How long a voice may take over one thing before another replica tries it.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How long to wait for news before looking all the same.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(1);
/// The longest pause between two attempts.
const LONGEST_PAUSE: i64 = 300;

/// Dispatches until told to stop.
pub(crate) async fn dispatch(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut changes = house.store.changes();
    while !*stop.borrow() {
        changes.mark_unchanged();
        match round(&house).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::error!(error = %Fault::new(error).chain(), "the outbox cannot be read"),
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = house.clock.sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Says what can be said now, and tells how much that was.
async fn round(house: &Arc<House>) -> Result<usize, StoreError> {
    let now = house.store.now().await?;
    let until = now.saturating_add(LEASE).unwrap_or(now);
    let items = house
        .store
        .write(move |transaction| Box::pin(async move { transaction.claim_outbox(now, until, AT_A_TIME).await }))
        .await?;
    let count = items.len();
    let mut saying = JoinSet::new();
    for item in items {
        let house = Arc::clone(house);
        saying.spawn(async move { say(&house, item).await });
    }
    while let Some(said) = saying.join_next().await {
        if let Ok(Err(error)) = said {
            tracing::error!(error = %Fault::new(error).chain(), "what became of a message could not be kept");
        }
    }
    Ok(count)
}

async fn say(house: &Arc<House>, item: OutboxItem) -> Result<(), StoreError> {
    let said = match house.voice(&item.room.platform) {
        Some(voice) => hand_over(&**voice, &item).await,
        None => Err(VoiceError::Unreachable(format!("no voice for {}", item.room.platform).into())),
    };
    (house.probe)("said");
    let now = house.store.now().await?;
    house
        .store
        .write(move |transaction| {
            Box::pin(async move {
                match said {
                    Ok(placement) => transaction.delivered(&item, placement.as_ref(), now).await,
                    Err(VoiceError::Refused(why)) => {
                        tracing::warn!(room = %item.room, %why, "a message to {} was given up", item.room);
                        transaction.give_up(&item, &why, now).await
                    }
                    Err(error) => {
                        let at = now.saturating_add(pause(&error, item.attempts)).unwrap_or(now);
                        transaction.retry_later(&item, at).await
                    }
                }
            })
        })
        .await
}

async fn hand_over(voice: &dyn Voice, item: &OutboxItem) -> Result<Option<Placement>, VoiceError> {
    if item.attempts > 0 {
        // An earlier attempt may have come through without our hearing of it.
        if let Some(placement) = voice.find(&item.room, &item.marker).await? {
            return Ok(Some(placement));
        }
    }
    match &item.kind {
        OutboxKind::Card { placement: Some(placement), .. } => {
            voice.edit(&item.room, placement, &item.message).await?;
            Ok(None)
        }
        OutboxKind::Message { under: Some(card), .. } => {
            voice.follow_up(&item.room, card, &item.message, &item.marker).await.map(Some)
        }
        OutboxKind::Card { placement: None, .. } | OutboxKind::Message { under: None, .. } => {
            voice.post(&item.room, item.asker.as_ref(), &item.message, &item.marker).await.map(Some)
        }
    }
}

fn pause(error: &VoiceError, attempts: i64) -> SignedDuration {
    match error {
        VoiceError::SlowDown(wait) => {
            SignedDuration::try_from(*wait).unwrap_or(SignedDuration::from_secs(LONGEST_PAUSE))
        }
        _ => SignedDuration::from_secs((1_i64 << attempts.clamp(0, 16)).min(LONGEST_PAUSE)),
    }
}

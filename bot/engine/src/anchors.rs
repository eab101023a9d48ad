//! Checkpoints posted to rooms: copies of the trail's size and root that stand where more people than its operators see them. What they
//! prove, and against whom, is told in `docs/verify.md`.

use std::sync::Arc;

use andon_core::{Block, Failure, Line, Message, Private, RecordKind, Room};
use andon_store::NewMessage;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::watch;

use crate::house::House;

/// How often to look.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// How long records wait for an anchor at most, while there are any.
const AT_LEAST_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// So many records are anchored at the next look.
const MANY: u64 = 1_000;
/// How long a checkpoint is worth posting.
const EXPIRES: SignedDuration = SignedDuration::from_hours(24);

/// Posts checkpoints until told to stop.
pub(crate) async fn anchor(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let configuration = house.configuration();
        let rooms = &configuration.catalog.anchor_rooms;
        for room in rooms {
            if let Err(failure) = look(&house, room, rooms.len() as u64).await {
                tracing::warn!(?failure, %room, "the trail could not be anchored in {room}");
            }
        }
        tokio::select! {
            () = house.clock.sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn look(house: &Arc<House>, room: &Room, rooms: u64) -> Result<(), Failure> {
    let (size, note, last) = {
        let mut reader = house.store.read().await?;
        let mut connection = reader.connection();
        let Some((size, _, note)) = connection.latest_checkpoint().await? else { return Ok(()) };
        (size, note, connection.room_anchor(room).await?)
    };
    let now = house.clock.now();
    if !is_due(size, last, now, rooms) {
        return Ok(());
    }
    let (writer, room) = (Arc::clone(house), room.clone());
    house
        .store
        .write(move |transaction| {
            Box::pin(async move {
                if !transaction.note_anchor(&room, size, now).await? {
                    return Ok(());
                }
                let mut record = writer.record(RecordKind::Anchored);
                record.details = json!({ "size": size, "room": Private::new(&room), "platform": room.platform });
                transaction.append(&writer.seal(&record)?).await?;
                transaction.put_message(&message(room, size, note, now)).await?;
                Ok::<_, Failure>(())
            })
        })
        .await
}

/// Whether there is more than the words of the last anchors themselves, one for each room, for long enough or of enough.
fn is_due(size: u64, last: Option<(u64, Timestamp)>, now: Timestamp, rooms: u64) -> bool {
    let Some((anchored, at)) = last else { return true };
    let new = size.saturating_sub(anchored);
    new >= MANY || (new > rooms && now.duration_since(at) >= AT_LEAST_EVERY)
}

fn message(room: Room, size: u64, note: String, now: Timestamp) -> NewMessage {
    let message = Message::new(Line::new().text(format!("Checkpoint of the audit trail: {size} records")))
        .block(Block::Preformatted(note));
    NewMessage::new(room, message, now.saturating_add(EXPIRES).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_anchored_in_time_and_an_anchor_alone_is_not() {
        let at = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        assert!(is_due(1, None, at(0), 1));
        assert!(!is_due(10, Some((9, at(0))), at(600), 1), "the record of the last anchor is no news");
        assert!(!is_due(11, Some((9, at(0))), at(600), 2), "nor are those of two rooms");
        assert!(!is_due(11, Some((9, at(0))), at(59), 1));
        assert!(is_due(11, Some((9, at(0))), at(60), 1));
        assert!(is_due(1_009, Some((9, at(0))), at(1), 1));
    }
}

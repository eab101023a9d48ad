//! What chats tell about their own ways in: since when they are listened to, and what was turned away at the door. Gaps and strangers'
//! attempts are records, too.

use std::sync::Arc;

use andon_core::{Failure, Line, Message, RecordKind, Tone};
use jiff::{SignedDuration, Timestamp, Unit};
use serde_json::json;

use crate::engine::ops_news;
use crate::house::House;
use crate::record;

/// A shorter silence is no gap: what was said meanwhile is delivered again by the platform within its own patience.
pub const GAP: SignedDuration = SignedDuration::from_secs(30);

/// Notes that a platform is listened to, without a break since `since`; records and tells a gap before that.
///
/// # Errors
/// It could not be kept.
pub(crate) async fn heard(house: &Arc<House>, platform: &str, since: Timestamp) -> Result<(), Failure> {
    let (writer, platform, now) = (Arc::clone(house), platform.to_owned(), house.clock.now());
    house
        .store
        .write_quietly(move |transaction| {
            Box::pin(async move {
                let Some(before) = transaction.note_hearing(&platform, now).await? else { return Ok(()) };
                let silent = since.duration_since(before);
                if silent <= GAP {
                    return Ok(());
                }
                let mut record = writer.record(RecordKind::Gap);
                record.details = json!({ "platform": platform, "from": before, "to": since });
                record.outcome = Some(record::outcome("gap", "what was said meanwhile may have been missed"));
                transaction.append(&writer.seal(&record)?).await?;
                if let Some(new) = ops_news(&writer, gap(&platform, before, since, silent)) {
                    transaction.put_message(&new).await?;
                }
                Ok::<_, Failure>(())
            })
        })
        .await
}

fn gap(platform: &str, from: Timestamp, to: Timestamp, silent: SignedDuration) -> Message {
    let silent = silent.round(Unit::Second).unwrap_or(silent);
    let fact =
        Line::new().text(format!("I could not hear {platform} for {silent:#}: ")).time(from).text(" to ").time(to);
    Message::new(fact)
        .tone(Tone::Attention)
        .paragraph("What was said to me meanwhile may not have reached me. Next: whoever got no answer says it again")
}

/// Records that deliveries were turned away at the door.
///
/// # Errors
/// It could not be kept.
pub(crate) async fn turned_away(
    house: &Arc<House>,
    platform: &str,
    way: &str,
    why: &str,
    times: u32,
) -> Result<(), Failure> {
    let mut record = house.record(RecordKind::Denied);
    record.details = json!({ "platform": platform, "way": way, "why": why, "times": times });
    record.outcome = Some(record::outcome("refused", &format!("turned away at {way}: {why}")));
    let sealed = house.seal(&record)?;
    house
        .store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.append(&sealed).await?;
                Ok::<_, Failure>(())
            })
        })
        .await
}

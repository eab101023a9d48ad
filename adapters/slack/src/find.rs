//! Finds a message of ours again whose answer got lost, by the mark that stands in its metadata. Anybody can read metadata, and any app can
//! write the same mark: only messages of this very bot count.

use andon_core::Room;
use andon_core::ports::{Marker, Placement};
use serde::Deserialize;

use crate::api::ApiError;
use crate::place::Place;
use crate::slack::Parts;
use crate::voice::MARKED;

/// The most messages that are looked through, newest first, in pages of so many.
const PAGES: usize = 5;
const PAGE: &str = "200";

#[derive(Deserialize)]
struct Page {
    messages: Vec<Said>,
    #[serde(default)]
    response_metadata: Next,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Next {
    next_cursor: String,
}

#[derive(Deserialize)]
struct Said {
    ts: String,
    bot_id: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    event_type: String,
    #[serde(default)]
    event_payload: Payload,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    marker: Option<String>,
}

/// The place of the message with this mark. Without the scopes to read the channel nobody knows: then it is not found.
///
/// # Errors
/// See [`ApiError`].
pub(crate) async fn find(
    parts: &Parts,
    room: &Room,
    under: Option<&Place>,
    marker: &Marker,
) -> Result<Option<Placement>, ApiError> {
    if !parts.config.reconcile {
        return Ok(None);
    }
    let me = parts.me().await?.bot_id.clone();
    let channel = under.map_or(room.channel.as_str(), |place| &place.channel);
    let thread = under.map(Place::thread).or(room.thread.as_deref());
    let mut cursor = String::new();
    for _ in 0..PAGES {
        let page = match page(parts, channel, thread, &cursor).await {
            Err(error) if error.is("missing_scope") => {
                tracing::warn!(channel, "without the scopes to read it, a message may be said twice");
                return Ok(None);
            }
            page => page?,
        };
        let ours = |said: &&Said| {
            said.bot_id.is_some()
                && said.bot_id == me
                && said.metadata.as_ref().is_some_and(|metadata| {
                    metadata.event_type == MARKED && metadata.event_payload.marker.as_deref() == Some(&marker.0)
                })
        };
        if let Some(said) = page.messages.iter().find(ours) {
            let thread = thread.filter(|thread| *thread != said.ts).map(str::to_owned);
            return Ok(Some(Place { channel: channel.to_owned(), ts: said.ts.clone(), thread }.into()));
        }
        cursor = page.response_metadata.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    Ok(None)
}

async fn page(parts: &Parts, channel: &str, thread: Option<&str>, cursor: &str) -> Result<Page, ApiError> {
    let mut arguments = vec![("channel", channel), ("limit", PAGE), ("include_all_metadata", "true")];
    if !cursor.is_empty() {
        arguments.push(("cursor", cursor));
    }
    match thread {
        Some(thread) => {
            arguments.push(("ts", thread));
            parts.api.ask("conversations.replies", &arguments).await
        }
        None => parts.api.ask("conversations.history", &arguments).await,
    }
}

//! Finds a message of ours again whose answer got lost, by the mark that stands in its metadata. Anybody can read metadata, and any app can
//! write the same mark: only messages of this very bot count.

use andon_core::ports::Marker;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::api::ApiError;
use crate::place::Place;
use crate::slack::Parts;
use crate::voice::MARKED;

/// How many messages are asked for at a time.
const PAGE: &str = "200";
/// The most pages: of a channel, where the newest come first; and of a thread, where they come last, and only those of a time are asked for.
const PAGES: usize = 5;
const PAGES_OF_THREAD: usize = 50;
/// How far Slack's clock may be from ours.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

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

/// A message, as far as it is looked at.
#[derive(Deserialize)]
pub(crate) struct Said {
    ts: String,
    bot_id: Option<String>,
    metadata: Option<Metadata>,
    #[serde(default)]
    pub(crate) files: Vec<File>,
}

/// A file of a message.
#[derive(Deserialize)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) user: Option<String>,
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
    /// The ids of its files, with spaces between.
    files: String,
}

/// A message of ours that was found again.
pub(crate) struct Found {
    /// Where it stands.
    pub(crate) place: Place,
    /// The ids of the files that belong to it.
    pub(crate) files: Vec<String>,
}

/// Where messages are looked for: a channel, or a thread in it.
pub(crate) struct Looked<'a> {
    pub(crate) channel: &'a str,
    pub(crate) thread: Option<&'a str>,
    /// In a thread only messages since then.
    pub(crate) since: Option<Timestamp>,
}

/// The message with this mark. Without the scopes to read the channel nobody knows: then it is not found.
///
/// # Errors
/// See [`ApiError`].
pub(crate) async fn find(
    parts: &Parts,
    channel: &str,
    thread: Option<&str>,
    marker: &Marker,
) -> Result<Option<Found>, ApiError> {
    let me = if parts.config.reconcile { parts.me().await?.bot_id.clone() } else { return Ok(None) };
    let ours = |said: &Said| {
        said.bot_id.is_some()
            && said.bot_id == me
            && said.metadata.as_ref().is_some_and(|metadata| {
                metadata.event_type == MARKED && metadata.event_payload.marker.as_deref() == Some(&marker.0)
            })
    };
    let said = search(parts, Looked { channel, thread, since: marker.since() }, ours).await?;
    Ok(said.map(|said| {
        let files = said.metadata.map(|metadata| metadata.event_payload.files).unwrap_or_default();
        let thread = thread.filter(|thread| *thread != said.ts).map(str::to_owned);
        Found {
            place: Place { channel: channel.to_owned(), ts: said.ts, thread },
            files: files.split_whitespace().map(str::to_owned).collect(),
        }
    }))
}

/// The first message that is `wanted`. Without the scopes to read the channel nobody knows: then there is none.
///
/// # Errors
/// See [`ApiError`].
pub(crate) async fn search(
    parts: &Parts,
    looked: Looked<'_>,
    wanted: impl Fn(&Said) -> bool + Send + Sync,
) -> Result<Option<Said>, ApiError> {
    if !parts.config.reconcile {
        return Ok(None);
    }
    let mut cursor = String::new();
    for _ in 0..if looked.thread.is_some() { PAGES_OF_THREAD } else { PAGES } {
        let page = match page(parts, &looked, &cursor).await {
            Err(error) if error.is("missing_scope") => {
                tracing::warn!(channel = looked.channel, "without the scopes to read it, a message may be said twice");
                return Ok(None);
            }
            page => page?,
        };
        if let Some(said) = page.messages.into_iter().find(|said| wanted(said)) {
            return Ok(Some(said));
        }
        cursor = page.response_metadata.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    Ok(None)
}

async fn page(parts: &Parts, looked: &Looked<'_>, cursor: &str) -> Result<Page, ApiError> {
    let mut arguments = vec![("channel", looked.channel), ("limit", PAGE), ("include_all_metadata", "true")];
    if !cursor.is_empty() {
        arguments.push(("cursor", cursor));
    }
    let Some(thread) = looked.thread else { return parts.api.ask("conversations.history", &arguments).await };
    arguments.push(("ts", thread));
    let oldest = looked.since.map(|since| since.saturating_sub(CLOCKS).unwrap_or(since).as_second().max(0).to_string());
    if let Some(oldest) = &oldest {
        arguments.push(("oldest", oldest));
    }
    parts.api.ask("conversations.replies", &arguments).await
}

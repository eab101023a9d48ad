//! Long output as files, in the thread of the message that they belong to. Slack's flow has three steps: `files.getUploadURLExternal`, the
//! upload, and `files.completeUploadExternal`, after which people see the file.
//!
//! The first two come before the message is said, and the message's metadata names the files: whoever finds it again after a crash can
//! tell which are still to be shown, and show them, without knowing what they hold.

use andon_core::ports::VoiceError;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::ApiError;
use crate::find::{self, Looked};
use crate::place::Place;
use crate::receive;
use crate::render::{FILE_MISSING, Rendered, RenderedFile};
use crate::slack::Parts;

/// How long bringing files to Slack may take, and the pause after a failure: the outbox waits for the whole message.
const UPLOAD_WITHIN: SignedDuration = SignedDuration::from_secs(4);
const ONCE_MORE: SignedDuration = SignedDuration::from_millis(500);
/// How old a message may be whose files are still to be shown: then people are told, so that the room does not wait for ever.
const GIVEN_UP: SignedDuration = SignedDuration::from_mins(10);
#[derive(Deserialize)]
struct Upload {
    upload_url: String,
    file_id: String,
}

/// Brings the files of a message to Slack, where nobody sees them yet; their ids. Where that fails the message says so itself.
pub(crate) async fn bring(parts: &Parts, rendered: &mut Rendered) -> Vec<String> {
    let brought = tokio::select! {
        brought = bring_all(parts, &rendered.files) => brought,
        () = parts.clock.sleep(UPLOAD_WITHIN) => None,
    };
    brought.unwrap_or_else(|| {
        rendered.without_files();
        Vec::new()
    })
}

async fn bring_all(parts: &Parts, files: &[RenderedFile]) -> Option<Vec<String>> {
    let mut ids = Vec::with_capacity(files.len());
    for file in files {
        ids.push(loop {
            match upload(parts, file).await {
                Ok(id) => break id,
                Err(error) if error.is_final() => {
                    tracing::warn!(%error, "a file could not be uploaded");
                    return None;
                }
                Err(ApiError::SlowDown(wait)) => {
                    parts.clock.sleep(SignedDuration::try_from(wait).unwrap_or(UPLOAD_WITHIN)).await;
                }
                Err(error) => {
                    tracing::warn!(%error, "a file could not be uploaded; once more");
                    parts.clock.sleep(ONCE_MORE).await;
                }
            }
        });
    }
    Some(ids)
}

async fn upload(parts: &Parts, file: &RenderedFile) -> Result<String, ApiError> {
    let length = file.content.len().to_string();
    let arguments = [("filename", file.name.as_str()), ("length", &length)];
    let upload: Upload = parts.api.ask("files.getUploadURLExternal", &arguments).await?;
    parts.api.upload(&upload.upload_url, file.content.as_bytes()).await?;
    Ok(upload.file_id)
}

/// Shows files that were brought to Slack below a message that was just said.
///
/// # Errors
/// Always of unknown fate, since the message stands: it is to be found again, and its files shown by [`show_again`].
pub(crate) async fn show(parts: &Parts, place: &Place, files: &[String]) -> Result<(), VoiceError> {
    let shown = match complete(parts, place, files).await {
        // Nobody would find it again.
        Err(error) if error.is_final() || !parts.config.reconcile => show_again(parts, place, files).await,
        shown => shown.map_err(VoiceError::from),
    };
    shown.map_err(|error| VoiceError::Ambiguous(Box::new(error)))
}

/// Shows the files of a message that was found again, unless they are below it already. Where that cannot be done it is said there.
///
/// # Errors
/// It may not have been done, and is to be tried once more.
pub(crate) async fn show_again(parts: &Parts, place: &Place, files: &[String]) -> Result<(), VoiceError> {
    if files.is_empty() || is_below(parts, place, |file| files.contains(&file.id)).await? {
        return Ok(());
    }
    let Err(error) = complete(parts, place, files).await else { return Ok(()) };
    let is_new = receive::time(&place.ts).is_some_and(|said| parts.clock.now().duration_since(said) < GIVEN_UP);
    if is_new && parts.config.reconcile && !error.is_final() {
        return Err(error.into());
    }
    tracing::warn!(%error, "a file could not be shown");
    let request = json!({ "channel": place.channel, "thread_ts": place.thread(), "text": FILE_MISSING });
    if let Err(error) = parts.api.call::<Value>("chat.postMessage", &request).await {
        tracing::warn!(%error, "nor could that be said");
    }
    Ok(())
}

async fn complete(parts: &Parts, place: &Place, files: &[String]) -> Result<(), ApiError> {
    if files.is_empty() {
        return Ok(());
    }
    let files: Vec<_> = files.iter().map(|id| json!({ "id": id })).collect();
    let request = json!({ "files": files, "channel_id": place.channel, "thread_ts": place.thread() });
    parts.api.call::<Value>("files.completeUploadExternal", &request).await.map(drop)
}

/// Brings and shows the files of a message that is about to be edited, but those that are below it already: their names tell what they
/// hold.
///
/// # Errors
/// See [`ApiError`]; it is to be tried once more.
pub(crate) async fn renew(parts: &Parts, place: &Place, rendered: &mut Rendered) -> Result<(), ApiError> {
    let me = if rendered.files.is_empty() { return Ok(()) } else { parts.me().await?.user_id.clone() };
    let mut missing = Vec::new();
    for file in std::mem::take(&mut rendered.files) {
        let is_it =
            |shown: &find::File| shown.name.as_deref() == Some(&file.name) && shown.user.as_deref() == Some(&me);
        if !is_below(parts, place, is_it).await? {
            missing.push(file);
        }
    }
    rendered.files = missing;
    let files = bring(parts, rendered).await;
    complete(parts, place, &files).await
}

/// Whether such a file is in the thread of a message, not before it. Without the scopes to read the channel nobody knows.
async fn is_below(
    parts: &Parts,
    place: &Place,
    is_it: impl Fn(&find::File) -> bool + Send + Sync,
) -> Result<bool, ApiError> {
    let thread = Looked { channel: &place.channel, thread: Some(place.thread()), since: receive::time(&place.ts) };
    let found = find::search(parts, thread, |said| said.files.iter().any(&is_it)).await?;
    Ok(found.is_some())
}

//! Long output as files, in the thread of the message that they belong to: Slack's flow of three steps (`files.getUploadURLExternal`, the
//! upload, `files.completeUploadExternal`).

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::ApiError;
use crate::place::Place;
use crate::render::{Rendered, RenderedFile};
use crate::slack::Parts;

#[derive(Deserialize)]
struct Upload {
    upload_url: String,
    file_id: String,
}

/// Uploads the files of a message that stands already. What cannot be uploaded is said in its place: the message itself says the fact.
pub(crate) async fn attach(parts: &Parts, place: &Place, rendered: &Rendered) {
    for file in &rendered.files {
        if let Err(error) = upload(parts, place, file).await {
            tracing::warn!(%error, "a file could not be uploaded");
            let text = "The file that belongs to this could not be uploaded. Ask again for the whole answer.";
            let request = json!({ "channel": place.channel, "thread_ts": place.thread(), "text": text });
            if let Err(error) = parts.api.call::<Value>("chat.postMessage", &request).await {
                tracing::warn!(%error, "nor could that be said");
            }
        }
    }
}

async fn upload(parts: &Parts, place: &Place, file: &RenderedFile) -> Result<(), ApiError> {
    let length = file.content.len().to_string();
    let arguments = [("filename", file.name.as_str()), ("length", &length)];
    let upload: Upload = parts.api.ask("files.getUploadURLExternal", &arguments).await?;
    parts.api.upload(&upload.upload_url, file.content.as_bytes()).await?;
    let request = json!({
        "files": [{ "id": upload.file_id, "title": file.name }],
        "channel_id": place.channel,
        "thread_ts": place.thread(),
    });
    parts.api.call::<Value>("files.completeUploadExternal", &request).await.map(drop)
}

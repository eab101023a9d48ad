//! Files: files.getUploadURLExternal, the upload itself, files.completeUploadExternal and files.info.

use std::sync::Arc;

use serde_json::{Value, json};

use super::args::{Args, missing};
use super::messages::Draft;
use super::post::{check_thread, compose, pace, publish};
use super::{Answer, Context};
use crate::blocks::{self, Surface};
use crate::hub::Hub;
use crate::refusal::Refusal;
use crate::world::{BOT_USER, File};

/// The largest file: Slack's gigabyte, smaller, since the fake keeps it in memory.
const LARGEST: u64 = 64 << 20;

pub(super) fn get_upload_url(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let name = args.text("filename")?;
    let length = args.number("length")?.ok_or_else(|| missing("length"))?;
    args.ignore(&["alt_txt", "snippet_type"]);
    args.finish()?;
    if length == 0 {
        return Err(Refusal::argument("length must be greater than 0"));
    }
    if length > LARGEST {
        return Err(Refusal::new("file_upload_size_restricted"));
    }
    let world = &mut *context.world;
    let id = world.random.id("F0");
    let created = world.seconds();
    let file = File {
        id: id.clone(),
        title: name.clone(),
        name,
        promised: length,
        content: None,
        shared: false,
        channel: None,
        created,
    };
    world.files.insert(id.clone(), file);
    Ok(json!({"upload_url": context.hub.url(&format!("upload/v1/{id}")), "file_id": id}))
}

/// Takes the bytes of a file that was announced: exactly as many as were promised, once.
pub(crate) fn upload(hub: &Arc<Hub>, id: &str, content: &[u8]) -> Result<String, &'static str> {
    let mut world = hub.world();
    let file = world.files.get_mut(id).ok_or("file_not_found")?;
    if file.content.is_some() {
        return Err("already_uploaded");
    }
    if content.len() as u64 != file.promised {
        return Err("length_mismatch");
    }
    file.content = Some(Arc::from(content));
    Ok(format!("OK - {}", content.len()))
}

pub(super) fn complete_upload(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let files = args.nested("files", "invalid_arguments")?.ok_or_else(|| missing("files"))?;
    let channel = args.optional_text("channel_id")?;
    let thread = args.optional_stamp("thread_ts", "invalid_thread_ts")?;
    let comment = args.optional_text("initial_comment")?;
    let blocks = take_blocks(args)?;
    args.finish()?;
    let named = named_files(context, &files)?;
    if let Some(channel) = &channel {
        context.place_to_write(channel, true)?;
        check_thread(&context.world, channel, thread)?;
        pace(context, channel)?;
    } else if thread.is_some() || comment.is_some() || blocks.is_some() {
        return Err(Refusal::argument("thread_ts, initial_comment and blocks need channel_id"));
    }
    let mut shown = Vec::new();
    for (id, title) in named {
        let world = &mut *context.world;
        world.file_order.push(id.clone());
        let Some(file) = world.files.get_mut(&id) else { continue };
        file.shared = true;
        file.channel.clone_from(&channel);
        if let Some(title) = title {
            file.title = title;
        }
        shown.push(to_json(context.hub, file));
    }
    if let Some(channel) = channel {
        // Slack looks at the blocks only where there is no comment.
        let blocks = if comment.is_some() { None } else { blocks };
        let draft = Draft { text: Some(comment.unwrap_or_default()), blocks, attachments: None, metadata: None };
        let mut message = compose(&mut context.world, draft, thread);
        message.files.clone_from(&shown);
        publish(context, &channel, message);
    }
    Ok(json!({"files": shown}))
}

fn take_blocks(args: &mut Args) -> Result<Option<Vec<Value>>, Refusal> {
    let Some(given) = args.nested("blocks", "invalid_blocks_format")? else { return Ok(None) };
    let list = given.as_array().ok_or_else(|| Refusal::new("invalid_blocks_format"))?;
    // Slack takes markdown in messages, but falls over it here.
    if list.iter().any(|block| block["type"] == "markdown") {
        return Err(Refusal::new("internal_error"));
    }
    blocks::check(list, Surface::Message).map_err(|errors| Refusal::explained("invalid_blocks", errors))?;
    Ok(Some(list.clone()))
}

/// The files and their titles; each must be uploaded, and not completed before.
fn named_files(context: &Context<'_>, files: &Value) -> Result<Vec<(String, Option<String>)>, Refusal> {
    let list = files.as_array().filter(|list| !list.is_empty());
    let list = list.ok_or_else(|| Refusal::argument("must be a list of files [json-pointer:/files]"))?;
    let mut named = Vec::new();
    for entry in list {
        let known = entry.as_object().is_some_and(|fields| fields.keys().all(|name| name == "id" || name == "title"));
        let id = entry["id"].as_str().filter(|_| known);
        let id = id.ok_or_else(|| Refusal::argument("a file has an id and a title [json-pointer:/files]"))?;
        let file = context.world.files.get(id).ok_or_else(|| Refusal::new("file_not_found"))?;
        if file.content.is_none() || file.shared {
            return Err(Refusal::new(if file.shared { "file_already_completed" } else { "file_not_uploaded" }));
        }
        named.push((id.to_owned(), entry["title"].as_str().map(str::to_owned)));
    }
    Ok(named)
}

pub(super) fn info(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("file")?;
    args.ignore(&["count", "page", "limit", "cursor"]);
    args.finish()?;
    let file = context.world.files.get(&id).filter(|file| file.shared);
    let file = file.ok_or_else(|| Refusal::new("file_not_found"))?;
    Ok(json!({"file": to_json(context.hub, file), "comments": []}))
}

fn to_json(hub: &Hub, file: &File) -> Value {
    let kind = file.name.rsplit_once('.').map_or("text", |(_, ending)| ending);
    let link = hub.url(&format!("files-pri/{}/{}", file.id, file.name));
    json!({
        "id": file.id, "created": file.created, "timestamp": file.created, "name": file.name, "title": file.title,
        "mimetype": "text/plain", "filetype": kind, "pretty_type": kind, "user": BOT_USER, "size": file.promised,
        "mode": "hosted", "is_external": false, "is_public": true, "url_private": link, "url_private_download": link,
        "permalink": format!("https://andon-play.slack.com/files/{BOT_USER}/{}/{}", file.id, file.name),
        "channels": file.channel.iter().collect::<Vec<_>>(), "groups": [], "ims": [],
    })
}

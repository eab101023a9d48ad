//! Answers to a response URL, and answers that come with the acknowledgement of a slash command.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::Context;
use super::delete::remove;
use super::messages::Draft;
use super::post::{check_thread, compose, publish, whisper};
use super::update::{changed, replace};
use crate::hub::Hub;
use crate::refusal::Refusal;
use crate::shown::ShownKind;
use crate::world::Place;
use crate::world::stamp::Stamp;
use crate::world::tokens::ResponseUrl;

/// What an answer asks for.
struct Wish {
    in_channel: bool,
    replace: bool,
    delete: bool,
    thread: Option<Stamp>,
}

impl Wish {
    fn take(fields: &mut Map<String, Value>) -> Result<Self, Refusal> {
        let in_channel = match fields.remove("response_type").as_ref().map(Value::as_str) {
            None | Some(Some("ephemeral")) => false,
            Some(Some("in_channel")) => true,
            Some(_) => return Err(Refusal::argument("response_type must be in_channel or ephemeral")),
        };
        let mut flag = |name: &str| match fields.remove(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(Refusal::argument(format!("must be a boolean [json-pointer:/{name}]"))),
        };
        let (replace, delete) = (flag("replace_original")?, flag("delete_original")?);
        for name in ["mrkdwn", "unfurl_links", "unfurl_media"] {
            flag(name)?;
        }
        let thread = match fields.remove("thread_ts").as_ref().map(|ts| ts.as_str().and_then(Stamp::parse)) {
            None => None,
            Some(Some(stamp)) => Some(stamp),
            Some(None) => return Err(Refusal::new("invalid_thread_ts")),
        };
        Ok(Self { in_channel, replace, delete, thread })
    }
}

/// A request to a response URL. Five uses in half an hour; refused ones that are well formed count as well.
pub(crate) fn use_url(hub: &Arc<Hub>, key: &str, body: &[u8]) -> Result<(), Refusal> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return Err(Refusal::new("invalid_payload")) };
    let mut context = Context { hub, world: hub.world() };
    let url = context.world.use_response_url(key).map_err(Refusal::new)?;
    answer(&mut context, &url, fields)
}

/// What the app answered with its acknowledgement of a slash command.
pub(crate) fn with_acknowledgement(hub: &Arc<Hub>, url: &ResponseUrl, payload: Value) -> Result<(), Refusal> {
    let fields = match payload {
        Value::Object(fields) if fields.is_empty() => return Ok(()),
        Value::Object(fields) => fields,
        Value::String(text) => Map::from_iter([("text".to_owned(), Value::String(text))]),
        _ => return Err(Refusal::new("invalid_payload")),
    };
    let mut context = Context { hub, world: hub.world() };
    answer(&mut context, url, fields)
}

fn answer(context: &mut Context<'_>, url: &ResponseUrl, mut fields: Map<String, Value>) -> Result<(), Refusal> {
    let wish = Wish::take(&mut fields)?;
    let draft = Draft::from_fields(&mut fields)?;
    if let Some(name) = fields.keys().next() {
        return Err(Refusal::argument(format!("unknown argument: {name}")));
    }
    if !wish.delete && draft.is_empty() {
        return Err(Refusal::new("no_text"));
    }
    if wish.delete || wish.replace {
        let Some(original) = url.original else { return Err(Refusal::new("no_original")) };
        return change_original(context, url, original, (!wish.delete).then_some(draft));
    }
    let thread = wish.thread.or(url.thread);
    check_thread(&context.world, &url.channel, thread)?;
    let message = compose(&mut context.world, draft, thread);
    if wish.in_channel {
        publish(context, &url.channel, message);
    } else {
        whisper(&mut context.world, &url.channel, &url.user, message);
    }
    Ok(())
}

/// Replaces the message whose element was used, or takes it away.
fn change_original(
    context: &mut Context<'_>,
    url: &ResponseUrl,
    original: Stamp,
    draft: Option<Draft>,
) -> Result<(), Refusal> {
    if url.original_is_whisper {
        return change_whisper(context, url, original, draft);
    }
    let before = context.world.message(&url.channel, original).filter(|message| !message.tombstone);
    let before = before.ok_or_else(|| Refusal::new("message_not_found"))?.clone();
    match draft {
        None => remove(context, &url.channel, &before),
        Some(draft) => {
            let after = changed(&mut context.world, before.clone(), draft);
            replace(context, &url.channel, original, before, after);
        }
    }
    Ok(())
}

fn change_whisper(
    context: &mut Context<'_>,
    url: &ResponseUrl,
    original: Stamp,
    draft: Option<Draft>,
) -> Result<(), Refusal> {
    let world = &mut *context.world;
    let list = world.whispers.entry(url.user.clone()).or_default();
    let place = list.iter().position(|(_, message)| message.stamp == original);
    let place = place.ok_or_else(|| Refusal::new("message_not_found"))?;
    let (channel, message) = list.remove(place);
    let (kind, shown) = match draft {
        None => (ShownKind::Deleted, message),
        Some(draft) => {
            let after = changed(world, message, draft);
            let list = world.whispers.entry(url.user.clone()).or_default();
            list.insert(place, (channel.clone(), after.clone()));
            (ShownKind::Edited, after)
        }
    };
    let here = Place { channel: Some(&channel), thread: shown.thread, stamp: Some(original) };
    world.show(kind, here, |_| shown.to_json(true));
    Ok(())
}

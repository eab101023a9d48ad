//! chat.postMessage and chat.postEphemeral.

use serde_json::{Value, json};

use super::args::Args;
use super::messages::{Draft, with_block_ids};
use super::{Answer, Context, needs};
use crate::hub::locked;
use crate::people::hear;
use crate::refusal::Refusal;
use crate::shown::ShownKind;
use crate::world::channel::{ChannelKind, Message};
use crate::world::stamp::Stamp;
use crate::world::{BOT_USER, HOME, Place, World};

/// A message of the app that is not in the world yet.
pub(crate) fn compose(world: &mut World, draft: Draft, thread: Option<Stamp>) -> Message {
    let stamp = world.stamp();
    let mut message = Message::new(stamp, BOT_USER, HOME, draft.text.unwrap_or_default());
    message.by_app = true;
    message.thread = thread;
    message.blocks = with_block_ids(world, draft.blocks.unwrap_or_default());
    message.attachments = draft.attachments.unwrap_or_default();
    message.metadata = draft.metadata.and_then(Draft::kept_metadata);
    message
}

/// The channel that an id means: a channel's own, or the direct message with the person it belongs to.
fn addressed(context: &mut Context<'_>, id: String) -> Result<String, Refusal> {
    match context.world.users.get(&id) {
        None => Ok(id),
        Some(user) if user.deleted || user.id == BOT_USER => Err(Refusal::new("channel_not_found")),
        Some(_) => Ok(context.world.direct_with_app(&id)),
    }
}

/// Refuses an answer to something that cannot be answered.
pub(super) fn check_thread(world: &World, channel: &str, thread: Option<Stamp>) -> Result<(), Refusal> {
    let Some(thread) = thread else { return Ok(()) };
    let message = world.message(channel, thread).ok_or_else(|| Refusal::new("thread_not_found"))?;
    if message.thread.is_some() { Err(Refusal::new("cannot_reply_to_message")) } else { Ok(()) }
}

/// How the app wants to look; only with the scope for it.
fn take_looks(context: &Context<'_>, args: &mut Args) -> Result<(), Refusal> {
    let looks = ["username", "icon_emoji", "icon_url"].map(|name| args.optional_text(name));
    for look in looks {
        if look?.is_some() {
            needs(context.hub, &["chat:write.customize"])?;
        }
    }
    Ok(())
}

pub(super) fn post_message(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    let thread = args.optional_stamp("thread_ts", "invalid_thread_ts")?;
    let broadcast = args.flag("reply_broadcast")?.unwrap_or(false);
    for flag in ["mrkdwn", "unfurl_links", "unfurl_media"] {
        args.flag(flag)?;
    }
    let client_msg_id = args.optional_text("client_msg_id")?;
    take_looks(context, args)?;
    let draft = Draft::take(args)?;
    args.finish()?;
    let id = addressed(context, id)?;
    let open = context.place_to_write(&id, false)?;
    let from_outside = open.kind == ChannelKind::Public && context.hub.has_scope("chat:write.public");
    context.place_to_write(&id, !from_outside)?;
    if draft.is_empty() {
        return Err(Refusal::new("no_text"));
    }
    check_thread(&context.world, &id, thread)?;
    pace(context, &id)?;
    let mut message = compose(&mut context.world, draft, thread);
    message.broadcast = broadcast && thread.is_some();
    message.client_msg_id = client_msg_id;
    Ok(publish(context, &id, message))
}

/// So many messages a second into one channel, and no more.
pub(super) fn pace(context: &Context<'_>, channel: &str) -> Result<(), Refusal> {
    let Some(pacing) = context.hub.settings.post_pacing else { return Ok(()) };
    locked(&context.hub.pace).take(channel, pacing, context.world.now()).map_err(Refusal::rate_limited)
}

/// Puts a message of the app into a channel, tells who watches and, if it asked for that, the app itself.
pub(crate) fn publish(context: &mut Context<'_>, id: &str, message: Message) -> Value {
    let stamp = message.stamp;
    let shown = message.to_json(true);
    let kind = if message.files.is_empty() { ShownKind::Posted } else { ShownKind::Filed };
    context.world.keep(id, message);
    context.world.show_message(kind, id, stamp);
    hear::own_message(context.hub, &mut context.world, id, stamp);
    json!({"channel": id, "ts": stamp.to_string(), "message": shown})
}

pub(super) fn post_ephemeral(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    let user = args.text("user")?;
    let thread = args.optional_stamp("thread_ts", "invalid_thread_ts")?;
    take_looks(context, args)?;
    let draft = Draft::take(args)?;
    args.finish()?;
    let channel = context.place_to_write(&id, true)?;
    if !channel.members.contains(&user) {
        return Err(Refusal::new("user_not_in_channel"));
    }
    if draft.is_empty() {
        return Err(Refusal::new("no_text"));
    }
    check_thread(&context.world, &id, thread)?;
    let message = compose(&mut context.world, draft, thread);
    let stamp = whisper(&mut context.world, &id, &user, message);
    Ok(json!({"message_ts": stamp.to_string()}))
}

/// Shows somebody a message that nobody else sees.
pub(crate) fn whisper(world: &mut World, channel: &str, user: &str, message: Message) -> Stamp {
    let (stamp, thread) = (message.stamp, message.thread);
    let place = Place { channel: Some(channel), thread, stamp: Some(stamp) };
    world.show(ShownKind::Whispered { user: user.to_owned() }, place, |_| message.to_json(true));
    world.whispers.entry(user.to_owned()).or_default().push((channel.to_owned(), message));
    stamp
}

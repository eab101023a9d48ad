//! chat.update.

use serde_json::json;

use super::args::Args;
use super::messages::{Draft, with_block_ids};
use super::{Answer, Context};
use crate::people::hear;
use crate::refusal::Refusal;
use crate::shown::ShownKind;
use crate::world::World;
use crate::world::stamp::Stamp;
use crate::world::{BOT_USER, channel::Message};

pub(super) fn update(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    let stamp = args.stamp("ts", "message_not_found")?;
    args.flag("reply_broadcast")?;
    args.flag("as_user")?;
    args.list("file_ids")?;
    let draft = Draft::take(args)?;
    args.finish()?;
    let channel = context.visible(&id)?;
    if channel.is_archived {
        return Err(Refusal::new("is_archived"));
    }
    let message = channel.messages.get(&stamp).filter(|message| !message.tombstone);
    let message = message.ok_or_else(|| Refusal::new("message_not_found"))?;
    if !message.by_app {
        return Err(Refusal::new("cant_update_message"));
    }
    let before = message.clone();
    if draft.text.is_none() && draft.blocks.is_none() && draft.attachments.is_none() {
        return Err(Refusal::new("no_text"));
    }
    let after = changed(&mut context.world, before.clone(), draft);
    if after.text.trim().is_empty() && after.blocks.is_empty() && after.attachments.is_empty() && after.files.is_empty()
    {
        return Err(Refusal::new("no_text"));
    }
    let (text, shown) = (after.text.clone(), after.to_json(true));
    replace(context, &id, stamp, before, after);
    Ok(json!({"channel": id, "ts": stamp.to_string(), "text": text, "message": shown}))
}

/// What a draft makes of a message: what it does not name stays, blocks too.
pub(crate) fn changed(world: &mut World, mut message: Message, draft: Draft) -> Message {
    if let Some(text) = draft.text {
        message.text = text;
    }
    if let Some(blocks) = draft.blocks {
        message.blocks = with_block_ids(world, blocks);
        message.chosen.clear();
    }
    if let Some(attachments) = draft.attachments {
        message.attachments = attachments;
    }
    if let Some(metadata) = draft.metadata {
        message.metadata = Draft::kept_metadata(metadata);
    }
    message.edited = Some((BOT_USER.to_owned(), world.stamp()));
    message
}

/// Puts the changed message in the place of the one before.
pub(crate) fn replace(context: &mut Context<'_>, id: &str, stamp: Stamp, before: Message, after: Message) {
    context.world.channel_mut(id).messages.insert(stamp, after);
    context.world.show_message(ShownKind::Edited, id, stamp);
    hear::changed_message(context.hub, &mut context.world, id, &before, stamp);
}

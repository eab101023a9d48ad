//! chat.delete.

use serde_json::json;

use super::args::Args;
use super::{Answer, Context};
use crate::people::hear;
use crate::refusal::Refusal;
use crate::shown::ShownKind;
use crate::world::channel::Message;

pub(super) fn delete(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    let stamp = args.stamp("ts", "message_not_found")?;
    args.flag("as_user")?;
    args.finish()?;
    let channel = context.visible(&id)?;
    let message = channel.messages.get(&stamp).filter(|message| !message.tombstone);
    let message = message.ok_or_else(|| Refusal::new("message_not_found"))?.clone();
    if !message.by_app {
        return Err(Refusal::new("cant_delete_message"));
    }
    remove(context, &id, &message);
    Ok(json!({"channel": id, "ts": stamp.to_string()}))
}

/// Takes a message of the app away.
pub(crate) fn remove(context: &mut Context<'_>, id: &str, message: &Message) {
    context.world.show_message(ShownKind::Deleted, id, message.stamp);
    context.world.remove(id, message.stamp);
    hear::deleted_message(context.hub, &mut context.world, id, message);
}

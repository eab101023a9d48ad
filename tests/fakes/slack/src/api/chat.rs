//! chat.getPermalink.

use serde_json::json;

use super::args::Args;
use super::{Answer, Context};
use crate::refusal::Refusal;
use crate::world::HOME;

pub(super) fn get_permalink(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    let stamp = args.stamp("message_ts", "message_not_found")?;
    args.finish()?;
    let channel = context.visible(&id)?;
    let message = channel.messages.get(&stamp).ok_or_else(|| Refusal::new("message_not_found"))?;
    let base = context.world.team(HOME).url();
    let mut link = format!("{base}archives/{id}/p{}", stamp.0);
    if let Some(thread) = message.thread {
        link.push_str(&format!("?thread_ts={thread}&cid={id}"));
    }
    Ok(json!({"channel": id, "permalink": link}))
}

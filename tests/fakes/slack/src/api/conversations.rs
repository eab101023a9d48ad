//! conversations.info, conversations.members and conversations.list, and what all methods ask of a channel.

use serde_json::{Value, json};

use super::args::Args;
use super::page::Page;
use super::{Answer, Context, needs};
use crate::refusal::Refusal;
use crate::world::channel::{Channel, ChannelKind};
use crate::world::{BOT_USER, HOME};

impl Context<'_> {
    /// A channel that the app may know of: private ones only from inside.
    pub(super) fn visible(&self, id: &str) -> Result<&Channel, Refusal> {
        let channel = self.world.channels.get(id).ok_or_else(|| Refusal::new("channel_not_found"))?;
        let member = channel.members.contains(BOT_USER);
        if channel.kind != ChannelKind::Public && !member {
            return Err(Refusal::new("channel_not_found"));
        }
        Ok(channel)
    }

    /// A channel that the app may read with a scope such as `channels:history`.
    pub(super) fn readable(&self, id: &str, what: &str) -> Result<&Channel, Refusal> {
        let channel = self.visible(id)?;
        needs(self.hub, &[&format!("{}:{what}", channel.kind.family())])?;
        Ok(channel)
    }

    /// A channel that the app may write to; `inside` where it has to be a member.
    pub(super) fn place_to_write(&self, id: &str, inside: bool) -> Result<&Channel, Refusal> {
        let channel = self.visible(id)?;
        if channel.is_archived {
            return Err(Refusal::new("is_archived"));
        }
        if inside && !channel.members.contains(BOT_USER) {
            return Err(Refusal::new("not_in_channel"));
        }
        Ok(channel)
    }
}

pub(super) fn info(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    args.flag("include_locale")?;
    let with_number = args.flag("include_num_members")?.unwrap_or(false);
    args.finish()?;
    let channel = context.readable(&id, "read")?;
    Ok(json!({"channel": channel.to_json(HOME, BOT_USER, with_number)}))
}

pub(super) fn members(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    let page = Page::take(args, 100, 1000)?;
    args.finish()?;
    let channel = context.readable(&id, "read")?;
    let from = page.offset()?;
    let members: Vec<&String> = channel.members.iter().skip(from).take(page.limit).collect();
    let end = from.saturating_add(members.len());
    let next = (end < channel.members.len()).then_some(end as u64);
    Ok(json!({"members": members, "response_metadata": Page::metadata(next)}))
}

pub(super) fn list(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let types = args.list("types")?.unwrap_or_else(|| vec!["public_channel".to_owned()]);
    let page = Page::take(args, 100, 1000)?;
    let without_archived = args.flag("exclude_archived")?.unwrap_or(false);
    args.ignore(&["team_id"]);
    args.finish()?;
    for kind in &types {
        let scope = match kind.as_str() {
            "public_channel" => "channels:read",
            "private_channel" => "groups:read",
            "im" => "im:read",
            "mpim" => "mpim:read",
            _ => return Err(Refusal::new("invalid_types")),
        };
        needs(context.hub, &[scope])?;
    }
    let world = &context.world;
    let (mut shown, mut next) = (Vec::<Value>::new(), None);
    for (position, id) in world.channel_order.iter().enumerate().skip(page.offset()?) {
        let channel = world.channel(id);
        let wanted = types.iter().any(|kind| kind == channel.kind.listed_as())
            && !(without_archived && channel.is_archived)
            && (channel.kind == ChannelKind::Public || channel.members.contains(BOT_USER));
        if !wanted {
            continue;
        }
        if shown.len() == page.limit {
            next = Some(position as u64);
            break;
        }
        shown.push(channel.to_json(HOME, BOT_USER, true));
    }
    Ok(json!({"channels": shown, "response_metadata": Page::metadata(next)}))
}

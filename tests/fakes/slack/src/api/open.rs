//! conversations.open, conversations.join and conversations.setTopic.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::args::Args;
use super::{Answer, Context, needs};
use crate::refusal::Refusal;
use crate::shown::ShownKind;
use crate::world::channel::ChannelKind;
use crate::world::{BOT_USER, HOME, Place};

/// The longest topic.
const LONGEST_TOPIC: usize = 250;

pub(super) fn open(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let channel = args.optional_text("channel")?;
    let users = args.list("users")?;
    let whole = args.flag("return_im")?.unwrap_or(false);
    args.flag("prevent_creation")?;
    args.finish()?;
    let id = match (channel, users) {
        (Some(channel), None) => {
            context.visible(&channel)?;
            channel
        }
        (None, Some(users)) if !users.is_empty() => open_with(context, users)?,
        (None, _) => return Err(Refusal::new("users_list_not_supplied")),
        (Some(_), Some(_)) => return Err(Refusal::argument("either channel or users, not both")),
    };
    let channel = context.world.channel(&id);
    if matches!(channel.kind, ChannelKind::Public | ChannelKind::Private) {
        return Err(Refusal::new("method_not_supported_for_channel_type"));
    }
    Ok(json!({"channel": if whole { channel.to_json(HOME, BOT_USER, false) } else { json!({"id": id}) }}))
}

fn open_with(context: &mut Context<'_>, users: Vec<String>) -> Result<String, Refusal> {
    needs(context.hub, &[if users.len() == 1 { "im:write" } else { "mpim:write" }])?;
    if users.len() > 8 {
        return Err(Refusal::new("too_many_users"));
    }
    for user in &users {
        let user = context.world.users.get(user).ok_or_else(|| Refusal::new("user_not_found"))?;
        if user.deleted {
            return Err(Refusal::new("user_disabled"));
        }
        if user.id == BOT_USER {
            return Err(Refusal::new("invalid_user_combination"));
        }
    }
    let mut members: BTreeSet<String> = users.into_iter().collect();
    members.insert(BOT_USER.to_owned());
    Ok(context.world.direct(&members))
}

pub(super) fn join(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    args.finish()?;
    let channel = context.place_to_write(&id, false)?;
    if channel.kind != ChannelKind::Public {
        return Err(Refusal::new("method_not_supported_for_channel_type"));
    }
    let new = context.world.channel_mut(&id).members.insert(BOT_USER.to_owned());
    let mut answer = json!({"channel": context.world.channel(&id).to_json(HOME, BOT_USER, false)});
    if !new {
        answer["warning"] = json!("already_in_channel");
        answer["response_metadata"] = json!({"warnings": ["already_in_channel"]});
    }
    Ok(answer)
}

pub(super) fn set_topic(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("channel")?;
    let topic = args.text("topic")?;
    args.finish()?;
    let channel = context.place_to_write(&id, true)?;
    let scope = match channel.kind {
        ChannelKind::Public => "channels:manage",
        ChannelKind::Private => "groups:write",
        ChannelKind::Direct => return Err(Refusal::new("method_not_supported_for_channel_type")),
        ChannelKind::Group => "mpim:write",
    };
    needs(context.hub, &[scope])?;
    if topic.chars().count() > LONGEST_TOPIC {
        return Err(Refusal::new("too_long"));
    }
    context.world.channel_mut(&id).topic.clone_from(&topic);
    let place = Place { channel: Some(&id), ..Place::default() };
    context.world.show(ShownKind::TopicSet, place, |_| Value::String(topic));
    Ok(json!({"channel": context.world.channel(&id).to_json(HOME, BOT_USER, false)}))
}

//! What the app hears of what happens: events of the Events API, in their wrapper.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::Slack;
use crate::faults::DeliveryFault;
use crate::hub::{Hub, locked};
use crate::log::DeliveryKind;
use crate::wire::{Parcel, send_with};
use crate::world::channel::{Message, merge};
use crate::world::stamp::Stamp;
use crate::world::{APP_ID, BOT_USER, HOME, World};

impl Slack {
    /// Sends an event with exactly this content, as Slack could: for what people and apps do that the fake does not know.
    pub fn send_event(&self, event: Value) {
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        wrapped(&self.hub, &mut self.hub.world(), &kind, false, event);
    }
}

/// Sends an event, if the app asked for its kind. `channel` is where it happened.
pub(crate) fn event(hub: &Arc<Hub>, world: &mut World, subscription: &str, channel: Option<&str>, event: Value) {
    if !hub.hears(subscription) {
        return;
    }
    let shared = channel.and_then(|id| world.channels.get(id)).is_some_and(|channel| !channel.shared_with.is_empty());
    wrapped(hub, world, subscription, shared, event);
}

fn wrapped(hub: &Arc<Hub>, world: &mut World, about: &str, shared: bool, event: Value) {
    let mut payload = json!({
        "token": hub.secrets.verification, "team_id": HOME, "context_team_id": HOME, "context_enterprise_id": null,
        "api_app_id": APP_ID, "type": "event_callback", "event_time": world.seconds(), "is_ext_shared_channel": shared,
        "authorizations": [{
            "enterprise_id": null, "team_id": HOME, "user_id": BOT_USER, "is_bot": true, "is_enterprise_install": false,
        }],
    });
    payload["event"] = event;
    let faults = locked(&hub.faults).deliveries.next(DeliveryKind::Event.name());
    let copies = faults.iter().find_map(|fault| match fault {
        DeliveryFault::Copies(copies) => Some(*copies),
        _ => None,
    });
    for _ in 0..copies.unwrap_or(1) {
        let mut payload = payload.clone();
        payload["event_id"] = Value::String(world.random.id("Ev"));
        payload["event_context"] = Value::String(format!("4-{}", world.random.hex(40)));
        let about = about.to_owned();
        let parcel = Parcel { kind: DeliveryKind::Event, about, payload, wants_answer: false };
        send_with(hub, parcel, &faults, None);
    }
}

fn mentions_app(text: &str) -> bool {
    text.contains("<@U0ANDON>")
}

/// The subscription that tells of messages there, if the app is in the channel.
fn messages_of(world: &World, channel: &str) -> Option<String> {
    let channel = world.channel(channel);
    channel.members.contains(BOT_USER).then(|| format!("message.{}", channel.kind.family()))
}

/// A message as events have it: with its channel, and with who spoke where the channel is shared.
fn told(world: &World, channel: &str, message: &Message) -> Value {
    let mut event = message.to_json(true);
    event["channel"] = json!(channel);
    event["event_ts"] = json!(message.stamp.to_string());
    if let Some(thread) = message.thread.and_then(|thread| world.message(channel, thread)) {
        event["parent_user_id"] = json!(thread.user);
    }
    if !world.channel(channel).shared_with.is_empty() {
        let user = world.user(&message.user);
        let more = json!({
            "user_team": user.team, "source_team": user.team,
            "user_profile": {
                "real_name": user.real_name, "display_name": user.name, "name": user.name, "team": user.team,
                "is_restricted": user.guest.is_some(), "is_ultra_restricted": false,
            },
        });
        merge(&mut event, more);
    }
    event
}

/// Somebody said something.
pub(crate) fn said(hub: &Arc<Hub>, world: &mut World, channel: &str, stamp: Stamp) {
    mentioned(hub, world, channel, stamp);
    heard(hub, world, channel, stamp);
}

/// The app said something, which it hears like everybody else where it listens to all messages. It does not mention itself.
pub(crate) fn own_message(hub: &Arc<Hub>, world: &mut World, channel: &str, stamp: Stamp) {
    heard(hub, world, channel, stamp);
}

/// A `message` event, if the app listens to all messages there.
fn heard(hub: &Arc<Hub>, world: &mut World, channel: &str, stamp: Stamp) {
    let Some(subscription) = messages_of(world, channel).filter(|subscription| hub.hears(subscription)) else { return };
    let Some(message) = world.message(channel, stamp) else { return };
    let mut told = told(world, channel, message);
    told["channel_type"] = json!(world.channel(channel).kind.event_type());
    event(hub, world, &subscription, Some(channel), told);
}

/// An `app_mention`, if there is one; Slack sends none in direct messages.
fn mentioned(hub: &Arc<Hub>, world: &mut World, channel: &str, stamp: Stamp) {
    let Some(message) = world.message(channel, stamp) else { return };
    let direct = matches!(world.channel(channel).kind.family(), "im" | "mpim");
    if direct || !world.channel(channel).members.contains(BOT_USER) || !mentions_app(&message.text) {
        return;
    }
    let mut told = told(world, channel, message);
    told["type"] = json!("app_mention");
    event(hub, world, "app_mention", Some(channel), told);
}

/// A message was changed. Where it names the app it is a mention again: Slack sends that with `edited`.
pub(crate) fn changed_message(hub: &Arc<Hub>, world: &mut World, channel: &str, before: &Message, stamp: Stamp) {
    if !before.by_app {
        mentioned(hub, world, channel, stamp);
    }
    let Some(subscription) = messages_of(world, channel).filter(|subscription| hub.hears(subscription)) else { return };
    let now = world.stamp().to_string();
    let Some(after) = world.message(channel, stamp) else { return };
    let told = json!({
        "type": "message", "subtype": "message_changed", "message": after.to_json(true),
        "previous_message": before.to_json(true), "channel": channel, "hidden": true, "ts": now, "event_ts": now,
        "channel_type": world.channel(channel).kind.event_type(),
    });
    event(hub, world, &subscription, Some(channel), told);
}

/// A message was deleted.
pub(crate) fn deleted_message(hub: &Arc<Hub>, world: &mut World, channel: &str, before: &Message) {
    let Some(subscription) = messages_of(world, channel).filter(|subscription| hub.hears(subscription)) else { return };
    let now = world.stamp().to_string();
    let told = json!({
        "type": "message", "subtype": "message_deleted", "previous_message": before.to_json(true),
        "deleted_ts": before.stamp.to_string(), "channel": channel, "hidden": true, "ts": now, "event_ts": now,
        "channel_type": world.channel(channel).kind.event_type(),
    });
    event(hub, world, &subscription, Some(channel), told);
}

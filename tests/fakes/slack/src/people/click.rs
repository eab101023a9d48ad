//! Pressing buttons and choosing from menus under messages.

use serde_json::{Value, json};

use super::asked::{Asked, Request, request};
use super::payloads;
use super::talk::stamp;
use crate::Slack;
use crate::blocks::state::{self, Found};
use crate::log::DeliveryKind;
use crate::world::World;
use crate::world::channel::{Message, merge};
use crate::world::stamp::Stamp;
use crate::world::tokens::ResponseUrl;
use crate::world::view::state_values;

/// A message as one person sees it.
struct Seen {
    message: Message,
    /// Only that person sees it.
    whisper: bool,
}

impl Slack {
    /// Somebody presses a button under a message, and says yes where it asks first. A button is named by its text or its `action_id`.
    /// Messages that only this person sees are found as well.
    ///
    /// # Panics
    /// There is no such message, or it has no such button.
    pub fn click(&self, user: &str, channel: &str, ts: &str, label: &str) -> Asked {
        self.click_with_payload(user, channel, ts, label, |_| {})
    }

    /// As [`click`](Self::click), with a payload that was tampered with. Slack never sends such a thing; somebody who has the signing
    /// secret could.
    ///
    /// # Panics
    /// There is no such message, or it has no such button.
    pub fn click_with_payload(
        &self,
        user: &str,
        channel: &str,
        ts: &str,
        label: &str,
        tamper: impl FnOnce(&mut Value),
    ) -> Asked {
        let mut world = self.hub.world();
        let (user, channel) = (world.user_id(user), world.channel_id(channel));
        let seen = seen(&world, &user, &channel, stamp(ts));
        let found = element(&seen.message, label);
        assert_eq!(found.kind(), "button", "{label} is no button");
        let mut action = json!({"value": found.element.get("value").cloned().unwrap_or_default()});
        if action["value"].is_null() {
            action = json!({});
        }
        action["text"] = found.element["text"].clone();
        if let Some(style) = found.element.get("style") {
            action["style"] = style.clone();
        }
        self.act(&mut world, &user, &channel, &seen, found, action, tamper)
    }

    /// Somebody chooses from a menu under a message: an option's text or value, or an identifier; several separated by `|`.
    ///
    /// # Panics
    /// There is no such message, menu or option.
    pub fn select(&self, user: &str, channel: &str, ts: &str, label: &str, option: &str) -> Asked {
        let mut world = self.hub.world();
        let (user, channel, stamp) = (world.user_id(user), world.channel_id(channel), stamp(ts));
        let mut seen = seen(&world, &user, &channel, stamp);
        let shown = seen.message.clone();
        let found = element(&shown, label);
        let chosen = state::chosen(&found, &[], option);
        seen.message.chosen.insert((found.block_id(), found.action_id()), chosen.clone());
        if let Some(message) = world.channel_mut(&channel).messages.get_mut(&stamp) {
            message.chosen.clone_from(&seen.message.chosen);
        }
        self.act(&mut world, &user, &channel, &seen, found, chosen, |_| {})
    }

    /// The time stamp of the newest message that has a button or menu of this name; in the channel or in a thread.
    pub fn newest_with(&self, channel: &str, label: &str) -> Option<String> {
        let world = self.hub.world();
        let channel = world.channel(&world.channel_id(channel));
        let mut newest = channel.messages.values().rev().filter(|message| !message.tombstone);
        newest.find(|message| try_element(message, label).is_some()).map(|message| message.stamp.to_string())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one block_actions payload, for two callers")]
    fn act(
        &self,
        world: &mut World,
        user: &str,
        channel: &str,
        seen: &Seen,
        found: Found<'_>,
        mut action: Value,
        tamper: impl FnOnce(&mut Value),
    ) -> Asked {
        let message = &seen.message;
        let trigger_id = world.make_trigger(user, None);
        let mut answer = ResponseUrl::to(user, channel);
        answer.original = Some(message.stamp);
        answer.original_is_whisper = seen.whisper;
        answer.thread = message.thread;
        let response_url = self.hub.response_url(&world.make_response_url(answer));
        let ids = json!({
            "type": found.kind(), "block_id": found.block_id(), "action_id": found.action_id(),
            "action_ts": world.stamp().to_string(),
        });
        merge(&mut action, ids);
        let mut values = state::initial(Some(&Value::from(message.blocks.as_slice())));
        values.extend(message.chosen.clone());
        let mut more = json!({
            "container": {
                "type": "message", "message_ts": message.stamp.to_string(), "channel_id": channel,
                "is_ephemeral": seen.whisper,
            },
            "trigger_id": trigger_id, "channel": payloads::channel(world, channel), "response_url": response_url,
            "state": {"values": state_values(&values)}, "actions": [action],
        });
        if let Some(thread) = message.thread_or_own() {
            more["container"]["thread_ts"] = json!(thread.to_string());
        }
        // Slack does not give the app a message back that only one person sees.
        if !seen.whisper {
            more["message"] = message.to_json(true);
        }
        let mut payload = payloads::interaction(&self.hub, world, "block_actions", user, more);
        tamper(&mut payload);
        let asks = Request {
            kind: DeliveryKind::Interaction,
            about: "block_actions".to_owned(),
            wants_answer: false,
            payload,
        };
        let confirm = found.element.get("confirm").cloned();
        Asked { trigger_id, response_url, confirm, ended: request(&self.hub, asks, None) }
    }
}

fn seen(world: &World, user: &str, channel: &str, stamp: Stamp) -> Seen {
    if let Some(message) = world.message(channel, stamp).filter(|message| !message.tombstone) {
        assert!(world.channel(channel).members.contains(user), "{user} is not in {channel}");
        return Seen { message: message.clone(), whisper: false };
    }
    let mut own = world.whispers.get(user).into_iter().flatten();
    let whisper = own.find(|(place, message)| place == channel && message.stamp == stamp);
    let (_, message) = whisper.unwrap_or_else(|| panic!("{user} sees no message {stamp} in {channel}"));
    Seen { message: message.clone(), whisper: true }
}

fn try_element<'a>(message: &'a Message, label: &str) -> Option<Found<'a>> {
    let in_attachments = message.attachments.iter().filter_map(|attachment| attachment["blocks"].as_array());
    std::iter::once(&message.blocks).chain(in_attachments).find_map(|list| state::find(list, label))
}

fn element<'a>(message: &'a Message, label: &str) -> Found<'a> {
    try_element(message, label).unwrap_or_else(|| panic!("there is no {label} under message {}", message.stamp))
}

//! Slash commands and shortcuts.

use serde_json::json;

use super::asked::{Asked, Request, request};
use super::payloads;
use super::talk::stamp;
use crate::Slack;
use crate::api::response;
use crate::log::{DeliveryKind, Ending};
use crate::text::escape;
use crate::wire::Afterwards;
use crate::world::tokens::ResponseUrl;
use crate::world::{APP_ID, HOME};

impl Slack {
    /// Somebody types a slash command in a channel. There is no way to do so in a thread, as Slack has none. What the app answers with
    /// its acknowledgement is shown.
    ///
    /// # Panics
    /// The person is not in the channel.
    pub fn slash(&self, user: &str, channel: &str, command: &str, text: &str) -> Asked {
        let mut world = self.hub.world();
        let (user, channel) = (world.user_id(user), world.channel_id(channel));
        assert!(world.channel(&channel).members.contains(&user), "{user} is not in {channel}");
        let trigger_id = world.make_trigger(&user, None);
        let answer = ResponseUrl::to(&user, &channel);
        let response_url = self.hub.response_url(&world.make_response_url(answer.clone()));
        let payload = json!({
            "token": self.hub.secrets.verification, "team_id": HOME, "team_domain": world.team(HOME).domain,
            "channel_id": channel, "channel_name": payloads::channel_name(&world, &channel), "user_id": user,
            "user_name": world.user(&user).name, "command": command, "text": escape(text), "api_app_id": APP_ID,
            "is_enterprise_install": "false", "response_url": response_url, "trigger_id": trigger_id,
        });
        drop(world);
        let shows_answer: Afterwards = Box::new(move |hub, ending| {
            let Ending::Acknowledged(Some(payload)) = ending else { return };
            // A person sees nothing of an answer that Slack cannot show; a test finds it among the calls.
            if let Err(refusal) = response::with_acknowledgement(hub, &answer, payload.clone()) {
                let call = crate::log::Call {
                    method: "acknowledgement".to_owned(),
                    arguments: payload,
                    error: Some(refusal.code),
                    at: hub.clock.seconds(),
                };
                hub.log.call(call);
            }
        });
        let about = command.to_owned();
        let asks = Request { kind: DeliveryKind::Command, about, wants_answer: true, payload };
        let ended = request(&self.hub, asks, Some(shows_answer));
        Asked { trigger_id, response_url, confirm: None, ended }
    }

    /// Somebody uses a shortcut on a message.
    ///
    /// # Panics
    /// There is no such message.
    pub fn shortcut(&self, user: &str, channel: &str, ts: &str, callback_id: &str) -> Asked {
        let mut world = self.hub.world();
        let (user, channel, stamp) = (world.user_id(user), world.channel_id(channel), stamp(ts));
        let trigger_id = world.make_trigger(&user, None);
        let response_url = self.hub.response_url(&world.make_response_url(ResponseUrl::to(&user, &channel)));
        let action_ts = world.stamp().to_string();
        let message = world.message(&channel, stamp).unwrap_or_else(|| panic!("there is no message {ts} in {channel}"));
        let more = json!({
            "callback_id": callback_id, "trigger_id": trigger_id, "response_url": response_url, "action_ts": action_ts,
            "message_ts": ts, "channel": payloads::channel(&world, &channel), "message": message.to_json(true),
        });
        self.send_shortcut("message_action", &world, &user, more, trigger_id, response_url)
    }

    /// Somebody uses a shortcut that belongs to no message. There is no response URL.
    pub fn global_shortcut(&self, user: &str, callback_id: &str) -> Asked {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        let trigger_id = world.make_trigger(&user, None);
        let action_ts = world.stamp().to_string();
        let more = json!({"callback_id": callback_id, "trigger_id": trigger_id, "action_ts": action_ts});
        self.send_shortcut("shortcut", &world, &user, more, trigger_id, String::new())
    }

    /// An interaction of this kind with `more` in it, as somebody who has the signing secret could send it.
    pub fn send_interaction(&self, kind: &str, user: &str, more: serde_json::Value) -> Asked {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        let trigger_id = world.make_trigger(&user, None);
        self.send_shortcut(kind, &world, &user, more, trigger_id, String::new())
    }

    fn send_shortcut(
        &self,
        kind: &str,
        world: &crate::world::World,
        user: &str,
        more: serde_json::Value,
        trigger_id: String,
        response_url: String,
    ) -> Asked {
        let payload = payloads::interaction(&self.hub, world, kind, user, more);
        let about = kind.to_owned();
        let asks = Request { kind: DeliveryKind::Interaction, about, wants_answer: false, payload };
        Asked { trigger_id, response_url, confirm: None, ended: request(&self.hub, asks, None) }
    }
}

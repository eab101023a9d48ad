//! What people do in modals and home tabs, before they submit.

use serde_json::{Value, json};

use super::asked::{Asked, Request, request};
use super::{hear, payloads};
use crate::Slack;
use crate::blocks::state::{self, Found};
use crate::log::{DeliveryKind, Ending};
use crate::world::view::View;
use crate::world::{HOME, World};

/// What came of a choice in a view.
pub enum Choice {
    /// The app does not hear of it before the view is submitted.
    Kept,
    /// The app was told.
    Told(Asked),
}

/// Fewest letters before Slack asks for options, unless the menu says otherwise.
const USUAL_QUERY: u64 = 3;

impl Slack {
    /// Somebody types into an input, or chooses in a menu, of a view: named by its label, `block_id` or `action_id`. Options are named
    /// by text or value, several separated by `|`; nothing empties it. The app is told where the input or the menu asks for that.
    ///
    /// # Panics
    /// There is no such view, input or option.
    pub fn fill(&self, user: &str, view_id: &str, label: &str, value: &str) -> Choice {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        let view = own_view(&world, &user, view_id).clone();
        let found = element(&view, label);
        let place = (found.block_id(), found.action_id());
        let chosen = state::chosen(&found, view.offered.get(&place).map_or(&[], Vec::as_slice), value);
        if let Some(view) = world.views.get_mut(view_id) {
            view.entered.insert(place, chosen.clone());
        }
        let input = found.block["type"] == "input";
        if input && found.block["dispatch_action"] != true {
            return Choice::Kept;
        }
        Choice::Told(self.act_in_view(&mut world, &user, view_id, found, chosen))
    }

    /// Another name for [`fill`](Self::fill), for menus.
    ///
    /// # Panics
    /// There is no such view, menu or option.
    pub fn choose(&self, user: &str, view_id: &str, label: &str, option: &str) -> Choice {
        self.fill(user, view_id, label, option)
    }

    /// Somebody presses a button in a modal or home tab.
    ///
    /// # Panics
    /// There is no such view or button.
    pub fn click_in_view(&self, user: &str, view_id: &str, label: &str) -> Asked {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        let view = own_view(&world, &user, view_id).clone();
        let found = element(&view, label);
        assert_eq!(found.kind(), "button", "{label} is no button");
        let mut action = json!({"text": found.element["text"]});
        for name in ["value", "style"] {
            if let Some(value) = found.element.get(name) {
                action[name] = value.clone();
            }
        }
        self.act_in_view(&mut world, &user, view_id, found, action)
    }

    fn act_in_view(&self, world: &mut World, user: &str, view_id: &str, found: Found<'_>, mut action: Value) -> Asked {
        let trigger_id = world.make_trigger(user, Some(view_id));
        action["type"] = json!(found.kind());
        action["block_id"] = json!(found.block_id());
        action["action_id"] = json!(found.action_id());
        action["action_ts"] = json!(world.stamp().to_string());
        let more = json!({
            "container": {"type": "view", "view_id": view_id}, "trigger_id": trigger_id,
            "view": world.views.get(view_id).map(|view| view.to_json(HOME)), "actions": [action],
        });
        let payload = payloads::interaction(&self.hub, world, "block_actions", user, more);
        let about = "block_actions".to_owned();
        let asks = Request { kind: DeliveryKind::Interaction, about, wants_answer: false, payload };
        let confirm = found.element.get("confirm").cloned();
        Asked { trigger_id, response_url: String::new(), confirm, ended: request(&self.hub, asks, None) }
    }

    /// Somebody types into a menu whose options come from the app, and waits for them. The options can be chosen afterwards.
    ///
    /// # Errors
    /// What the person sees when the app does not answer, or not with options that Slack takes.
    ///
    /// # Panics
    /// There is no such view or menu.
    pub fn suggest(&self, user: &str, view_id: &str, label: &str, typed: &str) -> Result<Vec<Value>, String> {
        let world = self.hub.world();
        let user = world.user_id(user);
        let view = own_view(&world, &user, view_id).clone();
        let found = element(&view, label);
        let least = found.element["min_query_length"].as_u64().unwrap_or(USUAL_QUERY);
        if (typed.chars().count() as u64) < least {
            return Ok(Vec::new());
        }
        let more = json!({
            "container": {"type": "view", "view_id": view_id}, "action_id": found.action_id(),
            "block_id": found.block_id(), "value": typed, "view": view.to_json(HOME),
        });
        let payload = payloads::interaction(&self.hub, &world, "block_suggestion", &user, more);
        drop(world);
        let about = "block_suggestion".to_owned();
        let asks = Request { kind: DeliveryKind::Options, about, wants_answer: true, payload };
        let ending = request(&self.hub, asks, None).recv().unwrap_or(Ending::TimedOut);
        let Ending::Acknowledged(Some(answer)) = ending else { return Err(format!("no result: {ending:?}")) };
        let options = crate::blocks::offered(&answer).map_err(|complaints| complaints.join("; "))?;
        let mut world = self.hub.world();
        if let Some(view) = world.views.get_mut(view_id) {
            view.offered.insert((found.block_id(), found.action_id()), options.clone());
        }
        Ok(options)
    }

    /// Somebody opens the app's home tab.
    pub fn open_home(&self, user: &str) {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        let channel = world.direct_with_app(&user);
        let now = world.stamp().to_string();
        let mut event = json!({
            "type": "app_home_opened", "user": user, "channel": channel, "tab": "home", "event_ts": now,
        });
        if let Some(view) = world.homes.get(&user).and_then(|id| world.views.get(id)) {
            event["view"] = view.to_json(HOME);
        }
        hear::event(&self.hub, &mut world, "app_home_opened", None, event);
    }
}

/// A view that a person sees.
pub(super) fn own_view<'a>(world: &'a World, user: &str, view_id: &str) -> &'a View {
    let view = world.views.get(view_id).unwrap_or_else(|| panic!("there is no view {view_id}"));
    assert_eq!(view.user, user, "the view is somebody else's");
    view
}

fn element<'a>(view: &'a View, label: &str) -> Found<'a> {
    state::find(view.blocks(), label).unwrap_or_else(|| panic!("there is no {label} in view {}", view.id))
}

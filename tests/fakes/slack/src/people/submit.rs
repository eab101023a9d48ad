//! Submitting and closing modals.

use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;

use serde_json::{Map, Value, json};

use super::asked::{Request, request};
use super::modals::own_view;
use super::payloads;
use crate::Slack;
use crate::api::views::check_view;
use crate::blocks::state;
use crate::log::{DeliveryKind, Ending};
use crate::shown::ShownKind;
use crate::world::view::View;
use crate::world::{HOME, Place, World};

/// What a person sees after pressing a modal's button.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmitResult {
    /// The modal is gone, and what lay under it is seen.
    Closed,
    /// All of the app's modals are gone.
    Cleared,
    /// Errors under inputs, by `block_id`.
    Errors(BTreeMap<String, String>),
    /// The modal shows something else.
    Updated(String),
    /// Another modal lies on it: its id.
    Pushed(String),
    /// The client did not send it: these blocks have to be filled first, or hold too much or too little.
    Incomplete(Vec<String>),
    /// Slack's own error, since the app did not answer, or not properly.
    Trouble(String),
}

impl Slack {
    /// Somebody presses the modal's button, and waits.
    ///
    /// # Panics
    /// There is no such view.
    pub fn submit(&self, user: &str, view_id: &str) -> SubmitResult {
        match self.send_submission(user, view_id) {
            Ok(ended) => self.apply(view_id, &ended),
            Err(blocks) => SubmitResult::Incomplete(blocks),
        }
    }

    /// Somebody presses twice, so quickly that both are sent.
    ///
    /// # Panics
    /// There is no such view.
    pub fn submit_twice(&self, user: &str, view_id: &str) -> (SubmitResult, SubmitResult) {
        match (self.send_submission(user, view_id), self.send_submission(user, view_id)) {
            (Ok(first), Ok(second)) => (self.apply(view_id, &first), self.apply(view_id, &second)),
            (Err(blocks), _) | (_, Err(blocks)) => {
                (SubmitResult::Incomplete(blocks.clone()), SubmitResult::Incomplete(blocks))
            }
        }
    }

    /// Somebody closes a modal. The app is told if it wanted to be.
    ///
    /// # Panics
    /// There is no such view.
    pub fn close_view(&self, user: &str, view_id: &str) {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        let view = own_view(&world, &user, view_id).clone();
        if view.is_set("notify_on_close") {
            let more = json!({"view": view.to_json(HOME), "is_cleared": false});
            let payload = payloads::interaction(&self.hub, &world, "view_closed", &user, more);
            let about = "view_closed".to_owned();
            drop(request(
                &self.hub,
                Request { kind: DeliveryKind::Interaction, about, wants_answer: false, payload },
                None,
            ));
        }
        if view.is_set("clear_on_close") {
            world.close_stack(&user);
        } else {
            world.drop_view(view_id);
        }
    }

    fn send_submission(&self, user: &str, view_id: &str) -> Result<Receiver<Ending>, Vec<String>> {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        let wrong = incomplete(own_view(&world, &user, view_id));
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let trigger_id = world.make_trigger(&user, Some(view_id));
        let view = own_view(&world, &user, view_id).to_json(HOME);
        let more = json!({"trigger_id": trigger_id, "view": view, "response_urls": []});
        let payload = payloads::interaction(&self.hub, &world, "view_submission", &user, more);
        let about = "view_submission".to_owned();
        let asks = Request { kind: DeliveryKind::Interaction, about, wants_answer: true, payload };
        Ok(request(&self.hub, asks, None))
    }

    /// What Slack makes of the app's answer.
    fn apply(&self, view_id: &str, ended: &Receiver<Ending>) -> SubmitResult {
        let payload = match ended.recv().unwrap_or(Ending::TimedOut) {
            Ending::Acknowledged(payload) => payload,
            other => return SubmitResult::Trouble(other.shown_to_person().unwrap_or_default().to_owned()),
        };
        let mut fields = match payload {
            None => Map::new(),
            Some(Value::Object(fields)) => fields,
            Some(other) => return SubmitResult::Trouble(format!("not an object: {other}")),
        };
        let mut world = self.hub.world();
        // The app may have closed it meanwhile; a second press finds it gone as well.
        let Some(view) = world.views.get(view_id).cloned() else { return SubmitResult::Closed };
        let action = fields.remove("response_action");
        match action.as_ref().map(|action| action.as_str().unwrap_or_default()) {
            None if fields.is_empty() => {
                world.drop_view(view_id);
                SubmitResult::Closed
            }
            Some("clear") => {
                world.close_stack(&view.user);
                SubmitResult::Cleared
            }
            Some("errors") => errors(&view, fields.remove("errors")),
            Some("update") => update(&mut world, &view, fields.remove("view")),
            Some("push") => push(&mut world, &view, fields.remove("view")),
            _ => SubmitResult::Trouble(format!("unknown answer: {action:?} {fields:?}")),
        }
    }
}

/// The blocks that the client complains about itself.
fn incomplete(view: &View) -> Vec<String> {
    let inputs = state::elements(view.blocks()).filter(|found| found.block["type"] == "input");
    let wrong = inputs.filter(|found| {
        let held = view.entered.get(&(found.block_id(), found.action_id()));
        if held.is_none_or(state::is_blank) {
            return found.block["optional"] != true;
        }
        let Some(text) = held.and_then(|held| held["value"].as_str()) else { return false };
        let length = text.chars().count() as u64;
        let limit = |name: &str| found.element[name].as_u64();
        if found.kind() == "number_input" {
            return !number_fits(found.element, text);
        }
        limit("min_length").is_some_and(|least| length < least) || limit("max_length").unwrap_or(3000) < length
    });
    wrong.map(|found| found.block_id()).collect()
}

fn number_fits(element: &Value, text: &str) -> bool {
    let Ok(number) = text.parse::<f64>() else { return false };
    let limit = |name: &str| element[name].as_str().and_then(|text| text.parse::<f64>().ok());
    let whole = element["is_decimal_allowed"] == true || number.fract() == 0.0;
    whole
        && limit("min_value").is_none_or(|least| number >= least)
        && limit("max_value").is_none_or(|most| number <= most)
}

fn errors(view: &View, errors: Option<Value>) -> SubmitResult {
    let Some(Value::Object(errors)) = errors else { return SubmitResult::Trouble("no errors".to_owned()) };
    let mut shown = BTreeMap::new();
    for (block, text) in errors {
        let known = view.blocks().iter().any(|other| other["type"] == "input" && other["block_id"] == block.as_str());
        match text.as_str() {
            Some(text) if known && !text.is_empty() => shown.insert(block, text.to_owned()),
            _ => return SubmitResult::Trouble(format!("an error for {block}, which is no input block")),
        };
    }
    if shown.is_empty() { SubmitResult::Trouble("no errors".to_owned()) } else { SubmitResult::Errors(shown) }
}

fn checked(view: Option<Value>) -> Result<Map<String, Value>, SubmitResult> {
    let view = view.ok_or_else(|| SubmitResult::Trouble("no view".to_owned()))?;
    check_view(view, "modal").map_err(|refusal| SubmitResult::Trouble(refusal.to_json().to_string()))
}

fn update(world: &mut World, view: &View, given: Option<Value>) -> SubmitResult {
    let given = match checked(given) {
        Ok(given) => given,
        Err(trouble) => return trouble,
    };
    world.change_view(&view.id, given);
    show(world, &view.id, ShownKind::ViewUpdated { user: view.user.clone() });
    SubmitResult::Updated(view.id.clone())
}

fn push(world: &mut World, view: &View, given: Option<Value>) -> SubmitResult {
    let given = match checked(given) {
        Ok(given) => given,
        Err(trouble) => return trouble,
    };
    if world.stacks.get(&view.user).map_or(0, Vec::len) >= 3 {
        return SubmitResult::Trouble("push_limit_reached".to_owned());
    }
    let id = world.place_view(&view.user, given, Some(&view.id));
    show(world, &id, ShownKind::ViewPushed { user: view.user.clone() });
    SubmitResult::Pushed(id)
}

fn show(world: &mut World, id: &str, kind: ShownKind) {
    world.show(kind, Place::default(), |world| world.views.get(id).map_or(Value::Null, |view| view.to_json(HOME)));
}

//! views.open, views.push, views.update and views.publish.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::args::{Args, missing};
use super::messages::with_block_ids;
use super::{Answer, Context};
use crate::blocks::{self, state};
use crate::refusal::Refusal;
use crate::shown::ShownKind;
use crate::world::view::View;
use crate::world::{HOME, Place, World};

/// The most modals of one stack.
const DEEPEST: usize = 3;
/// The largest view, as JSON.
const LARGEST: usize = 250_000;

pub(super) fn open(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let (trigger_id, given) = (args.text("trigger_id")?, take_view(args, "modal")?);
    args.finish()?;
    let trigger = trigger(context, &trigger_id)?;
    free_external_id(&context.world, &given, None)?;
    context.world.exchange_trigger(&trigger_id);
    // Who gets a new modal loses the ones before.
    context.world.close_stack(&trigger.user);
    let id = context.world.place_view(&trigger.user, given, None);
    Ok(shown(&mut context.world, &id, ShownKind::ViewOpened { user: trigger.user }))
}

pub(super) fn push(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let (trigger_id, given) = (args.text("trigger_id")?, take_view(args, "modal")?);
    args.finish()?;
    let trigger = trigger(context, &trigger_id)?;
    let stack = context.world.stacks.get(&trigger.user).map_or(&[][..], Vec::as_slice);
    let below = trigger.view.filter(|view| stack.contains(view)).ok_or_else(|| Refusal::new("not_found"))?;
    if stack.len() >= DEEPEST {
        return Err(Refusal::new("push_limit_reached"));
    }
    free_external_id(&context.world, &given, None)?;
    context.world.exchange_trigger(&trigger_id);
    let id = context.world.place_view(&trigger.user, given, Some(&below));
    Ok(shown(&mut context.world, &id, ShownKind::ViewPushed { user: trigger.user }))
}

pub(super) fn update(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let (id, external) = (args.optional_text("view_id")?, args.optional_text("external_id")?);
    let hash = args.optional_text("hash")?;
    let view = args.nested("view", "invalid_arguments")?.ok_or_else(|| missing("view"))?;
    args.finish()?;
    let id = match (id, external) {
        (Some(id), None) => id,
        (None, Some(external)) => {
            let found = context.world.view_by_external_id.get(&external).cloned();
            found.ok_or_else(|| Refusal::new("not_found"))?
        }
        _ => return Err(Refusal::argument("either view_id or external_id")),
    };
    let before = context.world.views.get(&id).ok_or_else(|| Refusal::new("not_found"))?;
    let kind = before.given["type"].as_str().unwrap_or("modal").to_owned();
    let given = check_view(view, &kind)?;
    let before = context.world.views.get(&id).ok_or_else(|| Refusal::new("not_found"))?;
    if hash.is_some_and(|hash| hash != before.hash) {
        return Err(Refusal::new("hash_conflict"));
    }
    let user = before.user.clone();
    free_external_id(&context.world, &given, Some(&id))?;
    context.world.change_view(&id, given);
    let kind = if kind == "home" { ShownKind::HomePublished { user } } else { ShownKind::ViewUpdated { user } };
    Ok(shown(&mut context.world, &id, kind))
}

pub(super) fn publish(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let user = args.text("user_id")?;
    let hash = args.optional_text("hash")?;
    let given = take_view(args, "home")?;
    args.finish()?;
    let person = context.world.users.get(&user).ok_or_else(|| Refusal::new("user_not_found"))?;
    if person.deleted || person.is_bot {
        return Err(Refusal::argument("invalid user_id"));
    }
    let before = context.world.homes.get(&user).cloned();
    let current = before.as_ref().and_then(|id| context.world.views.get(id));
    if hash.is_some_and(|hash| current.is_some_and(|view| view.hash != hash)) {
        return Err(Refusal::new("hash_conflict"));
    }
    free_external_id(&context.world, &given, before.as_deref())?;
    let id = match before {
        Some(id) => {
            context.world.change_view(&id, given);
            id
        }
        None => {
            let id = context.world.add_view(&user, given, None);
            context.world.homes.insert(user.clone(), id.clone());
            id
        }
    };
    Ok(shown(&mut context.world, &id, ShownKind::HomePublished { user }))
}

fn trigger(context: &Context<'_>, id: &str) -> Result<crate::world::tokens::Trigger, Refusal> {
    context.world.check_trigger(id, context.hub.settings.trigger_lifetime).map_err(Refusal::new)
}

fn take_view(args: &mut Args, kind: &str) -> Result<Map<String, Value>, Refusal> {
    let view = args.nested("view", "invalid_arguments")?.ok_or_else(|| missing("view"))?;
    check_view(view, kind)
}

/// Checks a view of this kind.
pub(crate) fn check_view(view: Value, kind: &str) -> Result<Map<String, Value>, Refusal> {
    blocks::check_view(&view, kind).map_err(|errors| Refusal::explained("invalid_arguments", errors))?;
    if view.to_string().len() > LARGEST {
        return Err(Refusal::new("view_too_large"));
    }
    match view {
        Value::Object(fields) => Ok(fields),
        _ => Err(Refusal::argument("must be an object [json-pointer:/view]")),
    }
}

/// Refuses an external id that another view has.
fn free_external_id(world: &World, given: &Map<String, Value>, own: Option<&str>) -> Result<(), Refusal> {
    let wanted = given.get("external_id").and_then(Value::as_str).unwrap_or_default();
    match world.view_by_external_id.get(wanted) {
        Some(holder) if Some(holder.as_str()) != own => Err(Refusal::new("duplicate_external_id")),
        _ => Ok(()),
    }
}

fn shown(world: &mut World, id: &str, kind: ShownKind) -> Value {
    world.show(kind, Place::default(), |world| world.views.get(id).map_or(Value::Null, |view| view.to_json(HOME)));
    json!({"view": world.views.get(id).map(|view| view.to_json(HOME))})
}

impl World {
    /// Adds a view to a person's stack, on the one named or as its first.
    pub(crate) fn place_view(&mut self, user: &str, given: Map<String, Value>, below: Option<&str>) -> String {
        let id = self.add_view(user, given, below);
        self.stacks.entry(user.to_owned()).or_default().push(id.clone());
        id
    }

    fn add_view(&mut self, user: &str, mut given: Map<String, Value>, below: Option<&str>) -> String {
        let id = self.random.id("V0");
        self.name_blocks(&mut given);
        let root = below.and_then(|below| self.views.get(below)).map_or_else(|| id.clone(), |view| view.root.clone());
        let view = View {
            id: id.clone(),
            user: user.to_owned(),
            hash: self.view_hash(),
            root,
            previous: below.map(str::to_owned),
            entered: state::initial(given.get("blocks")),
            offered: BTreeMap::new(),
            given,
        };
        if let Some(external) = view.external_id() {
            self.view_by_external_id.insert(external.to_owned(), id.clone());
        }
        self.views.insert(id.clone(), view);
        id
    }

    /// Puts new content into a view. What was entered stays where block and action are the same, as in Slack.
    pub(crate) fn change_view(&mut self, id: &str, mut given: Map<String, Value>) {
        self.name_blocks(&mut given);
        let hash = self.view_hash();
        let Some(view) = self.views.get_mut(id) else { return };
        let mut entered: BTreeMap<(String, String), Value> = state::initial(given.get("blocks"));
        for (place, value) in &mut entered {
            if let Some(kept) = view.entered.get(place) {
                *value = kept.clone();
            }
        }
        if let Some(external) = view.external_id() {
            self.view_by_external_id.remove(external);
        }
        view.given = given;
        view.entered = entered;
        view.hash = hash;
        if let Some(external) = view.external_id() {
            self.view_by_external_id.insert(external.to_owned(), id.to_owned());
        }
    }

    /// Takes a view off the screen, and forgets it.
    pub(crate) fn drop_view(&mut self, id: &str) {
        let Some(view) = self.views.remove(id) else { return };
        if let Some(external) = view.external_id() {
            self.view_by_external_id.remove(external);
        }
        if let Some(stack) = self.stacks.get_mut(&view.user) {
            stack.retain(|other| other != id);
        }
        self.show(ShownKind::ViewClosed { user: view.user.clone() }, Place::default(), |_| view.to_json(HOME));
    }

    /// Closes every modal of a person.
    pub(crate) fn close_stack(&mut self, user: &str) {
        for id in self.stacks.remove(user).unwrap_or_default().into_iter().rev() {
            self.drop_view(&id);
        }
    }

    fn name_blocks(&mut self, given: &mut Map<String, Value>) {
        if let Some(Value::Array(blocks)) = given.remove("blocks") {
            given.insert("blocks".to_owned(), Value::Array(with_block_ids(self, blocks)));
        }
    }

    fn view_hash(&mut self) -> String {
        let seconds = self.seconds();
        format!("{seconds}.{}", self.random.hex(8))
    }
}

//! usergroups.list, usergroups.users.list and usergroups.users.update.

use serde_json::{Value, json};

use super::args::Args;
use super::{Answer, Context};
use crate::refusal::Refusal;
use crate::world::HOME;

pub(super) fn list(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let with_users = args.flag("include_users")?.unwrap_or(false);
    args.flag("include_count")?;
    args.flag("include_disabled")?;
    args.ignore(&["team_id"]);
    args.finish()?;
    let groups: Vec<Value> = context.world.groups.values().map(|group| group.to_json(HOME, with_users)).collect();
    Ok(json!({"usergroups": groups}))
}

pub(super) fn users_list(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("usergroup")?;
    args.flag("include_disabled")?;
    args.ignore(&["team_id"]);
    args.finish()?;
    let group = context.world.groups.get(&id).ok_or_else(|| Refusal::new("no_such_subteam"))?;
    Ok(json!({"users": group.users}))
}

pub(super) fn users_update(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("usergroup")?;
    let users = args.list("users")?.ok_or_else(|| super::args::missing("users"))?;
    args.flag("include_count")?;
    args.ignore(&["team_id"]);
    args.finish()?;
    let world = &mut *context.world;
    if !world.groups.contains_key(&id) {
        return Err(Refusal::new("no_such_subteam"));
    }
    // A group cannot be emptied this way, and holds only people who are there.
    let there = |user: &String| world.users.get(user).is_some_and(|user| !user.deleted && user.team == HOME);
    if users.is_empty() || !users.iter().all(there) {
        return Err(Refusal::new("invalid_users"));
    }
    let now = world.seconds();
    let group = world.groups.get_mut(&id).ok_or_else(|| Refusal::new("no_such_subteam"))?;
    group.users = users;
    group.updated = now;
    Ok(json!({"usergroup": group.to_json(HOME, true)}))
}

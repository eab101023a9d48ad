//! users.info, users.list and users.lookupByEmail.

use serde_json::{Value, json};

use super::args::Args;
use super::page::Page;
use super::{Answer, Context};
use crate::refusal::Refusal;
use crate::world::HOME;

pub(super) fn info(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let id = args.text("user")?;
    args.flag("include_locale")?;
    args.finish()?;
    let with_email = context.hub.has_scope("users:read.email");
    let user = context.world.users.get(&id).ok_or_else(|| Refusal::new("user_not_found"))?;
    Ok(json!({"user": user.to_json(HOME, with_email)}))
}

pub(super) fn list(context: &mut Context<'_>, args: &mut Args) -> Answer {
    // Slack gives everybody where no limit is named.
    let page = Page::take(args, 1_000_000, 1_000_000)?;
    args.flag("include_locale")?;
    args.ignore(&["team_id"]);
    args.finish()?;
    let with_email = context.hub.has_scope("users:read.email");
    let from = page.offset()?;
    let world = &context.world;
    let people = world.user_order.iter().skip(from).take(page.limit);
    let members: Vec<Value> = people.map(|id| world.user(id).to_json(HOME, with_email)).collect();
    let end = from.saturating_add(members.len());
    let next = (end < world.user_order.len()).then_some(end as u64);
    Ok(json!({"members": members, "cache_ts": world.seconds(), "response_metadata": Page::metadata(next)}))
}

pub(super) fn lookup_by_email(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let email = args.text("email")?;
    args.finish()?;
    // Strangers' addresses are not ours to look up, and those who left are not found.
    let found = context.world.users.values().find(|user| {
        let same = user.email.as_deref().is_some_and(|address| address.eq_ignore_ascii_case(&email));
        same && user.team == HOME && !user.deleted
    });
    let user = found.ok_or_else(|| Refusal::new("users_not_found"))?;
    Ok(json!({"user": user.to_json(HOME, true)}))
}

//! The Web API: which methods there are, who may call them, and what becomes of the answer.

pub(crate) mod args;
mod chat;
pub(crate) mod conversations;
mod delete;
mod files;
mod history;
pub(crate) mod messages;
mod misc;
mod open;
pub(crate) mod page;
mod post;
pub(crate) mod response;
mod update;
mod usergroups;
mod users;
pub(crate) mod views;

use std::sync::{Arc, MutexGuard};

use serde_json::{Value, json};

use crate::hub::{Hub, locked};
use crate::pacing;
use crate::refusal::Refusal;
use crate::world::World;
use args::Args;
pub(crate) use files::upload;

/// What a call works on. The world stays locked for the whole of it, so that a call is one step.
pub(crate) struct Context<'a> {
    pub(crate) hub: &'a Arc<Hub>,
    pub(crate) world: MutexGuard<'a, World>,
}

type Answer = Result<Value, Refusal>;
type Function = fn(&mut Context<'_>, &mut Args) -> Answer;

/// A method of the Web API.
pub(crate) struct Method {
    name: &'static str,
    /// Any one of these is needed; none for none.
    scopes: &'static [&'static str],
    /// Whether it reads a JSON body, as real Slack's method does.
    pub(crate) takes_json: bool,
    function: Function,
}

const fn reads(name: &'static str, scopes: &'static [&'static str], function: Function) -> Method {
    Method { name, scopes, takes_json: false, function }
}

const fn writes(name: &'static str, scopes: &'static [&'static str], function: Function) -> Method {
    Method { name, scopes, takes_json: true, function }
}

const READ: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
const HISTORY: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];
const MANAGE: &[&str] = &["channels:manage", "groups:write", "im:write", "mpim:write"];

const METHODS: &[Method] = &[
    writes("auth.test", &[], misc::auth_test),
    writes("apps.connections.open", &[], misc::connections_open),
    reads("bots.info", &["users:read"], misc::bots_info),
    reads("team.info", &["team:read"], misc::team_info),
    writes("reactions.add", &["reactions:write"], misc::reactions_add),
    writes("chat.postMessage", &["chat:write"], post::post_message),
    writes("chat.postEphemeral", &["chat:write"], post::post_ephemeral),
    writes("chat.update", &["chat:write"], update::update),
    writes("chat.delete", &["chat:write"], delete::delete),
    reads("chat.getPermalink", &[], chat::get_permalink),
    reads("conversations.info", READ, conversations::info),
    reads("conversations.members", READ, conversations::members),
    reads("conversations.list", READ, conversations::list),
    writes("conversations.open", MANAGE, open::open),
    writes("conversations.join", &["channels:join"], open::join),
    writes("conversations.setTopic", MANAGE, open::set_topic),
    reads("conversations.history", HISTORY, history::history),
    reads("conversations.replies", HISTORY, history::replies),
    reads("users.info", &["users:read"], users::info),
    reads("users.list", &["users:read"], users::list),
    reads("users.lookupByEmail", &["users:read.email"], users::lookup_by_email),
    reads("usergroups.list", &["usergroups:read"], usergroups::list),
    reads("usergroups.users.list", &["usergroups:read"], usergroups::users_list),
    writes("usergroups.users.update", &["usergroups:write"], usergroups::users_update),
    writes("views.open", &[], views::open),
    writes("views.push", &[], views::push),
    writes("views.update", &[], views::update),
    writes("views.publish", &[], views::publish),
    reads("files.getUploadURLExternal", &["files:write"], files::get_upload_url),
    writes("files.completeUploadExternal", &["files:write"], files::complete_upload),
    reads("files.info", &["files:read"], files::info),
];

/// The method of this name.
pub(crate) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

/// One call: who asks, whether they may, whether they ask too often, and then the method.
pub(crate) fn call(hub: &Arc<Hub>, method: &Method, args: &mut Args, bearer: Option<&str>) -> Answer {
    let token = bearer.map(str::to_owned).or_else(|| args.take_token()).ok_or_else(|| Refusal::new("not_authed"))?;
    admit(hub, method, &token)?;
    if hub.settings.tier_limits && method.name != "chat.postMessage" {
        let taken = locked(&hub.pace).take(method.name, pacing::tier_limit(method.name), hub.clock.now());
        taken.map_err(Refusal::rate_limited)?;
    }
    let mut context = Context { hub, world: hub.world() };
    let mut answer = (method.function)(&mut context, args)?;
    answer["ok"] = json!(true);
    Ok(answer)
}

fn admit(hub: &Hub, method: &Method, token: &str) -> Result<(), Refusal> {
    let (app, bot) = (token == hub.secrets.app_token, token == hub.secrets.bot_token);
    if !app && !bot {
        return Err(Refusal::new("invalid_auth"));
    }
    if *locked(&hub.revoked) {
        return Err(Refusal::new("token_revoked"));
    }
    // Both kinds may ask who they are.
    let wants_app = method.name == "apps.connections.open";
    if method.name != "auth.test" && app != wants_app {
        return Err(Refusal::new("not_allowed_token_type"));
    }
    if bot { needs(hub, method.scopes) } else { Ok(()) }
}

/// Any one of these scopes, or none at all.
pub(crate) fn needs(hub: &Hub, scopes: &[&str]) -> Result<(), Refusal> {
    if scopes.is_empty() || scopes.iter().any(|scope| hub.has_scope(scope)) {
        return Ok(());
    }
    Err(Refusal::missing_scope(&scopes.join(","), locked(&hub.scopes).join(",")))
}

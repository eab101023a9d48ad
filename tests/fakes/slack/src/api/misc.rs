//! auth.test, apps.connections.open, bots.info, team.info and reactions.add.

use serde_json::json;

use super::args::Args;
use super::{Answer, Context};
use crate::faults::ConnectFault;
use crate::hub::locked;
use crate::refusal::Refusal;
use crate::shown::ShownKind;
use crate::world::{APP_ID, BOT_ID, BOT_USER, HOME};

pub(super) fn auth_test(context: &mut Context<'_>, args: &mut Args) -> Answer {
    args.finish()?;
    let team = context.world.team(HOME);
    Ok(json!({
        "url": team.url(), "team": team.name, "user": "andon", "team_id": HOME, "user_id": BOT_USER, "bot_id": BOT_ID,
        "is_enterprise_install": false,
    }))
}

pub(super) fn connections_open(context: &mut Context<'_>, args: &mut Args) -> Answer {
    args.finish()?;
    let mut port = context.hub.port;
    let mut reset = "";
    for fault in locked(&context.hub.faults).connects.next("connect") {
        match fault {
            ConnectFault::Error(code) => return Err(Refusal::new(&code)),
            ConnectFault::Refused => port = context.hub.deaf_port,
            ConnectFault::Reset => reset = "&reset=1",
        }
    }
    let ticket = context.hub.sockets.issue_ticket(context.world.now());
    Ok(json!({"url": format!("ws://127.0.0.1:{port}/link/?ticket={ticket}&app_id={APP_ID}{reset}")}))
}

pub(super) fn bots_info(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let bot = args.text("bot")?;
    args.ignore(&["team_id"]);
    args.finish()?;
    if bot != BOT_ID {
        return Err(Refusal::new("bot_not_found"));
    }
    let updated = context.world.user(BOT_USER).updated;
    Ok(json!({"bot": {
        "id": BOT_ID, "deleted": false, "name": "andon", "updated": updated, "app_id": APP_ID, "user_id": BOT_USER,
        "icons": {},
    }}))
}

pub(super) fn team_info(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let wanted = args.optional_text("team")?;
    args.ignore(&["domain"]);
    args.finish()?;
    let wanted = wanted.as_deref().unwrap_or(HOME);
    let team =
        context.world.teams.iter().find(|team| team.id == wanted).ok_or_else(|| Refusal::new("team_not_found"))?;
    Ok(json!({"team": {
        "id": team.id, "name": team.name, "url": team.url(), "domain": team.domain, "email_domain": "example.com",
        "icon": {"image_default": true}, "is_verified": false,
    }}))
}

pub(super) fn reactions_add(context: &mut Context<'_>, args: &mut Args) -> Answer {
    let channel = args.text("channel")?;
    let name = args.text("name")?;
    let stamp = args.stamp("timestamp", "bad_timestamp")?;
    args.finish()?;
    let name = name.trim_matches(':').to_owned();
    let good = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-+'".contains(letter);
    if name.is_empty() || !name.chars().all(good) {
        return Err(Refusal::new("invalid_name"));
    }
    context.place_to_write(&channel, true)?;
    let channel_state = context.world.channel_mut(&channel);
    let message = channel_state.messages.get_mut(&stamp).filter(|message| !message.tombstone);
    let reactions = &mut message.ok_or_else(|| Refusal::new("message_not_found"))?.reactions;
    let users = reactions.entry(name.clone()).or_default();
    if users.iter().any(|user| user == BOT_USER) {
        return Err(Refusal::new("already_reacted"));
    }
    users.push(BOT_USER.to_owned());
    context.world.show_message(ShownKind::Reacted { name }, &channel, stamp);
    Ok(json!({}))
}

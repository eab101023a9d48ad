//! What all interactions carry.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::hub::Hub;
use crate::world::channel::{ChannelKind, merge};
use crate::world::{APP_ID, HOME, World};

/// The fields every interaction has.
pub(super) fn interaction(hub: &Arc<Hub>, world: &World, kind: &str, user: &str, more: Value) -> Value {
    let person = world.user(user);
    let team = world.team(HOME);
    let mut payload = json!({
        "type": kind, "token": hub.secrets.verification, "api_app_id": APP_ID, "is_enterprise_install": false,
        "enterprise": null, "team": {"id": team.id, "domain": team.domain},
        "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team},
    });
    merge(&mut payload, more);
    payload
}

/// A channel, as interactions name it.
pub(super) fn channel(world: &World, id: &str) -> Value {
    json!({"id": id, "name": channel_name(world, id)})
}

/// Slack does not give the names of private conversations away.
pub(super) fn channel_name(world: &World, id: &str) -> String {
    let channel = world.channel(id);
    match channel.kind {
        ChannelKind::Public => channel.name.clone(),
        ChannelKind::Private => "privategroup".to_owned(),
        ChannelKind::Direct => "directmessage".to_owned(),
        ChannelKind::Group => channel.name.clone(),
    }
}

//! Making people and channels, and changing them.

use serde_json::json;

use super::hear;
use crate::Slack;
use crate::world::channel::ChannelKind;
use crate::world::people::Guest;
use crate::world::{HOME, World};

impl Slack {
    /// Adds a person of our workspace: `U0NAME`, with the address `name@example.com`. Returns the identifier.
    pub fn add_user(&self, name: &str) -> String {
        self.hub.world().make_user(name, HOME, None)
    }

    /// Adds so many people `name1`, `name2` and so on, and returns their identifiers.
    pub fn add_users(&self, name: &str, count: usize) -> Vec<String> {
        let mut world = self.hub.world();
        (1..=count).map(|number| world.make_user(&format!("{name}{number}"), HOME, None)).collect()
    }

    /// Adds a guest and puts them into the channel.
    pub fn add_guest(&self, name: &str, kind: Guest, channel: &str) -> String {
        let mut world = self.hub.world();
        let channel = world.channel_id(channel);
        let id = world.make_user(name, HOME, Some(kind));
        world.channel_mut(&channel).members.insert(id.clone());
        id
    }

    /// Adds a public channel with these members (names or identifiers, the bot's is `andon`). Returns the identifier.
    pub fn add_channel(&self, name: &str, members: &[&str]) -> String {
        make(&mut self.hub.world(), name, ChannelKind::Public, members)
    }

    /// Adds a private channel.
    pub fn add_private_channel(&self, name: &str, members: &[&str]) -> String {
        make(&mut self.hub.world(), name, ChannelKind::Private, members)
    }

    /// Adds so many public channels `name-1`, `name-2` and so on, all with these members.
    pub fn add_channels(&self, name: &str, count: usize, members: &[&str]) -> Vec<String> {
        let mut world = self.hub.world();
        let kind = ChannelKind::Public;
        (1..=count).map(|number| make(&mut world, &format!("{name}-{number}"), kind, members)).collect()
    }

    /// Adds a user group such as `on-call`.
    pub fn add_group(&self, handle: &str, users: &[&str]) -> String {
        let mut world = self.hub.world();
        let users = users.iter().map(|user| world.user_id(user)).collect();
        world.make_group(handle, users)
    }

    /// Whether there is such a channel.
    pub fn has_channel(&self, name: &str) -> bool {
        self.hub.world().channel_by_name.contains_key(name)
    }

    /// Whether there is such a person.
    pub fn has_user(&self, name: &str) -> bool {
        self.hub.world().user_by_name.contains_key(name)
    }

    /// The direct message between a person and the bot.
    pub fn direct_with_bot(&self, user: &str) -> String {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        world.direct_with_app(&user)
    }

    /// Shares a channel with another workspace, which is made when there is none of that id.
    pub fn share_channel(&self, channel: &str, team: &str) {
        let mut world = self.hub.world();
        let id = world.channel_id(channel);
        if !world.teams.iter().any(|known| known.id == team) {
            world.make_team(team, &team.to_ascii_lowercase());
        }
        let shared = &mut world.channel_mut(&id).shared_with;
        if !shared.iter().any(|known| known == team) {
            shared.push(team.to_owned());
        }
    }

    /// Adds a person of another workspace to a channel, which is shared with it from now on. Returns the identifier.
    pub fn add_stranger(&self, name: &str, team: &str, channel: &str) -> String {
        self.share_channel(channel, team);
        let mut world = self.hub.world();
        let channel = world.channel_id(channel);
        let id = world.make_user(name, team, None);
        world.channel_mut(&channel).members.insert(id.clone());
        id
    }

    /// Somebody joins a channel; `andon` is the bot.
    pub fn join(&self, user: &str, channel: &str) {
        let mut world = self.hub.world();
        let (user, channel) = (world.user_id(user), world.channel_id(channel));
        if !world.channel_mut(&channel).members.insert(user.clone()) {
            return;
        }
        let now = world.stamp().to_string();
        let kind = if world.channel(&channel).kind == ChannelKind::Public { "C" } else { "G" };
        let event = json!({
            "type": "member_joined_channel", "user": user, "channel": channel, "channel_type": kind, "team": HOME,
            "event_ts": now,
        });
        hear::event(&self.hub, &mut world, "member_joined_channel", Some(&channel), event);
    }

    /// Somebody leaves a channel; `andon` is the bot.
    pub fn leave(&self, user: &str, channel: &str) {
        let mut world = self.hub.world();
        let (user, channel) = (world.user_id(user), world.channel_id(channel));
        world.channel_mut(&channel).members.remove(&user);
    }

    /// Archives a channel.
    pub fn archive(&self, channel: &str) {
        let mut world = self.hub.world();
        let channel = world.channel_id(channel);
        world.channel_mut(&channel).is_archived = true;
    }

    /// Deactivates a person, who is in no channel any more.
    pub fn deactivate(&self, user: &str) {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        let now = world.seconds();
        if let Some(user) = world.users.get_mut(&user) {
            user.deleted = true;
            user.updated = now;
        }
        for channel in world.channels.values_mut() {
            channel.members.remove(&user);
        }
        self.tell_of_change(&mut world, &user);
    }

    /// Gives a person another address, or none; `confirmed` is whether they proved that it is theirs.
    pub fn set_email(&self, user: &str, email: Option<&str>, confirmed: bool) {
        let mut world = self.hub.world();
        let user = world.user_id(user);
        let now = world.seconds();
        if let Some(user) = world.users.get_mut(&user) {
            user.email = email.map(str::to_owned);
            user.email_confirmed = confirmed;
            user.updated = now;
        }
        self.tell_of_change(&mut world, &user);
    }

    /// Gives a person another name.
    pub fn rename(&self, user: &str, name: &str) {
        let mut world = self.hub.world();
        let id = world.user_id(user);
        let now = world.seconds();
        if let Some(user) = world.users.get_mut(&id) {
            let before = std::mem::replace(&mut user.name, name.to_owned());
            user.updated = now;
            world.user_by_name.remove(&before);
        }
        world.user_by_name.insert(name.to_owned(), id.clone());
        self.tell_of_change(&mut world, &id);
    }

    fn tell_of_change(&self, world: &mut World, user: &str) {
        let now = world.stamp().to_string();
        let shown = world.user(user).to_json(HOME, self.hub.has_scope("users:read.email"));
        let event = json!({"type": "user_change", "user": shown, "cache_ts": world.seconds(), "event_ts": now});
        hear::event(&self.hub, world, "user_change", None, event);
    }
}

fn make(world: &mut World, name: &str, kind: ChannelKind, members: &[&str]) -> String {
    let ids: Vec<String> = members.iter().map(|member| world.user_id(member)).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    world.make_channel(name, kind, &ids)
}

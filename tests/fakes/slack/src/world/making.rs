//! Making people, channels and groups.

use std::collections::{BTreeMap, BTreeSet};

use super::channel::{Channel, ChannelKind};
use super::people::{Group, Guest, Team, User};
use super::{BOT_USER, HOME, World};

impl World {
    pub(super) fn populate(&mut self) {
        for name in ["ana", "ben", "cy"] {
            self.make_user(name, HOME, None);
        }
        self.make_user("andon", HOME, None);
        if let Some(bot) = self.users.get_mut(BOT_USER) {
            bot.is_bot = true;
            bot.email = None;
        }
        for name in ["lobby", "deploys", "ops", "audit"] {
            self.make_channel(name, ChannelKind::Public, &["U0ANA", "U0BEN", "U0CY", BOT_USER]);
        }
    }

    /// A person with the identifier `U0NAME`, whose mail address is `name@example.com`.
    pub(crate) fn make_user(&mut self, name: &str, team: &str, guest: Option<Guest>) -> String {
        let id = self.free_id("U0", name, |world, id| world.users.contains_key(id));
        let mut real_name = name.to_owned();
        if let Some(first) = real_name.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        let user = User {
            id: id.clone(),
            name: name.to_owned(),
            real_name,
            email: Some(format!("{name}@example.com")),
            email_confirmed: true,
            is_bot: false,
            guest,
            deleted: false,
            team: team.to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            updated: self.seconds(),
        };
        self.users.insert(id.clone(), user);
        self.user_order.push(id.clone());
        self.user_by_name.insert(name.to_owned(), id.clone());
        id
    }

    /// A channel with the identifier `C0NAME`; members are identifiers.
    pub(crate) fn make_channel(&mut self, name: &str, kind: ChannelKind, members: &[&str]) -> String {
        assert!(!self.channel_by_name.contains_key(name), "there is a channel {name} already");
        let prefix = if kind == ChannelKind::Direct { "D0" } else { "C0" };
        let id = self.free_id(prefix, name, |world, id| world.channels.contains_key(id));
        let channel = Channel {
            id: id.clone(),
            name: name.to_owned(),
            kind,
            is_archived: false,
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            topic: String::new(),
            shared_with: Vec::new(),
            created: self.seconds(),
            messages: BTreeMap::new(),
        };
        self.channels.insert(id.clone(), channel);
        self.channel_order.push(id.clone());
        self.channel_by_name.insert(name.to_owned(), id.clone());
        id
    }

    /// The direct message between these, made when there is none. The name and the key are the members.
    pub(crate) fn direct(&mut self, members: &BTreeSet<String>) -> String {
        let key = members.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        if let Some(id) = self.direct.get(&key) {
            return id.clone();
        }
        let others: Vec<&str> = members.iter().map(String::as_str).filter(|member| *member != BOT_USER).collect();
        let (kind, name) = match others.len() {
            0 | 1 => (ChannelKind::Direct, others.join("")),
            _ => (ChannelKind::Group, format!("mpdm-{}", others.join("--"))),
        };
        let everybody: Vec<&str> = members.iter().map(String::as_str).collect();
        let id = self.make_channel(&name, kind, &everybody);
        self.direct.insert(key, id.clone());
        id
    }

    /// The direct message between a person and the app.
    pub(crate) fn direct_with_app(&mut self, user: &str) -> String {
        self.direct(&BTreeSet::from([user.to_owned(), BOT_USER.to_owned()]))
    }

    pub(crate) fn make_group(&mut self, handle: &str, users: Vec<String>) -> String {
        let id = self.free_id("S0", handle, |world, id| world.groups.contains_key(id));
        let now = self.seconds();
        let group = Group { id: id.clone(), handle: handle.to_owned(), users, created: now, updated: now };
        self.groups.insert(id.clone(), group);
        id
    }

    pub(crate) fn make_team(&mut self, id: &str, domain: &str) {
        self.teams.push(Team { id: id.to_owned(), name: domain.to_owned(), domain: domain.to_owned() });
    }

    /// A readable identifier, and another one where that is taken.
    fn free_id(&mut self, prefix: &str, name: &str, taken: impl Fn(&Self, &str) -> bool) -> String {
        let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let id = format!("{prefix}{}", letters.to_ascii_uppercase());
        if letters.is_empty() || taken(self, &id) { self.random.id(prefix) } else { id }
    }
}

//! The state of the fake: workspaces, people, channels and what is shown in them. No transport, no rules of methods.

pub(crate) mod channel;
mod making;
pub(crate) mod people;
pub(crate) mod stamp;
pub(crate) mod tokens;
pub(crate) mod view;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use serde_json::{Value, json};

use crate::clock::{FakeClock, Micros};
use crate::ids::Random;
use crate::settings::Settings;
use crate::shown::{Shown, ShownKind};
use channel::{Channel, Message};
use people::{Group, Team, User};
use stamp::Stamp;
use tokens::{ResponseUrl, Trigger};
use view::View;

/// Our workspace.
pub(crate) const HOME: &str = "T0PLAY";
/// The app under test.
pub(crate) const APP_ID: &str = "A0ANDON";
/// The user of the app under test.
pub(crate) const BOT_USER: &str = "U0ANDON";
/// The bot of the app under test.
pub(crate) const BOT_ID: &str = "B0ANDON";

/// A file that the app announced, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) promised: u64,
    pub(crate) content: Option<Arc<[u8]>>,
    pub(crate) shared: bool,
    /// The channel it was shared in, if in one.
    pub(crate) channel: Option<String>,
    pub(crate) created: u64,
}

/// Everything there is.
pub(crate) struct World {
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) random: Random,
    last_stamp: u64,
    pub(crate) teams: Vec<Team>,
    pub(crate) users: HashMap<String, User>,
    /// In the order of their making, as lists show them.
    pub(crate) user_order: Vec<String>,
    pub(crate) user_by_name: HashMap<String, String>,
    pub(crate) channels: HashMap<String, Channel>,
    pub(crate) channel_order: Vec<String>,
    pub(crate) channel_by_name: HashMap<String, String>,
    /// Direct messages by their members, joined by commas.
    pub(crate) direct: HashMap<String, String>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) files: HashMap<String, File>,
    pub(crate) file_order: Vec<String>,
    pub(crate) views: HashMap<String, View>,
    /// Open modals of each person, the uppermost last.
    pub(crate) stacks: HashMap<String, Vec<String>>,
    pub(crate) homes: HashMap<String, String>,
    pub(crate) view_by_external_id: HashMap<String, String>,
    /// What only one person was shown, by that person: channel and message.
    pub(crate) whispers: HashMap<String, Vec<(String, Message)>>,
    pub(crate) triggers: HashMap<String, Trigger>,
    pub(crate) response_urls: HashMap<String, ResponseUrl>,
    sweep_triggers_at: usize,
    sweep_urls_at: usize,
    pub(crate) watchers: Vec<Sender<Shown>>,
}

/// What a message of the app says about it.
pub(crate) fn app_fields(team: &str) -> Value {
    json!({
        "bot_id": BOT_ID, "app_id": APP_ID,
        "bot_profile": {
            "id": BOT_ID, "app_id": APP_ID, "user_id": BOT_USER, "name": "andon", "deleted": false, "updated": 1_700_000_000,
            "team_id": team, "icons": {},
        },
    })
}

impl World {
    /// The workspace every test starts with: three people, a bot and four channels.
    pub(crate) fn new(settings: &Settings, clock: Arc<FakeClock>) -> Self {
        let mut world = Self {
            clock,
            random: Random::new(settings.seed),
            last_stamp: 0,
            teams: vec![Team { id: HOME.to_owned(), name: "Andon Play".to_owned(), domain: "andon-play".to_owned() }],
            users: HashMap::new(),
            user_order: Vec::new(),
            user_by_name: HashMap::new(),
            channels: HashMap::new(),
            channel_order: Vec::new(),
            channel_by_name: HashMap::new(),
            direct: HashMap::new(),
            groups: BTreeMap::new(),
            files: HashMap::new(),
            file_order: Vec::new(),
            views: HashMap::new(),
            stacks: HashMap::new(),
            homes: HashMap::new(),
            view_by_external_id: HashMap::new(),
            whispers: HashMap::new(),
            triggers: HashMap::new(),
            response_urls: HashMap::new(),
            sweep_triggers_at: tokens::SWEEP,
            sweep_urls_at: tokens::SWEEP,
            watchers: Vec::new(),
        };
        world.populate();
        world
    }

    pub(crate) fn now(&self) -> Micros {
        self.clock.now()
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.clock.seconds()
    }

    /// A time stamp that nothing else has.
    pub(crate) fn stamp(&mut self) -> Stamp {
        self.last_stamp = self.now().max(self.last_stamp + 1);
        Stamp(self.last_stamp)
    }

    /// A person's identifier, from it or from the name.
    ///
    /// # Panics
    /// There is nobody of that name: the test is wrong.
    pub(crate) fn user_id(&self, who: &str) -> String {
        let who = who.trim_start_matches('@');
        if self.users.contains_key(who) {
            return who.to_owned();
        }
        self.user_by_name.get(who).cloned().unwrap_or_else(|| panic!("nobody is called {who}"))
    }

    /// A channel's identifier, from it or from the name, with or without `#`.
    ///
    /// # Panics
    /// There is no such channel: the test is wrong.
    pub(crate) fn channel_id(&self, which: &str) -> String {
        let which = which.trim_start_matches('#');
        if self.channels.contains_key(which) {
            return which.to_owned();
        }
        self.channel_by_name.get(which).cloned().unwrap_or_else(|| panic!("there is no channel {which}"))
    }

    pub(crate) fn user(&self, id: &str) -> &User {
        &self.users[id]
    }

    pub(crate) fn channel(&self, id: &str) -> &Channel {
        &self.channels[id]
    }

    pub(crate) fn channel_mut(&mut self, id: &str) -> &mut Channel {
        self.channels.get_mut(id).unwrap_or_else(|| panic!("there is no channel {id}"))
    }

    pub(crate) fn message(&self, channel: &str, stamp: Stamp) -> Option<&Message> {
        self.channels.get(channel)?.messages.get(&stamp)
    }

    pub(crate) fn team(&self, id: &str) -> &Team {
        self.teams.iter().find(|team| team.id == id).unwrap_or(&self.teams[0])
    }

    /// Puts a message where it belongs, and under the one it answers.
    pub(crate) fn keep(&mut self, channel: &str, message: Message) {
        let channel = self.channel_mut(channel);
        if let Some(parent) = message.thread.and_then(|thread| channel.messages.get_mut(&thread)) {
            parent.replies.push(message.stamp);
            parent.reply_users.insert(message.user.clone());
        }
        channel.messages.insert(message.stamp, message);
    }

    /// Takes a message away; one with answers leaves a stone.
    pub(crate) fn remove(&mut self, channel: &str, stamp: Stamp) {
        let channel = self.channel_mut(channel);
        let Some(message) = channel.messages.get_mut(&stamp) else { return };
        if !message.replies.is_empty() {
            message.tombstone = true;
            return;
        }
        let thread = message.thread;
        channel.messages.remove(&stamp);
        if let Some(parent) = thread.and_then(|thread| channel.messages.get_mut(&thread)) {
            parent.replies.retain(|reply| *reply != stamp);
        }
    }

    /// Tells everybody who watches. What is shown is only put together if somebody does.
    pub(crate) fn show(&mut self, kind: ShownKind, place: Place<'_>, message: impl FnOnce(&Self) -> Value) {
        if self.watchers.is_empty() {
            return;
        }
        let shown = Shown {
            kind,
            channel: place.channel.map(str::to_owned),
            thread_ts: place.thread.map(|thread| thread.to_string()),
            ts: place.stamp.map(|stamp| stamp.to_string()),
            message: message(self),
        };
        self.watchers.retain(|watcher| watcher.send(shown.clone()).is_ok());
    }

    /// Tells everybody who watches of a message that is in a channel.
    pub(crate) fn show_message(&mut self, kind: ShownKind, channel: &str, stamp: Stamp) {
        let Some(message) = self.message(channel, stamp) else { return };
        let place = Place { channel: Some(channel), thread: message.thread, stamp: Some(stamp) };
        self.show(kind, place, |world| {
            world.message(channel, stamp).map_or(Value::Null, |message| message.to_json(true))
        });
    }
}

/// Where something is shown.
#[derive(Clone, Copy, Default)]
pub(crate) struct Place<'a> {
    pub(crate) channel: Option<&'a str>,
    pub(crate) thread: Option<Stamp>,
    pub(crate) stamp: Option<Stamp>,
}

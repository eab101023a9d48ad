//! What people see, and what was called and delivered.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::Slack;
use crate::log::{Call, Delivered};
use crate::shown::Shown;
use crate::world::HOME;
use crate::world::stamp::Stamp;

impl Slack {
    /// What stands in a channel, the oldest first, answers in threads among it; with metadata.
    pub fn messages(&self, channel: &str) -> Vec<Value> {
        let world = self.hub.world();
        let channel = world.channel_id(channel);
        world.channel(&channel).messages.values().map(|message| message.to_json(true)).collect()
    }

    /// One message, if it is there.
    pub fn message(&self, channel: &str, ts: &str) -> Option<Value> {
        let world = self.hub.world();
        let channel = world.channel_id(channel);
        Some(world.message(&channel, Stamp::parse(ts)?)?.to_json(true))
    }

    /// A thread: its first message and the answers, the oldest first.
    pub fn thread(&self, channel: &str, ts: &str) -> Vec<Value> {
        let world = self.hub.world();
        let channel = world.channel(&world.channel_id(channel));
        let Some(parent) = Stamp::parse(ts).and_then(|stamp| channel.messages.get(&stamp)) else { return Vec::new() };
        let replies = parent.replies.iter().filter_map(|reply| channel.messages.get(reply));
        std::iter::once(parent).chain(replies).map(|message| message.to_json(true)).collect()
    }

    /// What only this person was shown, the oldest first: messages with their `channel`.
    pub fn ephemerals(&self, user: &str) -> Vec<Value> {
        let world = self.hub.world();
        let whispers = world.whispers.get(&world.user_id(user)).into_iter().flatten();
        let shown = whispers.map(|(channel, message)| {
            let mut shown = message.to_json(true);
            shown["channel"] = json!(channel);
            shown
        });
        shown.collect()
    }

    /// The files that were shared, the oldest first: id, name, title, channel and content.
    pub fn files(&self) -> Vec<Value> {
        let world = self.hub.world();
        let files = world.file_order.iter().filter_map(|id| world.files.get(id));
        let shown = files.map(|file| {
            let content = file.content.as_deref().unwrap_or_default();
            json!({
                "id": file.id, "name": file.name, "title": file.title, "channel": file.channel,
                "content": String::from_utf8_lossy(content),
            })
        });
        shown.collect()
    }

    /// A person's open modals, the uppermost last.
    pub fn views(&self, user: &str) -> Vec<Value> {
        let world = self.hub.world();
        let stack = world.stacks.get(&world.user_id(user)).into_iter().flatten();
        stack.filter_map(|id| world.views.get(id)).map(|view| view.to_json(HOME)).collect()
    }

    /// A person's home tab, if the app published one.
    pub fn home(&self, user: &str) -> Option<Value> {
        let world = self.hub.world();
        let id = world.homes.get(&world.user_id(user))?;
        Some(world.views.get(id)?.to_json(HOME))
    }

    /// A channel's topic.
    pub fn topic(&self, channel: &str) -> String {
        let world = self.hub.world();
        world.channel(&world.channel_id(channel)).topic.clone()
    }

    /// The members of a user group.
    ///
    /// # Panics
    /// There is no such group.
    pub fn group(&self, id: &str) -> Vec<String> {
        self.hub.world().groups[id].users.clone()
    }

    /// Every attempt to deliver something to the bot.
    pub fn deliveries(&self) -> Vec<Delivered> {
        self.hub.log.delivered()
    }

    /// How many deliveries have not ended. One that is sent again after minutes counts only while it is sent.
    pub fn on_the_way(&self) -> usize {
        self.hub.on_the_way.load(Ordering::SeqCst)
    }

    /// Every call of the bot.
    pub fn calls(&self) -> Vec<Call> {
        self.hub.log.calls()
    }

    /// How many acknowledgements came for envelopes that nobody waited for any more, or ever.
    pub fn late_acknowledgements(&self) -> u64 {
        self.hub.sockets.late_acknowledgements.load(Ordering::SeqCst)
    }

    /// Everything that the app shows from now on.
    pub fn watch(&self) -> Receiver<Shown> {
        let (sender, shown) = channel();
        self.hub.world().watchers.push(sender);
        shown
    }
}

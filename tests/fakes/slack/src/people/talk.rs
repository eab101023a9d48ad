//! Talking: messages, edits, deletions.

use serde_json::Value;

use super::hear;
use crate::Slack;
use crate::shown::ShownKind;
use crate::text;
use crate::world::channel::Message;
use crate::world::stamp::Stamp;
use crate::world::{BOT_USER, World};

/// The time stamp that a test named.
pub(super) fn stamp(text: &str) -> Stamp {
    Stamp::parse(text).unwrap_or_else(|| panic!("{text} is no time stamp"))
}

/// Panics unless a person can speak there.
fn must_be_able_to_speak(world: &World, user: &str, channel: &str) {
    assert!(!world.user(user).deleted, "{user} was deactivated");
    let channel = world.channel(channel);
    assert!(!channel.is_archived, "{} is archived", channel.name);
    assert!(channel.members.contains(user), "{user} is not in {}", channel.name);
}

/// People and channels are named by name or identifier; time stamps are those of the messages. What a person could not do, such as
/// speaking in a channel they are not in, is a mistake of the test, and panics.
impl Slack {
    /// Somebody types a message; the client makes mentions, links and escapes of it. Returns its time stamp.
    ///
    /// # Panics
    /// The person could not do this.
    pub fn say(&self, user: &str, channel: &str, thread_ts: Option<&str>, typed: &str) -> String {
        self.speak(user, channel, thread_ts, |world| {
            let (text, block) = text::typed(world, typed);
            (text, vec![block])
        })
    }

    /// As [`say`](Self::say), with exactly this text and these blocks, as another client or app could send them.
    ///
    /// # Panics
    /// The person could not do this.
    pub fn say_raw(
        &self,
        user: &str,
        channel: &str,
        thread_ts: Option<&str>,
        text: &str,
        blocks: Vec<Value>,
    ) -> String {
        self.speak(user, channel, thread_ts, |_| (text.to_owned(), blocks))
    }

    fn speak(
        &self,
        user: &str,
        channel: &str,
        thread_ts: Option<&str>,
        content: impl FnOnce(&mut World) -> (String, Vec<Value>),
    ) -> String {
        let mut world = self.hub.world();
        let (user, channel) = (world.user_id(user), world.channel_id(channel));
        must_be_able_to_speak(&world, &user, &channel);
        let thread = thread_ts.map(stamp).map(|thread| {
            let message = world.message(&channel, thread);
            let message = message.unwrap_or_else(|| panic!("there is no message {thread} in {channel}"));
            message.thread.unwrap_or(thread)
        });
        let (text, blocks) = content(&mut world);
        let team = world.user(&user).team.clone();
        let stamp = world.stamp();
        let mut message = Message::new(stamp, &user, &team, text);
        message.thread = thread;
        message.blocks = blocks;
        message.client_msg_id = Some(world.random.uuid());
        world.keep(&channel, message);
        hear::said(&self.hub, &mut world, &channel, stamp);
        stamp.to_string()
    }

    /// Somebody changes their own message.
    ///
    /// # Panics
    /// There is no such message, or it is somebody else's.
    pub fn edit_message(&self, user: &str, channel: &str, ts: &str, typed: &str) {
        let mut world = self.hub.world();
        let (user, channel, stamp) = (world.user_id(user), world.channel_id(channel), stamp(ts));
        let before = own_message(&world, &user, &channel, stamp);
        let mut after = before.clone();
        let (text, block) = text::typed(&mut world, typed);
        after.text = text;
        after.blocks = vec![block];
        after.edited = Some((user, world.stamp()));
        world.channel_mut(&channel).messages.insert(stamp, after);
        hear::changed_message(&self.hub, &mut world, &channel, &before, stamp);
    }

    /// Somebody deletes their own message.
    ///
    /// # Panics
    /// There is no such message, or it is somebody else's.
    pub fn delete_message(&self, user: &str, channel: &str, ts: &str) {
        let mut world = self.hub.world();
        let (user, channel, stamp) = (world.user_id(user), world.channel_id(channel), stamp(ts));
        let before = own_message(&world, &user, &channel, stamp);
        world.remove(&channel, stamp);
        hear::deleted_message(&self.hub, &mut world, &channel, &before);
    }

    /// An administrator deletes a message of the app.
    ///
    /// # Panics
    /// There is no such message.
    pub fn take_away(&self, channel: &str, ts: &str) {
        let mut world = self.hub.world();
        let (channel, stamp) = (world.channel_id(channel), stamp(ts));
        let before = own_message(&world, BOT_USER, &channel, stamp);
        world.show_message(ShownKind::Deleted, &channel, stamp);
        world.remove(&channel, stamp);
        hear::deleted_message(&self.hub, &mut world, &channel, &before);
    }
}

fn own_message(world: &World, user: &str, channel: &str, stamp: Stamp) -> Message {
    let message = world.message(channel, stamp).unwrap_or_else(|| panic!("there is no message {stamp} in {channel}"));
    assert_eq!(message.user, user, "the message is somebody else's");
    message.clone()
}

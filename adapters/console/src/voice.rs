//! The voice of the terminal: prints messages, and of an edited card only what is new.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::ports::{Marker, Placement, Voice, VoiceError};
use andon_core::{Identity, Message, Room};
use async_trait::async_trait;

use crate::layout::clean;
use crate::render::{Look, render, render_below, render_progress};

/// Where text goes: standard output, or a printer that keeps the prompt in place.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// The most cards that are remembered in order to print only what is new of them.
const REMEMBERED: usize = 1_000;

/// Says things on a terminal.
pub struct ConsoleVoice {
    home: Room,
    look: Look,
    sink: Sink,
    shown: Mutex<BTreeMap<String, Message>>,
}

impl ConsoleVoice {
    /// A voice for the platform of `home` that prints to `sink`, and says of every other room which one it is.
    pub fn new(home: Room, look: Look, sink: Sink) -> Self {
        Self { home, look, sink, shown: Mutex::default() }
    }

    /// Prints an answer that comes with a receipt.
    pub fn print(&self, message: &Message) {
        (self.sink)(&render(message, &self.look));
    }

    /// Prints a text of the terminal room itself, such as what somebody typed.
    pub fn print_text(&self, text: &str) {
        (self.sink)(&format!("{}\n", clean(text)));
    }

    /// Prints what is said in a room.
    fn say(&self, room: &Room, text: &str) {
        match *room == self.home {
            true => (self.sink)(text),
            false => (self.sink)(&format!("[{}]\n{text}", clean(&room.to_string()))),
        }
    }

    /// Remembers what stands at a placement, and gives what stood there.
    fn remember(&self, placement: &str, message: &Message) -> Option<Message> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.len() >= REMEMBERED {
            shown.clear();
        }
        shown.insert(placement.to_owned(), message.clone())
    }
}

/// What a message says that it did not say before.
fn news(before: &Message, now: &Message) -> Message {
    let mut news = now.clone();
    news.facts.retain(|fact| !before.facts.contains(fact));
    news.body.retain(|block| !before.body.contains(block));
    news.attachment = news.attachment.filter(|_| before.attachment != now.attachment);
    news
}

#[async_trait]
impl Voice for ConsoleVoice {
    fn platform(&self) -> &str {
        &self.home.platform
    }

    async fn post(
        &self,
        room: &Room,
        _: Option<&Identity>,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        self.remember(&marker.0, message);
        self.say(room, &render(message, &self.look));
        Ok(Placement(marker.0.clone()))
    }

    async fn follow_up(
        &self,
        room: &Room,
        _: &Placement,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        self.say(room, &render_below(message, &self.look));
        Ok(Placement(marker.0.clone()))
    }

    async fn edit(&self, room: &Room, placement: &Placement, message: &Message) -> Result<(), VoiceError> {
        let before = self.remember(&placement.0, message);
        match before {
            Some(before) if before == *message => {}
            Some(before) if before.tone == message.tone && before.actions == message.actions => {
                let summary_is_new = before.summary != message.summary;
                self.say(room, &render_progress(&news(&before, message), summary_is_new, &self.look));
            }
            Some(before) => self.say(room, &render(&news(&before, message), &self.look)),
            None => self.say(room, &render(message, &self.look)),
        }
        Ok(())
    }

    async fn find(
        &self,
        _: &Room,
        _: Option<&Identity>,
        _: Option<&Placement>,
        marker: &Marker,
    ) -> Result<Option<Placement>, VoiceError> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(shown.contains_key(&marker.0).then(|| Placement(marker.0.clone())))
    }
}

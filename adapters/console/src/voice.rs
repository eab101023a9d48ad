//! The voice of the terminal: prints messages, and of an edited card only what is new.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::ports::{Marker, Placement, Voice, VoiceError};
use andon_core::{Identity, Message, Room};
use async_trait::async_trait;

use crate::render::{Look, line, render};

/// Where text goes: standard output, or a printer that keeps the prompt in place.
pub type Sink = Arc<dyn Fn(&str) + Send + Sync>;

/// The most cards that are remembered in order to print only what is new of them.
const REMEMBERED: usize = 1_000;

/// Says things on a terminal.
pub struct ConsoleVoice {
    platform: String,
    look: Look,
    sink: Sink,
    shown: Mutex<BTreeMap<String, Message>>,
}

impl ConsoleVoice {
    /// A voice for `platform` that prints to `sink`.
    pub fn new(platform: impl Into<String>, look: Look, sink: Sink) -> Self {
        Self { platform: platform.into(), look, sink, shown: Mutex::default() }
    }

    /// Prints an answer that comes with a receipt.
    pub fn print(&self, message: &Message) {
        (self.sink)(&render(message, &self.look));
    }

    /// Prints a text of the terminal room itself.
    pub fn print_text(&self, text: &str) {
        (self.sink)(&format!("{text}\n"));
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
    news
}

#[async_trait]
impl Voice for ConsoleVoice {
    fn platform(&self) -> &str {
        &self.platform
    }

    async fn post(
        &self,
        _: &Room,
        _: Option<&Identity>,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        self.remember(&marker.0, message);
        self.print(message);
        Ok(Placement(marker.0.clone()))
    }

    async fn follow_up(
        &self,
        _: &Room,
        _: &Placement,
        message: &Message,
        marker: &Marker,
    ) -> Result<Placement, VoiceError> {
        let text = render(message, &self.look);
        let indented: String = text.lines().map(|line| format!("  └ {line}\n")).collect();
        (self.sink)(&indented);
        Ok(Placement(marker.0.clone()))
    }

    async fn edit(&self, _: &Room, placement: &Placement, message: &Message) -> Result<(), VoiceError> {
        let before = self.remember(&placement.0, message);
        match before {
            Some(before) if before == *message => {}
            Some(before) if before.tone == message.tone && before.actions == message.actions => {
                (self.sink)(&format!("  {}\n", line(&message.summary, &self.look)));
            }
            Some(before) => self.print(&news(&before, message)),
            None => self.print(message),
        }
        Ok(())
    }

    async fn find(&self, _: &Room, marker: &Marker) -> Result<Option<Placement>, VoiceError> {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(shown.contains_key(&marker.0).then(|| Placement(marker.0.clone())))
    }
}

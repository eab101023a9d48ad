//! What was called and what was delivered, for tests to read.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

/// One call of the Web API.
#[derive(Clone, Debug)]
pub struct Call {
    /// Such as `chat.postMessage`, or `response_url`.
    pub method: String,
    /// Without the token.
    pub arguments: Value,
    /// Slack's error, if it was refused; `connection_reset` and the like where a fault answered.
    pub error: Option<String>,
    /// When, in seconds since 1970 of the fake's time.
    pub at: u64,
}

/// What kind of thing was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryKind {
    /// An event of the Events API.
    Event,
    /// A slash command.
    Command,
    /// A click, a submission, a shortcut.
    Interaction,
    /// A question for the options of a menu.
    Options,
}

impl DeliveryKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Command => "command",
            Self::Interaction => "interaction",
            Self::Options => "options",
        }
    }
}

/// How one attempt to deliver ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It has not ended.
    Waiting,
    /// The bot acknowledged, with this payload or body, if any.
    Acknowledged(Option<Value>),
    /// The bot said nothing in time.
    TimedOut,
    /// The bot answered with an HTTP status that is not 200.
    Status(u16),
    /// There was no connection to the bot.
    NoConnection,
}

/// One attempt to deliver something to the bot.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The envelope's id, which all attempts share.
    pub id: String,
    /// What kind of thing it was.
    pub kind: DeliveryKind,
    /// Such as `app_mention`, `/andon`, `block_actions`.
    pub about: String,
    /// Nought for the first.
    pub attempt: u32,
    /// The web socket that carried it, counted from one; nothing over HTTP.
    pub connection: Option<u64>,
    /// When it was sent, in microseconds since 1970 of the fake's time.
    pub sent_at: u64,
    /// How long the bot took, in the machine's time.
    pub acknowledged_after: Option<Duration>,
    /// How it ended.
    pub ending: Ending,
}

/// The two lists, while they are kept.
pub(crate) struct Log {
    on: AtomicBool,
    calls: Mutex<Vec<Call>>,
    delivered: Mutex<Vec<Delivered>>,
}

impl Log {
    pub(crate) fn new(on: bool) -> Self {
        Self { on: AtomicBool::new(on), calls: Mutex::default(), delivered: Mutex::default() }
    }

    pub(crate) fn switch(&self, on: bool) {
        self.on.store(on, Ordering::SeqCst);
    }

    pub(crate) fn is_on(&self) -> bool {
        self.on.load(Ordering::SeqCst)
    }

    pub(crate) fn call(&self, call: Call) {
        crate::locked(&self.calls).push(call);
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        crate::locked(&self.calls).clone()
    }

    /// Where the attempt stands in the list, to say later how it ended; nothing while the log is off.
    pub(crate) fn sent(&self, delivered: impl FnOnce() -> Delivered) -> Option<usize> {
        if !self.is_on() {
            return None;
        }
        let mut list = crate::locked(&self.delivered);
        list.push(delivered());
        Some(list.len() - 1)
    }

    pub(crate) fn ended(&self, place: Option<usize>, ending: &Ending, after: Duration) {
        let mut list = crate::locked(&self.delivered);
        let Some(delivered) = place.and_then(|place| list.get_mut(place)) else { return };
        if matches!(ending, Ending::Acknowledged(_) | Ending::Status(_)) {
            delivered.acknowledged_after = Some(after);
        }
        delivered.ending = ending.clone();
    }

    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        crate::locked(&self.delivered).clone()
    }
}

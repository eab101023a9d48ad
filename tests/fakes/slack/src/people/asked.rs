//! Something a person asked of the app, on its way.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::hub::Hub;
use crate::log::{DeliveryKind, Ending};
use crate::wire::{Afterwards, Parcel, send};

/// A slash command, a click or a shortcut that was sent. Nobody has to wait for its end.
pub struct Asked {
    /// What the app can open a view with.
    pub trigger_id: String,
    /// Where the app can answer.
    pub response_url: String,
    /// The question that the person was asked before, and said yes to.
    pub confirm: Option<Value>,
    pub(super) ended: Receiver<Ending>,
}

impl Asked {
    /// How the delivery ended, once it has: at the latest when the time for the acknowledgement is over. For everything but an
    /// acknowledgement the person sees a failure.
    pub fn ending(&self) -> Ending {
        self.ended.recv().unwrap_or(Ending::TimedOut)
    }
}

impl Ending {
    /// The failure that the person sees, if any.
    pub fn shown_to_person(&self) -> Option<&'static str> {
        match self {
            Self::Acknowledged(_) => None,
            Self::TimedOut | Self::Waiting => Some("operation_timeout"),
            Self::Status(_) | Self::NoConnection => Some("dispatch_failed"),
        }
    }
}

/// What a request is called in the log, and what can come back with its acknowledgement.
pub(super) struct Request {
    pub(super) kind: DeliveryKind,
    pub(super) about: String,
    pub(super) wants_answer: bool,
    pub(super) payload: Value,
}

/// Sends it; the end arrives in the receiver, after `first` was done with it.
pub(super) fn request(hub: &Arc<Hub>, request: Request, first: Option<Afterwards>) -> Receiver<Ending> {
    let (sender, ended) = channel();
    let afterwards: Afterwards = Box::new(move |hub, ending| {
        if let Some(first) = first {
            first(hub, ending.clone());
        }
        // Nobody has to wait.
        let _ = sender.send(ending);
    });
    let Request { kind, about, wants_answer, payload } = request;
    send(hub, Parcel { kind, about, payload, wants_answer }, afterwards);
    ended
}

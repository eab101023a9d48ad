//! What comes over a socket: envelopes around deliveries, and words about the socket itself.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::receive::{Delivery, Reply};

/// One text of a socket.
#[derive(Deserialize)]
pub(super) struct Envelope {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) envelope_id: Option<String>,
    #[serde(default)]
    pub(super) payload: Value,
    #[serde(default)]
    pub(super) accepts_response_payload: bool,
    pub(super) retry_attempt: Option<u32>,
    pub(super) retry_reason: Option<String>,
    /// Why Slack wants the socket closed.
    pub(super) reason: Option<String>,
}

impl Envelope {
    /// The delivery inside, where there is one.
    pub(super) fn delivery(&mut self) -> Option<Delivery> {
        let payload = self.payload.take();
        match self.kind.as_str() {
            "events_api" => Some(Delivery::Event(payload)),
            "slash_commands" => Some(Delivery::Command(payload)),
            "interactive" => Some(Delivery::Interaction(payload)),
            _ => None,
        }
    }
}

/// The acknowledgement of an envelope that was taken. An answer goes with it only where Slack takes one.
pub(super) fn acknowledgement(id: &str, accepts_payload: bool, reply: Reply) -> Option<String> {
    match reply {
        Reply::Json(payload) if accepts_payload => Some(json!({ "envelope_id": id, "payload": payload }).to_string()),
        Reply::Json(_) | Reply::Empty => Some(json!({ "envelope_id": id }).to_string()),
        Reply::Later => None,
    }
}

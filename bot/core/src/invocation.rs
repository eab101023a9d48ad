//! A delivery from a room, and what the adapter is told about it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Account, Audience, Identity, InvocationId, ProofStrength, Room};

/// The name of one human act, the same however often and however its platform delivers it:
/// `platform/author's workspace/kind/…`, for example `slack/T1/message/C1/1700000000.000100` or `console//line/7f3a/12`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryKey(pub String);

/// Something that somebody said to Andon in a room, by text, button, modal or slash command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// The human act.
    pub key: DeliveryKey,
    /// Which attempt at it this is, the same for all deliveries of one, where the same act can be tried again after it was refused, as a form
    /// that stays open can. One that was accepted is not done a second time by another attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// The account that spoke.
    pub identity: Identity,
    /// What the platform says of that account, where it was asked.
    #[serde(default)]
    pub account: Option<Account>,
    /// How strongly the platform vouches for it.
    pub proof: ProofStrength,
    /// Where.
    pub room: Room,
    /// The link to the message, where the platform has one.
    pub permalink: Option<String>,
    /// Exactly what was said, as text of the grammar, before any repair.
    pub text: String,
    /// The platform's time stamp of the act.
    pub happened: Timestamp,
    /// When the adapter received it.
    pub received: Timestamp,
    /// How many people can read the room, where the platform tells.
    pub audience_size: Option<u32>,
    /// Whether guests or external people can read the room, where the platform tells.
    pub guests_present: Option<bool>,
    /// The machine that spoke from, for records of a terminal: operating-system user, uid and host.
    pub terminal: Option<String>,
    /// Whether a refusal is said by the platform's voice, as answers are. An adapter that shows it itself, as a terminal or a form does,
    /// says no.
    #[serde(default)]
    pub refusal_by_voice: bool,
}

/// What the adapter does with a delivery. Any receipt may be acknowledged to the platform: the intent is durable, or nothing will ever
/// run for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// Not for us. Nothing is said.
    Ignored,
    /// Durable; the answer follows through the voice.
    Accepted {
        /// The invocation that was born, or that an earlier delivery of the same act gave birth to.
        invocation: InvocationId,
        /// Who the answer will be for.
        audience: Audience,
    },
    /// Answered at once although the trail cannot be written; the message says that it was not recorded.
    Unrecorded {
        /// The answer.
        message: Box<crate::Message>,
    },
    /// Nothing will run. The message says why and what to do.
    Refused {
        /// The answer.
        message: Box<crate::Message>,
        /// Whether it is on its way through the voice, so that the adapter shows nothing.
        #[serde(default)]
        said: bool,
    },
}

/// How an invocation ended, for adapters that must know (a script's exit code).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Answered, applied, or its operation succeeded.
    Succeeded,
    /// Refused, failed, or its operation ended in any other way.
    Failed,
    /// Its operation waits for a person.
    Waiting,
}

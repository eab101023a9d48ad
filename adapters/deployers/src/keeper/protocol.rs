//! What bot and keeper say to each other: one line of JSON each way per connection, over a unix socket that only their user can open.

use std::path::PathBuf;

use andon_core::ports::{Live, Lookup, Order};
use andon_core::{OperationId, Target};
use serde::{Deserialize, Serialize};

use crate::local::Config;

/// The version of this protocol. A keeper outlives upgrades of the bot; another version is refused in words.
pub(super) const VERSION: u32 = 2;
/// The most bytes of a line.
pub(super) const LINE_LIMIT: u64 = 1 << 20;

/// A target with what the configuration says of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetSpec {
    /// The target.
    pub target: Target,
    /// Its configuration.
    pub config: Config,
    /// The configured patterns of secrets, which are taken out of what services say besides the known ones.
    pub redaction: Vec<String>,
}

/// What the bot asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// Whether it is there.
    Hello,
    /// What is live.
    Live {
        /// The target.
        spec: TargetSpec,
    },
    /// To carry out an order.
    Start {
        /// The target.
        spec: TargetSpec,
        /// The order.
        order: Order,
        /// The folder of the unpacked release.
        release: PathBuf,
    },
    /// What became of an operation.
    Lookup {
        /// The target.
        target: Target,
        /// The operation.
        operation: OperationId,
    },
    /// To withdraw an operation.
    Cancel {
        /// The target.
        target: Target,
        /// The operation.
        operation: OperationId,
    },
    /// To stop all services, and itself.
    Down,
}

/// What the keeper answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Response {
    /// It is there.
    Hello {
        /// Its process.
        pid: u32,
    },
    /// What is live.
    Live {
        /// As seen now.
        live: Live,
    },
    /// It will be done, or is being done already.
    Taken,
    /// It is too late to withdraw the operation: it is live already, or has ended.
    TooLate {
        /// How far it is.
        reason: String,
    },
    /// What became of an operation.
    Lookup {
        /// As far as is known.
        lookup: Lookup,
    },
    /// The target is not as the order expects it.
    Moved {
        /// How it is.
        reason: String,
    },
    /// A newer worker has been here.
    Fenced,
    /// It could not.
    Broken {
        /// Why.
        reason: String,
    },
}

/// A request with the version of the protocol in which it is made.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Envelope {
    pub(super) version: u32,
    pub(super) request: Request,
}

//! Deployers: what puts versions live.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Artifact, Digest, Fault, OperationId, Outside, Target, Version};

/// A version that can be deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Available {
    /// Its name.
    pub version: Version,
    /// Its content, where that is known without fetching it.
    pub digest: Option<Digest>,
    /// When it was made.
    pub made: Option<Timestamp>,
}

/// A release as it was seen running, not as anybody remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// What runs.
    pub artifact: Artifact,
    /// Since when this very instance runs: another time under the same operation means that it ended and was started again.
    pub since: Option<Timestamp>,
    /// How often an instance of it has ended lately and was started again, as far as the backend tells.
    #[serde(default)]
    pub restarts: u32,
    /// Whether it answers as healthy now.
    pub healthy: bool,
    /// How the backend knows, such as `pid 4711 on 127.0.0.1:8123`.
    pub evidence: String,
    /// The operation that put it there, where the backend knows.
    pub operation: Option<OperationId>,
}

/// What is live on a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// What serves now.
    pub running: Option<Running>,
    /// The release that served, seen healthy, just before, if it can be switched back to.
    pub previous: Option<Artifact>,
    /// Changes whenever anything about the target changes.
    pub generation: String,
    /// Where the service answers, for people.
    pub address: Option<String>,
}

/// An order to put an artifact live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The operation.
    pub operation: OperationId,
    /// The idempotency key, `<origin>/<ulid>`.
    pub key: String,
    /// The fencing token of the worker's lease: an older one is refused.
    pub fence: i64,
    /// Where.
    pub target: Target,
    /// What must be live when it starts; the order is refused otherwise.
    pub generation: String,
    /// What is put live.
    pub artifact: Artifact,
}

/// What a backend says of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Under way.
    Running {
        /// What it is doing, in a few words.
        phase: String,
    },
    /// Live and seen healthy.
    Succeeded {
        /// What was seen, and where.
        observed: Running,
    },
    /// It did not come to be; what served before still serves unless `serving` says otherwise.
    Failed {
        /// Why, in one sentence.
        reason: String,
        /// The end of its log, redacted.
        log: Option<Outside>,
        /// What serves now.
        serving: Option<Version>,
    },
    /// Withdrawn before it was live.
    Cancelled,
}

/// What a backend knows of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "lookup", rename_all = "snake_case")]
pub enum Lookup {
    /// It knows it.
    Found(Effect),
    /// It was never started, and can be.
    NotStarted,
    /// It cannot tell.
    CannotTell {
        /// Why.
        reason: String,
    },
}

/// Why a deployer did not do as asked.
#[derive(Debug, Error)]
pub enum DeployerError {
    /// There is no such version; `available` are the nearest choices, newest first.
    #[error("there is no version {version}")]
    NoSuchVersion {
        /// What was asked for.
        version: Version,
        /// What there is.
        available: Vec<Version>,
    },
    /// The artifact must not be run: wrong digest, a path outside, a link, a device, too large. For the room.
    #[error("the artifact is refused: {0}")]
    BadArtifact(String),
    /// The target is not as the order expects it. Nothing was started.
    #[error("the target has changed since it was planned: {0}")]
    Moved(String),
    /// A newer fence has been seen. Nothing was started.
    #[error("a newer worker has taken over")]
    Fenced,
    /// The backend cannot be reached; whether it took the order must be looked up.
    #[error("the backend cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Anything else.
    #[error("{0}")]
    Faulted(Fault),
}

/// Something that puts versions live. Starting is a kick-off that returns as soon as the backend has durably taken the order; everything
/// after is seen by [`Deployer::lookup`], so that a restart goes the very same way.
#[async_trait]
pub trait Deployer: Send + Sync {
    /// Its name in the configuration, such as `local`.
    fn name(&self) -> &'static str;

    /// What can be deployed to the target, newest first, at most 100.
    ///
    /// # Errors
    /// See [`DeployerError`].
    async fn versions(&self, target: &Target) -> Result<Vec<Available>, DeployerError>;

    /// Resolves a name, once, to what it is. Reads and checks the artifact, so that a corrupt one is refused before anything changes.
    ///
    /// # Errors
    /// See [`DeployerError`].
    async fn resolve(&self, target: &Target, version: &Version) -> Result<Artifact, DeployerError>;

    /// What is live, as seen now.
    ///
    /// # Errors
    /// See [`DeployerError`].
    async fn live(&self, target: &Target) -> Result<Live, DeployerError>;

    /// Hands the order over. Idempotent by operation: an order that is already known is not started again.
    ///
    /// # Errors
    /// See [`DeployerError`]. After [`DeployerError::Unreachable`] the order may have been taken.
    async fn start(&self, order: &Order) -> Result<(), DeployerError>;

    /// What became of an operation on a target.
    ///
    /// # Errors
    /// See [`DeployerError`]; unreachable is an error, not [`Lookup::CannotTell`].
    async fn lookup(&self, target: &Target, operation: OperationId) -> Result<Lookup, DeployerError>;

    /// Asks for an operation to be withdrawn. Whether it was is seen by [`Deployer::lookup`].
    ///
    /// # Errors
    /// See [`DeployerError`].
    async fn cancel(&self, target: &Target, operation: OperationId) -> Result<(), DeployerError>;
}

//! The states of an operation, and the one table of how they follow each other.

use serde::{Deserialize, Serialize};

use crate::Line;

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Planned; needs approvals.
    WaitingApproval,
    /// Approved; waits for a worker and for its target.
    Queued,
    /// A `started` mark is durable; the backend may be at work.
    Running,
    /// The change was seen to be live.
    Succeeded,
    /// It did not happen, or broke; what is live is told.
    Failed,
    /// The backend undid it by itself.
    RolledBack,
    /// Withdrawn by a person, confirmed by the backend if it ran.
    Cancelled,
    /// Nobody approved in time, or it waited too long.
    Expired,
    /// An approver said no.
    Denied,
    /// Nobody can tell whether it happened. A person is asked; never shown as success.
    Unknown,
}

/// What moves an operation from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The last approval.
    Approved,
    /// An approver's no.
    Denied,
    /// Its time ran out.
    Expired,
    /// A person withdrew it, and nothing runs any more.
    Cancelled,
    /// The durable mark before the outside call.
    Started,
    /// The world moved between plan and start; nothing was started.
    WorldMoved,
    /// Seen live.
    Succeeded,
    /// Seen not to be live, or broken.
    Failed,
    /// Undone by the backend.
    RolledBack,
    /// The backend cannot tell.
    Lost,
    /// A person or a later lookup found that it had succeeded.
    SettledSucceeded,
    /// A person or a later lookup found that it had failed.
    SettledFailed,
    /// A person or a later lookup found that it had been cancelled.
    SettledCancelled,
}

impl OperationState {
    /// All states.
    pub const ALL: [Self; 10] = [
        Self::WaitingApproval,
        Self::Queued,
        Self::Running,
        Self::Succeeded,
        Self::Failed,
        Self::RolledBack,
        Self::Cancelled,
        Self::Expired,
        Self::Denied,
        Self::Unknown,
    ];

    /// The next state, or nothing where `cause` cannot happen. The one owner of the table; the database repeats it as a check.
    pub const fn after(self, cause: Cause) -> Option<Self> {
        use OperationState::{
            Cancelled, Denied, Expired, Failed, Queued, RolledBack, Running, Succeeded, Unknown, WaitingApproval,
        };
        Some(match (self, cause) {
            (WaitingApproval, Cause::Approved) => Queued,
            (WaitingApproval, Cause::Denied) => Denied,
            (WaitingApproval | Queued, Cause::Expired) => Expired,
            (WaitingApproval | Queued | Running, Cause::Cancelled) => Cancelled,
            (Queued, Cause::Started) => Running,
            (Queued, Cause::WorldMoved) => Failed,
            (Running, Cause::Succeeded) | (Unknown, Cause::SettledSucceeded) => Succeeded,
            (Running, Cause::Failed) | (Unknown, Cause::SettledFailed) => Failed,
            (Running, Cause::RolledBack) => RolledBack,
            (Running, Cause::Lost) => Unknown,
            (Unknown, Cause::SettledCancelled) => Cancelled,
            _ => return None,
        })
    }

    /// Whether nothing can change any more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::WaitingApproval | Self::Queued | Self::Running | Self::Unknown)
    }

    /// The name as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WaitingApproval => "waiting_approval",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
        }
    }

    /// The state stored under `name`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// The state as a person reads it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::WaitingApproval => "waits for approval",
            Self::RolledBack => "rolled back",
            other => other.as_str(),
        }
    }
}

/// How something ended, and what is told about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The state that it ends in.
    pub state: OperationState,
    /// What happened, in one line.
    pub summary: Line,
    /// What was seen, and where, that proves it. A success without it does not exist.
    pub observed: Option<Line>,
    /// More lines, such as the end of a log.
    pub details: Option<crate::Outside>,
}

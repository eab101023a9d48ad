//! What a record tells of a change: its plan, who agreed to it, what was passed by, and what was done outside.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Private;
use crate::{Change, Digest, OperationId};

/// A plan inside a record: whole, not only its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFacts {
    /// What approvals name.
    pub digest: Digest,
    /// The digested change, as it was digested.
    pub change: Change,
    /// `standard`, `normal` or `emergency`.
    pub risk: String,
    /// The version to go back to.
    pub rollback_target: Option<String>,
    /// Where what is put live comes from; nobody says where there is no source repository.
    pub source: Option<SourceFacts>,
    /// The operation that put the same artifact live where it was tried before.
    pub promoted_from: Option<OperationId>,
    /// The change request or ticket that it belongs to.
    pub ticket: Option<Private>,
}

/// Where what a plan puts live comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFacts {
    /// The commits that are live with it and were not before, oldest first.
    pub commits: Vec<String>,
    /// Who wrote them.
    pub authors: Vec<AuthorFacts>,
    /// The addresses of the pull requests by which they came.
    pub pull_requests: Vec<Private>,
    /// What was checked before.
    pub checks: Vec<CheckFacts>,
    /// The digest of the statement of how it was built.
    pub provenance: Option<Digest>,
}

/// Somebody who wrote a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorFacts {
    /// The person's number, where the configuration knows them.
    pub number: Option<i64>,
    /// The name in the commit.
    pub name: Private,
}

/// A check of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFacts {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub state: String,
    /// The address of its run.
    pub run: Option<Private>,
}

/// An approval inside a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalFacts {
    /// The digest that was named.
    pub digest: Digest,
    /// The rules that made the approver eligible.
    pub eligible_by: Vec<String>,
    /// The one line that says what would change: the plan's summary, as it stands on the card and in the request to approve. Not the
    /// whole card.
    pub shown: Private,
    /// When that card was made. When a person saw it, nobody can know.
    pub shown_at: Timestamp,
    /// When the approver answered.
    pub answered_at: Timestamp,
    /// Whether a second proof was given.
    pub step_up: bool,
    /// Whether the approver is none of the authors; unknown without a source repository.
    pub independent_of_authors: Option<bool>,
    /// How many approvals there are now.
    pub count: u32,
    /// How many are needed.
    pub needed: u32,
}

/// A control that was passed by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BypassFacts {
    /// The controls.
    pub controls: Vec<String>,
    /// Why.
    pub reason: Private,
    /// Who was told, by number.
    pub told: Vec<i64>,
    /// Who reviewed it, by number.
    pub reviewed_by: Option<i64>,
    /// When it was reviewed.
    pub reviewed_at: Option<Timestamp>,
}

/// What was done outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectFacts {
    /// The backend's name.
    pub backend: String,
    /// The idempotency key given to it.
    pub key: String,
    /// Its own id or address of the effect.
    pub reference: Option<Private>,
    /// The name of the credential under which it was done, never the credential.
    pub credential: Option<String>,
    /// Which attempt.
    pub attempt: u32,
    /// The fencing token of the lease.
    pub fence: i64,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// What was seen, where, when.
    pub observed: Option<Private>,
}

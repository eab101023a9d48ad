//! One entry of the audit trail, before it is sealed. `docs/record.md` documents every field; what is here can never change its
//! meaning, only grow in a new schema version.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, GateState, InvocationId, OperationId, OperationNumber, RecordId, Target, TeamName};

mod change;

pub use change::{ApprovalFacts, AuthorFacts, BypassFacts, CheckFacts, EffectFacts, PlanFacts, SourceFacts};

/// A value that the trail commits to without showing it: in the leaf stands `{"commitment": SHA-256(salt ‖ value)}`, and salt and value
/// are kept beside. Personal data, free text and hosts are private from the first version of the format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Private {
    /// The value itself. The name of this field is how sealing finds private values in a record.
    #[serde(rename = "$private")]
    pub value: String,
}

impl Private {
    /// Commits to `value`.
    pub fn new(value: impl ToString) -> Self {
        Self { value: value.to_string() }
    }
}

/// What a record tells. Closed in version 1 of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "docs/record.md describes each kind in one place")]
pub enum RecordKind {
    Asked,
    Answered,
    Applied,
    Denied,
    Planned,
    Approved,
    Objected,
    Expired,
    Cancelled,
    Bypassed,
    Reviewed,
    Started,
    Resumed,
    Finished,
    Settled,
    Observed,
    Noted,
    Linked,
    Suspended,
    ConfigurationLoaded,
    Opened,
    Closed,
    KeyRotated,
    EpochOpened,
    Degraded,
    Gap,
    Anchored,
    Erased,
    Signalled,
}

impl RecordKind {
    /// The name as written in the leaf.
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            _ => unreachable!("a unit variant serializes to its name"),
        }
    }
}

/// Whether the clock that stamped a record was known to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockState {
    /// The service that sets it (systemd-timesyncd) says that it has done so since the machine started.
    Synchronised,
    /// The operating system says that it is not.
    Unsynchronised,
    /// Nobody said anything.
    Unknown,
}

/// Times of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct When {
    /// The platform's stamp of the human act.
    pub happened: Option<Timestamp>,
    /// When the adapter received it.
    pub received: Option<Timestamp>,
    /// When this record was made, by the bot's clock, UTC.
    pub recorded: Timestamp,
    /// What is known of that clock.
    pub clock: ClockState,
    /// How far it is from the true time, in microseconds, as far as the operating system can tell.
    pub offset: Option<i64>,
}

/// How strongly a speaker was proved to be who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofStrength {
    /// The chat platform's word.
    Chat,
    /// A second proof bound to the plan.
    StepUp,
    /// The operating system's word about the user of a terminal.
    Terminal,
    /// Nobody's word: the playground's `/as`.
    Playground,
    /// A machine's token.
    Machine,
    /// A schedule, acting as its creator.
    Schedule,
    /// Andon itself.
    Bot,
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The person's number: in clear, means nothing without the table of people.
    pub number: Option<i64>,
    /// The person's key in the configuration.
    pub person: Option<Private>,
    /// The account that spoke.
    pub identity: Private,
    /// The platform of that account.
    pub platform: String,
    /// The teams of the person at that time.
    pub teams: Vec<TeamName>,
    /// On-call roles of the person at that time.
    pub on_call: Vec<String>,
    /// How strongly the identity was proved.
    pub proof: ProofStrength,
    /// Operating-system user, uid and host of a terminal.
    pub terminal: Option<Private>,
    /// The number of the person on whose behalf it was done.
    pub on_behalf_of: Option<i64>,
}

/// Where it was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The platform.
    pub platform: String,
    /// The room, with workspace and thread.
    pub room: Private,
    /// The link to the message.
    pub permalink: Option<Private>,
    /// How many people can read it.
    pub audience_size: Option<u32>,
    /// Whether guests or external people can.
    pub guests_present: Option<bool>,
}

/// What was said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saying {
    /// Exactly as it arrived, redacted.
    pub raw: Private,
    /// The command's path, such as `["audit", "search"]`; empty where it was not understood.
    pub command: Vec<String>,
    /// The arguments as understood, without free text.
    pub arguments: Value,
    /// The alias that was expanded.
    pub alias: Option<String>,
    /// The reason given.
    pub reason: Option<Private>,
}

/// A gate and what it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateFacts {
    /// Its name.
    pub gate: String,
    /// How it stood.
    pub state: GateState,
    /// The facts that it saw, in words.
    pub saw: Private,
}

/// What was decided, and by which rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether it may go on.
    pub allowed: bool,
    /// The policies that decided it.
    pub policies: Vec<String>,
    /// The digest of all policies and their schema; the text is kept under it.
    pub policy_version: Digest,
    /// The digest of the configuration; the text is kept under it.
    pub configuration: Digest,
    /// What was missing, where it was denied.
    pub needs: Vec<String>,
    /// How many approvals are needed.
    pub approvals_needed: u32,
    /// The gates, as they stood.
    pub gates: Vec<GateFacts>,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeFacts {
    /// A state of an operation, or `answered`, `applied`, `refused`, `faulted`.
    pub state: String,
    /// In words.
    pub text: Private,
}

/// One entry of the audit trail. Its number is not part of it: a leaf cannot know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this format: 1.
    pub schema: u16,
    /// The trail that it belongs to, as named in checkpoints.
    pub origin: String,
    /// Its identifier.
    pub id: RecordId,
    /// What it tells.
    pub kind: RecordKind,
    /// Andon's own version.
    pub andon: String,
    /// The operation that it belongs to.
    pub operation: Option<OperationId>,
    /// The operation's short number.
    pub operation_number: Option<OperationNumber>,
    /// The invocation that it belongs to.
    pub invocation: Option<InvocationId>,
    /// The record that caused it: for everything that becomes of an operation, the record of its plan.
    pub parent: Option<RecordId>,
    /// The incident that it belongs to.
    pub incident: Option<String>,
    /// Whether it was a drill.
    pub drill: bool,
    /// The targets that it is about.
    pub targets: Vec<Target>,
    /// Times.
    pub when: When,
    /// Who acted; nobody for records of the bot itself.
    pub who: Option<Who>,
    /// Where.
    pub place: Option<Place>,
    /// What was said.
    pub said: Option<Saying>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// The plan.
    pub plan: Option<PlanFacts>,
    /// The approval or objection.
    pub approval: Option<ApprovalFacts>,
    /// The bypass.
    pub bypass: Option<BypassFacts>,
    /// The effect.
    pub effect: Option<EffectFacts>,
    /// The outcome.
    pub outcome: Option<OutcomeFacts>,
    /// What belongs to this kind alone (versions, digests of texts, addresses). No personal data and no free text but [`Private`] ones.
    pub details: Value,
}

impl Record {
    /// An empty record of `kind`: every optional part is absent.
    pub fn new(origin: &str, id: RecordId, kind: RecordKind, recorded: Timestamp) -> Self {
        Self {
            schema: 1,
            origin: origin.to_owned(),
            id,
            kind,
            andon: env!("CARGO_PKG_VERSION").to_owned(),
            operation: None,
            operation_number: None,
            invocation: None,
            parent: None,
            incident: None,
            drill: false,
            targets: Vec::new(),
            when: When { happened: None, received: None, recorded, clock: ClockState::Unknown, offset: None },
            who: None,
            place: None,
            said: None,
            decision: None,
            plan: None,
            approval: None,
            bypass: None,
            effect: None,
            outcome: None,
            details: Value::Object(serde_json::Map::new()),
        }
    }
}

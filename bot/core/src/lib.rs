//! The words and the ports of Andon.
//!
//! Every other crate speaks in these types: who (people, teams, identities), where (rooms), what (invocations, plans, operations,
//! records), and the traits through which the house reaches the outside (chat, deployers) or is reached by it.
//!
//! What it does not do: no SQL, no HTTP, no chat platform, no policy, and no clock or randomness of its own. Time comes from a
//! [`Clock`], chance from an [`Entropy`], both handed in by whoever starts the house.

mod catalog;
mod clock;
mod command_spec;
mod digest;
mod directory;
mod entropy;
mod error;
mod ids;
mod invocation;
mod message;
mod names;
mod outcome;
mod person;
mod plan;
pub mod ports;
mod record;
mod redact;
mod room;
mod suggest;

pub use catalog::{Catalog, Defaults, Environment, Machine, RoomRoute, Service, TargetSettings, Team};
pub use clock::Clock;
pub use command_spec::{ArgumentKind, ArgumentSpec, CommandSpec, Completion, EffectKind};
pub use digest::Digest;
pub use directory::Directory;
pub use entropy::Entropy;
pub use error::{Failure, Fault, Refusal};
pub use ids::{InvocationId, OperationId, OperationNumber, RecordId, RecordNumber};
pub use invocation::{DeliveryKey, Receipt, Said, Verdict};
pub use message::{
    Action, Ask, Attachment, Audience, Block, Fact, Line, Message, Outside, Span, Style, Tone, misleads,
};
pub use names::{EnvironmentName, InvalidName, PersonId, ServiceName, TeamName, Version};
pub use outcome::{Cause, OperationState, Outcome};
pub use person::{Account, Identity, Person, Speaker};
pub use plan::{Artifact, Change, Finding, Gate, GateState, Plan, Step, Target};
pub use record::{
    ApprovalFacts, AuthorFacts, BypassFacts, CheckFacts, ClockState, Decision, EffectFacts, GateFacts, OutcomeFacts,
    Place, PlanFacts, Private, ProofStrength, Record, RecordKind, Saying, SourceFacts, When, Who,
};
pub use redact::Redactor;
pub use room::Room;
pub use suggest::closest;

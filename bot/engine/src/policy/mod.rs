//! Who may do what: Cedar policies over the catalog. Whatever no policy permits is refused.
//!
//! Policies are text under version control, checked when they are loaded: each has an `@id` and says in `@needs` what a person who is
//! refused would need. They are validated against a schema made from the commands, so that a misspelt command or attribute is found at
//! start and not at the moment when somebody is refused. Nothing here is remembered between questions: the entities of a question are
//! made from the catalog that comes with it.
//!
//! What it does not do: it never decides that somebody approves their own change, that something goes unrecorded, or whose account
//! spoke. Those are code elsewhere, and no policy weakens them. It reads no database: who holds a lock comes with the question.

mod annotations;
mod ask;
mod entities;
mod load;
mod schema;
#[cfg(test)]
mod tests;

use std::fmt;

use andon_core::{CommandSpec, EnvironmentName, OperationNumber, PersonId, Plan, Room, ServiceName, Target};
use serde_json::Value;

pub use load::{Policies, PolicyProblem};

/// The name and text of the policies that hold where nobody wrote others: the file `policies/default.cedar`.
pub const DEFAULT: (&str, &str) = ("default.cedar", include_str!("../../../../policies/default.cedar"));

/// What a question is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// A service in an environment.
    Target(Target),
    /// A service, wherever it runs.
    Service(ServiceName),
    /// An environment, whatever runs there.
    Environment(EnvironmentName),
    /// An operation. It is asked about once for each of its targets, and all must be permitted.
    Operation {
        /// Its short name.
        number: OperationNumber,
        /// What it changes: at least one target.
        targets: Vec<Target>,
        /// Who asked for it.
        asked_by: PersonId,
    },
    /// A lock or a freeze that somebody holds. `unlock` and `thaw` are asked about this where there is one, so that policies can tell
    /// its owner from others.
    Lease {
        /// What it lies over: a target, a service, an environment, or the house for all of them.
        over: Box<Resource>,
        /// Who holds it.
        owner: PersonId,
    },
    /// A room.
    Room(Room),
    /// The audit trail.
    Trail,
    /// Andon itself: help, whoami, and freezes of everything.
    House,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal<'a> {
    /// A person of the catalog.
    Person(&'a PersonId),
    /// A machine account of the catalog, by name.
    Machine(&'a str),
}

/// A question to the policies.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Who asks.
    pub principal: Principal<'a>,
    /// The command's words with spaces between them, such as `audit search`, or the bare `approve` or `break_glass`.
    pub action: &'a str,
    /// What it is about. Each must be permitted; where there is none, nothing is.
    pub resources: &'a [Resource],
    /// The platform on which it is asked.
    pub platform: &'a str,
    /// The room in which it is asked. Policies see it without its thread.
    pub room: &'a Room,
    /// The command's arguments as a JSON object, or null. Policies see those that the command declares, under the names of the options
    /// with `_` for `-`; lists of words as one text.
    pub arguments: &'a Value,
    /// Whether the glass is broken.
    pub break_glass: bool,
    /// Whether a reason was given.
    pub has_reason: bool,
    /// The plan, once there is one.
    pub plan: Option<&'a Plan>,
}

/// What the policies say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All resources are permitted.
    Permitted(Permit),
    /// At least one is not, or the question could not be decided.
    Refused(Denial),
}

/// A permission, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// The `@id`s of the policies that gave it, in the order of their files.
    pub policies: Vec<String>,
    /// How many other people have to agree: the most that any of these policies says by `@approvals`, or that the configuration says of
    /// a target that the command operates on.
    pub approvals: u32,
}

/// A refusal, and what would have helped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The `@id`s of the policies that forbade it, in the order of their files; none where nothing permitted it.
    pub policies: Vec<String>,
    /// The `@needs` of the policies that forbade it; where none did, of those that could have permitted it. Each completes the sentence
    /// "it needs …".
    pub needs: Vec<String>,
}

impl Policies {
    /// The schema made from `commands`, in Cedar's own language.
    pub fn schema(commands: &[CommandSpec]) -> String {
        schema::Actions::of(commands).schema()
    }
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("version", &self.version()).finish_non_exhaustive()
    }
}

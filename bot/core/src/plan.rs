//! Plans: what an invocation would change, and the digest by which that is approved.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Digest, EnvironmentName, Fault, InvalidName, Line, ServiceName, Version};

/// A service in an environment, written `api/prod`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The service.
    pub service: ServiceName,
    /// The environment.
    pub environment: EnvironmentName,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.environment)
    }
}

impl FromStr for Target {
    type Err = InvalidName;

    /// Understands `api/prod`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (service, environment) = text.split_once('/').unwrap_or((text, ""));
        Ok(Self { service: service.parse()?, environment: environment.parse()? })
    }
}

/// A version resolved to what it is: bytes that cannot change under the same digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// The name that a person knows it by.
    pub version: Version,
    /// The digest of its content.
    pub digest: Digest,
}

/// One thing that a plan changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is changed: `api/prod`, `lock api/prod`, `freeze prod`.
    pub target: String,
    /// What is there now, if anything; for deploys with the artifact's digest.
    pub from: Option<String>,
    /// What will be there.
    pub to: Option<String>,
    /// The digests of all artifacts that the step needs.
    pub artifacts: Vec<Digest>,
    /// The backend's own generation of the target, so that any change in between shows.
    pub generation: Option<String>,
    /// The digest of the deployer's configuration for the target.
    pub configuration: Option<Digest>,
}

/// The digested part of a plan: effect and preconditions, nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The command's path, such as `["deploy"]`.
    pub command: Vec<String>,
    /// Its arguments with all defaults filled in. Free text (reasons) is not part of it.
    pub arguments: Value,
    /// What changes, in order.
    pub steps: Vec<Step>,
    /// The command line that undoes it, where there is one.
    pub undo: Option<String>,
}

impl Change {
    /// `SHA-256("andon plan v1\n" ‖ JCS(change))` (RFC 8785), where absent members are left out as they are in a record, so that whoever
    /// holds the record can compute it.
    ///
    /// # Errors
    /// The change holds something that JSON cannot express.
    pub fn digest(&self) -> Result<Digest, Fault> {
        let mut change = serde_json::to_value(self).map_err(Fault::new)?;
        leave_out_absent(&mut change);
        let mut bytes = b"andon plan v1\n".to_vec();
        bytes.extend(serde_json_canonicalizer::to_vec(&change).map_err(Fault::new)?);
        Ok(Digest::of(bytes))
    }
}

fn leave_out_absent(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(leave_out_absent),
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(leave_out_absent);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The gates that a plan can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Policy lets the asker do it.
    Permission,
    /// Other people have agreed.
    Approval,
    /// Nobody else holds the target.
    Lock,
    /// The andon cord is not pulled.
    Freeze,
    /// The version was not rolled back from this target before.
    Hold,
    /// No other operation is at work on the target.
    Target,
}

impl Gate {
    /// The gate's name as shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permission => "permission",
            Self::Approval => "approval",
            Self::Lock => "lock",
            Self::Freeze => "freeze",
            Self::Hold => "hold",
            Self::Target => "target",
        }
    }
}

/// How a gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateState {
    /// It lets the plan through.
    Passed,
    /// Somebody has to do something first.
    Waiting,
    /// It refuses the plan.
    Closed,
    /// It does not apply, and the finding says why.
    Exempt,
}

/// What was found while planning: shown and recorded, evaluated again later, never digested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// A gate and how it stands.
    Gate {
        /// Which.
        gate: Gate,
        /// How it stands.
        state: GateState,
        /// Why, with the facts that it saw.
        reason: Line,
    },
    /// Anything else worth knowing: who put the live version there, how far the change reaches, how to undo it.
    Note {
        /// Our word for it.
        name: String,
        /// What it is.
        value: Line,
    },
}

/// What an invocation would change. Dry-run, card, approval, record and execution all use this one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The one-line sentence of it, verb first: `Deploy hello v1→v2 in prod`.
    pub summary: Line,
    /// What is approved.
    pub change: Change,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl Plan {
    /// The digest that approvals name.
    ///
    /// # Errors
    /// See [`Change::digest`].
    pub fn digest(&self) -> Result<Digest, Fault> {
        self.change.digest()
    }

    /// The targets that it changes, in order, each once.
    pub fn targets(&self) -> Vec<Target> {
        let mut targets: Vec<Target> = Vec::new();
        for target in self.change.steps.iter().filter_map(|step| step.target.parse().ok()) {
            if !targets.contains(&target) {
                targets.push(target);
            }
        }
        targets
    }

    /// The first gate that refuses the plan.
    pub fn closed_gate(&self) -> Option<(Gate, &Line)> {
        self.findings.iter().find_map(|finding| match finding {
            Finding::Gate { gate, state: GateState::Closed, reason } => Some((*gate, reason)),
            _ => None,
        })
    }
}

//! Holding things still: locks on a target, and freezes, the andon cord.

mod freeze;
mod lock;

pub(crate) use freeze::{Freeze, Thaw};
pub(crate) use lock::{LockTarget, UnlockTarget};

use andon_core::{Change, Failure, Line, Plan, Refusal, Step};
use andon_engine::Work;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::names::parse_duration;

/// The reason that a change must have.
fn reason(work: &Work) -> Result<String, Refusal> {
    work.flags.reason.clone().ok_or_else(|| Refusal::new("That needs a reason", "say why with `--reason TEXT`"))
}

/// Until when something holds that was asked for `length`.
fn until(work: &Work, length: Option<&str>, default: SignedDuration) -> Result<Timestamp, Failure> {
    let length = match length {
        Some(text) => parse_duration(text).map_err(|error| Refusal::new(error, "write it like `--for 2h`"))?,
        None => default,
    };
    Ok(work.now.saturating_add(length).unwrap_or(Timestamp::MAX))
}

/// A plan with one step and nothing to be found out.
fn simple<T: Serialize>(
    command: &str,
    arguments: &T,
    summary: Line,
    step: (String, Option<String>, Option<String>),
    undo: String,
) -> Result<Plan, Failure> {
    let (target, from, to) = step;
    let change = Change {
        command: vec![command.to_owned()],
        arguments: serde_json::to_value(arguments).map_err(andon_core::Fault::new)?,
        steps: vec![Step { target, from, to, artifacts: Vec::new(), generation: None, configuration: None }],
        undo: Some(undo),
    };
    Ok(Plan { summary, change, findings: Vec::new() })
}

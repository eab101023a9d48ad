//! How one invocation goes: parse, authorize, record, plan, approve, run, reply.
//!
//! `pipeline` has the steps in order, on one screen. [`command`] says what a command is and how one is added. Operations are durable: rows
//! that workers take up, and take up again after a crash. Everything said goes through the outbox, everything done through the trail,
//! whose checkpoints the sequencer signs.
//!
//! What it does not do: it knows no chat platform and no backend, only their ports; it has no SQL, only the store's intentions; and it
//! has no commands of its own, only what a command is.

mod about;
mod accept;
mod anchors;
pub mod approvals;
pub mod authorize;
mod can;
mod card;
pub mod command;
mod complete;
mod engine;
mod gates;
mod hearing;
mod holds;
mod house;
mod lease;
mod operations;
mod outbox;
mod parse;
mod people;
mod pipeline;
mod plan;
pub mod policy;
mod probe;
#[cfg(test)]
mod proofs_tests;
mod record;
mod reply;
mod sequencer;
mod verify;
mod watch;
mod work;

pub use can::{Foresight, can};
pub use card::with_log;
pub use engine::Engine;
pub use hearing::GAP;
pub use house::{Configuration, House, Parts};
pub use operations::Running;
pub use parse::Grammar;
pub use probe::{Point, Probe};
pub use verify::verify;
pub use work::{Work, from_deployer, unknown};

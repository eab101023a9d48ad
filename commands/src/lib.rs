//! What can be asked of Andon: one folder per capability, each command with its grammar, its domain logic and its words.
//!
//! # Adding a command
//! 1. Write `commands/src/<capability>/<name>.rs`; `commands/src/whoami.rs` is the shortest example of a read, `commands/src/hold/lock.rs`
//!    of an act, `commands/src/deploy/deploy.rs` of an operation.
//! 2. Add one line to [`COMMANDS`].
//!
//! What it does not do: it decides no rights, writes no records and sends no messages; the engine does, the same way for every command.
//! Folders do not import each other.

mod audit;
mod can;
mod deploy;
mod help;
mod hold;
mod names;
mod ops;
mod whoami;
mod why;

pub use names::moment;

use andon_engine::command::{Entry, act, operation, read};

/// Every command there is: the only registry. Help, completion, native chat commands, documentation, the policy schema and the coverage
/// tests are made from it, in this order.
pub const COMMANDS: &[Entry] = &[
    operation::<deploy::Deploy>(),
    operation::<deploy::Rollback>(),
    read::<deploy::Status>(),
    read::<deploy::History>(),
    read::<deploy::Versions>(),
    act::<hold::LockTarget>(),
    act::<hold::UnlockTarget>(),
    act::<hold::Freeze>(),
    act::<hold::Thaw>(),
    act::<ops::Approve>(),
    act::<ops::Deny>(),
    act::<ops::Cancel>(),
    act::<ops::Settle>(),
    read::<audit::AuditSearch>(),
    read::<audit::AuditShow>(),
    read::<audit::AuditVerify>(),
    read::<whoami::WhoAmI>(),
    read::<can::Can>(),
    read::<why::Why>(),
    read::<help::Help>(),
];

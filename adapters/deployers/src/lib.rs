//! Deployers: what puts versions live. Here: the local deployer, for a team with one server, and the keeper that it needs.
//!
//! # Adding a deployer
//! Write `adapters/deployers/src/<name>.rs` or a folder of that name with an implementation of [`andon_core::ports::Deployer`] and a
//! `Config` type, add its `mod` line here, and one line to [`NAMES`].
//!
//! What it does not do: it decides nothing. Plans, gates, approvals and records are the house's; a deployer carries out one order at a time
//! and tells what it sees.

pub mod demo;
pub mod keeper;
pub mod local;

/// The deployers that a configuration can name.
pub const NAMES: &[&str] = &["local"];

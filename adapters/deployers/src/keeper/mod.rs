//! The keeper: the one process that outlives the bot. It holds the services' pipes, writes and rotates their logs, reaps and restarts them,
//! and is the HTTP/1.1 proxy in front of them. It carries out orders by itself, so that a bot that dies in the middle of one finds it done.
//!
//! It opens no database and takes no decisions. Its own state is small files, written before what they tell is done; after its own death it
//! adopts the services that still run by pid, start time and boot id, and says that it cannot tell where it cannot.

mod client;
mod instance;
mod keeping;
mod lines;
mod log;
mod order;
mod pipe;
mod private;
mod process;
mod protocol;
mod proxy;
pub(crate) mod releases;
mod server;
mod settle;
mod state;

pub use client::{KeeperClient, KeeperError, SpawnKeeper, keep_program};
pub(crate) use process::user_ids;
pub use protocol::{Request, Response, TargetSpec};
pub use server::{KeeperOptions, run};

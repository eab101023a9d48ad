//! What is kept, in SQLite or PostgreSQL: one crate, concrete types, one SQL text wherever the dialects agree.
//!
//! The store speaks in intentions (accept an invocation, claim an operation, hold a lock), so that the differences between a single
//! writer and many replicas stay inside. Everything that is changed goes through [`Store::write`], a unit of work that is kept whole or
//! not at all; everything that is read goes through a [`Connection`], inside a unit of work or outside.
//!
//! What it does not do: it decides nothing. Who may do what, which gates a plan must pass and who signs the trail is the engine's
//! business; how a record's bytes come to be is the trail's.

mod approvals;
mod attempts;
mod chats;
mod claims;
mod connection;
mod error;
mod hand;
mod invocations;
mod leases;
mod locks;
mod migrate;
mod news;
mod open;
mod operations;
mod outbox;
mod releases;
mod trail;
mod url;
mod watched;
mod write;

pub use approvals::{ApprovalRow, NewApproval};
pub use chats::AccountRow;
pub use connection::{Connection, Reader, Transaction};
pub use error::{OpenError, StoreError};
pub use hand::{Look, Place, Places};
pub use invocations::{
    Acceptance, Accepted, InvocationRow, InvocationState, NewInvocation, NewInvocationState, StoredCommand,
};
pub use locks::{Freeze, Lock, LockHeld, NewFreeze, NewLock, Scope};
pub use migrate::newest;
pub use news::Topic;
pub use open::{Purpose, Store};
pub use operations::{NewOperation, OperationRow};
pub use outbox::{NewCard, NewMessage, OutboxItem, OutboxKind};
pub use releases::{ReleaseRow, VersionHold};
pub use trail::{Integrated, RecordRow, Search};
pub use url::DatabaseUrl;
pub use watched::Watched;

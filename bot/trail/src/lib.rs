//! The audit trail: what an auditor reads.
//!
//! A [record](andon_core::Record) is [sealed](seal) into canonical bytes, its leaf. Leaves form a [tree](tree) (RFC 6962), whose size and
//! root are signed as [checkpoints](checkpoint) (C2SP). The [`Verifier`] checks all of it, and the story that it tells. The format is
//! documented in `docs/record.md`; everything in it can be checked without this crate.
//!
//! What it does not do: no SQL, no files, no network, no clock. Who keeps leaves and hashes is the store's business, who holds the key
//! and signs is the engine's.

mod checkpoint;
mod key;
mod seal;
mod story;
pub mod tree;
mod verify;

pub use checkpoint::{CheckpointError, SignedCheckpoint, open_checkpoint, read_unverified, sign};
pub use key::{KeyError, SigningKey, VerifierKey};
pub use seal::{Disclosure, Index, LEAF_LIMIT, SealError, Sealed, open, seal, texts_beside, whole};
pub use verify::{Leaf, Report, Verdict, Verifier};

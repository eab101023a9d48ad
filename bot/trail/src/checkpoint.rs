//! Checkpoints: a signed size and root of the trail (C2SP tlog-checkpoint in a C2SP signed note).

use andon_core::Digest;
use signed_note::{Note, VerifierList};
use thiserror::Error;
use tlog_tiles::{Checkpoint, tlog::Hash};

use crate::key::{SigningKey, VerifierKey};

/// A note is not a checkpoint of this trail and key.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// Not a signed note, or its text is not a checkpoint.
    #[error("that is not a checkpoint")]
    Form,
    /// Not signed by the key.
    #[error("the checkpoint is not signed by {0}")]
    Signature(String),
    /// Of another trail.
    #[error("the checkpoint is of the trail {found:?}, not of {expected:?}")]
    Origin {
        /// The trail that it names.
        found: String,
        /// The trail that was asked for.
        expected: String,
    },
}

/// A checkpoint, and the note that proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// The trail.
    pub origin: String,
    /// How many leaves it covers: those with numbers below this.
    pub size: u64,
    /// The root of their tree.
    pub root: Digest,
    /// The signed note, to be kept and shown as it is.
    pub note: String,
}

/// Signs that the trail of `key` has `size` leaves under `root`.
///
/// # Errors
/// The origin cannot stand in a checkpoint.
pub fn sign(key: &SigningKey, size: u64, root: Digest) -> Result<SignedCheckpoint, CheckpointError> {
    let checkpoint =
        Checkpoint::new(key.origin(), size, Hash(*root.as_bytes()), "").map_err(|_| CheckpointError::Form)?;
    let mut note = Note::new(&checkpoint.to_bytes(), &[]).map_err(|_| CheckpointError::Form)?;
    note.add_sigs(&[&key.signer]).map_err(|_| CheckpointError::Form)?;
    let note = String::from_utf8(note.to_bytes()).map_err(|_| CheckpointError::Form)?;
    Ok(SignedCheckpoint { origin: key.origin().to_owned(), size, root, note })
}

/// Reads a checkpoint and checks that `key` signed it.
///
/// # Errors
/// See [`CheckpointError`].
pub fn open_checkpoint(note: &str, key: &VerifierKey) -> Result<SignedCheckpoint, CheckpointError> {
    let parsed = Note::from_bytes(note.as_bytes()).map_err(|_| CheckpointError::Form)?;
    let verifier = key.verifier().map_err(|_| CheckpointError::Form)?;
    let known = VerifierList::new(vec![Box::new(verifier)]);
    parsed.verify(&known).map_err(|_| CheckpointError::Signature(key.to_string()))?;
    let checkpoint = read_unverified(note)?;
    if checkpoint.origin != key.origin() {
        return Err(CheckpointError::Origin { found: checkpoint.origin, expected: key.origin().to_owned() });
    }
    Ok(checkpoint)
}

/// Reads a checkpoint without checking who signed it.
///
/// # Errors
/// It is not a checkpoint.
pub fn read_unverified(note: &str) -> Result<SignedCheckpoint, CheckpointError> {
    let parsed = Note::from_bytes(note.as_bytes()).map_err(|_| CheckpointError::Form)?;
    let checkpoint = Checkpoint::from_bytes(parsed.text()).map_err(|_| CheckpointError::Form)?;
    Ok(SignedCheckpoint {
        origin: checkpoint.origin().to_owned(),
        size: checkpoint.size(),
        root: Digest::from_bytes(checkpoint.hash().0),
        note: note.to_owned(),
    })
}

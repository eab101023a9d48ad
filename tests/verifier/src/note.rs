//! Verifier keys, signed notes and checkpoints, as C2SP's signed-note and tlog-checkpoint write them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::tree::Hash;

/// The mark of Ed25519 in front of a public key.
const ED25519: u8 = 1;

/// A pinned key.
pub(crate) struct Key {
    name: String,
    id: [u8; 4],
    public: VerifyingKey,
}

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    pub(crate) size: u64,
    pub(crate) root: Hash,
}

impl Key {
    /// Reads `<name>+<id, hex>+<base64(0x01 ‖ public key)>`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("the pinned key does not have three parts".to_owned());
        };
        if name.is_empty() || name.chars().any(char::is_whitespace) {
            return Err("the pinned key has no name, or a space in it".to_owned());
        }
        let key = STANDARD.decode(key).map_err(|error| format!("the pinned key is not base64: {error}"))?;
        let Some((&ED25519, public)) = key.split_first() else {
            return Err("the pinned key is not of Ed25519".to_owned());
        };
        let public = public.try_into().map_err(|_| "the pinned key has not 32 bytes".to_owned())?;
        let public = VerifyingKey::from_bytes(public).map_err(|error| format!("the pinned key is none: {error}"))?;
        let hash = Sha256::new().chain_update(name).chain_update(b"\n").chain_update(&key).finalize();
        let expected = [hash[0], hash[1], hash[2], hash[3]];
        if hex::encode(expected) != id {
            return Err("the pinned key's id does not belong to it".to_owned());
        }
        Ok(Self { name: name.to_owned(), id: expected, public })
    }

    /// The trail whose checkpoints it verifies.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Reads a checkpoint that this key signed.
    pub(crate) fn open(&self, note: &str) -> Result<Checkpoint, String> {
        let (text, signatures) = note.rsplit_once("\n\n").ok_or("a checkpoint has no signatures")?;
        // The newline before the blank line belongs to the text.
        let text = &note[..=text.len()];
        let signatures = signatures.strip_suffix('\n').ok_or("a checkpoint does not end with a newline")?;
        let mut signed = false;
        for line in signatures.split('\n') {
            signed |= self.signed(text, line)?;
        }
        if !signed {
            return Err(format!("a checkpoint is not signed by {}", self.name));
        }
        self.read(text)
    }

    /// Whether a line is this key's signature of `text`. Other keys may have signed as well; a wrong signature in this key's name is an
    /// error, whatever else stands there.
    fn signed(&self, text: &str, line: &str) -> Result<bool, String> {
        let (name, signature) =
            line.strip_prefix("— ").and_then(|line| line.split_once(' ')).ok_or("a signature line is none")?;
        let bytes = STANDARD.decode(signature).map_err(|error| format!("a signature is not base64: {error}"))?;
        let (id, signature) = bytes.split_at_checked(4).ok_or("a signature is too short")?;
        if name != self.name || id != self.id {
            return Ok(false);
        }
        let signature = Signature::from_slice(signature).map_err(|error| format!("a signature is none: {error}"))?;
        let verified = self.public.verify_strict(text.as_bytes(), &signature);
        verified.map(|()| true).map_err(|_| format!("a checkpoint's signature by {} is wrong", self.name))
    }

    fn read(&self, text: &str) -> Result<Checkpoint, String> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err("a checkpoint has fewer than three lines".to_owned());
        };
        if origin != self.name {
            return Err(format!("a checkpoint is of the trail {origin:?}, not of {:?}", self.name));
        }
        let number: u64 = size.parse().map_err(|_| "a checkpoint's size is no number".to_owned())?;
        if number.to_string() != size {
            return Err("a checkpoint's size is not written plainly".to_owned());
        }
        let root = STANDARD.decode(root).map_err(|error| format!("a checkpoint's root is not base64: {error}"))?;
        let root = root.try_into().map_err(|_| "a checkpoint's root has not 32 bytes".to_owned())?;
        Ok(Checkpoint { size: number, root })
    }
}

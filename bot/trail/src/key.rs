//! Keys of checkpoints, in the forms of C2SP signed-note: Ed25519, named by the trail's origin.

use std::fmt;
use std::str::FromStr;

use andon_core::Entropy;
use rand_core::{CryptoRng, RngCore};
use signed_note::{StandardSigner, StandardVerifier, generate_key, is_key_name_valid};
use thiserror::Error;

/// A key text is not a key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The origin cannot stand in a key.
    #[error("{0:?} cannot name a trail: it is empty, or holds a space or a plus")]
    Origin(String),
    /// Not of the form, or its checksum is wrong.
    #[error("that is not a key of the signed-note form")]
    Form,
}

/// Signs checkpoints. Its `Debug` shows the origin only.
pub struct SigningKey {
    text: String,
    verifier: VerifierKey,
    pub(crate) signer: StandardSigner,
}

impl SigningKey {
    /// Makes a new key for the trail `origin`.
    ///
    /// # Errors
    /// The origin cannot stand in a key.
    pub fn generate(origin: &str, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        if !is_key_name_valid(origin) {
            return Err(KeyError::Origin(origin.to_owned()));
        }
        let (text, _) = generate_key(&mut Source(entropy), origin);
        Self::from_text(&text)
    }

    /// Reads a key as written by [`SigningKey::to_text`].
    ///
    /// # Errors
    /// It is not a key.
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let signer = StandardSigner::new(text).map_err(|_| KeyError::Form)?;
        Ok(Self { verifier: verifier_of(text)?, text: text.to_owned(), signer })
    }

    /// The key as text, for a file that only its owner can read.
    pub fn to_text(&self) -> &str {
        &self.text
    }

    /// The public half.
    pub fn verifier_key(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The trail that it signs for.
    pub fn origin(&self) -> &str {
        self.verifier.origin()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.origin())
    }
}

/// The public half of a signing key's text, `PRIVATE+KEY+<origin>+<id>+<base64(0x01 ‖ seed)>`.
fn verifier_of(text: &str) -> Result<VerifierKey, KeyError> {
    use base64::Engine as _;
    let mut parts = text.splitn(5, '+').skip(2);
    let (origin, _, encoded) = match (parts.next(), parts.next(), parts.next()) {
        (Some(origin), Some(id), Some(encoded)) => (origin, id, encoded),
        _ => return Err(KeyError::Form),
    };
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).map_err(|_| KeyError::Form)?;
    let seed: [u8; 32] = bytes.get(1..).and_then(|seed| seed.try_into().ok()).ok_or(KeyError::Form)?;
    let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key();
    signed_note::new_ed25519_verifier_key(origin, &public).parse()
}

/// Verifies checkpoints: `<origin>+<id>+<base64(0x01 ‖ public key)>`. What an auditor pins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    text: String,
}

impl VerifierKey {
    /// The trail whose checkpoints it verifies.
    pub fn origin(&self) -> &str {
        self.text.split('+').next().unwrap_or_default()
    }

    pub(crate) fn verifier(&self) -> Result<StandardVerifier, KeyError> {
        StandardVerifier::new(&self.text).map_err(|_| KeyError::Form)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = Self { text: text.trim().to_owned() };
        key.verifier()?;
        Ok(key)
    }
}

/// An [`Entropy`] in the clothes that the key generator asks for.
struct Source<'a>(&'a dyn Entropy);

impl RngCore for Source<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl CryptoRng for Source<'_> {}

//! SHA-256 digests.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, written as 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes.as_ref()).into())
    }

    /// A digest computed elsewhere.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight hex digits: enough for a person to compare, never for a machine.
    pub fn short(&self) -> String {
        hex::encode(&self.0[..4])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| "a digest is 64 hex digits".to_owned())?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// The first hex digits of a digest, 16 to 64 of them: enough that nobody makes something else whose digest begins so, and few enough to be
/// typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DigestPrefix(String);

impl DigestPrefix {
    /// The fewest digits.
    const FEWEST: usize = 16;
    /// All digits.
    const ALL: usize = 64;

    /// The shortest one of `digest`.
    pub fn of(digest: Digest) -> Self {
        Self(hex::encode(&digest.0[..Self::FEWEST / 2]))
    }

    /// Whether `digest` begins so.
    pub fn begins(&self, digest: Digest) -> bool {
        digest.to_string().starts_with(&self.0)
    }
}

impl fmt::Display for DigestPrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DigestPrefix {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_hex && (Self::FEWEST..=Self::ALL).contains(&text.len()) {
            return Ok(Self(text.to_ascii_lowercase()));
        }
        Err("the beginning of a digest is 16 to 64 hex digits".to_owned())
    }
}

impl TryFrom<String> for DigestPrefix {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DigestPrefix> for String {
    fn from(prefix: DigestPrefix) -> Self {
        prefix.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_known_by_enough_of_its_beginning() {
        let (digest, other) = (Digest::of("a plan"), Digest::of("another"));
        let prefix = DigestPrefix::of(digest);
        assert_eq!(prefix.to_string(), digest.to_string()[..16]);
        for text in [&digest.to_string()[..16], &digest.to_string()[..17].to_uppercase(), &digest.to_string()] {
            let read: DigestPrefix = text.parse().expect("it is one");
            assert!(read.begins(digest) && !read.begins(other), "{text}");
        }
        for text in ["", "0123456789abcde", "0123456789abcdeg", "é123456789abcdef", &"0".repeat(65)] {
            assert!(text.parse::<DigestPrefix>().is_err(), "{text}");
        }
    }
}

//! Randomness as an argument.

/// Where random bytes come from: the operating system in production, a seeded generator in tests.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random bytes, good enough for salts and keys in production.
    fn fill(&self, bytes: &mut [u8]);
}

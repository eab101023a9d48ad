//! How long a test waits for another process. Real time, since that is what other processes live in.

use std::time::{Duration, Instant};

/// A moment by which something must have happened.
pub(crate) struct Deadline(Instant);

#[expect(clippy::disallowed_methods, reason = "other processes live in the machine's time")]
impl Deadline {
    /// So long from now.
    pub(crate) fn within(patience: Duration) -> Self {
        Self(Instant::now() + patience)
    }

    /// What is left of it; nothing once it has passed.
    pub(crate) fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub(crate) fn has_passed(&self) -> bool {
        self.left().is_zero()
    }
}

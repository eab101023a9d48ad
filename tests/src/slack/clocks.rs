//! The machine's time, for what is promised in it.

use std::time::{Duration, Instant};

/// Measures how long something took.
pub struct Watch(Instant);

#[expect(clippy::disallowed_methods, reason = "how long the bot really takes is what is measured")]
impl Watch {
    /// Begins now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// So long ago it began.
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

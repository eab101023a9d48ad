//! The machine's own time and randomness: the only place where they are read.

use andon_core::{Clock, Entropy};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rand::TryRng as _;
use rand::rngs::SysRng;

/// The machine's clock.
pub struct SystemClock;

#[async_trait]
#[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else is given")]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        // Slept in pieces, so that a clock that is set meanwhile is noticed.
        loop {
            let left = at.duration_since(Timestamp::now());
            if left <= SignedDuration::ZERO {
                return;
            }
            let piece = left.min(SignedDuration::from_secs(60));
            tokio::time::sleep(piece.unsigned_abs()).await;
        }
    }
}

/// The operating system's randomness.
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = SysRng.try_fill_bytes(bytes) {
            // Without randomness there are no keys and no salts; going on would be worse than stopping.
            panic!("the operating system gives no randomness: {error}");
        }
    }
}

//! The machine's clock, for real processes.

use andon_core::Clock;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

/// The machine's clock.
pub(crate) struct MachineClock;

#[async_trait]
#[expect(clippy::disallowed_methods, reason = "real processes live in real time")]
impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        let left = at.duration_since(Timestamp::now()).max(SignedDuration::ZERO);
        tokio::time::sleep(left.unsigned_abs()).await;
    }
}

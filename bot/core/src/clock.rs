//! Time as an argument.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

/// Where time comes from. All waiting of the house goes through it, so that tests can move time forward.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present moment, UTC.
    fn now(&self) -> Timestamp;

    /// How far tests have moved this clock ahead of the machine's; added to the database's time where leases are compared. Zero in
    /// production.
    fn offset(&self) -> SignedDuration {
        SignedDuration::ZERO
    }

    /// Returns once `now() >= at`.
    async fn sleep_until(&self, at: Timestamp);

    /// Returns after `duration` of this clock's time. Negative durations return at once.
    async fn sleep(&self, duration: SignedDuration) {
        let at = self.now().saturating_add(duration).unwrap_or(Timestamp::MAX);
        self.sleep_until(at).await;
    }
}

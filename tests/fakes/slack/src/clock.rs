//! The fake's time: the machine's, plus what a test moved it forward. The only file that reads a clock or waits.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::Notify;

/// Microseconds since 1970, which is also how a message's time stamp is kept.
pub(crate) type Micros = u64;

/// What the fake takes for the time of day.
#[derive(Default)]
pub(crate) struct FakeClock {
    ahead: AtomicU64,
    moved: Notify,
}

impl FakeClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the bot under test is another process, which lives in the machine's time"
    )]
    pub(crate) fn now(&self) -> Micros {
        let machine = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        micros(machine) + self.ahead.load(Ordering::SeqCst)
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.now() / 1_000_000
    }

    pub(crate) fn fast_forward(&self, by: Duration) {
        self.ahead.fetch_add(micros(by), Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    /// Waits in the fake's time, so that moving it forward ends the wait. For what real Slack does after minutes.
    pub(crate) async fn wait(&self, long: Duration) {
        let until = self.now() + micros(long);
        loop {
            let moved = self.moved.notified();
            let left = until.saturating_sub(self.now());
            if left == 0 {
                return;
            }
            tokio::select! {
                () = sleep(Duration::from_micros(left)) => {}
                () = moved => {}
            }
        }
    }
}

pub(crate) fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Waits in the machine's time: for patience with another process, which no test moves.
#[expect(clippy::disallowed_methods, reason = "another process cannot be hurried")]
pub(crate) async fn sleep(long: Duration) {
    tokio::time::sleep(long).await;
}

/// What a future gives within the machine's time, or nothing.
pub(crate) async fn within<T>(patience: Duration, future: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(patience, future).await.ok()
}

/// Measures how long something took.
pub(crate) struct Stopwatch(Instant);

#[expect(clippy::disallowed_methods, reason = "how long the bot really took is what is measured")]
impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

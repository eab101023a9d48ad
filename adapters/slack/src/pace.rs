//! Slack's pace: about one message and one edit a second in each channel, with short bursts, and silence for as long as Slack asks.
//!
//! Source: Slack's "Rate limits": `chat.postMessage` allows about one message a second in a channel, `chat.update` is of tier 3; a 429
//! names the seconds to wait in `Retry-After`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What one channel gets in the long run.
const EVERY: SignedDuration = SignedDuration::from_secs(1);
/// How many messages may come at once after a silence.
const BURST: i32 = 4;
/// How many channels are remembered before those that are quiet are forgotten.
const REMEMBERED: usize = 10_000;

/// What is paced apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lane {
    /// New messages.
    Posts,
    /// Edits of messages.
    Edits,
}

/// When each channel may hear more.
#[derive(Default)]
pub(crate) struct Pace(Mutex<HashMap<(Lane, String), Timestamp>>);

impl Pace {
    /// Takes a turn in `channel` now, or tells how long until there is one.
    ///
    /// Each entry is the time at which the channel would be through with all turns that were taken: as long as it lies no further ahead
    /// than a burst, there is a turn (a leaky bucket, as GCRA describes it).
    pub(crate) fn take(&self, lane: Lane, channel: &str, now: Timestamp) -> Result<(), Duration> {
        let mut channels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if channels.len() >= REMEMBERED {
            channels.retain(|_, until| *until > now);
        }
        let until = channels.entry((lane, channel.to_owned())).or_insert(now);
        let busy = (*until).max(now);
        let ahead = busy.duration_since(now);
        let most = EVERY * (BURST - 1);
        if ahead > most {
            return Err((ahead - most).unsigned_abs());
        }
        *until = busy.saturating_add(EVERY).unwrap_or(busy);
        Ok(())
    }

    /// Slack asks to wait: nothing more in this channel before.
    pub(crate) fn wait(&self, lane: Lane, channel: &str, now: Timestamp, wait: Duration) {
        let wait = SignedDuration::try_from(wait).unwrap_or(EVERY);
        let until = now.saturating_add(wait + EVERY * (BURST - 1)).unwrap_or(now);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((lane, channel.to_owned()), until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).expect("a time")
    }

    #[test]
    fn a_channel_hears_a_burst_and_then_one_a_second() {
        let pace = Pace::default();
        let taken = |milliseconds| pace.take(Lane::Posts, "C1", at(milliseconds));
        assert!((0..BURST).all(|_| taken(0).is_ok()));
        assert_eq!(taken(0), Err(Duration::from_secs(1)));
        assert_eq!(taken(400), Err(Duration::from_millis(600)));
        assert!(taken(1_000).is_ok() && taken(1_000).is_err());
        assert!(pace.take(Lane::Posts, "C2", at(0)).is_ok() && pace.take(Lane::Edits, "C1", at(0)).is_ok());
    }

    #[test]
    fn slack_is_heeded() {
        let pace = Pace::default();
        pace.wait(Lane::Posts, "C1", at(0), Duration::from_secs(7));
        assert_eq!(pace.take(Lane::Posts, "C1", at(0)), Err(Duration::from_secs(7)));
        assert!(pace.take(Lane::Posts, "C1", at(7_000)).is_ok());
        assert!(pace.take(Lane::Posts, "C1", at(7_000)).is_err(), "after the wait there is no burst");
    }
}

//! How fast the app may call: so many messages a second into one channel, and so many calls a minute of a method's tier.

use std::collections::HashMap;

use crate::clock::Micros;
use crate::settings::Pacing;

struct Bucket {
    left: f64,
    at: Micros,
}

/// Buckets by what they pace.
#[derive(Default)]
pub(crate) struct Pace {
    buckets: HashMap<String, Bucket>,
}

impl Pace {
    /// Takes one, or says after how many seconds there is one again.
    pub(crate) fn take(&mut self, what: &str, pacing: Pacing, now: Micros) -> Result<(), u64> {
        let full = f64::from(pacing.burst);
        if !self.buckets.contains_key(what) {
            self.buckets.insert(what.to_owned(), Bucket { left: full, at: now });
        }
        let Some(bucket) = self.buckets.get_mut(what) else { return Ok(()) };
        let passed = now.saturating_sub(bucket.at) as f64 / 1_000_000.0;
        bucket.left = (bucket.left + passed * pacing.per_second).min(full);
        bucket.at = now;
        if bucket.left < 1.0 {
            let seconds = ((1.0 - bucket.left) / pacing.per_second).ceil();
            return Err((seconds as u64).max(1));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

/// Calls a minute that the tier of a method grants.
pub(crate) fn tier_limit(method: &str) -> Pacing {
    let a_minute = match method {
        "apps.connections.open" => 1,
        "conversations.list"
        | "users.list"
        | "usergroups.list"
        | "usergroups.users.update"
        | "usergroups.users.list"
        | "conversations.setTopic" => 20,
        "chat.update"
        | "chat.delete"
        | "conversations.info"
        | "conversations.open"
        | "conversations.join"
        | "conversations.replies"
        | "conversations.history"
        | "users.lookupByEmail"
        | "reactions.add"
        | "bots.info"
        | "team.info" => 50,
        "auth.test" | "chat.getPermalink" => 600,
        _ => 100,
    };
    Pacing { burst: a_minute, per_second: f64::from(a_minute) / 60.0 }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use crate::settings::Pacing;

    #[test]
    fn a_burst_goes_and_then_one_a_second() {
        let mut pace = Pace::default();
        let pacing = Pacing { burst: 2, per_second: 1.0 };
        assert_eq!(pace.take("C1", pacing, 0), Ok(()));
        assert_eq!(pace.take("C1", pacing, 0), Ok(()));
        assert_eq!(pace.take("C1", pacing, 0), Err(1));
        assert_eq!(pace.take("C2", pacing, 0), Ok(()));
        assert_eq!(pace.take("C1", pacing, 1_000_000), Ok(()));
        assert_eq!(pace.take("C1", pacing, 1_000_001), Err(1));
    }
}

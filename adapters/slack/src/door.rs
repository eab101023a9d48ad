//! What is turned away at the door before anybody can be named for it: told to the house at once, and then at most once a minute, so that
//! whoever knocks a thousand times fills no trail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use andon_core::Clock;
use andon_core::ports::Edge;
use jiff::{SignedDuration, Timestamp};

use crate::slack::PLATFORM;

/// How often the same is told.
const TOLD_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// How often something was turned away since it was last told, and when that was.
struct Turned {
    untold: u32,
    told: Option<Timestamp>,
}

/// Counts what is turned away.
pub(crate) struct Door {
    edge: Arc<dyn Edge>,
    clock: Arc<dyn Clock>,
    turned: Mutex<BTreeMap<(&'static str, &'static str), Turned>>,
}

impl Door {
    pub(crate) fn new(edge: &Arc<dyn Edge>, clock: &Arc<dyn Clock>) -> Self {
        Self { edge: Arc::clone(edge), clock: Arc::clone(clock), turned: Mutex::default() }
    }

    /// Turns something away that came in by `way`.
    pub(crate) async fn turn_away(&self, way: &'static str, why: &'static str) {
        if let Some(times) = self.count(way, why) {
            tracing::warn!(way, why, times, "deliveries were turned away");
            self.edge.turned_away(PLATFORM, way, why, times).await;
        }
    }

    /// How many are to be told now, if any.
    fn count(&self, way: &'static str, why: &'static str) -> Option<u32> {
        let now = self.clock.now();
        let mut turned = self.turned.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = turned.entry((way, why)).or_insert(Turned { untold: 0, told: None });
        entry.untold = entry.untold.saturating_add(1);
        if entry.told.is_some_and(|told| now.duration_since(told) < TOLD_EVERY) {
            return None;
        }
        entry.told = Some(now);
        Some(std::mem::take(&mut entry.untold))
    }
}

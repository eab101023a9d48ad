//! Whether any socket is open, and since when: the house is told, so that a gap is noticed by whoever listens next.

use std::sync::{Arc, Mutex, PoisonError};

use andon_core::Clock;
use andon_core::ports::Edge;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::receive::Inbound;
use crate::slack::PLATFORM;

/// How often the house is told.
const TOLD_EVERY: SignedDuration = SignedDuration::from_secs(10);

#[derive(Clone, Copy, Default)]
struct Open {
    sockets: usize,
    since: Option<Timestamp>,
}

/// Counts open sockets.
pub(super) struct Hearing {
    edge: Arc<dyn Edge>,
    clock: Arc<dyn Clock>,
    open: Mutex<Open>,
}

impl Hearing {
    pub(super) fn new(inbound: &Inbound) -> Self {
        Self { edge: Arc::clone(inbound.edge()), clock: Arc::clone(&inbound.parts().clock), open: Mutex::default() }
    }

    /// A socket has opened.
    pub(super) async fn opened(&self) {
        let now = self.clock.now();
        self.change(|open| {
            open.since = if open.sockets == 0 { Some(now) } else { open.since };
            open.sockets += 1;
        });
        self.say().await;
    }

    /// A socket has closed. With the last one, what was heard ends here.
    pub(super) async fn closed(&self) {
        self.say().await;
        self.change(|open| {
            open.sockets = open.sockets.saturating_sub(1);
            open.since = if open.sockets == 0 { None } else { open.since };
        });
    }

    /// Tells the house again and again, until told to stop.
    pub(super) async fn tell(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::select! {
                () = self.clock.sleep(TOLD_EVERY) => self.say().await,
                _ = stop.changed() => {}
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Open)) {
        change(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn say(&self) {
        let since = self.open.lock().unwrap_or_else(PoisonError::into_inner).since;
        if let Some(since) = since {
            self.edge.heard(PLATFORM, since).await;
        }
    }
}

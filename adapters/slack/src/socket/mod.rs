//! Socket Mode: two WebSockets that this side opens, so that one always listens while the other is renewed. Every envelope is taken in a
//! task of its own and acknowledged as soon as the house has it: none waits for another.
//!
//! The library's own client waits for each handler before it reads on, keeps envelope ids and retries to itself, notices a silent socket
//! after more than a minute and waits 30 s before it opens another; it is not used here.

mod connection;
mod envelope;
mod hearing;

use std::sync::Arc;

use andon_core::Entropy;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::receive::Inbound;
use connection::Ended;
pub(crate) use connection::greeting;
use hearing::Hearing;

/// How many sockets are open at a time.
const SOCKETS: usize = 2;
/// The first pause after a failure, and the longest. Each is twice the one before, shortened by up to a half at random, so that many bots
/// do not come back all at once.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_millis(500);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// How long a socket must have been open for its end to be no failure.
const LIVED: SignedDuration = SignedDuration::from_secs(5);

/// Listens until told to stop.
pub(crate) async fn listen(inbound: Arc<Inbound>, stop: watch::Receiver<bool>) {
    let hearing = Arc::new(Hearing::new(&inbound));
    let mut tasks = JoinSet::new();
    for _ in 0..SOCKETS {
        tasks.spawn(keep_open(Arc::clone(&inbound), Arc::clone(&hearing), stop.clone()));
    }
    tasks.spawn(Arc::clone(&hearing).tell(stop));
    while tasks.join_next().await.is_some() {}
}

/// Keeps one socket open: where Slack renews it, or it breaks, another takes its place at once, and after failures with growing pauses.
async fn keep_open(inbound: Arc<Inbound>, hearing: Arc<Hearing>, mut stop: watch::Receiver<bool>) {
    let mut failures = 0;
    while !*stop.borrow() {
        let begun = inbound.parts().clock.now();
        let ended = connection::run(&inbound, &hearing, stop.clone()).await;
        // One that ends as soon as it is open is no better than none.
        let lived = inbound.parts().clock.now().duration_since(begun) >= LIVED;
        match ended {
            Ok(Ended::Stopped) => return,
            Ok(Ended::Renewed) => failures = if lived { 0 } else { failures + 1 },
            Ok(Ended::Broken(why)) => {
                tracing::warn!(%why, "a socket to Slack broke; another takes its place");
                failures = if lived { 0 } else { failures + 1 };
            }
            Err(error) => {
                tracing::warn!(%error, "no socket to Slack can be opened");
                failures += 1;
            }
        }
        // The first time another takes its place at once.
        if failures > 1 {
            tokio::select! {
                () = inbound.parts().clock.sleep(pause(failures - 1, &*inbound.parts().entropy)) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

fn pause(failures: u32, entropy: &dyn Entropy) -> SignedDuration {
    let whole = (FIRST_PAUSE * (1 << (failures - 1).min(10))).min(LONGEST_PAUSE);
    let mut random = [0];
    entropy.fill(&mut random);
    whole - whole * i32::from(random[0]) / 512
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Entropy for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn pauses_grow_and_scatter() {
        let pauses = |random| [1, 2, 3, 20].map(|failures| pause(failures, &Always(random)).as_millis());
        assert_eq!(pauses(0), [500, 1_000, 2_000, 30_000]);
        assert!(pauses(255).iter().zip(pauses(0)).all(|(short, long)| *short >= long / 2 && *short < long * 6 / 10));
    }
}

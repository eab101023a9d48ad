//! The program `andon` with a probe and a clock for tests in it: it ends itself, as `kill -9` would, at the point of the pipeline that a
//! test names, and its time can be moved forward while it runs. The time of its keeper can be made to stand still, and
//! its playground can have more in it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use andon::{Machine, SystemClock};
use andon_core::Clock;
use andon_engine::Probe;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

/// How often a sleeper looks whether time was moved.
const LOOK_EVERY: SignedDuration = SignedDuration::from_millis(50);

fn main() -> ExitCode {
    let clock: Arc<dyn Clock> = match (keeps(), std::env::var_os("ANDON_TEST_CLOCK").map(PathBuf::from)) {
        // Only the bot's time is moved: services take as long to start as they take.
        (Some(data), _) => Arc::new(StoppableClock(data.join("clock.stands"))),
        (None, Some(file)) => Arc::new(MovedClock(file)),
        (None, None) => Arc::new(SystemClock),
    };
    let more = std::env::var_os("ANDON_TEST_CONFIGURATION").map(std::fs::read_to_string);
    andon::main(Machine { clock, probe: probe(), more: more.and_then(Result::ok).unwrap_or_default() })
}

/// The data folder of a keeper, where this is one. It is given nothing of the bot's environment by which a test could speak to it.
fn keeps() -> Option<PathBuf> {
    let mut arguments = std::env::args_os().skip(1);
    let is_keeper = arguments.next().is_some_and(|command| command == "keeper");
    let mut after = arguments.skip_while(|argument| argument != "--data").skip(1);
    is_keeper.then(|| after.next()).flatten().map(PathBuf::from)
}

/// `ANDON_TEST_KILL_AT=started:2` ends the process when it comes to the point `started` for the second time.
fn probe() -> Probe {
    let wish = std::env::var("ANDON_TEST_KILL_AT").unwrap_or_default();
    let (point, times) = wish.split_once(':').unwrap_or((&wish, "1"));
    let (point, times) = (point.to_owned(), times.parse().unwrap_or(1));
    let seen = AtomicU32::new(0);
    Arc::new(move |here| {
        if here.as_str() == point && seen.fetch_add(1, Ordering::SeqCst) + 1 == times {
            let me = rustix::process::getpid();
            // Nothing after this line happens.
            let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
        }
    })
}

/// The machine's clock, moved by the seconds that stand in the file named by `ANDON_TEST_CLOCK`.
struct MovedClock(PathBuf);

#[async_trait]
impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.offset()
    }

    fn offset(&self) -> SignedDuration {
        let seconds = std::fs::read_to_string(&self.0).ok().and_then(|text| text.trim().parse().ok());
        SignedDuration::from_secs(seconds.unwrap_or(0))
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let left = at.duration_since(self.now());
            if left <= SignedDuration::ZERO {
                return;
            }
            SystemClock.sleep(left.min(LOOK_EVERY)).await;
        }
    }
}

/// The machine's clock, which stands still as long as the file is there: whatever has a deadline meets it only after that.
struct StoppableClock(PathBuf);

#[async_trait]
impl Clock for StoppableClock {
    fn now(&self) -> Timestamp {
        let stands = std::fs::metadata(&self.0).and_then(|file| file.modified());
        stands.ok().and_then(|since| Timestamp::try_from(since).ok()).unwrap_or_else(|| SystemClock.now())
    }

    fn offset(&self) -> SignedDuration {
        SignedDuration::ZERO
    }

    async fn sleep_until(&self, at: Timestamp) {
        // As long as it would take if the clock went: whoever looks now and then goes on looking.
        SystemClock.sleep(at.duration_since(self.now())).await;
    }
}

//! The program `andon` with a probe in it: it ends itself, as `kill -9` would, at the point of the pipeline that a test names.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// `ANDON_TEST_KILL_AT=started:2` ends the process when it comes to the point `started` for the second time.
fn main() -> ExitCode {
    let wish = std::env::var("ANDON_TEST_KILL_AT").unwrap_or_default();
    let (point, times) = wish.split_once(':').unwrap_or((&wish, "1"));
    let (point, times) = (point.to_owned(), times.parse().unwrap_or(1));
    let seen = AtomicU32::new(0);
    andon::main(Arc::new(move |here| {
        if here == point && seen.fetch_add(1, Ordering::SeqCst) + 1 == times {
            let me = rustix::process::getpid();
            // Nothing after this line happens.
            let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
        }
    }))
}

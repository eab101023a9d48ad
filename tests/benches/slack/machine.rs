//! The machine that it runs on, and its clock.

use std::time::{Duration, Instant};

/// A moment.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures the machine's own time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// How long it is since.
pub(crate) fn since(begun: Instant) -> Duration {
    now().duration_since(begun)
}

/// Says what the numbers stand beside: processors, load, and how long one durable write takes here.
pub(crate) fn tell() {
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("{processors} processors, load {}; one fsync {:.2} ms (median of 100)", load.trim(), fsync());
}

fn fsync() -> f64 {
    use std::io::Write as _;
    let mut file = tempfile::tempfile().expect("no temporary file");
    let mut taken: Vec<f64> = (0..100)
        .map(|_| {
            let begun = now();
            file.write_all(&[0; 4_096]).and_then(|()| file.sync_data()).expect("it cannot be written");
            since(begun).as_secs_f64() * 1e3
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    taken[50]
}

//! The whole bot under load, through a Slack of its own: how long one command takes, how many go through at once, what that costs, and a burst
//! with faults in it. Run it with `cargo bench --package andon-tests --bench slack`; on what machine it ran, and beside which floor, it says
//! itself. Numbers of different machines, or of different runs on a busy one, say little.

#[path = "slack/load.rs"]
mod load;
#[path = "slack/machine.rs"]
mod machine;

use std::time::Duration;

use andon_fake_slack::{CallFault, DeliveryFault, DeliveryKind, Ending, Often};
use load::{Load, percentile};

/// A read that is recorded.
const READ: &str = "@andon can deploy hello v1 --env staging";
/// So many that Slack's pace in a channel does not bind.
const CHANNELS: usize = 5_000;
/// One after the other.
const ONE_BY_ONE: usize = 1_000;
/// In flight at a time, and how many in all.
const IN_FLIGHT: usize = 128;
const MANY: usize = 10_000;
/// A burst: so many people say so many commands at once.
const PEOPLE: usize = 200;
const BURST: usize = 2_000;

fn main() {
    machine::tell();
    speed();
    burst();
}

fn speed() {
    let mut load = Load::start(PEOPLE, CHANNELS, false);
    println!("idle: {} MiB resident", load.resident());
    load.say(100, 1, READ);
    let (taken, spent) = load.measured(ONE_BY_ONE, 1, READ);
    println!(
        "one at a time, {ONE_BY_ONE} commands, event in to answer posted: p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms; {:.2} ms of processor each",
        percentile(&taken, 50),
        percentile(&taken, 99),
        percentile(&taken, 100),
        spent.as_secs_f64() * 1e3 / ONE_BY_ONE as f64,
    );
    let begun = machine::now();
    let (taken, spent) = load.measured(MANY, IN_FLIGHT, READ);
    let wall = machine::since(begun);
    println!(
        "{IN_FLIGHT} in flight, {MANY} commands: {:.0}/s, p50 {:.1} ms, p99 {:.1} ms; {:.2} ms of processor each",
        MANY as f64 / wall.as_secs_f64(),
        percentile(&taken, 50),
        percentile(&taken, 99),
        spent.as_secs_f64() * 1e3 / MANY as f64,
    );
    println!("after {} commands: {} MiB resident", MANY + ONE_BY_ONE + 100, load.resident());
    load.stop();
}

fn burst() {
    let mut load = Load::start(PEOPLE, PEOPLE, true);
    let slack = load.slack().clone();
    slack.fail_deliveries(Some(DeliveryKind::Event), DeliveryFault::Duplicate, Often::Chance(0.01));
    slack.fail_calls(Some("chat.postMessage"), CallFault::RateLimited(1), Often::Chance(0.01));
    let begun = machine::now();
    load.burst(BURST, READ);
    let answered = load.answers(BURST, Duration::from_secs(600));
    let wall = machine::since(begun);
    let deliveries = slack.deliveries();
    let events = deliveries.iter().filter(|delivered| delivered.kind == DeliveryKind::Event);
    let late = events.clone().filter(|delivered| !matches!(delivered.ending, Ending::Acknowledged(_))).count();
    let mut acknowledged: Vec<f64> =
        events.filter_map(|delivered| delivered.acknowledged_after).map(|after| after.as_secs_f64() * 1e3).collect();
    acknowledged.sort_by(f64::total_cmp);
    println!(
        "burst of {BURST} commands by {PEOPLE} people, 1 % duplicates, 1 % HTTP 429: acknowledged after p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms; {late} not \
         acknowledged in time; {} deliveries, {answered} answers in {:.1} s at Slack's pace; run {}",
        percentile(&acknowledged, 50),
        percentile(&acknowledged, 99),
        percentile(&acknowledged, 100),
        acknowledged.len(),
        wall.as_secs_f64(),
        load.stop_and_count(),
    );
}

//! `kill -9` at every named point: nothing accepted is lost, nothing runs twice, the services never notice, the trail holds.

use andon_tests::{Database, Playground, get};

use crate::{PROGRAM, both};

both! { the_story_ends_right_wherever_the_bot_is_killed, services_outlive_the_bot }

/// The points of the pipeline, in the order in which a deploy comes to them.
const POINTS: [&str; 14] = [
    "acknowledged",
    "accepted",
    "planned",
    "placed",
    "reserved",
    "replanned",
    "started",
    "signing:2",
    "covered",
    "said",
    "drawn",
    "observed",
    "finished",
    "applied",
];

fn the_story_ends_right_wherever_the_bot_is_killed(database: Database) {
    // Side by side: most of the time is spent waiting until a dead process's leases run out.
    std::thread::scope(|scope| {
        for point in POINTS {
            scope.spawn(move || the_story_ends_right_after(point, database));
        }
    });
}

fn the_story_ends_right_after(point: &str, database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let lines = ["deploy hello v1 --env staging", "lock shop --env staging --reason test"];
    let first = playground.say_until(&lines, point);
    assert!(first.killed, "{point} was never met:\n{}{}", first.text, first.errors);
    // Another life: whatever was accepted goes on by itself; the same person only looks.
    let seen = playground.repeat_until("history hello", "succeeded  deploy");
    seen.expect("hello has 1 changes");
    let seen = playground.say(&["status hello"]);
    assert_eq!(get(&seen.address("hello/staging"), "/"), "hello v1\n");
    let (report, code) = playground.verify();
    assert_eq!(code, Some(0), "{point}:\n{report}");
    assert!(!report.contains("open "), "{point}:\n{report}");
    println!("killed at {point}: the story ended right");
}

fn services_outlive_the_bot(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let before = playground.say(&["deploy hello v1 --env staging", "status hello"]);
    let (address, pid) = (before.address("hello/staging"), before.pid("hello/staging"));
    let killed = playground.say_until(&["deploy shop v1 --env staging"], "started");
    assert!(killed.killed);
    assert_eq!(get(&address, "/"), "hello v1\n");
    let after = playground.say(&["status hello"]);
    assert_eq!((after.address("hello/staging"), after.pid("hello/staging")), (address, pid));
}

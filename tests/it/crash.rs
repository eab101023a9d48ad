//! `kill -9` at every named point of the pipeline, and at random: nothing accepted is lost, nothing runs twice, the services never notice,
//! the trail holds.

use std::time::Duration;

use andon_tests::{Database, Playground, Session, address, get};

use crate::{PROGRAM, both};

both! {
    a_deploy_ends_right_wherever_the_bot_is_killed,
    a_rollback_ends_right_wherever_the_bot_is_killed,
    an_approval_ends_right_wherever_the_bot_is_killed,
    a_deploy_ends_right_whenever_the_bot_is_killed,
    services_outlive_the_bot,
}

/// The points of the pipeline that every operation comes to once it is queued, in order.
const RUNNING: [&str; 8] = ["replanned", "started", "signing:2", "covered", "said", "drawn", "observed", "finished"];

fn a_deploy_ends_right_wherever_the_bot_is_killed(database: Database) {
    for point in ["acknowledged", "accepted", "planned", "placed", "reserved"].into_iter().chain(RUNNING) {
        let playground = Playground::new(PROGRAM, database);
        let mut room = playground.open();
        room.die_at(point).begin("ana", "deploy hello v1 --env staging").revive();
        expect_once(&playground, &mut room, point, "deploy hello nothing → v1 in staging", "hello/staging");
    }
}

fn a_rollback_ends_right_wherever_the_bot_is_killed(database: Database) {
    for point in ["accepted", "planned", "reserved"].into_iter().chain(RUNNING) {
        let playground = Playground::new(PROGRAM, database);
        let mut room = playground.open();
        room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", "deploy hello nothing → v1 in prod");
        room.say("ben", "approve op-1").expect("Approved op-1").expect("… Queued").expect("✓ Done").expect("└ ✓ @ana");
        room.say("ana", "deploy hello v2 --env prod").expect_asked("ben", "deploy hello v1 → v2 in prod");
        room.say("ben", "approve op-2").expect("Approved op-2").expect("… Queued").expect("✓ Done").expect("└ ✓ @ana");
        room.die_at(point).begin("ana", "rollback hello --env prod").revive();
        let change = "roll back hello v2 → v1 in prod";
        room.expect(&format!("✓ Done: {change}")).expect("└ ✓ @ana Done");
        room.say("cy", "history hello").expect("hello has 3 changes");
        assert_eq!(playground.orders("hello/prod"), 3, "{point}");
        room.say("cy", "status hello").expect("locked hello/prod by ana");
        room.close();
    }
}

fn an_approval_ends_right_wherever_the_bot_is_killed(database: Database) {
    for point in ["acknowledged", "accepted", "planned", "applied"].into_iter().chain(RUNNING) {
        let playground = Playground::new(PROGRAM, database);
        let mut room = playground.open();
        let change = "deploy hello nothing → v1 in prod";
        room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", change);
        room.die_at(point).begin("ben", "approve op-1").revive();
        expect_once(&playground, &mut room, point, change, "hello/prod");
    }
}

/// The operation succeeds, once, and everything of it is told.
fn expect_once(playground: &Playground, room: &mut Session<'_>, point: &str, change: &str, target: &str) {
    room.say("cy", "status hello").expect("hello/");
    // Where the last words came out before the end, they are not said again.
    if !room.transcript().contains("└ ✓ @ana Done") {
        room.expect(&format!("✓ Done: {change}")).expect("└ ✓ @ana Done");
    }
    // How much of the rest was said before the end and how much after it differs from point to point.
    room.read_all();
    room.say("cy", "history hello").expect("hello has 1 changes").expect("succeeded");
    assert_eq!(playground.orders(target), 1, "{point}");
    room.say("cy", "status hello").expect(target);
    assert_eq!(get(&address(&room.seen(), target), "/"), "hello v1\n", "{point}");
    room.close();
}

/// Moments at random (uniform in two seconds, drawn once), in milliseconds after the line was said.
const MOMENTS: [u64; 12] = [13, 61, 118, 187, 254, 333, 420, 548, 703, 911, 1_240, 1_871];

fn a_deploy_ends_right_whenever_the_bot_is_killed(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let mut room = playground.open();
    for moment in MOMENTS {
        room.begin("ana", "deploy hello v1 --env staging").begin_unheard("deploy hello v2 --env staging");
        std::thread::sleep(Duration::from_millis(moment));
        room.kill().say("ana", "why op-1");
        room.read_all();
    }
    // Whatever was accepted has come to its end: every operation has one order at most, and nothing is left open.
    room.say("cy", "status").expect_not("- op-").expect("hello/staging");
    room.close();
}

fn services_outlive_the_bot(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", "deploy hello nothing → v1 in staging");
    room.say("ana", "status hello").expect("hello/staging");
    let before = room.seen();
    room.die_at("started").begin("ana", "deploy shop v1 --env staging");
    assert_eq!(get(&address(&before, "hello/staging"), "/"), "hello v1\n");
    room.revive().expect("✓ Done: deploy shop nothing → v1 in staging").expect("└ ✓ @ana Done");
    room.say("ana", "status hello").expect("hello/staging");
    let line = |seen: &str| seen.lines().find(|line| line.contains("pid ")).map(str::to_owned);
    assert_eq!(line(&room.seen()), line(&before), "the same process at the same address");
    room.close();
}

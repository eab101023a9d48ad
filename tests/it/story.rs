//! What people do all day: deploy, look, roll back, approve.

use std::time::Duration;

use andon_tests::{Playground, Scene, Session, address, get, until};

use crate::{PROGRAM, everywhere};

everywhere! {
    deploys_and_rolls_back,
    nobody_approves_their_own_deploy,
    a_release_that_is_never_ready_leaves_the_old_one_serving,
    a_lock_stops_others_and_a_rollback_passes_it,
    a_freeze_stops_forward_moves_and_a_rollback_passes_it,
    a_version_rolled_back_is_held,
    a_dry_run_changes_nothing,
    what_no_database_takes_is_refused_on_the_record,
    what_was_shown_is_what_is_done,
    an_operation_is_denied_or_cancelled_for_good,
    a_plan_that_the_world_has_left_behind_is_not_started,
    an_operation_is_cancelled_while_it_runs,
    a_rollback_stops_a_deploy_that_runs,
    can_and_help_say_what_would_be_decided,
    what_a_person_settles_leaves_all_that_follows_from_it,
    the_next_one_waits_for_the_one_that_runs,
    an_end_in_the_middle_of_a_run_loses_nothing,
    a_card_tells_all_that_an_approver_needs,
    a_backend_that_comes_to_itself_settles_what_was_unknown,
}

const FIRST: &str = "deploy hello nothing → v1 in staging";
const SECOND: &str = "deploy hello v1 → v2 in staging";

/// Puts v1 and then v2 of hello live in staging.
fn two_versions(room: &mut Session<'_>) {
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", FIRST);
    room.say("ana", "deploy hello v2 --env staging").expect_done("ana", SECOND);
}

/// Ana rolls back what is live in staging.
fn expect_rolled_back(room: &mut Session<'_>, asker: &str) {
    room.say(asker, "rollback hello --env staging").expect_done(asker, "roll back hello v2 → v1 in staging");
}

/// Ana's deploy of v3 waits until v3 is ready, which takes as long as the keeper's clock stands. The terminal takes one line at a time;
/// another life of the bot has its ears free.
fn under_way(playground: &Playground, room: &mut Session<'_>) {
    playground.stop_keepers_clock();
    room.begin("ana", "deploy hello v3 --env staging").expect("waiting until it is ready").kill();
}

pub(crate) fn deploys_and_rolls_back(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    two_versions(&mut room);
    room.say("ana", "status hello").expect("hello/staging");
    let address = address(&room.seen(), "hello/staging");
    assert_eq!(get(&address, "/"), "hello v2\n");
    room.click("ana", "Roll back").expect_done("ana", "roll back hello v2 → v1 in staging");
    assert_eq!(get(&address, "/"), "hello v1\n");
    room.say("ana", "status").expect("locked hello/staging by ana").close();
}

fn nobody_approves_their_own_deploy(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    let change = "deploy hello nothing → v1 in prod";
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", change);
    room.say("ana", "approve op-1").expect("You asked for it, so someone else must approve");
    room.say("cy", "approve op-1").expect("Refused: cy may not approve here");
    room.say("ben", "why op-1").expect("op-1 waits for approval").expect("can approve  ben");
    room.say("ben", &format!("approve op-1 --plan {}", "0".repeat(64))).expect("That approval names another plan");
    room.say("ben", "approve op-1").expect("Approved op-1 (it is queued)").expect("… Queued").expect("1 of 1: ben");
    room.expect("✓ Done: deploy hello").expect("└ ✓ @ana Done");
    room.say("ben", "approve op-1").expect("op-1 cannot be approved any more");
    room.say("cy", "why op-1").expect("op-1 succeeded").expect("approved by").expect("1 of 1");
    room.say("cy", "status hello").expect("hello/prod");
    assert_eq!(get(&address(&room.seen(), "hello/prod"), "/"), "hello v1\n");
    room.close();
}

fn a_release_that_is_never_ready_leaves_the_old_one_serving(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy shop v1 --env staging").expect_done("ana", "deploy shop nothing → v1 in staging");
    room.say("ana", "deploy shop v3 --env staging")
        .expect("… Queued")
        .expect("did not answer 200 within 5s; v1 still serves");
    room.expect("The end of its log").expect("[redacted]").expect_not("not-a-real-token").expect("└ ✗ @ana Failed");
    room.say("ana", "status shop").expect("shop/staging");
    assert_eq!(get(&address(&room.seen(), "shop/staging"), "/"), "shop v1\n");
    room.close();
}

fn a_lock_stops_others_and_a_rollback_passes_it(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    two_versions(&mut room);
    room.say("ana", "lock hello --env staging --reason 'load test' --for 1h").expect("Locked hello/staging");
    room.say("ben", "deploy hello v1 --env staging").expect("Refused: hello/staging is locked by ana");
    expect_rolled_back(&mut room, "ben");
    room.say("ben", "unlock hello --env staging --reason 'it is over'");
    room.expect("Unlocked hello/staging, which ana had locked");
    room.say("ben", "unlock hello --env staging --reason again").expect("Refused: hello/staging is not locked");
    room.close();
}

fn a_freeze_stops_forward_moves_and_a_rollback_passes_it(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    two_versions(&mut room);
    room.say("cy", "freeze staging --reason 'checkout fails'").expect("Froze staging");
    room.say("ana", "deploy shop v1 --env staging").expect("Refused: staging is frozen by cy");
    expect_rolled_back(&mut room, "ana");
    room.say("ana", "thaw staging --reason fixed").expect("Thawed staging");
    room.say("ana", "deploy shop v1 --env staging").expect_done("ana", "deploy shop nothing → v1 in staging");
    room.close();
}

fn a_version_rolled_back_is_held(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    two_versions(&mut room);
    expect_rolled_back(&mut room, "ana");
    // Nor does a second rollback put it live again, whoever may be the first to say so.
    room.say("ben", "rollback hello --env staging")
        .expect("Refused: v2 was live just before in hello/staging, and was rolled back");
    room.say("ana", "rollback hello --env staging --to v2").expect("Refused: v2 was rolled back from hello/staging");
    room.say("ana", "deploy hello v2 --env staging").expect("v2 was rolled back from hello/staging");
    room.say("ana", "deploy hello v2 --env staging --again").expect("`--again` needs a reason");
    room.say("ana", "deploy hello v2 --env staging --again --reason ' . '").expect("`--again` needs a reason");
    room.say("ana", "deploy hello v2 --env staging --again --reason 'it was the network'").expect_done("ana", SECOND);
    room.close();
}

fn a_dry_run_changes_nothing(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env prod --dry-run").expect("Dry run: deploy hello nothing → v1 in prod");
    room.expect("Nothing was changed");
    room.say("ana", "can deploy hello v1 --env prod").expect("Yes, with 1 approval");
    room.say("ana", "status hello").expect("hello/prod").expect_not("op-1").close();
}

fn what_no_database_takes_is_refused_on_the_record(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "status hel\0lo").expect("Refused: ").expect_not("cannot be written");
    room.say("ana", "audit search --outcome refused").expect("· 1 records").expect("denied").close();
}

fn what_was_shown_is_what_is_done(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v2 --env staging --dry-run")
        .expect("Dry run: deploy hello nothing → v2 in staging")
        .expect("[Do it] deploy hello v2 --env staging --if-plan ");
    // The world moves on before somebody presses.
    room.say("ben", "deploy hello v1 --env staging").expect_done("ben", FIRST);
    room.click("ana", "Do it")
        .expect(&format!("Refused: The plan has changed since it was shown, and now is: {SECOND}"));
    room.expect("look at it again with --dry-run");
    assert_eq!(playground.orders("hello/staging"), 1);
    room.say("ana", "deploy hello v2 --env staging --dry-run").expect(&format!("Dry run: {SECOND}"));
    room.click("ana", "Do it").expect_done("ana", SECOND);
    // An act as well: the lock that was to go is not the one that is there.
    room.say("ana", "lock hello --env prod --reason test --dry-run").expect("Dry run: lock hello/prod");
    room.click("ana", "Do it").expect("Locked hello/prod");
    room.say("ana", "unlock hello --env prod --reason done --dry-run").expect("Dry run: unlock hello/prod");
    room.say("ben", "unlock hello --env prod --reason done").expect("Unlocked hello/prod");
    room.say("ana", "lock hello --env prod --reason again").expect("Locked hello/prod");
    room.click("ana", "Do it").expect("Refused: The plan has changed since it was shown");
    room.say("ana", "status hello").expect("locked hello/prod by ana");
    // What no button says.
    room.say("ana", "deploy hello v1 --env prod --if-plan 12").expect("a digest is 64 hex digits");
    room.say("ana", "help deploy").expect("--dry-run").expect_not("if-plan");
    room.close();
}

pub(crate) fn an_operation_is_denied_or_cancelled_for_good(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", "deploy hello nothing → v1 in prod");
    room.say("ana", "deploy shop v1 --env prod").expect_asked("ben", "deploy shop nothing → v1 in prod");
    room.say("ana", "cancel op-2").expect("Cancelled by ana: deploy shop nothing → v1 in prod");
    room.say("ben", "deny op-1 --reason 'not on a Friday'").expect("Denied by ben: deploy hello nothing → v1 in prod");
    room.expect("not on a Friday").expect("└ ✗ @ana Denied");
    room.say("ben", "approve op-1").expect("op-1 cannot be approved any more: denied");
    room.say("ben", "approve op-2").expect("op-2 cannot be approved any more: cancelled");
    room.close();
}

pub(crate) fn a_plan_that_the_world_has_left_behind_is_not_started(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    for operation in ["op-1", "op-2"] {
        room.say("ana", "deploy hello v1 --env prod")
            .expect_asked("ben", "deploy hello nothing → v1 in prod")
            .leave(operation);
    }
    room.say("ben", "approve op-1").expect("Approved op-1").expect("… Queued").expect("✓ Done").expect("└ ✓ @ana");
    // What op-2 was planned on is not what is live any more.
    room.say("ben", "approve op-2")
        .expect("Approved op-2")
        .expect("… Queued")
        .expect("✗ Not started")
        .expect("└ ✗ @ana Not started");
    room.click("ana", "Ask again").expect("Refused: hello v1 is live in prod already");
    assert_eq!(playground.orders("hello/prod"), 1);
    room.close();
}

fn an_operation_is_cancelled_while_it_runs(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", FIRST);
    under_way(&playground, &mut room);
    room.say("ben", "cancel op-2 --reason 'wrong version'").expect("Asked op-2 to stop");
    room.expect("Cancelled before it was live").expect("└ · @ana Cancelled");
    room.say("ana", "status hello").expect("hello/staging");
    assert_eq!(get(&address(&room.seen(), "hello/staging"), "/"), "hello v1\n");
    room.close();
}

fn a_rollback_stops_a_deploy_that_runs(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    two_versions(&mut room);
    under_way(&playground, &mut room);
    room.say("ben", "rollback hello --env staging").expect("✓ Done: roll back hello v2 → v1 in staging");
    room.expect("└ ✓ @ben Done")
        .expect("· Cancelled before it was live: deploy hello v2 → v3")
        .expect("└ · @ana Cancelled");
    room.say("ana", "status hello").expect("hello/staging");
    assert_eq!(get(&address(&room.seen(), "hello/staging"), "/"), "hello v1\n");
    room.close();
}

fn can_and_help_say_what_would_be_decided(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("cy", "freeze staging --reason 'checkout fails'").expect("Froze staging");
    room.say("ana", "can deploy hello v1 --env staging")
        .expect("Not now: staging is frozen by cy")
        .expect("or thaw it");
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", "deploy hello nothing → v1 in prod");
    room.say("ana", "can approve op-1").expect("No: You asked for it, so someone else must approve");
    room.say("ben", "can approve op-1").expect("Yes, you may");
    room.say("ana", "lock hello --env prod --reason 'load test'").expect("Locked hello/prod");
    room.say("ben", "can lock hello --env prod --reason mine").expect("No: hello/prod is locked by ana");
    room.say("ben", "can deplyo hello v1 --env prod").expect("I know no command deplyo").expect("did you mean deploy?");
    room.say("ana", "cancel op-1").expect("Cancelled by ana");
    room.say("ben", "can cancel op-1").expect("No: op-1 cannot be cancelled any more");
    room.say("ben", "help").expect("deny").expect("cancel").expect("settle");
    room.say("cy", "help").expect("freeze").expect_not("settle op-3").expect_not("deny op-3").close();
}

fn what_a_person_settles_leaves_all_that_follows_from_it(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    two_versions(&mut room);
    room.say("ana", "lock hello --env staging --reason 'load test' --for 24h").expect("Locked hello/staging");
    playground.leave_unknown(&mut room, "rollback hello --env staging --to v3");
    room.kill().say("ben", "unlock hello --env staging --reason over").expect("Unlocked hello/staging");
    room.say("ben", "settle op-3 succeeded --reason 'looked at the host'").expect("Settled as succeeded by ben");
    room.expect("└ ✓ @ana Settled");
    room.say("ana", "status hello").expect("locked hello/staging by ana").expect("rolled back by op-3");
    room.close();
}

fn the_next_one_waits_for_the_one_that_runs(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", FIRST);
    under_way(&playground, &mut room);
    room.begin("ben", "deploy hello v2 --env staging")
        .expect("… Queued: deploy hello v1 → v2 in staging")
        .expect("waits: op-2 is at work on hello/staging and goes first");
    assert_eq!(playground.orders("hello/staging"), 2, "op-3 has not begun");
    playground.start_keepers_clock();
    room.expect("✗ Failed: deploy hello v1 → v3 in staging").expect("└ ✗ @ana Failed");
    room.expect("✓ Done: deploy hello v1 → v2 in staging").expect("└ ✓ @ben Done");
    room.say("ana", "status hello").expect("hello/staging");
    assert_eq!(get(&address(&room.seen(), "hello/staging"), "/"), "hello v2\n");
    room.close();
}

pub(crate) fn an_end_in_the_middle_of_a_run_loses_nothing(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", FIRST);
    under_way(&playground, &mut room);
    until("it is taken up", || room.say("cy", "why op-2").expect("op-2 running").seen().contains("resumed"));
    room.end();
    let states = playground.raw().rows("select state from operations order by number");
    assert_eq!(states, ["succeeded", "running"], "the end did not wait for it");
    playground.start_keepers_clock();
    room.revive().expect("✗ Failed: deploy hello v1 → v3 in staging").expect("└ ✗ @ana Failed");
    assert_eq!(playground.orders("hello/staging"), 2);
    room.close();
}

fn a_card_tells_all_that_an_approver_needs(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", FIRST);
    room.say("ben", "deploy hello v2 --env staging").expect_done("ben", SECOND);
    // The leaf at once, the number as soon as there is one.
    room.expect(", leaf ");
    let card = room.seen();
    let fact = |name: &str| {
        let mut lines = card.lines().filter_map(|line| line.strip_prefix("  ")?.strip_prefix(name)?.strip_prefix(' '));
        lines.next_back().unwrap_or_else(|| panic!("no {name}:\n{card}")).trim().to_owned()
    };
    assert!(fact("changes").starts_with("hello/staging: v1@"), "{card}");
    assert!(fact("changes").contains(" → v2@"), "{card}");
    assert_eq!(fact("reach"), "all requests to hello in staging");
    assert!(fact("live now").starts_with("v1, put there by ana"), "{card}");
    assert_eq!(fact("undo"), "rollback hello --env staging");
    room.close();
    let records = playground.records(&["--command", "deploy", "--person", "ben"]);
    let planned = records.iter().find(|record| record["kind"] == "planned").expect("it was planned");
    let (number, leaf) = (&planned["number"], planned["leaf_hash"].as_str().expect("a leaf"));
    let number = number.as_str().map_or_else(|| format!("#{number}"), str::to_owned);
    assert!(card.contains(&format!("{number}, leaf {leaf}")), "{number}, leaf {leaf}\n{card}");
}

fn a_backend_that_comes_to_itself_settles_what_was_unknown(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", FIRST);
    under_way(&playground, &mut room);
    room.say("cy", "why op-2").expect("op-2 running");
    let frozen = playground.freeze_keeper("hello/staging");
    // Asked again and again, for minutes.
    until("the bot gives up", || {
        room.fast_forward(Duration::from_secs(2));
        playground.raw().rows("select state from operations order by number") == ["succeeded", "unknown"]
    });
    room.expect("✗ Nobody can tell how it ended: deploy hello v1 → v3 in staging").expect("└ ✗ @ana Nobody can tell");
    drop(frozen);
    playground.start_keepers_clock();
    until("the keeper has ended it", || !playground.is_under_way("hello/staging"));
    room.fast_forward(Duration::from_secs(31)).expect("✗ Failed: deploy hello v1 → v3").expect("└ ✗ @ana Failed");
    room.say("cy", "audit search --outcome failed").expect("1 record");
    room.say("ben", "deploy hello v2 --env staging").expect_done("ben", SECOND);
    room.close();
}

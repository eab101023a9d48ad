//! What people do all day: deploy, look, roll back, approve.

use andon_tests::{Database, Playground, get};

use crate::{PROGRAM, both};

both! {
    deploys_and_rolls_back,
    nobody_approves_their_own_deploy,
    a_release_that_is_never_ready_leaves_the_old_one_serving,
    a_lock_stops_others_and_a_rollback_passes_it,
    a_freeze_stops_forward_moves_and_a_rollback_passes_it,
    a_version_rolled_back_is_held,
    a_dry_run_changes_nothing,
    an_operation_is_denied_or_cancelled_for_good,
}

fn deploys_and_rolls_back(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let first = playground.say(&["deploy hello v1 --env staging", "deploy hello v2 --env staging", "status hello"]);
    assert!(first.well, "{}{}", first.text, first.errors);
    first.expect("Done: deploy hello nothing → v1 in staging").expect("Done: deploy hello v1 → v2 in staging");
    let address = first.address("hello/staging");
    assert_eq!(get(&address, "/"), "hello v2\n");
    let back = playground.say(&["rollback hello --env staging", "status"]);
    assert!(back.well, "{}{}", back.text, back.errors);
    back.expect("Done: roll back hello v2 → v1 in staging").expect("locked hello/staging by ana");
    assert_eq!(get(&address, "/"), "hello v1\n");
}

fn nobody_approves_their_own_deploy(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let asked = playground.say(&["deploy hello v1 --env prod", "approve op-1", "status hello"]);
    assert!(!asked.well);
    asked
        .expect("@ben Approve? deploy hello nothing → v1 in prod")
        .expect("You asked for it, so someone else must approve");
    asked.expect("op-1 waits for approval").expect_not("Done:");
    let stranger = playground.say(&["/as cy", "approve op-1"]);
    stranger.expect("Refused: cy may not approve here").expect_not("Done:");
    let wrong = playground.say(&["/as ben", &format!("approve op-1 --plan {}", "0".repeat(64))]);
    wrong.expect("That approval names another plan").expect_not("Done:");
    let agreed = playground.say(&["/as ben", "approve op-1", "status hello", "approve op-1"]);
    agreed.expect("Approved op-1 (it is queued)").expect("op-1 cannot be approved any more");
    let seen = playground.say(&["why op-1", "status hello"]);
    seen.expect("op-1 succeeded").expect("approved by ben").expect("1 of 1");
    assert_eq!(get(&seen.address("hello/prod"), "/"), "hello v1\n");
}

fn a_release_that_is_never_ready_leaves_the_old_one_serving(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let failed = playground.say(&["deploy shop v1 --env staging", "deploy shop v3 --env staging", "status shop"]);
    assert!(!failed.well);
    failed.expect("did not answer 200 within 5 s; v1 still serves").expect("The end of its log").expect("[redacted]");
    failed.expect_not("not-a-real-token");
    assert_eq!(get(&failed.address("shop/staging"), "/"), "shop v1\n");
}

fn a_lock_stops_others_and_a_rollback_passes_it(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let said = playground.say(&[
        "deploy hello v1 --env staging",
        "deploy hello v2 --env staging",
        "lock hello --env staging --reason 'load test' --for 1h",
        "/as ben",
        "deploy hello v1 --env staging",
        "rollback hello --env staging",
        "unlock hello --env staging --reason 'it is over'",
        "unlock hello --env staging --reason 'again'",
    ]);
    said.expect("Refused: hello/staging is locked by ana").expect("Done: roll back hello v2 → v1 in staging");
    said.expect("Unlocked hello/staging, which ana had locked").expect("Refused: hello/staging is not locked");
}

fn a_freeze_stops_forward_moves_and_a_rollback_passes_it(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let said = playground.say(&[
        "deploy hello v1 --env staging",
        "deploy hello v2 --env staging",
        "/as cy",
        "freeze staging --reason 'checkout fails'",
        "/as ana",
        "deploy shop v1 --env staging",
        "rollback hello --env staging",
        "thaw staging --reason 'fixed'",
        "deploy shop v1 --env staging",
    ]);
    said.expect("Froze staging")
        .expect("Refused: staging is frozen by cy")
        .expect("Done: roll back hello v2 → v1 in staging");
    said.expect("Thawed staging").expect("Done: deploy shop nothing → v1 in staging");
}

fn a_version_rolled_back_is_held(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let said = playground.say(&[
        "deploy hello v1 --env staging",
        "deploy hello v2 --env staging",
        "rollback hello --env staging",
        "deploy hello v2 --env staging",
        "deploy hello v2 --env staging --again",
        "deploy hello v2 --env staging --again --reason 'it was the network'",
    ]);
    said.expect("v2 was rolled back from hello/staging").expect("`--again` needs a reason");
    said.expect_times("└ ✓ @ana Done: deploy hello v1 → v2 in staging", 2);
}

fn a_dry_run_changes_nothing(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let said =
        playground.say(&["deploy hello v1 --env prod --dry-run", "can deploy hello v1 --env prod", "status hello"]);
    assert!(said.well, "{}{}", said.text, said.errors);
    said.expect("Dry run: deploy hello nothing → v1 in prod")
        .expect("Nothing was changed")
        .expect("Yes, with 1 approval");
    said.expect_not("op-1");
}

fn an_operation_is_denied_or_cancelled_for_good(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let said = playground.say(&[
        "deploy hello v1 --env prod",
        "deploy shop v1 --env prod",
        "cancel op-2",
        "/as ben",
        "deny op-1 --reason 'not on a Friday'",
        "approve op-1",
        "approve op-2",
        "status",
    ]);
    said.expect("Denied by ben: deploy hello nothing → v1 in prod")
        .expect("Cancelled by ana: deploy shop nothing → v1 in prod");
    said.expect("op-1 cannot be approved any more: denied").expect("op-2 cannot be approved any more: cancelled");
    said.expect_not("Done:");
}

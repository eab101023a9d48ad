//! Several rooms and lives of the bot in one story.

use std::time::Duration;

use andon_tests::{Playground, Scene};

use crate::{PROGRAM, everywhere};

everywhere! {
    a_request_nobody_approves_expires,
    a_restart_forgets_nothing,
    a_button_that_comes_too_late_shows_how_it_stands,
    what_ends_by_itself_is_told,
    a_service_that_dies_later_is_told,
    two_people_have_to_agree_where_two_are_needed,
}

pub(crate) fn a_request_nobody_approves_expires(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    let change = "deploy hello nothing → v1 in prod";
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", change);
    room.fast_forward(Duration::from_secs(29 * 60)).say("ben", "why op-1").expect("op-1 waits for approval");
    room.fast_forward(Duration::from_secs(2 * 60));
    room.expect(&format!("Expired, nobody approved in time: {change}")).expect("└ · @ana Expired");
    room.say("ben", "approve op-1").expect("Refused: op-1 cannot be approved any more: expired");
    room.close();
}

pub(crate) fn a_restart_forgets_nothing(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", "deploy hello nothing → v1 in prod");
    room.restart().say("ben", "approve op-1").expect("✓ Approved op-1").expect("… Queued: deploy hello");
    room.expect("✓ Done: deploy hello nothing → v1 in prod").expect("└ ✓ @ana Done");
    room.kill().say("ana", "status hello").expect("hello/prod");
    room.close();
}

fn a_button_that_comes_too_late_shows_how_it_stands(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    let change = "deploy hello nothing → v1 in prod";
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", change);
    room.say("ben", "deny op-1 --reason later").expect("· Denied by ben").expect("✗ Denied by ben").expect("└ ✗ @ana");
    for (person, label) in [("ben", "Approve"), ("ana", "Cancel")] {
        // The room has forgotten what it showed: whoever looks at it sees an old card.
        room.restart().say("cy", "whoami").expect("You are cy").click(person, label);
        room.expect("Refused: op-1 cannot be ").expect("any more: denied");
        room.expect("✗ Denied by ben: deploy hello nothing → v1 in prod. Reason: later\n  operation   op-1");
    }
    assert_eq!(playground.orders("hello/prod"), 0);
    room.close();
}

pub(crate) fn what_ends_by_itself_is_told(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "lock hello --env prod --reason 'load test' --for 1h").expect("Locked hello/prod");
    room.say("cy", "freeze staging --reason 'checkout fails' --for 2h").expect("Froze staging");
    room.fast_forward(Duration::from_secs(3_660)).expect("@ana The lock on hello/prod has expired").expect("load test");
    room.fast_forward(Duration::from_secs(3_600)).expect("@cy The freeze of staging has expired");
    room.say("ben", "deploy hello v1 --env staging").expect_done("ben", "deploy hello nothing → v1 in staging");
    room.say("ben", "audit search --outcome expired").expect("2 records");
    room.close();
}

fn a_service_that_dies_later_is_told(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.go_to("slack:T0PLAY/deploys");
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", "deploy hello nothing → v1 in staging");
    room.say("ana", "deploy hello v2 --env staging").expect_done("ana", "deploy hello v1 → v2 in staging");
    playground.kill_service("hello/staging");
    room.go_to("lobby").fast_forward(Duration::from_secs(10));
    room.expect("[slack:T0PLAY/deploys]\n✗ hello v2 in staging has ended, and was started again")
        .expect("by ana with op-2");
    room.fast_forward(Duration::from_secs(90)).expect("[slack:T0PLAY/deploys]\n✓ hello v2 in staging is healthy again");
    room.say("cy", "audit search --outcome ended").expect("1 record");
    room.say("cy", "audit search --outcome healthy").expect("1 record");
    room.close();
}

/// A service of its own room, for which two of its reviewers have to agree.
pub(crate) const VAULT: &str = r#"
[teams.reviewers]
members = ["ben", "cy"]
[services.vault]
owners = ["makers"]
approvers = ["reviewers"]
[services.vault.environments.prod]
deployer = "local"
artifacts = "$ARTIFACTS/hello"
approvals = 2
[[rooms]]
room = "slack:T0PLAY/vault"
services = ["vault"]
"#;

pub(crate) fn two_people_have_to_agree_where_two_are_needed(scene: Scene) {
    let playground = Playground::with(PROGRAM, scene, VAULT);
    let mut room = playground.open();
    let change = "deploy vault nothing → v1 in prod";
    room.say("ana", "deploy vault v1 --env prod")
        .expect(&format!("? Approve? {change}"))
        .expect("└ ? @ben @cy Approve?");
    // Whoever can agree hears of it where the service's cards are.
    room.expect(&format!("[slack:T0PLAY/vault]\n? Approve? {change}"))
        .expect("[slack:T0PLAY/vault]\n  └ ? @ben @cy Approve?");
    room.say("ben", "approve op-1").expect("Approved op-1 (1 of 2)").expect("1 of 2: ben");
    room.say("ben", "approve op-1").expect("Refused: You have approved it already");
    room.go_to("discord:ops").say("ben", "approve op-1").expect("Refused: You have approved it already");
    room.say("ana", "approve op-1").expect("Refused: ana may not approve here");
    assert_eq!(playground.orders("vault/prod"), 0);
    room.go_to("slack:T0PLAY/vault").say("cy", "approve op-1").expect("Approved op-1 (it is queued)");
    room.expect("2 of 2: ben, cy").expect(&format!("✓ Done: {change}")).expect("└ ✓ @ana Done");
    room.read_all().close();
}

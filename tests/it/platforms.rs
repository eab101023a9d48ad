//! Several platforms in one story: played in the terminal room, where all of them are.

use andon_tests::{Playground, Scene};

use crate::{PROGRAM, both};

// In Slack there is one platform; `tests/it/slack/identity.rs` has its workspaces.
both! {
    one_person_is_one_person_on_every_platform,
    an_account_of_another_workspace_is_nobody,
}

fn one_person_is_one_person_on_every_platform(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    let change = "deploy hello nothing → v1 in prod";
    room.go_to("slack:T0PLAY/deploys").say("ana", "deploy hello v1 --env prod").expect_asked("ben", change);
    for place in ["discord:ops", "lobby"] {
        room.go_to(place).click("ana", "Approve").expect("Refused: You asked for it, so someone else must approve");
    }
    room.go_to("discord:ops").click("ben", "Approve").expect("[discord:ops]\n✓ Approved op-1");
    room.expect(&format!("[slack:T0PLAY/deploys]\n… Queued: {change}"));
    room.expect(&format!("[slack:T0PLAY/deploys]\n✓ Done: {change}")).expect("└ ✓ @ana Done");
    room.close();
}

fn an_account_of_another_workspace_is_nobody(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.go_to("slack:T0OTHER/deploys")
        .say("ana", "deploy hello v1 --env staging")
        .expect("Refused: I do not know you");
    room.go_to("console:lobby").say("ana", "whoami").expect("ana");
    room.close();
}

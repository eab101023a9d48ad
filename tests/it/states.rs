//! `kill -9` in every state of an operation: what waited waits on, what ran is looked up, what had ended stays ended, and what nobody can
//! tell is put before a person.

use std::collections::BTreeMap;
use std::time::Duration;

use andon_core::OperationState;
use andon_engine::Point;
use andon_tests::{Playground, Scene, Session, tell};

use crate::{PROGRAM, everywhere};

everywhere! { the_story_ends_right_in_whatever_state_the_bot_is_killed }

const HELLO: &str = "deploy hello v1 --env prod";
const CHANGE: &str = "deploy hello nothing → v1 in prod";

/// Brings an operation into a state, kills the bot there, and sees the story to its end.
type Story = fn(&Playground, &mut Session<'_>);

const STORIES: [Story; 9] = [waiting, queued, running, succeeded, failed, cancelled, expired, denied, unknown];

pub(crate) fn the_story_ends_right_in_whatever_state_the_bot_is_killed(scene: Scene) {
    let kills = std::thread::scope(|scope| {
        let stories = STORIES.map(|story| {
            scope.spawn(move || {
                let playground = Playground::new(PROGRAM, scene);
                let mut room = playground.open();
                story(&playground, &mut room);
                room.close();
                room.kills().to_vec()
            })
        });
        let kills = stories.into_iter().flat_map(|story| story.join().expect("the story ended right"));
        kills.fold(BTreeMap::<String, usize>::new(), |mut kills, state| {
            *kills.entry(state).or_default() += 1;
            kills
        })
    });
    // As the database had it when the bot was dead, whatever the stories mean to do.
    tell(&format!("kills by state in {scene:?}: {kills:?}"));
    // A change that the backend undoes by itself is nothing that the local deployer does.
    let states = OperationState::ALL.iter().filter(|state| **state != OperationState::RolledBack);
    let missing: Vec<_> = states.filter(|state| !kills.contains_key(state.as_str())).collect();
    assert!(missing.is_empty(), "no kill in {missing:?}");
}

fn waiting(_: &Playground, room: &mut Session<'_>) {
    room.say("ana", HELLO).expect_asked("ben", CHANGE);
    room.kill().say("ben", "why op-1").expect("op-1 waits for approval");
    room.say("ben", "approve op-1")
        .expect("✓ Approved op-1")
        .expect("… Queued")
        .expect("✓ Done: ")
        .expect("└ ✓ @ana Done");
}

fn queued(playground: &Playground, room: &mut Session<'_>) {
    room.die_at(Point::Replanned).begin("ana", "deploy hello v1 --env staging").dies().revive();
    room.expect("✓ Done: deploy hello nothing → v1 in staging").expect("└ ✓ @ana Done");
    assert_eq!(playground.orders("hello/staging"), 1);
}

fn running(playground: &Playground, room: &mut Session<'_>) {
    playground.stop_keepers_clock();
    room.begin("ana", "deploy hello v3 --env staging").expect("waiting until it is ready");
    room.end_by_kill();
    playground.start_keepers_clock();
    room.revive().expect("Failed: deploy hello nothing → v3 in staging").expect("└ ✗ @ana Failed");
    assert_eq!(playground.orders("hello/staging"), 1);
}

fn succeeded(playground: &Playground, room: &mut Session<'_>) {
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", "deploy hello nothing → v1 in staging");
    room.kill().say("ana", "why op-1").expect("op-1 succeeded");
    assert_eq!(playground.orders("hello/staging"), 1);
}

fn failed(playground: &Playground, room: &mut Session<'_>) {
    room.say("ana", "deploy hello v3 --env staging").expect("… Queued").expect("✗ Failed: ").expect("└ ✗ @ana Failed");
    room.kill().say("ana", "why op-1").expect("op-1 failed");
    assert_eq!(playground.orders("hello/staging"), 1);
}

fn cancelled(_: &Playground, room: &mut Session<'_>) {
    room.say("ana", HELLO).expect_asked("ben", CHANGE);
    room.say("ben", "cancel op-1 --reason 'wrong day'").expect("· Cancelled by ben").expect("Reason: wrong day");
    room.expect("└ · @ana Cancelled by ben");
    room.kill().say("ben", "approve op-1").expect("op-1 cannot be approved any more: cancelled");
}

fn expired(_: &Playground, room: &mut Session<'_>) {
    room.say("ana", HELLO).expect_asked("ben", CHANGE);
    room.fast_forward(Duration::from_secs(1_900)).expect("Expired, nobody approved").expect("└ · @ana Expired");
    room.kill().say("ben", "approve op-1").expect("op-1 cannot be approved any more: expired");
}

fn denied(_: &Playground, room: &mut Session<'_>) {
    room.say("ana", HELLO).expect_asked("ben", CHANGE);
    room.say("ben", "deny op-1 --reason 'not today'").expect("✗ Denied by ben").expect("Reason: not today");
    room.expect("└ ✗ @ana Denied").kill();
    room.say("ben", "approve op-1").expect("op-1 cannot be approved any more: denied");
}

fn unknown(playground: &Playground, room: &mut Session<'_>) {
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", "deploy hello nothing → v1 in staging");
    playground.leave_unknown(room, "deploy hello v3 --env staging");
    room.kill().say("ana", "status hello").expect("op-2 unknown");
    room.say("ben", "deploy hello v2 --env staging").expect("Refused: ").expect("op-2");
    room.say("ben", "settle op-2 failed --reason 'v1 serves'")
        .expect("Settled as failed by ben")
        .expect("└ ✗ @ana Settled");
    room.say("ana", "deploy hello v2 --env staging").expect_done("ana", "deploy hello v1 → v2 in staging");
}

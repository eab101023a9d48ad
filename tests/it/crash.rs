//! `kill -9` at every named point of the pipeline, and at random: nothing accepted is lost, nothing runs twice, the services never notice,
//! the trail holds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use andon_engine::Point;
use andon_tests::{Playground, Scene, Session, address, get, tell, until};

use crate::{PROGRAM, everywhere};

everywhere! {
    a_deploy_ends_right_wherever_the_bot_is_killed,
    a_rollback_ends_right_wherever_the_bot_is_killed,
    an_approval_ends_right_wherever_the_bot_is_killed,
    an_act_ends_right_wherever_the_bot_is_killed,
    a_second_kill_changes_nothing,
    a_deploy_ends_right_whenever_the_bot_is_killed,
    services_outlive_the_bot,
}

/// The points that every operation comes to once it is queued, in order.
const RUNNING: [Point; 8] = [
    Point::Replanned,
    Point::Started,
    Point::Signing,
    Point::Covered,
    Point::Said,
    Point::Drawn,
    Point::Observed,
    Point::Finished,
];

/// The points that an act comes to.
const ACT: [Point; 4] = [Point::Acknowledged, Point::Accepted, Point::Planned, Point::Applied];

/// The points that a deploy comes to: all but those of acts, and of a life after a kill. A new point is killed at without being named here.
fn deploying() -> impl Iterator<Item = Point> {
    Point::ALL.iter().copied().filter(|point| !matches!(point, Point::Applied | Point::Resumed))
}

#[test]
fn every_point_is_killed_at() {
    // Each story fails where the bot is not killed at its point.
    let killed: BTreeSet<Point> = deploying().chain(ACT).chain([Point::Resumed]).collect();
    assert_eq!(killed, Point::ALL.iter().copied().collect());
}

/// How many stories are told at a time: they wait more than they work.
const AT_A_TIME: usize = 4;

/// Tells a story for each point.
fn at_each(points: impl Iterator<Item = Point>, story: impl Fn(Point) + Sync) {
    let points: Vec<_> = points.collect();
    for points in points.chunks(AT_A_TIME) {
        std::thread::scope(|scope| points.iter().for_each(|point| drop(scope.spawn(|| story(*point)))));
    }
}

fn a_deploy_ends_right_wherever_the_bot_is_killed(scene: Scene) {
    at_each(deploying(), |point| {
        let playground = Playground::new(PROGRAM, scene);
        let mut room = playground.open();
        room.die_at(point).begin("ana", "deploy hello v1 --env staging").dies().revive();
        expect_once(&playground, &mut room, point, "deploy hello nothing → v1 in staging", "hello/staging");
    });
}

fn a_rollback_ends_right_wherever_the_bot_is_killed(scene: Scene) {
    at_each([Point::Accepted, Point::Planned, Point::Reserved].into_iter().chain(RUNNING), |point| {
        let playground = Playground::new(PROGRAM, scene);
        let mut room = playground.open();
        room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", "deploy hello nothing → v1 in prod");
        room.say("ben", "approve op-1").expect("Approved op-1").expect("… Queued").expect("✓ Done").expect("└ ✓ @ana");
        room.say("ana", "deploy hello v2 --env prod").expect_asked("ben", "deploy hello v1 → v2 in prod");
        room.say("ben", "approve op-2").expect("Approved op-2").expect("… Queued").expect("✓ Done").expect("└ ✓ @ana");
        room.die_at(point).begin("ana", "rollback hello --env prod").dies().revive();
        let change = "roll back hello v2 → v1 in prod";
        room.expect(&format!("✓ Done: {change}")).expect("└ ✓ @ana Done");
        room.say("cy", "history hello").expect("hello has 3 changes");
        assert_eq!(playground.orders("hello/prod"), 3, "{point:?}");
        room.say("cy", "status hello").expect("locked hello/prod by ana");
        room.close();
    });
}

fn an_approval_ends_right_wherever_the_bot_is_killed(scene: Scene) {
    at_each(ACT.into_iter().chain(RUNNING), |point| {
        let playground = Playground::new(PROGRAM, scene);
        let mut room = playground.open();
        let change = "deploy hello nothing → v1 in prod";
        room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", change);
        room.die_at(point).begin("ben", "approve op-1").dies().revive();
        expect_once(&playground, &mut room, point, change, "hello/prod");
    });
}

/// What waits in the outbox at a kill may be said after it; what was done is done once.
fn an_act_ends_right_wherever_the_bot_is_killed(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    for (points, line, undo, shown) in [
        (
            &ACT[..],
            "lock hello --env prod --reason a",
            "unlock hello --env prod --reason b",
            "locked hello/prod by ana",
        ),
        (&[Point::Applied], "freeze staging --reason a", "thaw staging --reason b", "frozen staging by ana"),
    ] {
        for point in points {
            room.die_at(*point).begin("ana", line).dies().revive();
            // Taken up again by whoever sweeps.
            until("it is done", || room.say("cy", "status").expect("  target ").seen().contains(shown));
            assert_eq!(room.seen().matches(shown).count(), 1, "{point:?}: {line}");
            room.read_all();
            room.say("ana", undo).expect("✓ ");
            room.say("cy", "status").expect("  target ").expect_not(shown);
        }
        let records = playground.records(&["--command", line.split(' ').next().expect("a command")]);
        assert_eq!(kinds(&records), [("applied", points.len()), ("asked", points.len())].into(), "{line}");
    }
    room.close();
}

/// How many records there are of each kind.
fn kinds(records: &[serde_json::Value]) -> BTreeMap<&str, usize> {
    let kinds = records.iter().filter_map(|record| record["kind"].as_str());
    kinds.fold(BTreeMap::new(), |mut kinds, kind| {
        *kinds.entry(kind).or_default() += 1;
        kinds
    })
}

/// Killed while it runs, the bot is killed again just as it takes the operation up.
pub(crate) fn a_second_kill_changes_nothing(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.die_at(Point::Covered).begin("ana", "deploy hello v1 --env staging").dies();
    room.revive_to_die_at(Point::Resumed).dies().revive();
    assert_eq!(room.kills(), ["running", "running"]);
    expect_once(&playground, &mut room, Point::Resumed, "deploy hello nothing → v1 in staging", "hello/staging");
}

/// The operation succeeds, once, and everything of it is told.
fn expect_once(playground: &Playground, room: &mut Session<'_>, point: Point, change: &str, target: &str) {
    room.say("cy", "status hello").expect("hello/");
    // Where the last words came out before the end, they are not said again.
    if !room.transcript().contains("└ ✓ @ana Done") {
        room.expect(&format!("✓ Done: {change}")).expect("└ ✓ @ana Done");
    }
    // How much of the rest was said before the end and how much after it differs from point to point.
    room.read_all();
    room.say("cy", "history hello").expect("hello has 1 changes").expect("succeeded");
    assert_eq!(playground.orders(target), 1, "{point:?}");
    room.say("cy", "status hello").expect(target);
    assert_eq!(get(&address(&room.seen(), target), "/"), "hello v1\n", "{point:?}");
    room.close();
}

/// How often the bot is killed at random, and within which time after a line was said.
const KILLS: u64 = 12;
const WITHIN_MILLISECONDS: u64 = 1_800;

/// Moments, drawn anew in each run: one in each part of the time, so that every run has early ones and late ones, in an order of its own.
fn moments(seed: u64) -> Vec<u64> {
    let part = WITHIN_MILLISECONDS / KILLS;
    let mut drawn: Vec<_> =
        (0..KILLS).map(|kill| (dice(seed, kill), kill * part + dice(seed, KILLS + kill) % part)).collect();
    drawn.sort_unstable();
    drawn.into_iter().map(|(_, moment)| moment).collect()
}

/// A number that follows from a seed and a place, and looks like no other (splitmix64).
pub(crate) const fn dice(seed: u64, place: u64) -> u64 {
    let mut number = seed.wrapping_add(place.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// `ANDON_TEST_SEED` repeats a run.
pub(crate) fn seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    let named = std::env::var("ANDON_TEST_SEED").ok().map(|seed| seed.parse().expect("ANDON_TEST_SEED is a number"));
    named.unwrap_or_else(|| RandomState::new().hash_one("moments"))
}

fn a_deploy_ends_right_whenever_the_bot_is_killed(scene: Scene) {
    let seed = seed();
    tell(&format!("random kills in {scene:?}: ANDON_TEST_SEED={seed}"));
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    let mut hits = 0;
    for moment in moments(seed) {
        room.begin("ana", "deploy hello v1 --env staging").begin_unheard("deploy hello v2 --env staging");
        std::thread::sleep(Duration::from_millis(moment));
        room.end_by_kill();
        hits += usize::from(!playground.raw().rows(UNDER_WAY).is_empty());
        room.revive().say("ana", "why op-1").read_all();
    }
    tell(&format!("random kills in {scene:?}: {hits} of {KILLS} hit something accepted, at {:?}", room.kills()));
    assert!(hits > 0, "no kill hit anything: {:?}", moments(seed));
    let unfinished = |status: &str| status.contains("- op-");
    until("all has its end", || !unfinished(&room.say("cy", "status").expect("hello/staging").seen()));
    // What was said of the last ones has been said before this is answered.
    room.say("cy", "status").expect("hello/staging").read_all().close();
    assert_eq!(playground.raw().rows(LOST), Vec::<String>::new(), "accepted, and without an end");
    let started: BTreeSet<_> = playground.raw().rows(STARTED).into_iter().collect();
    assert_eq!(
        playground.orders("hello/staging"),
        started.len(),
        "an operation that started has one order, and no other has"
    );
    assert_eq!(playground.raw().rows(STARTED).len(), started.len(), "nothing starts twice");
}

/// What was accepted and is not at its end.
const UNDER_WAY: &str = "select id from invocations where state = 'accepted'
    union all select id from operations where state in ('queued', 'running')";

/// Every operation that was started, by its records.
const STARTED: &str = "select operation from records where kind = 'started'";

/// What was asked, and by the records was neither answered nor refused nor done.
const LOST: &str = "select asked.invocation from records asked where asked.kind = 'asked' and not exists (
    select 1 from records ended where ended.invocation = asked.invocation
    and ended.kind in ('answered', 'applied', 'denied', 'finished', 'expired', 'cancelled'))";

pub(crate) fn services_outlive_the_bot(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", "deploy hello nothing → v1 in staging");
    room.say("ana", "status hello").expect("hello/staging");
    let before = room.seen();
    room.die_at(Point::Started).begin("ana", "deploy shop v1 --env staging").dies();
    // There is no bot now.
    assert_eq!(get(&address(&before, "hello/staging"), "/"), "hello v1\n");
    let pid = before.lines().find_map(|line| line.split("pid ").nth(1)).expect("a pid");
    let pid: String = pid.chars().take_while(char::is_ascii_digit).collect();
    assert!(std::fs::exists(format!("/proc/{pid}")).expect("there is /proc"), "{pid} is gone");
    room.revive().expect("✓ Done: deploy shop nothing → v1 in staging").expect("└ ✓ @ana Done");
    room.say("ana", "status hello").expect("hello/staging");
    let line = |seen: &str| seen.lines().find(|line| line.contains("pid ")).map(str::to_owned);
    assert_eq!(line(&room.seen()), line(&before), "the same process at the same address");
    room.close();
}

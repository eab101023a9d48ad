//! Every command, for whoever may use it; and every change against every gate. A command that is added without a line here fails.

use std::collections::BTreeSet;

use andon_commands::COMMANDS;
use andon_core::{CommandSpec, EffectKind};
use andon_engine::Grammar;
use andon_tests::{Playground, Scene, Session};

use crate::{PROGRAM, everywhere};

everywhere! {
    every_command_is_allowed_to_whom_it_belongs,
    nobody_approves_their_own_change,
    every_command_meets_a_lock,
    every_command_meets_a_freeze,
    a_dry_run_of_every_change_changes_nothing,
}

/// Two versions in staging and one in prod: something to roll back, to lock, and to speak of.
fn prepare(room: &mut Session<'_>) {
    room.say("ana", "deploy hello v1 --env staging").expect_done("ana", "deploy hello nothing → v1 in staging");
    room.say("ana", "deploy hello v2 --env staging").expect_done("ana", "deploy hello v1 → v2 in staging");
}

/// Lines by somebody who may, and what is answered, in an order that makes each possible.
const ALLOWED: [(&str, &str, &[&str]); 25] = [
    ("cy", "help", &["deploy"]),
    ("cy", "whoami", &["You are cy"]),
    ("cy", "status", &["targets"]),
    ("cy", "versions hello", &["v2"]),
    ("cy", "history hello", &["hello has 2 changes"]),
    ("cy", "why op-1", &["op-1 succeeded"]),
    ("cy", "can deploy hello v1 --env prod", &["No"]),
    ("cy", "audit search", &["records"]),
    ("cy", "audit show #0", &["opened"]),
    ("cy", "audit verify", &["holds together"]),
    ("cy", "freeze prod --reason 'checkout fails'", &["Froze prod"]),
    ("ana", "thaw prod --reason 'the fix is live'", &["Thawed prod"]),
    ("ana", "lock hello --env prod --reason test", &["Locked hello/prod"]),
    ("ben", "unlock hello --env prod --reason done", &["Unlocked hello/prod"]),
    ("ana", "deploy hello v1 --env prod", &["? Approve?", "└ ? @ben"]),
    ("ben", "deny op-3 --reason later", &["· Denied by ben", "✗ Denied by ben", "└ ✗ @ana"]),
    ("ana", "deploy hello v1 --env prod", &["? Approve?", "└ ? @ben"]),
    ("ana", "cancel op-4", &["Cancelled by ana"]),
    ("ana", "deploy hello v1 --env prod", &["? Approve?", "└ ? @ben"]),
    ("ben", "approve op-5", &["Approved op-5", "… Queued", "✓ Done", "└ ✓ @ana"]),
    ("ben", "approve op-5", &["Refused: op-5 cannot be approved any more"]),
    ("ana", "settle op-5 failed --reason look", &["Refused: op-5 cannot be settled any more"]),
    ("ana", "rollback hello --env staging", &["… Queued", "✓ Done", "└ ✓ @ana"]),
    ("ana", "deploy hello v1 --env staging", &["Refused: hello v1 is live in staging already"]),
    ("ana", "status hello", &["locked hello/staging by ana"]),
];

/// Said of an operation whose end nobody can tell, which takes more than a line to come to.
const SETTLE: &str = "settle op-7 failed --reason 'nothing serves'";

/// The specs of which no line is said. Words are compared, since `cancel` begins as `can` does.
fn unsaid<'a>(specs: &'a [CommandSpec], lines: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let said: Vec<Vec<_>> = lines.into_iter().map(|line| line.split(' ').collect()).collect();
    let is_said = |spec: &&CommandSpec| said.iter().any(|words| words.iter().take(spec.path.len()).eq(&spec.path));
    specs.iter().filter(|spec| !is_said(spec)).map(|spec| spec.path.join(" ")).collect()
}

/// The kinds of records that tell how a command ended which went through.
fn ends(spec: &CommandSpec) -> &'static [&'static str] {
    match (spec.effect, spec.path.join(" ").as_str()) {
        (EffectKind::Read, _) => &["answered"],
        (EffectKind::Operation, _) => &["planned", "started", "finished"],
        (EffectKind::Act, "approve") => &["approved"],
        (EffectKind::Act, "deny") => &["objected"],
        (EffectKind::Act, "cancel") => &["cancelled"],
        (EffectKind::Act, "settle") => &["settled"],
        (EffectKind::Act, _) => &["applied"],
    }
}

/// Commands, each with the kind of one of its records; an operation's records count for the command that planned it.
const RECORDED: &str = "select command || ' ' || kind from records where command is not null
    union select planned.command || ' ' || later.kind from records planned join records later on later.operation = planned.operation
    where planned.kind = 'planned'";

fn every_command_is_allowed_to_whom_it_belongs(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    prepare(&mut room);
    for (person, line, answers) in ALLOWED {
        room.say(person, line);
        for answer in answers {
            room.expect(answer);
        }
    }
    playground.leave_unknown(&mut room, "deploy shop v3 --env staging");
    room.say("ben", SETTLE).expect("Settled as failed by ben").expect("└ ✗ @ana Settled");
    room.close();
    let grammar = Grammar::new(COMMANDS);
    let unsaid = unsaid(grammar.specs(), ALLOWED.iter().map(|(_, line, _)| *line).chain([SETTLE]));
    assert!(unsaid.is_empty(), "no line for {unsaid:?}");
    let recorded: BTreeSet<_> = playground.raw().rows(RECORDED).into_iter().collect();
    for spec in grammar.specs() {
        for kind in ["asked"].iter().chain(ends(spec)) {
            let wanted = format!("{} {kind}", spec.path.join(" "));
            assert!(recorded.contains(&wanted), "{wanted:?} is not on record: {recorded:?}");
        }
    }
}

/// For every operation a line that needs an approval in production, given what [`prepare_prod`] has done.
fn guarded(path: &str) -> &'static str {
    match path {
        "deploy" => "deploy hello v2 --env prod --again --reason test",
        // Not to the release just before: that needs no approval.
        "rollback" => "rollback hello --env prod --to v2",
        other => panic!("no line for {other}"),
    }
}

/// What comes of a line on a target that somebody else has locked, or that is frozen.
struct Held {
    person: &'static str,
    line: &'static str,
    /// Shown where ana has locked the target.
    locked: &'static [&'static str],
    /// Shown where cy has frozen it.
    frozen: &'static [&'static str],
}

const fn held(
    person: &'static str,
    line: &'static str,
    locked: &'static [&'static str],
    frozen: &'static [&'static str],
) -> Held {
    Held { person, line, locked, frozen }
}

/// What neither a lock nor a freeze is about.
const fn free(person: &'static str, line: &'static str, shown: &'static [&'static str]) -> Held {
    held(person, line, shown, shown)
}

/// A line for every command, given what [`prepare_held`] has done.
const HELD: [Held; 20] = [
    free("cy", "help", &["deploy"]),
    free("cy", "whoami", &["You are cy"]),
    free("cy", "versions hello", &["v2"]),
    free("cy", "history hello", &["hello has 5 changes"]),
    free("cy", "why op-1", &["op-1 succeeded"]),
    free("cy", "audit search", &["records"]),
    free("cy", "audit show #0", &["opened"]),
    free("cy", "audit verify", &["holds together"]),
    held("cy", "status hello", &["locked hello/staging by ana"], &["frozen staging by cy"]),
    held("ben", "can deploy hello v1 --env staging", &["hello/staging is locked by ana"], &["staging is frozen by cy"]),
    held(
        "ben",
        "deploy hello v1 --env staging",
        &["Refused: hello/staging is locked by ana", "load test"],
        &["Refused: staging is frozen by cy", "load test"],
    ),
    // A lock keeps others from locking; a freeze does not, and neither keeps an owner from letting go of a lock.
    held(
        "ben",
        "lock shop --env staging --reason test",
        &["Refused: shop/staging is locked by ana"],
        &["Locked shop/staging"],
    ),
    held(
        "ben",
        "unlock shop --env staging --reason test",
        &["Unlocked shop/staging, which ana had locked"],
        &["Unlocked shop/staging, which ben had locked"],
    ),
    // The cord can be pulled, and let go, whoever holds what.
    free("cy", "freeze hello/staging --reason test", &["Froze hello/staging"]),
    free("cy", "thaw hello/staging --reason test", &["Thawed hello/staging"]),
    // What was asked before is approved all the same; the gate is decided again when it is about to start.
    held(
        "ana",
        "approve op-4",
        &["Approved op-4", "… Queued", "✗ Not started: ", "└ ✗ @ben Not started", "hello/prod is locked by ana"],
        &["Approved op-4", "… Queued", "✗ Not started: ", "└ ✗ @ben Not started", "prod is frozen by cy"],
    ),
    free("ana", "deny op-5 --reason later", &["· Denied by ana", "✗ Denied by ana", "└ ✗ @ben"]),
    free("ben", "cancel op-6", &["Cancelled by ben"]),
    free("ben", "settle op-3 failed --reason 'nothing serves'", &["Settled as failed by ben", "└ ✗ @ana Settled"]),
    held(
        "ben",
        "rollback hello --env staging",
        &["exempt: hello/staging is locked", "… Queued", "✓ Done", "└ ✓ @ben"],
        &["exempt: staging is frozen", "… Queued", "✓ Done", "└ ✓ @ben"],
    ),
];

/// Two versions in staging, op-3 of which nobody knows how it ended, and three of ben's changes that wait for ana.
fn prepare_held(playground: &Playground, room: &mut Session<'_>) {
    prepare(room);
    playground.leave_unknown(room, "deploy shop v3 --env staging");
    for _ in 0..3 {
        room.say("ben", "deploy hello v1 --env prod").expect_asked("ana", "deploy hello nothing → v1 in prod");
    }
}

fn expect_held(room: &mut Session<'_>, shown: impl Fn(&Held) -> &'static [&'static str]) {
    for row in &HELD {
        room.say(row.person, row.line);
        for text in shown(row) {
            room.expect(text);
        }
    }
    let grammar = Grammar::new(COMMANDS);
    let unsaid = unsaid(grammar.specs(), HELD.iter().map(|row| row.line));
    assert!(unsaid.is_empty(), "no line for {unsaid:?}");
}

fn every_command_meets_a_lock(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    prepare_held(&playground, &mut room);
    for target in ["hello --env staging", "hello --env prod", "shop --env staging"] {
        room.say("ana", &format!("lock {target} --reason 'load test'")).expect("Locked ");
    }
    expect_held(&mut room, |row| row.locked);
    assert_eq!((playground.orders("hello/staging"), playground.orders("hello/prod")), (3, 0));
    room.close();
}

fn every_command_meets_a_freeze(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    prepare_held(&playground, &mut room);
    for scope in ["staging", "prod"] {
        room.say("cy", &format!("freeze {scope} --reason 'load test'")).expect("Froze ");
    }
    expect_held(&mut room, |row| row.frozen);
    assert_eq!((playground.orders("hello/staging"), playground.orders("hello/prod")), (3, 0));
    room.close();
}

fn operations() -> Vec<String> {
    let grammar = Grammar::new(COMMANDS);
    let operations = grammar.specs().iter().filter(|spec| spec.effect == EffectKind::Operation);
    operations.map(|spec| spec.path.join(" ")).collect()
}

pub(crate) fn nobody_approves_their_own_change(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", "deploy hello nothing → v1 in prod");
    room.say("ben", "approve op-1").expect("Approved").expect("… Queued").expect("✓ Done").expect("└ ✓ @ana");
    for (place, path) in operations().iter().enumerate() {
        let operation = format!("op-{}", place + 2);
        room.say("ana", guarded(path)).expect("? Approve?").expect("└ ? @ben Approve?");
        room.say("ana", &format!("approve {operation}")).expect("Refused: You asked for it");
        room.click("ana", "Approve").expect("Refused: You asked for it");
        room.say("ana", &format!("cancel {operation}")).expect("Cancelled by ana");
    }
    room.close();
}

/// A change of every kind, each of which could be made for real, given what the test below prepares.
const DRY: [&str; 10] = [
    "deploy hello v1 --env staging --dry-run",
    "rollback hello --env staging --dry-run",
    "lock hello --env prod --reason test --dry-run",
    "unlock hello --env staging --reason test --dry-run",
    "freeze staging --reason test --dry-run",
    "thaw prod --reason test --dry-run",
    "approve op-4 --dry-run",
    "deny op-4 --dry-run",
    "cancel op-4 --dry-run",
    "settle op-3 failed --reason test --dry-run",
];

fn a_dry_run_of_every_change_changes_nothing(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let mut room = playground.open();
    prepare(&mut room);
    playground.leave_unknown(&mut room, "deploy shop v3 --env staging");
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", "deploy hello nothing → v1 in prod");
    room.say("ben", "lock hello --env staging --reason test").expect("Locked hello/staging");
    room.say("cy", "freeze prod --reason test").expect("Froze prod");
    let look = |room: &mut Session<'_>| {
        room.say("cy", "status").expect("frozen prod by cy").expect("locked hello/staging by ben");
        let status = room.expect("op-3 unknown").expect("op-4 waits for approval").seen();
        let why = room.say("cy", "why op-4").expect("approvals    0 of 1").seen();
        (status, why, playground.orders("hello/staging"), playground.orders("hello/prod"))
    };
    let before = look(&mut room);
    for line in DRY {
        room.say("ben", line).expect("Dry run: ").expect("Nothing was changed");
    }
    assert_eq!(look(&mut room), before);
    let grammar = Grammar::new(COMMANDS);
    let changes: Vec<_> = grammar.specs().iter().filter(|spec| spec.effect != EffectKind::Read).cloned().collect();
    let unsaid = unsaid(&changes, DRY);
    assert!(unsaid.is_empty(), "no line for {unsaid:?}");
    room.leave("op-3").leave("op-4").close();
}

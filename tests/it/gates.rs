//! Every command, for whoever may use it; and every change against every gate. A command that is added without a line here fails.

use std::collections::BTreeSet;

use andon_commands::COMMANDS;
use andon_core::EffectKind;
use andon_engine::Grammar;
use andon_tests::{Database, Playground, Session};

use crate::{PROGRAM, both};

both! {
    every_command_is_allowed_to_whom_it_belongs,
    nobody_approves_their_own_change,
    a_lock_stops_every_change_but_a_rollback,
    a_freeze_stops_every_change_but_a_rollback,
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
    ("cy", "audit verify", &["holds"]),
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

fn every_command_is_allowed_to_whom_it_belongs(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let mut room = playground.open();
    prepare(&mut room);
    for (person, line, answers) in ALLOWED {
        room.say(person, line);
        for answer in answers {
            room.expect(answer);
        }
    }
    room.close();
    let grammar = Grammar::new(COMMANDS);
    let said: BTreeSet<_> = ALLOWED.iter().map(|(_, line, _)| *line).collect();
    let missing: Vec<_> = grammar.specs().iter().map(|spec| spec.path.join(" ")).collect();
    let missing: Vec<_> =
        missing.iter().filter(|path| !said.iter().any(|line| line.starts_with(path.as_str()))).collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
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

/// For every operation a line on a target that is locked or frozen, and whether it passes.
fn held(path: &str) -> (&'static str, bool) {
    match path {
        "deploy" => ("deploy hello v1 --env staging", false),
        "rollback" => ("rollback hello --env staging", true),
        other => panic!("no line for {other}"),
    }
}

fn operations() -> Vec<String> {
    let grammar = Grammar::new(COMMANDS);
    let operations = grammar.specs().iter().filter(|spec| spec.effect == EffectKind::Operation);
    operations.map(|spec| spec.path.join(" ")).collect()
}

fn nobody_approves_their_own_change(database: Database) {
    let playground = Playground::new(PROGRAM, database);
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

fn a_lock_stops_every_change_but_a_rollback(database: Database) {
    for path in operations() {
        let playground = Playground::new(PROGRAM, database);
        let mut room = playground.open();
        prepare(&mut room);
        room.say("ana", "lock hello --env staging --reason 'load test'").expect("Locked hello/staging");
        let (line, passes) = held(&path);
        room.say("ben", line);
        match passes {
            true => room.expect("exempt: hello/staging is locked").expect("✓ Done").expect("└ ✓ @ben"),
            false => room.expect("Refused: hello/staging is locked by ana").expect("load test"),
        };
        room.close();
    }
}

fn a_freeze_stops_every_change_but_a_rollback(database: Database) {
    for path in operations() {
        let playground = Playground::new(PROGRAM, database);
        let mut room = playground.open();
        prepare(&mut room);
        room.say("cy", "freeze staging --reason 'checkout fails'").expect("Froze staging");
        let (line, passes) = held(&path);
        room.say("ben", line);
        match passes {
            true => room.expect("exempt: staging is frozen").expect("✓ Done").expect("└ ✓ @ben"),
            false => room.expect("Refused: staging is frozen by cy").expect("checkout fails"),
        };
        room.close();
    }
}

fn a_dry_run_of_every_change_changes_nothing(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let mut room = playground.open();
    prepare(&mut room);
    room.say("ana", "deploy hello v1 --env prod").expect_asked("ben", "deploy hello nothing → v1 in prod");
    let grammar = Grammar::new(COMMANDS);
    for spec in grammar.specs().iter().filter(|spec| spec.effect != EffectKind::Read) {
        let line = match spec.path.join(" ").as_str() {
            "deploy" => "deploy hello v1 --env staging --dry-run",
            "rollback" => "rollback hello --env staging --dry-run",
            "lock" => "lock hello --env staging --reason test --dry-run",
            "unlock" => "unlock hello --env staging --reason test --dry-run",
            "freeze" => "freeze staging --reason test --dry-run",
            "thaw" => "thaw staging --reason test --dry-run",
            "approve" => "approve op-3 --dry-run",
            "deny" => "deny op-3 --dry-run",
            "cancel" => "cancel op-3 --dry-run",
            "settle" => "settle op-3 failed --reason test --dry-run",
            other => panic!("no line for {other}"),
        };
        // What is refused for real is refused here, and what is not changes nothing.
        room.say("ben", line);
        let seen = room.seen();
        assert!(seen.contains("Dry run: ") || seen.contains("Refused: "), "{line}:\n{seen}");
        room.expect(if seen.contains("Dry run: ") { "Nothing was changed" } else { "Refused: " });
    }
    room.say("ana", "status hello").expect("op-3 waits for approval").expect_not("locked").expect_not("frozen");
    room.leave("op-3").close();
}

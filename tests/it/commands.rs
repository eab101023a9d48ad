//! Every listed command, against whoever may not use it: nothing goes unrecorded, and a stranger gets nothing.

use andon_commands::COMMANDS;
use andon_core::{ArgumentKind, CommandSpec, EffectKind};
use andon_engine::Grammar;
use andon_tests::{Database, Playground};

use crate::{PROGRAM, both};

both! { every_command_is_denied_to_a_stranger_and_recorded, every_change_is_denied_to_a_reader, every_read_is_recorded, bad_input_is_told }

/// A line that is well formed for a command.
fn line(spec: &CommandSpec) -> String {
    let mut words = spec.path.clone();
    for argument in spec.arguments.iter().filter(|argument| argument.required) {
        let value = match (&argument.kind, argument.name.as_str()) {
            (ArgumentKind::Choice(choices), _) => choices[0].clone(),
            (_, "service") => "hello".to_owned(),
            (_, "version") => "v1".to_owned(),
            (_, "env") => "prod".to_owned(),
            (_, "operation") => "op-1".to_owned(),
            (_, "record") => "1".to_owned(),
            (_, _) => "status".to_owned(),
        };
        if argument.positional {
            words.push(value);
        } else {
            words.push(format!("--{} {value}", argument.name));
        }
    }
    if spec.effect != EffectKind::Read {
        words.push("--reason test".to_owned());
    }
    words.join(" ")
}

fn records(playground: &Playground, search: &[&str]) -> Vec<serde_json::Value> {
    let output = playground.run(&[&["audit", "search"], search].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a record")).collect()
}

fn every_command_is_denied_to_a_stranger_and_recorded(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let grammar = Grammar::new(COMMANDS);
    let lines: Vec<_> = grammar.specs().iter().map(line).collect();
    let mut said = vec!["/as mallory"];
    said.extend(lines.iter().map(String::as_str));
    playground.say(&said).expect_times("Refused: I do not know you", lines.len());
    let denied = records(&playground, &["--outcome", "refused"]);
    assert_eq!(denied.len(), lines.len());
    assert!(denied.iter().all(|record| record["kind"] == "denied"
        && record["said"].get("command").is_none_or(|path| path == &serde_json::json!([]))));
}

fn every_change_is_denied_to_a_reader(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    // An operation to speak of, and nothing to be thawed or unlocked by its owner.
    playground.say(&["deploy hello v1 --env prod"]);
    let grammar = Grammar::new(COMMANDS);
    let changes = grammar.specs().iter().filter(|spec| spec.effect != EffectKind::Read);
    // Pulling the cord is everybody's right.
    let changes: Vec<_> = changes.filter(|spec| spec.path != ["freeze"]).collect();
    for spec in &changes {
        let said = playground.say(&["/as cy", &line(spec)]);
        assert!(!said.well, "{}", said.text);
        said.expect(&format!("Refused: cy may not {} here", spec.path.join(" ")));
    }
    let denied = records(&playground, &["--person", "cy", "--outcome", "refused"]);
    assert_eq!(denied.len(), changes.len());
    assert!(
        denied.iter().all(
            |record| record["decision"]["allowed"] == false && record["decision"]["needs"] != serde_json::json!([])
        )
    );
}

fn every_read_is_recorded(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    playground.say(&["deploy hello v1 --env prod"]);
    let grammar = Grammar::new(COMMANDS);
    let reads: Vec<_> = grammar.specs().iter().filter(|spec| spec.effect == EffectKind::Read).collect();
    let lines: Vec<_> = reads.iter().map(|spec| line(spec)).collect();
    let mut said = vec!["/as cy"];
    said.extend(lines.iter().map(String::as_str));
    let transcript = playground.say(&said);
    assert!(transcript.well, "{}{}", transcript.text, transcript.errors);
    for spec in reads {
        let name = spec.path.join(" ");
        let found = records(&playground, &["--person", "cy", "--command", &name]);
        let kinds: Vec<_> = found.iter().map(|record| record["kind"].as_str().unwrap_or_default()).collect();
        assert_eq!(kinds, ["answered", "asked"], "{name}");
    }
}

fn bad_input_is_told(database: Database) {
    let playground = Playground::new(PROGRAM, database);
    let secret = format!("deploy hello v1 --env staging --reason 'token is ghp_{}'", "a".repeat(36));
    let said = playground.say(&[
        "deploy helo v1 --env prod",
        "deploy hello v1 --env prd",
        "deploy hello v9 --env prod",
        "deploy hello latest --env prod",
        "deploy hello v1",
        "deplyo hello v1 --env prod",
        &secret,
        "Deploy Hello v1 —env staging",
    ]);
    said.expect("There is no service helo").expect("did you mean hello?").expect("did you mean prod?");
    said.expect("There is no version v9").expect("`latest` is refused").expect("That also needs --env <ENV>");
    said.expect("did you mean deploy?").expect("name the secret, do not paste it");
    said.expect("Done: deploy hello nothing → v1 in staging");
    let kept = std::fs::read(playground.data().join("andon.db")).unwrap_or_default();
    assert!(!kept.windows(8).any(|bytes| bytes == b"ghp_aaaa"), "the secret was kept");
}

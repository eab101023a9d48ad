//! Every listed command, against whoever may not use it: nothing goes unrecorded, and a stranger gets nothing.

use std::collections::BTreeSet;

use andon_commands::COMMANDS;
use andon_core::{ArgumentKind, CommandSpec, EffectKind};
use andon_engine::{Grammar, policy};
use andon_tests::{Playground, Scene};

use crate::{PROGRAM, everywhere};

everywhere! {
    every_command_is_denied_to_a_stranger_and_recorded,
    every_change_is_denied_to_a_reader,
    every_read_is_recorded,
    help_lists_what_the_asker_may_do,
    bad_input_is_told,
}

/// A line that is well formed for a command.
pub(crate) fn line(spec: &CommandSpec) -> String {
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

pub(crate) fn every_command_is_denied_to_a_stranger_and_recorded(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let grammar = Grammar::new(COMMANDS);
    let lines: Vec<_> = grammar.specs().iter().map(line).collect();
    let mut said = vec!["/as mallory"];
    said.extend(lines.iter().map(String::as_str));
    playground.say(&said).expect_times("Refused: I do not know you", lines.len());
    let denied = playground.records(&["--outcome", "refused"]);
    assert_eq!(denied.len(), lines.len());
    assert!(denied.iter().all(|record| record["kind"] == "denied"
        && record["said"].get("command").is_none_or(|path| path == &serde_json::json!([]))));
}

/// The actions that the default policy permits to every person, on whatever it is.
fn open_to_everybody() -> BTreeSet<&'static str> {
    let (_, text) = policy::DEFAULT;
    let policies = text.split("@id(").skip(1);
    let open = policies.filter(|policy| policy.contains("principal is Person") && !policy.contains("when {"));
    let actions = open.flat_map(|policy| policy.split("Action::\"").skip(1));
    actions.filter_map(|rest| rest.split('"').next()).collect()
}

fn every_change_is_denied_to_a_reader(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    // An operation to speak of, and nothing to be thawed or unlocked by its owner.
    playground.say(&["deploy hello v1 --env prod"]);
    let grammar = Grammar::new(COMMANDS);
    let changes = grammar.specs().iter().filter(|spec| spec.effect != EffectKind::Read);
    let everybody = open_to_everybody();
    let (open, changes): (Vec<_>, Vec<_>) = changes.partition(|spec| everybody.contains(spec.path.join(" ").as_str()));
    let lines: Vec<_> = changes.iter().map(|spec| line(spec)).collect();
    let said = playground.say(&std::iter::once("/as cy").chain(lines.iter().map(String::as_str)).collect::<Vec<_>>());
    for spec in &changes {
        said.expect_times(&format!("Refused: cy may not {} here", spec.path.join(" ")), 1);
    }
    let denied = playground.records(&["--person", "cy", "--outcome", "refused"]);
    assert_eq!(denied.len(), changes.len());
    assert!(
        denied.iter().all(
            |record| record["decision"]["allowed"] == false && record["decision"]["needs"] != serde_json::json!([])
        )
    );
    // Pulling the cord is everybody's right, and nothing else is.
    assert_eq!(open.len(), 1, "{everybody:?}");
    for spec in open {
        let said = playground.say(&["/as cy", &line(spec)]);
        assert!(said.well, "{}", said.text);
    }
}

fn help_lists_what_the_asker_may_do(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
    let said = ["ana", "cy"].map(|person| (person, playground.say(&[&format!("/as {person}"), "help"])));
    let listed = |person: &str, command: &str| {
        let (_, said) = said.iter().find(|(who, _)| *who == person).expect("they asked");
        said.text.lines().any(|line| line.starts_with(&format!("  {command} ")))
    };
    for (person, command, may) in [
        ("ana", "deploy", true),
        ("ana", "rollback", true),
        ("ana", "lock", true),
        ("cy", "deploy", false),
        ("cy", "rollback", false),
        ("cy", "lock", false),
        ("cy", "freeze", true),
        ("cy", "status", true),
    ] {
        assert_eq!(listed(person, command), may, "help says that {person} can {command}");
    }
}

fn every_read_is_recorded(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
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
        let found = playground.records(&["--person", "cy", "--command", &name]);
        let kinds: Vec<_> = found.iter().map(|record| record["kind"].as_str().unwrap_or_default()).collect();
        assert_eq!(kinds, ["answered", "asked"], "{name}");
    }
}

fn bad_input_is_told(scene: Scene) {
    let playground = Playground::new(PROGRAM, scene);
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
    let raw = playground.raw();
    assert!(raw.holds("name the secret, do not paste it"), "what was said is kept");
    assert!(!raw.holds("ghp_aaaa"), "the secret was kept");
}

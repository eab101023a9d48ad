//! The lines that forms stand for.

use andon_core::{ArgumentKind, ArgumentSpec, CommandSpec, EffectKind};
use proptest::prelude::*;

use super::{by_place, can, command, deploy, state, text, values};
use crate::form::quote::straight;
use crate::form::{Values, completion_line, line, line_with_reason};
use crate::render::tests::properties::text as any_text;

fn said<const N: usize>(spec: &CommandSpec, given: [(&str, &str); N]) -> String {
    line(spec, &state(spec, &values(given)))
}

#[test]
fn a_form_stands_for_a_line() {
    let given = [("service", "hello"), ("version", "v2"), ("env", "prod")];
    assert_eq!(said(&deploy(), given), "deploy hello v2 --env prod");
    let given = [("service", "hello"), ("version", "v2"), ("again", "true"), ("env", "prod"), ("reason", "it's\nlate")];
    assert_eq!(said(&deploy(), given), "deploy hello v2 --env prod --again --reason 'it'\\''s\nlate'");
    assert_eq!(said(&deploy(), [("service", ""), ("version", "")]), "deploy");
}

#[test]
fn values_are_never_options() {
    let given = [("service", "--again"), ("version", "v2"), ("reason", "--dry-run"), ("for", "")];
    assert_eq!(said(&deploy(), given), "deploy --reason=--dry-run -- --again v2");
    let given = [("service", "hello --again"), ("version", "‐‐again"), ("reason", "’ --again ’")];
    assert_eq!(said(&deploy(), given), r"deploy --reason ''\'' --again '\''' -- 'hello --again' --again");
    assert_eq!(said(&deploy(), [("version", "v2")]), "deploy '' v2");
}

#[test]
fn the_rest_of_a_line_is_words() {
    assert_eq!(said(&can(), [("words", "deploy hello v2")]), "can deploy hello v2");
    let given = [("words", "lock hello --env prod --reason 'load test'")];
    assert_eq!(said(&can(), given), "can -- lock hello --env prod --reason 'load test'");
    assert_eq!(said(&can(), [("words", "it's")]), r"can 'it'\''s'");
}

#[test]
fn a_reason_goes_with_a_line() {
    assert_eq!(line_with_reason("deny op-2", "too late"), "deny op-2 --reason 'too late'");
    assert_eq!(line_with_reason("deny op-2", " -- "), "deny op-2 --reason=--");
    assert_eq!(line_with_reason("deny op-2", " \u{200b}\n"), "deny op-2");
    assert_eq!(line_with_reason("can -- 'a b' --env", "x"), "can --reason x -- 'a b' --env");
}

#[test]
fn completion_is_asked_with_what_was_chosen() {
    let line = |argument: &str, chosen: &Values, typed: &str| completion_line(&deploy(), argument, chosen, typed);
    let chosen = values([("service", "hello"), ("env", "prod"), ("reason", "two words"), ("again", "true")]);
    assert_eq!(line("version", &chosen, "v").as_deref(), Some("deploy --env prod hello v"));
    assert_eq!(line("version", &values([]), "").as_deref(), Some("deploy - "));
    assert_eq!(line("service", &chosen, "").as_deref(), Some("deploy --env prod "));
    assert_eq!(line("env", &chosen, "--pr od").as_deref(), Some("deploy hello - --env pr"));
    assert_eq!(line("nothing", &chosen, "x"), None);
}

/// How the grammar takes words: options by name until a `--`, everything else by place.
fn understood(spec: &CommandSpec, line: &str) -> Values {
    let words = shell_words::split(line).expect("it splits");
    assert_eq!(words[..spec.path.len()], spec.path);
    let mut words = words.into_iter().skip(spec.path.len());
    let mut by_place = spec.arguments.iter().filter(|argument| argument.positional);
    let mut found = Values::new();
    let mut options = true;
    while let Some(word) = words.next() {
        let option = word.strip_prefix("--").filter(|_| options);
        let (name, value) = match option {
            Some("") => {
                options = false;
                continue;
            }
            Some(option) => {
                let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
                let known = spec.arguments.iter().find(|argument| argument.name == name).expect("a known option");
                let flag = known.kind == ArgumentKind::Flag;
                let value = if flag { Some("true".to_owned()) } else { value.map(str::to_owned) };
                (name.to_owned(), value.unwrap_or_else(|| words.next().expect("an option has a value")))
            }
            None => {
                assert!(!(options && word.starts_with('-')), "{word} could be an option in {line:?}");
                (by_place.next().expect("a place for every word").name.clone(), word)
            }
        };
        assert!(found.insert(name, value).is_none(), "an argument is there twice in {line:?}");
    }
    found
}

fn odd() -> ArgumentSpec {
    ArgumentSpec { required: false, ..by_place("note", text()) }
}

proptest! {
    #[test]
    fn every_value_is_that_of_its_argument(
        typed in prop::collection::vec(prop_oneof![any_text(), "[-‐—“’' `\n>a]{0,9}"], 4),
        again: bool,
    ) {
        let mut spec = command("deploy", EffectKind::Operation, deploy().arguments);
        spec.arguments.push(odd());
        let names = ["service", "note", "env", "reason"];
        let mut given: Values = names.iter().map(|name| (*name).to_owned()).zip(typed).collect();
        if again {
            given.insert("again".to_owned(), "true".to_owned());
        }
        let line = line(&spec, &state(&spec, &given));
        let given: Values = given.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        let mut expected: Values = given.iter().map(|(name, value)| (name.clone(), straight(value))).collect();
        // Those by place that come before the last one given stand there as empty words.
        let places = ["service", "version", "note"];
        let count = places.iter().rposition(|name| given.contains_key(*name)).map_or(0, |last| last + 1);
        for name in &places[..count] {
            expected.entry((*name).to_owned()).or_default();
        }
        prop_assert_eq!(understood(&spec, &line), expected, "{}", line);
        prop_assert!(!line.contains("```") && !line.lines().any(|line| line.trim_start().starts_with('>')));
    }

    #[test]
    fn every_reason_is_one(reason in any_text()) {
        let mut spec = deploy();
        spec.path = vec!["deny".to_owned()];
        let line = line_with_reason("deny op-2", &reason);
        let found = understood(&spec, &line);
        let reason = straight(&reason);
        prop_assert_eq!(found.get("reason").map(String::as_str).unwrap_or_default(), reason.trim());
        prop_assert_eq!(found["service"].as_str(), "op-2");
    }
}

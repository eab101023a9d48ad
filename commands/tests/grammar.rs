//! The grammar of all commands there are, against lines near them: it never panics, and what it understands it understands again when it is
//! printed from what a record keeps.

use andon_commands::COMMANDS;
use andon_core::{ArgumentKind, ArgumentSpec, CommandSpec};
use andon_engine::Grammar;
use proptest::prelude::*;
use serde_json::Value;

thread_local! {
    /// One grammar for all cases; clap builds it slowly.
    static GRAMMAR: Grammar = Grammar::new(COMMANDS);
}

/// Values that commands take, and values that look like them.
const VALUES: &[&str] = &[
    "hello",
    "Shop",
    "v1",
    "1.2.3-rc.1",
    "latest",
    "prod",
    "Staging",
    "hello/prod",
    "op-1",
    "op-412",
    "OP-7",
    "op-0",
    "#0",
    "812",
    "#x",
    "30m",
    "2h",
    "1h 30m",
    "2 days",
    "0s",
    "-5m",
    "9999 years",
    "P1D",
    "0",
    "7",
    "99999999999999999999",
    "-1",
    "1.5",
    "succeeded",
    "FAILED",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "ABCDEF",
    "deploy",
    "--help",
    "-h",
    "--",
    "=",
    "",
    "it’s",
    "“a b”",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => prop::sample::select(VALUES).prop_map(str::to_owned), 1 => "\\PC{0,8}"]
}

/// A value that fits an argument.
fn fitting(argument: &ArgumentSpec) -> BoxedStrategy<String> {
    let values: Vec<String> = match (&argument.kind, argument.name.as_str()) {
        (ArgumentKind::Choice(choices), _) => choices.clone(),
        (ArgumentKind::Integer, _) => vec!["1".to_owned(), "30".to_owned()],
        (_, "service") => vec!["hello".to_owned(), "Shop".to_owned()],
        (_, "version" | "to") => vec!["v1".to_owned(), "1.2.3-rc.1".to_owned()],
        (_, "env") => vec!["prod".to_owned(), "Staging".to_owned()],
        (_, "operation") => vec!["op-1".to_owned(), "op-412".to_owned()],
        (_, "record") => vec!["#812".to_owned(), "0".to_owned()],
        (_, "for" | "since") => vec!["30m".to_owned(), "1h 30m".to_owned(), "2 days".to_owned()],
        (_, "plan") => vec!["0123456789abcdef".repeat(4)],
        (_, "person") => vec!["ana".to_owned()],
        _ => return "[a-z ]{1,12}".boxed(),
    };
    prop::sample::select(values).boxed()
}

/// The words of one argument: mostly as it wants them, and left out or wrong now and then.
fn argument(argument: ArgumentSpec) -> impl Strategy<Value = Vec<String>> {
    let value = prop_oneof![12 => fitting(&argument), 1 => word()];
    let present = if argument.required { 0.95 } else { 0.5 };
    (prop::bool::weighted(present), value).prop_map(move |(present, value)| {
        match (present, argument.positional, &argument.kind) {
            (false, ..) => Vec::new(),
            (true, true, _) => vec![value],
            (true, false, ArgumentKind::Flag) => vec![format!("--{}", argument.name)],
            (true, false, _) => vec![format!("--{}", argument.name), value],
        }
    })
}

/// Lines near a command.
fn near() -> impl Strategy<Value = Vec<String>> {
    let specs: Vec<CommandSpec> = GRAMMAR.with(|grammar| grammar.specs().to_vec());
    prop::sample::select(specs).prop_flat_map(|spec| {
        let arguments: Vec<_> = spec.arguments.iter().cloned().map(argument).collect();
        arguments.prop_map(move |words| spec.path.iter().cloned().chain(words.concat()).collect())
    })
}

/// Lines of anything.
fn anything() -> impl Strategy<Value = Vec<String>> {
    let names: Vec<String> = GRAMMAR.with(|grammar| {
        let options = grammar
            .specs()
            .iter()
            .flat_map(|spec| spec.arguments.iter().map(|argument| format!("--{}", argument.name)));
        grammar.specs().iter().flat_map(|spec| spec.path.clone()).chain(options).collect()
    });
    prop::collection::vec(prop_oneof![2 => prop::sample::select(names), 1 => word()], 0..8)
}

/// Words as a person types them so that each stays one.
fn typed(words: &[String]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
    quoted.join(" ")
}

/// The line that a record's command and arguments stand for.
fn printed(spec: &CommandSpec, arguments: &Value) -> Vec<String> {
    let members = arguments.as_object().expect("arguments have names");
    let known = |name: &String| spec.arguments.iter().any(|argument| argument.name == *name);
    let unknown: Vec<_> = members.keys().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "{:?} keeps {unknown:?}, which nobody can type", spec.path);
    let (positional, named): (Vec<_>, Vec<_>) = spec.arguments.iter().partition(|argument| argument.positional);
    let mut words = spec.path.clone();
    // Options first: the words of a rest take whatever follows.
    for argument in named.into_iter().chain(positional) {
        let values = match members.get(&argument.name) {
            None | Some(Value::Null | Value::Bool(false)) => continue,
            Some(Value::Bool(true)) => Vec::new(),
            Some(Value::Array(values)) => values.iter().map(text).collect(),
            Some(value) => vec![text(value)],
        };
        if !argument.positional {
            words.push(format!("--{}", argument.name));
        }
        words.extend(values);
    }
    words
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

proptest! {
    #[test]
    fn what_is_understood_is_understood_again(words in prop_oneof![3 => near(), 1 => anything()]) {
        GRAMMAR.with(|grammar| {
            let Ok(Some((name, arguments))) = grammar.hear(&typed(&words)) else { return Ok(()) };
            let spec = grammar.specs().iter().find(|spec| spec.path.join(" ") == name).expect("it is listed");
            let again = typed(&printed(spec, &arguments));
            match grammar.hear(&again) {
                Ok(heard) => prop_assert_eq!(heard, Some((name, arguments)), "{}", again),
                Err(refusal) => prop_assert!(false, "{again} of {words:?} is refused: {}", refusal.fact.plain()),
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_line_near_a_command_breaks_the_parser(words in prop_oneof![near(), anything()]) {
        // Also where words are not kept together.
        GRAMMAR.with(|grammar| grammar.hear(&words.join(" ")).is_ok());
    }
}

#[test]
fn the_lines_near_commands_are_mostly_understood() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let lines = (0..200).map(|_| near().new_tree(&mut runner).expect("a line").current());
    let understood =
        GRAMMAR.with(|grammar| lines.filter(|words| matches!(grammar.hear(&typed(words)), Ok(Some(_)))).count());
    assert!(understood > 100, "only {understood} of 200 lines were understood, which shows little");
}

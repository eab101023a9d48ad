//! Forms as they look, the lines they stand for, and what completion is asked.

mod limits;
mod lines;
mod views;

use andon_core::{ArgumentKind, ArgumentSpec, CommandSpec, Completion, EffectKind};
use serde_json::{Value, json};

use super::Values;

fn argument(name: &str, kind: ArgumentKind) -> ArgumentSpec {
    let help = format!("What {name} means");
    ArgumentSpec { name: name.to_owned(), positional: false, required: false, rest: false, kind, help }
}

fn by_place(name: &str, kind: ArgumentKind) -> ArgumentSpec {
    ArgumentSpec { positional: true, required: true, ..argument(name, kind) }
}

fn needed(argument: ArgumentSpec) -> ArgumentSpec {
    ArgumentSpec { required: true, ..argument }
}

fn command(path: &str, effect: EffectKind, arguments: Vec<ArgumentSpec>) -> CommandSpec {
    CommandSpec {
        path: path.split(' ').map(str::to_owned).collect(),
        about: "Put a version of a service live in an environment".to_owned(),
        details: String::new(),
        examples: Vec::new(),
        effect,
        answers_unrecorded: false,
        arguments,
    }
}

fn text() -> ArgumentKind {
    ArgumentKind::Text(None)
}

fn one_of(completion: Completion) -> ArgumentKind {
    ArgumentKind::Text(Some(completion))
}

/// A command with every kind of argument.
fn deploy() -> CommandSpec {
    let arguments = vec![
        by_place("service", one_of(Completion::Services)),
        by_place("version", one_of(Completion::Versions)),
        argument("again", ArgumentKind::Flag),
        needed(argument("env", one_of(Completion::Environments))),
        argument("strategy", ArgumentKind::Choice(vec!["blue-green".to_owned(), "canary".to_owned()])),
        argument("percent", ArgumentKind::Integer),
        argument("for", text()),
        argument("reason", text()),
        argument("dry-run", ArgumentKind::Flag),
    ];
    command("deploy", EffectKind::Operation, arguments)
}

fn can() -> CommandSpec {
    let words = ArgumentSpec { rest: true, ..by_place("words", one_of(Completion::Commands)) };
    command("can", EffectKind::Read, vec![words])
}

fn values<const N: usize>(values: [(&str, &str); N]) -> Values {
    values.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// What Slack sends back of a form in which `values` were typed and chosen.
fn state(spec: &CommandSpec, values: &Values) -> Value {
    let input = |argument: &ArgumentSpec| {
        let value = values.get(&argument.name);
        let option = value.map(|value| json!({ "text": { "type": "plain_text", "text": value }, "value": value }));
        match argument.kind {
            ArgumentKind::Flag => json!({ "type": "checkboxes", "selected_options": Vec::from_iter(option) }),
            ArgumentKind::Text(Some(_)) if !argument.rest => {
                json!({ "type": "external_select", "selected_option": option })
            }
            ArgumentKind::Choice(_) => json!({ "type": "static_select", "selected_option": option }),
            _ => json!({ "type": "plain_text_input", "value": value }),
        }
    };
    let block = |argument: &ArgumentSpec| {
        let action = format!("argument:{}", argument.name);
        (argument.name.clone(), json!({ action: input(argument) }))
    };
    Value::Object(spec.arguments.iter().filter(|argument| argument.name != "dry-run").map(block).collect())
}

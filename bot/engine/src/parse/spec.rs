//! A command as plain data, read from its clap definition.

use andon_core::{ArgumentKind, ArgumentSpec, CommandSpec, Completion};
use clap::ArgAction;

use crate::command::{Entry, Run};

/// The description of `entry`, whose clap definition is `command`.
pub(super) fn of(entry: &Entry, command: &clap::Command) -> CommandSpec {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    CommandSpec {
        path: entry.path.iter().map(ToString::to_string).collect(),
        details: command.get_long_about().map_or_else(|| about.clone(), ToString::to_string),
        about,
        examples: entry.examples.iter().map(ToString::to_string).collect(),
        effect: entry.effect(),
        answers_unrecorded: matches!(entry.run, Run::Read { unrecorded: true, .. }),
        arguments: command.get_arguments().filter(|argument| !argument.is_hide_set()).map(argument).collect(),
    }
}

fn argument(argument: &clap::Arg) -> ArgumentSpec {
    let value_name = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    ArgumentSpec {
        name: argument.get_long().map_or_else(|| argument.get_id().to_string(), str::to_owned),
        positional: argument.is_positional(),
        required: argument.is_required_set(),
        rest: argument.is_trailing_var_arg_set(),
        kind: kind(argument, value_name.as_deref()),
        help: argument.get_help().map(ToString::to_string).unwrap_or_default(),
    }
}

fn kind(argument: &clap::Arg, value_name: Option<&str>) -> ArgumentKind {
    if matches!(argument.get_action(), ArgAction::SetTrue | ArgAction::SetFalse) {
        return ArgumentKind::Flag;
    }
    let choices: Vec<_> = argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if !choices.is_empty() {
        return ArgumentKind::Choice(choices);
    }
    match value_name {
        Some("NUMBER" | "COUNT") => ArgumentKind::Integer,
        name => ArgumentKind::Text(name.and_then(completion)),
    }
}

/// Where values come from follows from the name of the value: one vocabulary for help, completion and native commands.
fn completion(value_name: &str) -> Option<Completion> {
    Some(match value_name {
        "SERVICE" => Completion::Services,
        "ENV" => Completion::Environments,
        "VERSION" => Completion::Versions,
        "OPERATION" => Completion::Operations,
        "PERSON" => Completion::People,
        "COMMAND" => Completion::Commands,
        _ => return None,
    })
}

//! What an external select offers: the house's own completion, asked with the line that the form stands for so far.

use andon_core::{ArgumentKind, ArgumentSpec, CommandSpec};
use slack_morphism::prelude::{SlackBlockSuggestionOptions, SlackBlockSuggestionResponse};

use super::field::{fits, option};
use super::limits::OPTIONS;
use super::quote::straight;
use super::{Values, asked};

/// The answer to a `block_suggestion`. A value that Slack would refuse is left out, and so are those after the first [`OPTIONS`].
pub(crate) fn suggestions(values: &[String]) -> SlackBlockSuggestionResponse {
    let options = values.iter().filter(|value| fits(value)).take(OPTIONS).map(|value| option(value));
    SlackBlockSuggestionResponse::Options(SlackBlockSuggestionOptions::new(options.collect()))
}

/// What stands for a value that was not chosen, so that those after it keep their places. No service, environment or version has it.
const NOTHING: &str = "-";

/// The line whose last word is to be completed: the command, what was chosen of the other arguments, and what was typed into the input of
/// the one named `argument`. Completion splits it at spaces, so that values that hold one, or could be an option, are not in it. Nothing
/// where the command has no such argument.
pub(crate) fn completion_line(spec: &CommandSpec, argument: &str, chosen: &Values, typed: &str) -> Option<String> {
    let argument = spec.arguments.iter().find(|known| known.name == argument)?;
    let last = straight(typed).trim_start_matches('-').split_whitespace().next().unwrap_or_default().to_owned();
    let name = (!argument.positional).then(|| format!("--{}", argument.name));
    let words = spec.path.iter().cloned().chain(options(spec, argument, chosen));
    let words = words.chain(before(spec, argument, chosen)).chain(name).chain([last]);
    Some(words.collect::<Vec<_>>().join(" "))
}

fn value<'a>(chosen: &'a Values, argument: &ArgumentSpec) -> Option<&'a str> {
    chosen.get(&argument.name).map(String::as_str).filter(|value| is_word(value))
}

/// The other options that were chosen.
fn options(spec: &CommandSpec, argument: &ArgumentSpec, chosen: &Values) -> Vec<String> {
    let others = asked(spec).into_iter().filter(|other| !other.positional && other.name != argument.name);
    let others = others.filter(|other| other.kind != ArgumentKind::Flag);
    others.filter_map(|other| Some(format!("--{} {}", other.name, value(chosen, other)?))).collect()
}

/// The words that stand before the argument by place; all of them before an option.
fn before(spec: &CommandSpec, argument: &ArgumentSpec, chosen: &Values) -> Vec<String> {
    let by_place = spec.arguments.iter().filter(|other| other.positional);
    let before = by_place.take_while(|other| !argument.positional || other.name != argument.name);
    before.map(|other| value(chosen, other).unwrap_or(NOTHING).to_owned()).collect()
}

fn is_word(value: &str) -> bool {
    !value.is_empty() && !value.starts_with('-') && !value.contains(char::is_whitespace)
}

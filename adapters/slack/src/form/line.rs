//! The line that a filled-in form stands for.

use andon_core::{ArgumentKind, ArgumentSpec, CommandSpec};
use serde_json::Value;

use super::quote::{begins_with_dash, quote, straight};
use super::{ARGUMENT, SET, Values, asked};

/// What was filled in, from a view's `state.values`. An empty input is as good as none.
pub(crate) fn chosen(spec: &CommandSpec, state: &Value) -> Values {
    let value = |argument: &&ArgumentSpec| {
        let input = state.get(&argument.name)?.get(format!("{ARGUMENT}{}", argument.name))?;
        Some((argument.name.clone(), value(argument, input)?))
    };
    asked(spec).iter().filter_map(value).collect()
}

fn value(argument: &ArgumentSpec, input: &Value) -> Option<String> {
    if argument.kind == ArgumentKind::Flag {
        let checked = input["selected_options"].as_array().is_some_and(|options| !options.is_empty());
        return checked.then(|| SET.to_owned());
    }
    let typed = input["value"].as_str().or_else(|| input["selected_option"]["value"].as_str())?;
    (!typed.is_empty()).then(|| typed.to_owned())
}

/// The command line that a form stands for, from its view's `state.values`. Whatever a value holds, it stays the value of its argument:
/// it is one word, unless its argument takes the rest of the line, and never an option.
pub(crate) fn line(spec: &CommandSpec, state: &Value) -> String {
    let chosen = chosen(spec, state);
    let options = asked(spec).into_iter().filter(|argument| !argument.positional);
    let options = options.filter_map(|argument| option(argument, chosen.get(&argument.name)?));
    let positionals = positionals(spec, &chosen);
    let words = positionals.iter().map(|word| quote(word));
    let path = spec.path.iter().cloned();
    let words: Vec<_> = if positionals.iter().any(|word| begins_with_dash(word)) {
        path.chain(options).chain(["--".to_owned()]).chain(words).collect()
    } else if takes_rest(spec) {
        path.chain(options).chain(words).collect()
    } else {
        path.chain(words).chain(options).collect()
    };
    words.join(" ")
}

fn takes_rest(spec: &CommandSpec) -> bool {
    spec.arguments.iter().any(|argument| argument.positional && argument.rest)
}

/// The words that are given by place. One that is left out before another is given as an empty word, or the other would take its place.
fn positionals(spec: &CommandSpec, chosen: &Values) -> Vec<String> {
    let by_place: Vec<_> = spec.arguments.iter().filter(|argument| argument.positional).collect();
    let given = |argument: &&ArgumentSpec| chosen.contains_key(&argument.name);
    let count = by_place.iter().rposition(given).map_or(0, |last| last + 1);
    let words = |argument: &ArgumentSpec| {
        let value = chosen.get(&argument.name).map(String::as_str).unwrap_or_default();
        if argument.rest { words_of(value) } else { vec![value.to_owned()] }
    };
    by_place.into_iter().take(count).flat_map(words).collect()
}

/// The words of a value that is a line itself. One whose quotation marks do not match is taken word by word.
fn words_of(value: &str) -> Vec<String> {
    let value = straight(value);
    shell_words::split(&value).unwrap_or_else(|_| value.split_whitespace().map(str::to_owned).collect())
}

fn option(argument: &ArgumentSpec, value: &str) -> Option<String> {
    match argument.kind {
        ArgumentKind::Flag => (value == SET).then(|| format!("--{}", argument.name)),
        _ => Some(named(&argument.name, value)),
    }
}

/// `--name value`, or `--name=value` where the value alone could be taken for an option.
fn named(name: &str, value: &str) -> String {
    let between = if begins_with_dash(value) || straight(value).is_empty() { '=' } else { ' ' };
    format!("--{name}{between}{}", quote(value))
}

/// The line with a reason, as a button's line is said by whoever was asked why. A reason that says nothing changes nothing.
pub(crate) fn line_with_reason(line: &str, reason: &str) -> String {
    let reason = straight(reason);
    if reason.trim().is_empty() {
        return line.to_owned();
    }
    let option = named("reason", reason.trim());
    // After a `--` it would be no option any more.
    match shell_words::split(line) {
        Ok(words) if words.iter().any(|word| word == "--") => {
            let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
            let quoted = |words: &[String]| words.iter().map(|word| quote(word)).collect::<Vec<_>>();
            [quoted(&words[..end]), vec![option], quoted(&words[end..])].concat().join(" ")
        }
        _ => format!("{} {option}", line.trim_end()),
    }
}

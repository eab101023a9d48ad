//! What clap says of a line that it does not understand, said again for a chat room: one fact, one next step.

use andon_core::{Line, Refusal, closest};
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Grammar;

/// The refusal for a clap error.
pub(super) fn from_grammar(grammar: &Grammar, error: &clap::Error) -> Refusal {
    let next_step = next_step(grammar, error);
    match error.kind() {
        ErrorKind::MissingRequiredArgument => {
            let missing = strings(error, ContextKind::InvalidArg).join(", ");
            Refusal::new(Line::new().text("That also needs ").code(missing), next_step)
        }
        ErrorKind::MissingSubcommand => Refusal::new("That is the beginning of several commands", next_step),
        ErrorKind::InvalidSubcommand => {
            let said = strings(error, ContextKind::InvalidSubcommand).join(" ");
            Refusal::new(Line::new().text("I know no command ").outside(&said), next_step)
        }
        _ => Refusal::new(Line::new().outside(&first_line(error)), next_step),
    }
}

/// The first line of the rendered error, as a sentence.
fn first_line(error: &clap::Error) -> String {
    let rendered = error.render().to_string();
    let line = rendered.lines().next().unwrap_or_default();
    let line = line.strip_prefix("error: ").unwrap_or(line);
    let mut characters = line.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => "I do not understand that".to_owned(),
    }
}

fn next_step(grammar: &Grammar, error: &clap::Error) -> Line {
    // Our own measure first: a finger that slips swaps two letters, which clap's measure takes for another word.
    let names: Vec<_> = grammar.specs().iter().filter_map(|spec| spec.path.last()).collect();
    let said = strings(error, ContextKind::InvalidSubcommand);
    let near = said.first().and_then(|said| closest(said, names.iter().map(|name| name.as_str())));
    let suggested = near
        .map(str::to_owned)
        .into_iter()
        .chain(strings(error, ContextKind::SuggestedSubcommand))
        .chain(strings(error, ContextKind::SuggestedArg))
        .chain(strings(error, ContextKind::SuggestedValue))
        .next();
    if let Some(suggested) = suggested {
        return Line::new().text("did you mean ").code(suggested).text("?");
    }
    let choices = strings(error, ContextKind::ValidSubcommand);
    if !choices.is_empty() && error.kind() == ErrorKind::MissingSubcommand {
        return Line::new().text("say one of ").code(choices.join(", "));
    }
    match usage(error) {
        Some(usage) => Line::new().text("say ").code(usage),
        None => {
            let first = grammar.specs().first().map_or_else(String::new, |spec| spec.path.join(" "));
            Line::new().text("say ").code("help").text(" to see what can be asked, such as ").code(first)
        }
    }
}

fn usage(error: &clap::Error) -> Option<String> {
    let rendered = error.render().to_string();
    let usage = rendered.lines().find_map(|line| line.strip_prefix("Usage: "))?;
    let usage = usage.strip_prefix("andon ").unwrap_or(usage);
    (!usage.contains("<COMMAND>")).then(|| usage.to_owned())
}

fn strings(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

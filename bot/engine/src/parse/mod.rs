//! From what was typed to a command with typed arguments. Pure: reads nothing but its arguments.

mod grammar;
mod refuse;
mod repair;
mod spec;
#[cfg(test)]
mod tests;

use andon_core::{Catalog, Redactor, Refusal};
use serde_json::Value;

pub use grammar::Grammar;

use crate::command::{Entry, Flags, Run};
use repair::Heard;

/// A command that was understood.
pub(crate) struct Asked {
    /// Which.
    pub entry: &'static Entry,
    /// Its arguments, with defaults.
    pub arguments: Value,
    /// The flags that all changes share.
    pub flags: Flags,
    /// The alias that was expanded.
    pub alias: Option<String>,
}

/// What became of a text.
pub(crate) enum Parsed {
    /// A command.
    Command(Asked),
    /// A text that never executes: a quotation, a code block, nothing at all.
    NotACommand,
    /// Meant as a command, and not understood.
    Refused(Refusal),
}

/// Understands a text.
pub(crate) fn parse(grammar: &Grammar, catalog: &Catalog, redactor: &Redactor, text: &str) -> Parsed {
    let words = match repair::words(text) {
        Ok(Heard::Words(words)) if words.is_empty() => return Parsed::NotACommand,
        Ok(Heard::Words(words)) => words,
        Ok(Heard::NotACommand(_)) => return Parsed::NotACommand,
        Err(error) => return Parsed::Refused(Refusal::new(error.to_string(), "say `help` to see what can be asked")),
    };
    let (words, alias) = repair::expand_alias(words, &catalog.aliases);
    match grammar.understand(asks_for_help(words)) {
        Err(error) => Parsed::Refused(refuse::from_grammar(grammar, &error)),
        Ok(asked) if changes(asked.entry) && redactor.finds(text) => Parsed::Refused(Refusal::new(
            "That holds a secret, and everything said to me is recorded",
            "name the secret, do not paste it; and change it, since it has been in a chat room",
        )),
        Ok(asked) => Parsed::Command(Asked { alias, ..asked }),
    }
}

/// `deploy --help` is `help deploy`, for fingers that know command lines.
fn asks_for_help(words: Vec<String>) -> Vec<String> {
    if !words.iter().any(|word| word == "--help" || word == "-h") {
        return words;
    }
    let path = words.into_iter().take_while(|word| !word.starts_with('-'));
    std::iter::once("help".to_owned()).chain(path).collect()
}

fn changes(entry: &Entry) -> bool {
    !matches!(entry.run, Run::Read { .. })
}

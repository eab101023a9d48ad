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
pub(crate) use repair::MAX_CHARACTERS;

use crate::command::{Entry, Flags};
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

/// Understands a text. One that holds a secret is refused before anything else is said of it: what is not understood is repeated.
pub(crate) fn parse(grammar: &Grammar, catalog: &Catalog, redactor: &Redactor, text: &str) -> Parsed {
    let parsed = understand(grammar, catalog, text);
    if matches!(parsed, Parsed::NotACommand) || without_secrets(redactor, text) == text {
        return parsed;
    }
    Parsed::Refused(Refusal::new(
        "That holds a secret, and everything said to me is recorded",
        "name the secret, do not paste it; and change it, since it has been in a chat room",
    ))
}

fn understand(grammar: &Grammar, catalog: &Catalog, text: &str) -> Parsed {
    let words = match words(text) {
        Ok(Some(words)) => words,
        Ok(None) => return Parsed::NotACommand,
        Err(refusal) => return Parsed::Refused(refusal),
    };
    match command(grammar, catalog, words) {
        Ok(asked) => Parsed::Command(asked),
        Err(refusal) => Parsed::Refused(refusal),
    }
}

/// Understands words as a command; an alias stands for what it stands for.
///
/// # Errors
/// Refused with what is wrong with them, and what was probably meant.
pub(crate) fn command(grammar: &Grammar, catalog: &Catalog, words: Vec<String>) -> Result<Asked, Refusal> {
    let (words, alias) = repair::expand_alias(words, &catalog.aliases);
    match grammar.understand(asks_for_help(words)) {
        Ok(asked) => Ok(Asked { alias, ..asked }),
        Err(error) => Err(refuse::from_grammar(grammar, &error)),
    }
}

/// The words of a text; none for one that never executes.
fn words(text: &str) -> Result<Option<Vec<String>>, Refusal> {
    match repair::words(text) {
        Ok(Heard::Words(words)) => Ok(Some(words).filter(|words| !words.is_empty())),
        Ok(Heard::NotACommand(_)) => Ok(None),
        Err(error) => Err(Refusal::new(error.to_string(), "say `help` to see what can be asked")),
    }
}

impl Grammar {
    /// What a text asks for: the command's name and its arguments, as records keep them; nothing for a text that never executes. Aliases
    /// are the configuration's, and not known here.
    ///
    /// # Errors
    /// Refused where it is not understood.
    pub fn hear(&self, text: &str) -> Result<Option<(String, Value)>, Refusal> {
        let Some(words) = words(text)? else { return Ok(None) };
        match self.understand(asks_for_help(words)) {
            Ok(asked) => Ok(Some((asked.entry.name(), asked.arguments))),
            Err(error) => Err(refuse::from_grammar(self, &error)),
        }
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

/// A text as it may be kept: the very text where it holds no secret, otherwise without it. Secrets are also found where quotes, backslashes
/// or characters that nobody sees stand between their letters; what is kept then has lost those too.
pub(crate) fn without_secrets(redactor: &Redactor, text: &str) -> String {
    let redacted = redactor.redact(text);
    repair::disguises(&redacted)
        .into_iter()
        .find(|bare| redactor.finds(bare))
        .map_or(redacted, |bare| redactor.redact(&bare))
}

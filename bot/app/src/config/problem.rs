//! What is wrong with a configuration, and where it stands.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use andon_core::Redactor;

/// The most problems that one run reports; a file of rubbish has thousands.
const MOST: usize = 100;

/// Where something stands in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The file as it was named to [`super::load`].
    pub file: Arc<str>,
    /// The line, from 1. 0 where the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1. 0 where the whole file is meant.
    pub column: usize,
}

impl Position {
    /// The file as a whole.
    pub(super) fn whole(file: &Arc<str>) -> Self {
        Self { file: Arc::clone(file), line: 0, column: 0 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            _ => write!(f, "{}:{}:{}", self.file, self.line, self.column),
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub position: Position,
}

/// Something wrong, or odd, in the configuration. Shown as `file:line:column: message`, with the hint on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where the whole file is meant.
    pub line: usize,
    /// The column in characters, from 1; 0 where the whole file is meant.
    pub column: usize,
    /// What is wrong, in one sentence without its full stop. Never holds a secret.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem at `position`.
    pub fn new(position: &Position, message: impl Into<String>, hint: Option<String>) -> Self {
        let Position { file, line, column } = position;
        Self { file: file.to_string(), line: *line, column: *column, message: message.into(), hint }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, column, message, hint } = self;
        match line {
            0 => write!(f, "{file}: {message}")?,
            _ => write!(f, "{file}:{line}:{column}: {message}")?,
        }
        match hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Collects problems, not more than a person can read.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    refused: BTreeSet<Position>,
    unshown: usize,
}

impl Problems {
    /// Adds a problem about a value as such. Whatever else is wrong with that value is its consequence, and left out.
    pub(super) fn refuse(&mut self, position: &Position, mismatch: impl Into<Mismatch>) {
        self.add(position, mismatch);
        self.refused.insert(position.clone());
    }

    /// Adds a problem.
    pub(super) fn add(&mut self, position: &Position, mismatch: impl Into<Mismatch>) {
        if self.refused.contains(position) {
            return;
        }
        if self.is_full() {
            self.unshown += 1;
            return;
        }
        let Mismatch { message, hint } = mismatch.into();
        self.found.push(Problem::new(position, message, hint));
    }

    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether nothing more will be shown.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= MOST
    }

    /// All that was found, in the order of the files, without what `redactor` finds.
    pub(super) fn into_sorted(mut self, redactor: &Redactor) -> Vec<Problem> {
        for problem in &mut self.found {
            problem.message = redactor.redact(&problem.message);
            problem.hint = problem.hint.take().map(|hint| redactor.redact(&hint));
        }
        self.found.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        if let (Some(last), 1..) = (self.found.last().cloned(), self.unshown) {
            let message = format!("{} more problems are not shown", self.unshown);
            self.found.push(Problem { line: 0, column: 0, message, hint: None, ..last });
        }
        self.found
    }
}

/// Why a value is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mismatch {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

impl Mismatch {
    /// A mismatch without advice.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// With advice.
    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// `typed` is none of `choices`: suggests the nearest, or lists them while they are few.
    pub(super) fn unknown<'a>(message: String, typed: &str, choices: impl IntoIterator<Item = &'a str>) -> Self {
        let choices: Vec<&str> = choices.into_iter().collect();
        let hint = match andon_core::closest(typed, choices.iter().copied()) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if (1..=12).contains(&choices.len()) => Some(format!("known here: {}", choices.join(", "))),
            None => None,
        };
        Self { message, hint }
    }
}

impl From<String> for Mismatch {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Mismatch {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

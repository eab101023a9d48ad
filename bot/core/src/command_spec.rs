//! A command as plain data: what help, chat adapters, documentation and the policy schema are made from. Derived from the grammar by
//! the engine; adapters never see the grammar itself.

use serde::{Deserialize, Serialize};

/// What kind of effect a command has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// It answers.
    Read,
    /// It changes only Andon's own database, in the transaction of its record.
    Act,
    /// Durable work outside.
    Operation,
}

/// What an argument's value can be completed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completion {
    /// Names of services.
    Services,
    /// Names of environments.
    Environments,
    /// Versions that can be deployed.
    Versions,
    /// Open operations.
    Operations,
    /// People.
    People,
    /// Commands.
    Commands,
}

/// The type of an argument's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArgumentKind {
    /// Present or not.
    Flag,
    /// A whole number.
    Integer,
    /// One of a closed list.
    Choice(Vec<String>),
    /// Text, with where completions come from.
    Text(Option<Completion>),
}

/// An argument of a command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentSpec {
    /// Its long name, such as `env`; for positional arguments the name of the value.
    pub name: String,
    /// Whether it is given by place rather than by `--name`.
    pub positional: bool,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it takes all the rest of the line.
    pub rest: bool,
    /// Its type.
    pub kind: ArgumentKind,
    /// What it means, in one sentence.
    pub help: String,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandSpec {
    /// Its words, such as `["audit", "search"]`.
    pub path: Vec<String>,
    /// What it does, in one sentence.
    pub about: String,
    /// What it does, in more sentences.
    pub details: String,
    /// Lines that work, to be copied.
    pub examples: Vec<String>,
    /// Its effect.
    pub effect: EffectKind,
    /// Whether it still answers when the trail cannot be written.
    pub answers_unrecorded: bool,
    /// Its arguments, in order.
    pub arguments: Vec<ArgumentSpec>,
}

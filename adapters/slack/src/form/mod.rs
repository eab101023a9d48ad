//! Forms: modals made from a command's description, and the command lines that filled-in ones stand for.
//!
//! A form is typed text with help. What it comes to is a line of the grammar, said by whoever filled it in; nothing can be done with a
//! form that could not be typed. All of this is pure: it opens nothing and asks nobody.

mod errors;
mod field;
mod limits;
mod line;
mod metadata;
mod quote;
mod suggest;
#[cfg(test)]
mod tests;
mod view;

use std::collections::BTreeMap;

use andon_core::{ArgumentKind, ArgumentSpec, CommandSpec};

pub(crate) use errors::{errors, field_named, words as error};
pub(crate) use line::{chosen, line, line_with_reason};
pub(crate) use metadata::Metadata;
pub(crate) use suggest::{completion_line, suggestions};
pub(crate) use view::{ASK, PREVIEW, REASON, ask_form, asked_line, form, preview, reason, reason_form, waiting};

/// Values of arguments, by the arguments' names. A flag that is set has [`SET`].
pub(crate) type Values = BTreeMap<String, String>;

/// Where the line of a form will be said: the room in which it was opened.
pub(crate) type Place = andon_core::Room;

/// The value of a flag that is set.
pub(crate) const SET: &str = "true";

/// What the `callback_id` of a form begins with; the command's words follow.
const FORM: &str = "form:";

/// What the `action_id` of an input begins with; the argument's name follows.
const ARGUMENT: &str = "argument:";

/// The words of the command whose form has this `callback_id`.
pub(crate) fn command_of(callback_id: &str) -> Option<Vec<String>> {
    callback_id.strip_prefix(FORM).map(|path| path.split(' ').map(str::to_owned).collect())
}

/// The name of the argument whose input has this `action_id`.
pub(crate) fn argument_of(action_id: &str) -> Option<&str> {
    action_id.strip_prefix(ARGUMENT)
}

/// The arguments that a form asks for, in its order: what is needed first. A dry run is not asked for: every form is previewed.
fn asked(spec: &CommandSpec) -> Vec<&ArgumentSpec> {
    let shown = |argument: &&ArgumentSpec| !(argument.kind == ArgumentKind::Flag && argument.name == "dry-run");
    let (needed, others): (Vec<_>, Vec<_>) =
        spec.arguments.iter().filter(shown).partition(|argument| argument.required);
    needed.into_iter().chain(others).collect()
}

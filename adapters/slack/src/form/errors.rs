//! A refusal under the field that it is about.

use andon_core::{Block, CommandSpec, Message};
use serde_json::{Value, json};

use super::limits::ERROR;
use super::{Values, asked};
use crate::render::plain_line;
use crate::render::text::{cut, one_line};

/// The answer to a `view_submission` that keeps the form open and says what is wrong under `field`, or under the first field. Nothing
/// where the form has no field at all: then the refusal can only be shown.
pub(crate) fn errors(refusal: &Message, spec: &CommandSpec, field: Option<&str>) -> Option<Value> {
    let fields = asked(spec);
    let named = fields.iter().find(|argument| Some(argument.name.as_str()) == field);
    let name = &named.or(fields.first())?.name;
    Some(json!({ "response_action": "errors", "errors": { name: words(refusal) } }))
}

/// The field that a refusal is about: the first whose value it names.
pub(crate) fn field_named(refusal: &Message, chosen: &Values) -> Option<String> {
    let fact = plain_line(&refusal.summary);
    let is_named = |value: &str| fact.split(|c: char| c.is_whitespace() || c == ',').any(|word| word == value);
    chosen.iter().find(|(_, value)| is_named(value)).map(|(name, _)| name.clone())
}

/// The fact and the next step.
pub(crate) fn words(refusal: &Message) -> String {
    let next = refusal.body.iter().find_map(|block| match block {
        Block::Paragraph(line) => Some(plain_line(line)),
        _ => None,
    });
    let fact = one_line(&plain_line(&refusal.summary));
    let both = match next {
        Some(next) => format!("{fact}. {}", one_line(&next)),
        None => fact,
    };
    cut(&both, ERROR)
}

//! How single values are read, and what is said of those that are wrong.

use std::net::SocketAddr;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, SpanRelativeTo};

use super::problem::Mismatch;
use super::section::expected;
use super::tree::{Node, Value};

/// The longest text of the configuration, in bytes.
const LONGEST_TEXT: usize = 4096;
/// The longest time that anything may last.
const LONGEST_DURATION: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A text.
pub(super) fn text(node: &Node) -> Result<String, Mismatch> {
    match &node.value {
        Value::Text(text) if text.len() > LONGEST_TEXT => Err("the text is longer than 4 KiB".into()),
        Value::Text(text) => Ok(text.clone()),
        other => Err(expected("a text in quotes", other.kind())),
    }
}

/// A text with something in it, and without control characters.
pub(super) fn line(node: &Node) -> Result<String, Mismatch> {
    let text = text(node)?;
    match text.trim().is_empty() || text.chars().any(char::is_control) {
        true => Err("expected one line of text".into()),
        false => Ok(text),
    }
}

/// Something written as text that tells itself what is wrong with it: names, identities, rooms.
pub(super) fn parsed<T: FromStr<Err: ToString>>(node: &Node) -> Result<T, Mismatch> {
    text(node)?.parse().map_err(|error: T::Err| Mismatch::new(error.to_string()))
}

/// `true` or `false`.
pub(super) fn boolean(node: &Node) -> Result<bool, Mismatch> {
    match &node.value {
        Value::Boolean(flag) => Ok(*flag),
        other => Err(expected("true or false", other.kind())),
    }
}

/// A number of people, from 0 to 100.
pub(super) fn count(node: &Node) -> Result<u32, Mismatch> {
    match &node.value {
        Value::Integer(number) => u32::try_from(*number)
            .ok()
            .filter(|number| *number <= 100)
            .ok_or_else(|| expected("a number from 0 to 100", &number.to_string())),
        other => Err(expected("a number from 0 to 100", other.kind())),
    }
}

/// A time span as people write it: `30m`, `1h 30m`, `2 days` (of 24 hours).
pub(super) fn duration(node: &Node) -> Result<SignedDuration, Mismatch> {
    const WHAT: &str = "a duration such as \"30m\"";
    let Value::Text(text) = &node.value else {
        return Err(expected(WHAT, node.value.kind()));
    };
    let days = |span: Span| span.to_duration(SpanRelativeTo::days_are_24_hours());
    let duration = text
        .parse::<SignedDuration>()
        .or_else(|_| text.parse::<Span>().and_then(days))
        .map_err(|_| expected(WHAT, &quoted(text)))?;
    match duration > SignedDuration::ZERO && duration <= LONGEST_DURATION {
        true => Ok(duration),
        false => Err(Mismatch::new("expected a duration above nothing and up to a year")),
    }
}

/// An address with a port.
pub(super) fn address(node: &Node) -> Result<SocketAddr, Mismatch> {
    let text = text(node)?;
    text.parse().map_err(|_| expected("an address such as \"127.0.0.1:8080\"", &quoted(&text)))
}

/// A time zone of the IANA database.
pub(super) fn time_zone(node: &Node) -> Result<TimeZone, Mismatch> {
    let text = text(node)?;
    TimeZone::get(&text).map_err(|_| {
        let known: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let message = format!("there is no time zone {}", quoted(&text));
        let mismatch = Mismatch::unknown(message, &text, known.iter().map(String::as_str));
        if mismatch.hint.is_some() { mismatch } else { mismatch.hint("time zones are written like Europe/Berlin") }
    })
}

/// The name of an environment variable: `{ env = "NAME" }` without the table around it.
pub(super) fn variable(node: &Node) -> Result<String, Mismatch> {
    let text = text(node)?;
    let shaped = text.len() <= 200 && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    match shaped && text.starts_with(|c: char| !c.is_ascii_digit()) {
        true => Ok(text),
        false => Err(expected("the name of an environment variable such as \"ANDON_CI_TOKEN\"", "something else")),
    }
}

/// The text as it is quoted in messages: short, and without anything that a terminal would obey.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

//! Lines as elements of rich text.

use andon_core::{Line, PersonId, Span};
use jiff::Timestamp;
use slack_morphism::prelude::{
    SlackDateTime, SlackRichTextDate, SlackRichTextInlineElement as Inline, SlackRichTextText, SlackRichTextUser,
    SlackUserId,
};

use super::text::{clean, one_line, quoted};

/// The Slack account of a person in the workspace that is spoken to.
pub(crate) type People<'a> = &'a dyn Fn(&PersonId) -> Option<String>;

/// How Slack writes a moment in the reader's zone, such as "today 14:10".
const MOMENT: &str = "{date_short_pretty} {time}";

/// A line as elements. Our own words keep their newlines.
pub(crate) fn elements(line: &Line, people: People<'_>) -> Vec<Inline> {
    line.0.iter().flat_map(|span| element(span, people)).collect()
}

/// A line as elements, on one line: for facts and the cells of tables.
pub(crate) fn flat_elements(line: &Line, people: People<'_>) -> Vec<Inline> {
    let flat = |text: &String| text.replace(['\n', '\r'], " ");
    let spans = line.0.iter().map(|span| match span {
        Span::Text(text) => Span::Text(flat(text)),
        Span::Code(text) => Span::Code(flat(text)),
        Span::Strong(text) => Span::Strong(flat(text)),
        other => other.clone(),
    });
    elements(&Line(spans.collect()), people)
}

fn element(span: &Span, people: People<'_>) -> Vec<Inline> {
    match span {
        Span::Text(text) => words(clean(text)),
        Span::Code(text) => styled(clean(text), SlackRichTextText::code),
        Span::Strong(text) => styled(clean(text), SlackRichTextText::bold),
        Span::Outside(outside) => words(quoted(outside.as_str())),
        Span::Person(person) => words(person.to_string()),
        Span::Mention(person) => match account(people, person) {
            Some(user) => vec![SlackRichTextUser::new(SlackUserId(user)).into()],
            None => words(person.to_string()),
        },
        Span::Time(at) => moment(*at),
    }
}

/// Plain words; no element for none, since Slack refuses an empty one.
pub(crate) fn words(text: String) -> Vec<Inline> {
    if text.is_empty() { Vec::new() } else { vec![SlackRichTextText::new(text).into()] }
}

/// Emphasised words of one line.
pub(crate) fn strong(text: &str) -> Vec<Inline> {
    styled(one_line(text), SlackRichTextText::bold)
}

fn styled(text: String, style: fn(SlackRichTextText) -> SlackRichTextText) -> Vec<Inline> {
    if text.is_empty() { Vec::new() } else { vec![style(SlackRichTextText::new(text)).into()] }
}

/// The Slack account of a person, where it has the form of one: nothing else can end up in a mention.
pub(crate) fn account(people: People<'_>, person: &PersonId) -> Option<String> {
    let alphanumeric = |user: &str| user.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    people(person).filter(|user| user.starts_with(['U', 'W']) && user.len() <= 30 && alphanumeric(user))
}

/// A moment in UTC.
pub(crate) fn utc(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A moment as the reader's clock shows it, beside UTC. Slack knows no moment before 1970.
fn moment(at: Timestamp) -> Vec<Inline> {
    if at < Timestamp::UNIX_EPOCH {
        return words(utc(at));
    }
    let local = SlackRichTextDate::new(SlackDateTime(at), MOMENT.to_owned()).with_fallback(utc(at));
    std::iter::once(local.into()).chain(words(format!(" ({})", utc(at)))).collect()
}

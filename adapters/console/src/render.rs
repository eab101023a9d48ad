//! Messages as text. Everything is cleaned of control characters before it can reach a terminal, whoever said it, and no line but a
//! message's first begins in the first column, so that foreign text can look neither like a card nor like a prompt.

use andon_core::{Block, Line, Message, Span, Tone};
use jiff::tz::TimeZone;

use crate::layout::{chop, clean, pad, width, wrap};
use crate::table::table;

/// How messages look.
#[derive(Clone, Debug)]
pub struct Look {
    /// Whether escape codes for colour may be used.
    pub colour: bool,
    /// The width of the terminal, in columns.
    pub width: usize,
    /// In whose local time moments are shown, beside UTC.
    pub time_zone: TimeZone,
}

/// The text of a message, every line ended by a newline.
pub fn render(message: &Message, look: &Look) -> String {
    let mark = format!("{} ", mark(message.tone));
    let mut lines = paint(look, message.tone, wrap(&line(&message.summary, look), look.width, &mark, "  "));
    lines.extend(details(message, look));
    for action in &message.actions {
        let text = clean(&format!("[{}] {}", action.label, action.line)).replace('\n', " ");
        lines.extend(wrap(&text, look.width, "  ", "      "));
    }
    ended(&lines)
}

/// What is new of a message whose kind stayed as it was: one line where it stands now, and what else changed.
pub(crate) fn render_progress(news: &Message, summary_is_new: bool, look: &Look) -> String {
    let mut lines = Vec::new();
    if summary_is_new {
        lines.extend(wrap(&line(&news.summary, look), look.width, "  ", "    "));
    }
    lines.extend(details(news, look));
    ended(&lines)
}

/// A message below a card.
pub(crate) fn render_below(message: &Message, look: &Look) -> String {
    let text = render(message, &Look { width: look.width.saturating_sub(4), ..look.clone() });
    let lines = text.lines().enumerate();
    ended(&lines.map(|(place, line)| format!("{}{line}", if place == 0 { "  └ " } else { "    " })).collect::<Vec<_>>())
}

/// Facts, body and attachment.
fn details(message: &Message, look: &Look) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, value) in facts(message, look) {
        if width(&name) * 2 > look.width {
            lines.extend(wrap(&format!("{}: {value}", name.trim()), look.width, "  ", "      "));
        } else {
            lines.extend(wrap(&value, look.width, &name, &" ".repeat(width(&name))));
        }
    }
    for block in &message.body {
        lines.extend(self::block(block, look));
    }
    if let Some(attachment) = &message.attachment {
        lines.extend(heading(&attachment.name, look));
        lines.extend(quote(attachment.content.as_str(), look));
    }
    lines
}

/// Names, filled up so that values stand below each other, and values.
fn facts(message: &Message, look: &Look) -> Vec<(String, String)> {
    let names: Vec<_> = message.facts.iter().map(|fact| clean(&fact.name).replace('\n', " ")).collect();
    let widest = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let padded = names.iter().map(|name| format!("  {}  ", pad(name, widest)));
    padded.zip(message.facts.iter().map(|fact| line(&fact.value, look))).collect()
}

fn ended(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

const fn mark(tone: Tone) -> &'static str {
    match tone {
        Tone::Plain => "·",
        Tone::Working => "…",
        Tone::Attention => "?",
        Tone::Good => "✓",
        Tone::Bad => "✗",
    }
}

/// SGR colours (ECMA-48).
fn paint(look: &Look, tone: Tone, lines: Vec<String>) -> Vec<String> {
    let code = match tone {
        Tone::Plain => return lines,
        Tone::Working => 36,
        Tone::Attention => 33,
        Tone::Good => 32,
        Tone::Bad => 31,
    };
    if !look.colour {
        return lines;
    }
    lines.into_iter().map(|line| format!("\u{1b}[{code}m{line}\u{1b}[0m")).collect()
}

fn line(line: &Line, look: &Look) -> String {
    line.0.iter().map(|span| self::span(span, look)).collect()
}

fn span(span: &Span, look: &Look) -> String {
    match span {
        Span::Text(text) | Span::Code(text) | Span::Strong(text) => clean(text),
        Span::Outside(outside) => clean(outside.as_str()).trim_end_matches('\n').replace('\n', " ⏎ "),
        Span::Person(person) => person.to_string(),
        Span::Mention(person) => format!("@{person}"),
        Span::Time(at) => time(*at, look),
    }
}

fn time(at: jiff::Timestamp, look: &Look) -> String {
    let utc = at.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let local = at.to_zoned(look.time_zone.clone());
    if local.offset().is_zero() { utc } else { format!("{} ({utc})", local.strftime("%a %H:%M %Z")) }
}

fn block(block: &Block, look: &Look) -> Vec<String> {
    match block {
        Block::Paragraph(text) => wrap(&line(text, look), look.width, "  ", "  "),
        Block::Heading(text) => heading(text, look),
        Block::List(items) => {
            items.iter().flat_map(|item| wrap(&line(item, look), look.width, "  - ", "    ")).collect()
        }
        Block::Table { header, rows } => {
            let header: Vec<_> = header.iter().map(|name| clean(name)).collect();
            let rows: Vec<Vec<_>> = rows.iter().map(|row| row.iter().map(|cell| line(cell, look)).collect()).collect();
            table(&header, &rows, look.width)
        }
        Block::Quote(outside) => quote(outside.as_str(), look),
        Block::Preformatted(text) => {
            clean(text).lines().flat_map(|line| wrap(line, look.width, "    ", "      ")).collect()
        }
    }
}

fn heading(text: &str, look: &Look) -> Vec<String> {
    wrap(&format!("{}:", clean(text)), look.width, "  ", "  ")
}

fn quote(text: &str, look: &Look) -> Vec<String> {
    clean(text).lines().flat_map(|line| chop(line, look.width, "  │ ")).collect()
}

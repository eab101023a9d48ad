//! Messages as plain text, for files. Nothing reads mark-up there.

use andon_core::{Block, Line, Message, Span};

use super::spans::utc;
use super::text::{clean, quoted};

/// The whole message as plain text, every line ended by a newline. An attachment is not in it: it is a file of its own.
pub(crate) fn plain(message: &Message) -> String {
    let mut lines = vec![plain_line(&message.summary)];
    lines.extend(message.facts.iter().map(|fact| format!("{}: {}", clean(&fact.name), plain_line(&fact.value))));
    for block in &message.body {
        lines.push(String::new());
        lines.extend(self::block(block));
    }
    if !message.actions.is_empty() {
        lines.push(String::new());
    }
    lines.extend(message.actions.iter().map(|action| clean(&format!("[{}] {}", action.label, action.line))));
    lines.iter().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

/// A line as plain text. Foreign words stand on one line, between quotation marks.
pub(crate) fn plain_line(line: &Line) -> String {
    line.0.iter().map(span).collect()
}

fn span(span: &Span) -> String {
    match span {
        Span::Text(text) | Span::Code(text) | Span::Strong(text) => clean(text),
        Span::Outside(outside) => quoted(outside.as_str()),
        Span::Person(person) | Span::Mention(person) => person.to_string(),
        Span::Time(at) => utc(*at),
    }
}

fn block(block: &Block) -> Vec<String> {
    match block {
        Block::Paragraph(line) => vec![plain_line(line)],
        Block::Heading(text) => vec![format!("{}:", clean(text))],
        Block::List(items) => items.iter().map(|item| format!("- {}", plain_line(item))).collect(),
        Block::Table { header, rows } => table(header, rows),
        Block::Quote(outside) => indented(outside.as_str()),
        Block::Preformatted(text) => indented(text),
    }
}

fn indented(text: &str) -> Vec<String> {
    clean(text).trim_end_matches('\n').split('\n').map(|line| format!("    {line}")).collect()
}

/// How far a column is filled up, in characters. One long cell is no reason to spread all rows.
const COLUMN: usize = 60;

/// Columns filled up with spaces.
fn table(header: &[String], rows: &[Vec<Line>]) -> Vec<String> {
    let flat = |text: String| text.replace('\n', " ");
    let names: Vec<_> = header.iter().map(|name| flat(clean(name))).collect();
    let cells = rows.iter().map(|row| row.iter().map(|cell| flat(plain_line(cell))).collect::<Vec<_>>());
    let all: Vec<Vec<String>> = std::iter::once(names).chain(cells).collect();
    let columns = all.iter().map(Vec::len).max().unwrap_or(0);
    let width = |place: usize| all.iter().filter_map(|row| row.get(place)).map(|cell| cell.chars().count()).max();
    let widths: Vec<_> = (0..columns).map(|place| width(place).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let missing = width.min(&COLUMN).saturating_sub(cell.chars().count());
            format!("{cell}{}", " ".repeat(missing))
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    all.iter().map(line).collect()
}

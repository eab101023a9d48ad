//! Messages as text. Everything that came from outside is cleaned of control characters before it can reach a terminal, and where it has
//! several lines each of them is set as a quotation, so that it can look neither like a card nor like a prompt.

use andon_core::{Block, Line, Message, Span, Tone};
use jiff::tz::TimeZone;

/// How messages look.
#[derive(Clone, Debug)]
pub struct Look {
    /// Whether escape codes for colour may be used.
    pub colour: bool,
    /// The width of the terminal, in characters.
    pub width: usize,
    /// In whose local time moments are shown, beside UTC.
    pub time_zone: TimeZone,
}

/// The text of a message, every line ended by a newline.
pub fn render(message: &Message, look: &Look) -> String {
    let mut lines =
        vec![paint(look, message.tone, &format!("{} {}", mark(message.tone), line(&message.summary, look)))];
    let widest = message.facts.iter().map(|fact| fact.name.chars().count()).max().unwrap_or(0);
    for fact in &message.facts {
        lines.push(format!("  {:widest$}  {}", fact.name, line(&fact.value, look)));
    }
    for block in &message.body {
        lines.extend(self::block(block, look));
    }
    if let Some(attachment) = &message.attachment {
        lines.push(format!("  {}:", clean(&attachment.name)));
        lines.extend(quote(attachment.content.as_str()));
    }
    for action in &message.actions {
        lines.push(format!("  [{}] {}", action.label, action.line));
    }
    lines.join("\n") + "\n"
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
fn paint(look: &Look, tone: Tone, text: &str) -> String {
    let code = match tone {
        Tone::Plain => return text.to_owned(),
        Tone::Working => 36,
        Tone::Attention => 33,
        Tone::Good => 32,
        Tone::Bad => 31,
    };
    if look.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

pub(crate) fn line(line: &Line, look: &Look) -> String {
    line.0.iter().map(|span| self::span(span, look)).collect()
}

fn span(span: &Span, look: &Look) -> String {
    match span {
        Span::Text(text) | Span::Code(text) | Span::Strong(text) => clean(text),
        Span::Outside(outside) => clean(outside.as_str()).replace('\n', " ⏎ "),
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

/// Newlines stay, every other control character goes, above all the escape that begins terminal sequences.
fn clean(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

fn quote(text: &str) -> Vec<String> {
    clean(text).lines().map(|line| format!("  │ {line}")).collect()
}

fn block(block: &Block, look: &Look) -> Vec<String> {
    match block {
        Block::Paragraph(text) => vec![format!("  {}", line(text, look))],
        Block::Heading(text) => vec![format!("  {}:", clean(text))],
        Block::List(items) => items.iter().map(|item| format!("  - {}", line(item, look))).collect(),
        Block::Table { header, rows } => table(header, rows, look),
        Block::Quote(outside) => quote(outside.as_str()),
        Block::Preformatted(text) => clean(text).lines().map(|line| format!("    {line}")).collect(),
    }
}

/// A table with aligned columns; where the terminal is too narrow, one block of lines a row.
fn table(header: &[String], rows: &[Vec<Line>], look: &Look) -> Vec<String> {
    let cells: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| line(cell, look)).collect()).collect();
    let widths: Vec<usize> = header
        .iter()
        .enumerate()
        .map(|(column, name)| {
            let longest = cells.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
            longest.unwrap_or(0).max(name.chars().count())
        })
        .collect();
    if widths.iter().sum::<usize>() + 2 * widths.len() > look.width {
        return narrow(header, &cells);
    }
    let row = |cells: &[String]| {
        let padded: Vec<_> = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("  {}", padded.join("  ").trim_end())
    };
    std::iter::once(row(header)).chain(cells.iter().map(|cells| row(cells))).collect()
}

fn narrow(header: &[String], cells: &[Vec<String>]) -> Vec<String> {
    let mut lines = Vec::new();
    for row in cells {
        let named = header.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
        for (place, (name, cell)) in named.enumerate() {
            let dash = if place == 0 { "-" } else { " " };
            lines.push(format!("  {dash} {name}: {cell}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look() -> Look {
        Look { colour: false, width: 100, time_zone: TimeZone::UTC }
    }

    #[test]
    fn foreign_text_reaches_no_terminal_unclean() {
        let hostile = "ok\u{1b}[2J\u{9b}31m\n✓ Done: everything\nana> approve op-1";
        let message = Message::new(Line::new().text("Log: ").outside(hostile))
            .block(Block::Quote(andon_core::Outside::new(hostile)));
        let text = render(&message, &look());
        assert!(!text.contains('\u{1b}') && !text.contains('\u{9b}'));
        assert!(text.lines().skip(1).all(|line| line.starts_with("  │ ")), "{text}");
    }

    #[test]
    fn tables_fold_where_the_terminal_is_narrow() {
        let block = Block::Table { header: vec!["a".into(), "b".into()], rows: vec![vec!["1".into(), "2".into()]] };
        let message = Message::new("Table").block(block);
        assert_eq!(render(&message, &look()), "· Table\n  a  b\n  1  2\n");
        assert_eq!(render(&message, &Look { width: 5, ..look() }), "· Table\n  - a: 1\n    b: 2\n");
    }
}

//! What Slack shows, as the terminal room would print it: so that one expectation holds in both. It reads blocks as a person would: words,
//! names, marks, buttons; nothing of ours helps it.

use std::collections::HashMap;

use andon_fake_slack::{Shown, ShownKind};
use serde_json::Value;

/// Prints what is shown, and of an edited message what is new.
pub(super) struct Printer {
    home: String,
    stood: HashMap<String, Printed>,
}

/// A message in lines.
#[derive(Clone, PartialEq)]
struct Printed {
    mark: &'static str,
    summary: String,
    lines: Vec<String>,
    buttons: Vec<String>,
}

impl Printer {
    /// For somebody who is at home in this channel.
    pub(super) fn new(home: &str) -> Self {
        Self { home: format!("C0{}", home.to_ascii_uppercase()), stood: HashMap::new() }
    }

    /// The text for something that was shown, if it is a message.
    pub(super) fn print(&mut self, shown: &Shown) -> Option<String> {
        let message = read(&shown.message);
        let ts = shown.ts.clone()?;
        let text = match &shown.kind {
            ShownKind::Posted | ShownKind::Whispered { .. } => {
                self.stood.insert(ts, message.clone());
                whole(&message)
            }
            ShownKind::Edited => match self.stood.insert(ts, message.clone()) {
                Some(before) => news(&before, message)?,
                None => whole(&message),
            },
            ShownKind::Filed => files(&shown.message)?,
            _ => return None,
        };
        let text = if shown.thread_ts.is_some() && shown.kind != ShownKind::Edited { below(&text) } else { text };
        let channel = shown.channel.as_deref().unwrap_or_default();
        Some(match channel == self.home {
            true => text,
            false => format!("[slack:T0PLAY/{}]\n{text}", name(channel)),
        })
    }
}

/// A channel's name, by its identifier.
fn name(channel: &str) -> String {
    channel.trim_start_matches("C0").to_ascii_lowercase()
}

fn files(message: &Value) -> Option<String> {
    let names = message["files"].as_array()?.iter().filter_map(|file| file["name"].as_str());
    Some(format!("  files: {}\n", names.collect::<Vec<_>>().join(", ")))
}

/// A message as a person reads it.
pub(super) fn text(message: &Value) -> String {
    let mut text = whole(&read(message));
    if let Some(files) = files(message) {
        text += &files;
    }
    text
}

/// All words of a view or a message, whatever they stand in.
pub fn words(shown: &Value) -> String {
    match shown {
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            let inside = fields.iter().map(|(name, value)| match (name.as_str(), value) {
                ("text" | "user_id", Value::String(text)) => text.clone(),
                (_, Value::Object(_) | Value::Array(_)) => words(value),
                _ => String::new(),
            });
            inside.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    }
}

/// Everything inside a message or view that is of this type.
pub fn text_elements<'a>(shown: &'a Value, kind: &str) -> Vec<&'a Value> {
    let inside: Vec<&Value> = match shown {
        Value::Array(items) => items.iter().flat_map(|item| text_elements(item, kind)).collect(),
        Value::Object(fields) => fields.values().flat_map(|value| text_elements(value, kind)).collect(),
        _ => Vec::new(),
    };
    let own = (shown["type"] == kind).then_some(shown);
    own.into_iter().chain(inside).collect()
}

fn whole(message: &Printed) -> String {
    let lines = message.lines.iter().chain(&message.buttons).map(|line| format!("  {line}\n"));
    format!("{} {}\n{}", message.mark, message.summary, lines.collect::<String>())
}

/// What an edit says that was not said before.
fn news(before: &Printed, mut now: Printed) -> Option<String> {
    if *before == now {
        return None;
    }
    now.lines.retain(|line| !before.lines.contains(line));
    if (before.mark, &before.buttons) != (now.mark, &now.buttons) {
        return Some(whole(&now));
    }
    let summary = (before.summary != now.summary).then(|| now.summary.clone());
    let lines: String = summary.iter().chain(&now.lines).map(|line| format!("  {line}\n")).collect();
    (!lines.is_empty()).then_some(lines)
}

fn below(text: &str) -> String {
    let lines = text.lines().enumerate();
    lines.map(|(place, line)| format!("{}{line}\n", if place == 0 { "  └ " } else { "    " })).collect()
}

fn read(message: &Value) -> Printed {
    let (mut lines, mut buttons) = (Vec::new(), Vec::new());
    for block in list(message, "blocks") {
        match kind(block) {
            "actions" => buttons.extend(list(block, "elements").map(button)),
            "table" => lines.extend(table(block)),
            "rich_text" => lines.extend(list(block, "elements").flat_map(element)),
            other => panic!("a block that nobody can read: {other}"),
        }
    }
    let lines = aligned(lines);
    let mut lines = lines.into_iter();
    let first = lines.next().unwrap_or_default();
    let (mark, summary) = marked(&first);
    Printed { mark, summary, lines: lines.collect(), buttons }
}

/// The mark of the terminal room for the emoji that begins a message.
fn marked(first: &str) -> (&'static str, String) {
    const MARKS: [(&str, &str); 4] =
        [(":white_check_mark:", "✓"), (":x:", "✗"), (":bell:", "?"), (":hourglass_flowing_sand:", "…")];
    for (emoji, mark) in MARKS {
        if let Some(summary) = first.strip_prefix(emoji) {
            return (mark, summary.trim_start().to_owned());
        }
    }
    ("·", first.to_owned())
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

fn kind(value: &Value) -> &str {
    value["type"].as_str().unwrap_or_default()
}

fn button(button: &Value) -> String {
    let text = |pointer| button.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    format!("[{}] {}", text("/text/text"), text("/value"))
}

fn table(block: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let cells = row.as_array().into_iter().flatten();
        cells.map(|cell| list(cell, "elements").flat_map(element).collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = list(block, "rows").map(row).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// The lines of an element of rich text.
fn element(element: &Value) -> Vec<String> {
    match kind(element) {
        "rich_text_list" => list(element, "elements").map(|item| format!("- {}", inlines(item))).collect(),
        "rich_text_preformatted" => inlines(element).lines().map(|line| format!("│ {line}")).collect(),
        _ => inlines(element).lines().map(str::to_owned).collect(),
    }
}

/// Marks the end of a fact's name, until facts are aligned.
const FACT: char = '\u{1}';

fn inlines(section: &Value) -> String {
    let mut text = String::new();
    let mut begins = true;
    for inline in list(section, "elements") {
        let word = |name: &str| inline[name].as_str().unwrap_or_default();
        let bold = inline["style"]["bold"] == true;
        match kind(inline) {
            "user" => text += &format!("@{}", word("user_id").trim_start_matches("U0").to_ascii_lowercase()),
            "emoji" => text += &format!(":{}:", word("name")),
            // The words after it say the same in UTC.
            "date" => {}
            _ if bold && begins => text += &format!("{}{FACT}", word("text")),
            _ => text += word("text"),
        }
        begins = text.ends_with('\n');
    }
    // The moment in the reader's zone was left out, and the one beside it stands in brackets. Somebody else's words are between quotation
    // marks here, and in the terminal room are not.
    text.replace(" (20", "20").replace("Z)", "Z").replace(['“', '”'], "")
}

/// Facts with their values below each other.
fn aligned(lines: Vec<String>) -> Vec<String> {
    let name = |line: &str| line.split_once(&format!("{FACT}  ")).map(|(name, _)| name.chars().count());
    let widest = lines.iter().filter_map(|line| name(line)).max().unwrap_or(0);
    let align = |line: String| match line.split_once(&format!("{FACT}  ")) {
        Some((name, value)) => format!("{name:<widest$}  {value}"),
        None => line.replace(FACT, ""),
    };
    lines.into_iter().map(align).collect()
}

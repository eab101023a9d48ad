//! What the house says, before any platform renders it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::PersonId;

/// Text that came from outside (people, log lines, backends). Each platform has one renderer for it, which never lets it ping anyone,
/// become mark-up or look like part of a card. Control and bidirectional characters are removed here, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Outside(String);

impl From<String> for Outside {
    /// So that what is read back, from wherever, is as clean as what was taken in.
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Outside> for String {
    fn from(outside: Outside) -> Self {
        outside.0
    }
}

impl Outside {
    /// The most characters of a foreign text that are kept.
    pub const LIMIT: usize = 2_000;

    /// Takes a foreign text in: control characters (newlines and tabs stay) and bidirectional controls go, and what is longer than
    /// [`Outside::LIMIT`] characters ends in an ellipsis.
    pub fn new(text: &str) -> Self {
        let mut clean: String = text.chars().filter(|&c| keeps(c)).take(Self::LIMIT + 1).collect();
        if let Some((cut, _)) = clean.char_indices().nth(Self::LIMIT - 1)
            && clean.chars().nth(Self::LIMIT).is_some()
        {
            clean.truncate(cut);
            clean.push('…');
        }
        Self(clean)
    }

    /// The cleaned text. Still foreign: only renderers and redaction may look at it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a character of a foreign text is one that a reader can see, and that leaves the order of the others alone.
pub(crate) fn keeps(c: char) -> bool {
    let bidirectional =
        matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let invisible = matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}');
    matches!(c, '\n' | '\t') || !(c.is_control() || bidirectional || invisible)
}

/// Whether a character makes text look other than it is, wherever it comes from: bidirectional controls and marks, invisible characters,
/// separators of lines and paragraphs, annotations and tags. Every renderer leaves these out.
pub const fn misleads(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Span {
    /// Our own words.
    Text(String),
    /// Our own words, set as code: names, versions, digests, commands.
    Code(String),
    /// Our own words, emphasised.
    Strong(String),
    /// Somebody else's words.
    Outside(Outside),
    /// A person, shown by name without a notification.
    Person(PersonId),
    /// A person, notified where the platform can.
    Mention(PersonId),
    /// A moment, shown in the reader's zone where the platform can, beside UTC.
    Time(Timestamp),
}

/// One line of spans.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Line(pub Vec<Span>);

impl Line {
    /// An empty line, to be filled with the methods below.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends our own words.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.span(Span::Text(text.into()))
    }

    /// Appends our own words as code.
    #[must_use]
    pub fn code(self, code: impl ToString) -> Self {
        self.span(Span::Code(code.to_string()))
    }

    /// Appends our own words, emphasised.
    #[must_use]
    pub fn strong(self, text: impl Into<String>) -> Self {
        self.span(Span::Strong(text.into()))
    }

    /// Appends somebody else's words.
    #[must_use]
    pub fn outside(self, text: &str) -> Self {
        self.span(Span::Outside(Outside::new(text)))
    }

    /// Appends a person's name.
    #[must_use]
    pub fn person(self, person: &PersonId) -> Self {
        self.span(Span::Person(person.clone()))
    }

    /// Appends a person to be notified.
    #[must_use]
    pub fn mention(self, person: &PersonId) -> Self {
        self.span(Span::Mention(person.clone()))
    }

    /// Appends a moment.
    #[must_use]
    pub fn time(self, at: Timestamp) -> Self {
        self.span(Span::Time(at))
    }

    /// Appends all of another line.
    #[must_use]
    pub fn line(mut self, line: &Line) -> Self {
        self.0.extend(line.0.iter().cloned());
        self
    }

    /// Appends a span.
    #[must_use]
    pub fn span(mut self, span: Span) -> Self {
        self.0.push(span);
        self
    }

    /// The line without any formatting: for records, logs and tests, never for a platform.
    pub fn plain(&self) -> String {
        self.0
            .iter()
            .map(|span| match span {
                Span::Text(text) | Span::Code(text) | Span::Strong(text) => text.clone(),
                Span::Outside(outside) => outside.as_str().to_owned(),
                Span::Person(person) => person.to_string(),
                Span::Mention(person) => format!("@{person}"),
                Span::Time(at) => format!("{at:.0}"),
            })
            .collect()
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        Self::new().text(text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::new().text(text)
    }
}

/// The colour of a message, before any platform has one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// An answer.
    #[default]
    Plain,
    /// Something is under way.
    Working,
    /// Somebody has to act.
    Attention,
    /// It is done.
    Good,
    /// It failed, was refused, or nobody knows.
    Bad,
}

/// A name and its value, such as "live" and `v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// Our own word for it.
    pub name: String,
    /// What it is.
    pub value: Line,
}

/// A part of a message's body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Paragraph(Line),
    /// A heading over what follows.
    Heading(String),
    /// A list of items.
    List(Vec<Line>),
    /// A table; every row has as many cells as `header`.
    Table {
        /// The names of the columns.
        header: Vec<String>,
        /// The rows.
        rows: Vec<Vec<Line>>,
    },
    /// Foreign text of several lines, such as the end of a log.
    Quote(Outside),
    /// Text of ours whose spacing matters, such as a command to copy.
    Preformatted(String),
}

/// How a button looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// The usual next step.
    Primary,
    /// Something that stops or undoes.
    Danger,
    /// Anything else.
    Plain,
}

/// What a platform asks whoever presses a button before the line is said. Terminals, where the line itself is typed, ask nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// Nothing: the line is said at once.
    #[default]
    Nothing,
    /// Whether they are sure; this is what would happen, in one sentence.
    Confirmation(Line),
    /// Their reason, which goes with the line as its `--reason`.
    Reason,
}

/// A button: typed text. Whoever clicks it says `line`, and gains nothing by editing it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// At most 20 characters, so that phones do not cut it.
    pub label: String,
    /// How it looks.
    pub style: Style,
    /// A command line of the grammar, at most 100 bytes.
    pub line: String,
    /// What is asked first.
    #[serde(default)]
    pub ask: Ask,
}

impl Action {
    /// A button labelled `label` that says `line`.
    pub fn new(label: impl Into<String>, style: Style, line: impl Into<String>) -> Self {
        let action = Self { label: label.into(), style, line: line.into(), ask: Ask::Nothing };
        debug_assert!(action.label.chars().count() <= 20, "label too long: {}", action.label);
        debug_assert!(action.line.len() <= 100, "line too long: {}", action.line);
        action
    }

    /// A button whose line is as long as what somebody said. A platform that cannot carry it leaves the button out.
    pub fn of_any_length(label: &str, style: Style, line: &str) -> Self {
        Self { label: label.to_owned(), style, line: line.to_owned(), ask: Ask::Nothing }
    }

    /// The same button, which asks first.
    #[must_use]
    pub fn asking(self, ask: Ask) -> Self {
        Self { ask, ..self }
    }
}

/// A longer text that goes with a message as a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The file's name.
    pub name: String,
    /// What it holds.
    pub content: Outside,
}

/// Who sees a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody in the room.
    #[default]
    Room,
    /// The asker alone, where the platform can.
    Asker,
}

/// Something to say. `summary` is the push notification: the whole fact in 110 characters, verb first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The whole fact in one line.
    pub summary: Line,
    /// Its colour.
    pub tone: Tone,
    /// Names and values under the summary.
    pub facts: Vec<Fact>,
    /// What follows.
    pub body: Vec<Block>,
    /// Buttons.
    pub actions: Vec<Action>,
    /// A file that goes with it.
    pub attachment: Option<Attachment>,
    /// Who sees it.
    pub audience: Audience,
}

impl Message {
    /// A plain answer.
    pub fn new(summary: impl Into<Line>) -> Self {
        Self { summary: summary.into(), ..Self::default() }
    }

    /// The same in another tone.
    #[must_use]
    pub fn tone(mut self, tone: Tone) -> Self {
        self.tone = tone;
        self
    }

    /// With one more fact.
    #[must_use]
    pub fn fact(mut self, name: impl Into<String>, value: impl Into<Line>) -> Self {
        self.facts.push(Fact { name: name.into(), value: value.into() });
        self
    }

    /// With one more block.
    #[must_use]
    pub fn block(mut self, block: Block) -> Self {
        self.body.push(block);
        self
    }

    /// With one more paragraph.
    #[must_use]
    pub fn paragraph(self, line: impl Into<Line>) -> Self {
        self.block(Block::Paragraph(line.into()))
    }

    /// With one more button.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.actions.push(action);
        self
    }

    /// Shown to the asker alone.
    #[must_use]
    pub fn whisper(mut self) -> Self {
        self.audience = Audience::Asker;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Outside;

    #[test]
    fn foreign_text_loses_what_misleads() {
        assert_eq!(Outside::new("a\u{202e}b\u{7}c\u{200b}\nd").as_str(), "abc\nd");
        assert_eq!(Outside::new(&"x".repeat(5_000)).as_str().chars().count(), Outside::LIMIT);
    }
}

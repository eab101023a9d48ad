//! From a message to blocks, as many as there is room for.

use andon_core::{Block, Message, Tone};
use slack_morphism::prelude::{SlackBlock, SlackEmojiName, SlackRichTextEmoji, SlackRichTextInlineElement as Inline};

use super::buttons::buttons;
use super::limits::{BLOCKS, MESSAGE, TABLE_COLUMNS, VIEW_BLOCKS};
use super::pieces::{Chunk, lists, preformatted, sections};
use super::spans::{People, elements, flat_elements, strong, words};
use super::table::{columns, stacked, table};

/// What the note weighs that says how much is shown.
const NOTE: usize = 300;

/// Where blocks are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    /// In a room: with buttons, and one table.
    Message,
    /// In a modal: without buttons, since its own submit button is the one, and without tables, which Slack does not show there.
    View,
}

/// The blocks of a message, and what they leave out.
pub(crate) struct Composed {
    /// The blocks, without a word on what is left out.
    pub(crate) blocks: Vec<SlackBlock>,
    /// The actions block, which stands below everything else.
    pub(crate) buttons: Option<SlackBlock>,
    /// How much is shown, where that is not all.
    pub(crate) left_out: Option<String>,
}

/// The blocks of `message` on `surface`, with room for one more that says what they leave out.
pub(crate) fn compose(message: &Message, people: People<'_>, surface: Surface) -> Composed {
    let buttons = if surface == Surface::Message { buttons(&message.actions) } else { None };
    let shown_buttons = buttons.as_ref().map_or(0, |buttons| buttons.lines);
    let most = if surface == Surface::Message { BLOCKS } else { VIEW_BLOCKS };
    let mut page = Page {
        people,
        blocks: Vec::new(),
        room: MESSAGE - NOTE - buttons.as_ref().map_or(0, |buttons| buttons.weight),
        // One for the note, one for the buttons.
        most: most - 2,
        table: surface == Surface::Message,
        lines: 0,
        full: false,
    };
    page.add(sections(vec![summary(message, people)]));
    page.add(facts(message, people));
    message.body.iter().for_each(|block| page.block(block));
    let of_buttons = if surface == Surface::Message { message.actions.len() } else { 0 };
    let left_out = left_out((page.lines, lines(message)), (shown_buttons, of_buttons));
    Composed { blocks: page.blocks, buttons: buttons.map(|buttons| buttons.block), left_out }
}

/// How many lines a message has, beside its buttons.
fn lines(message: &Message) -> usize {
    let body = message.body.iter().map(|block| match block {
        Block::Paragraph(_) | Block::Heading(_) => 1,
        Block::List(items) => items.len(),
        Block::Table { rows, .. } => rows.len(),
        Block::Quote(outside) => preformatted_lines(outside.as_str()),
        Block::Preformatted(text) => preformatted_lines(text),
    });
    1 + message.facts.len() + body.sum::<usize>()
}

fn preformatted_lines(text: &str) -> usize {
    preformatted(text).iter().map(|chunk| chunk.lines).sum()
}

fn left_out(lines: (usize, usize), buttons: (usize, usize)) -> Option<String> {
    let part = |(shown, of): (usize, usize), what: &str| (shown < of).then(|| format!("{shown} of {of} {what}"));
    let parts: Vec<_> = [part(lines, "lines"), part(buttons, "buttons")].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("Not everything fits here: {} are shown.", parts.join(" and ")))
}

fn summary(message: &Message, people: People<'_>) -> Vec<Inline> {
    let mut summary = mark(message.tone);
    summary.extend(elements(&message.summary, people));
    summary
}

/// One line for each, since two columns are one on a phone.
fn facts(message: &Message, people: People<'_>) -> Vec<Chunk> {
    let line = |fact: &andon_core::Fact| {
        let mut line = strong(&fact.name);
        line.extend(words("  ".to_owned()));
        line.extend(flat_elements(&fact.value, people));
        line
    };
    sections(message.facts.iter().map(line).collect())
}

/// The mark of a tone, before a summary.
fn mark(tone: Tone) -> Vec<Inline> {
    let name = match tone {
        Tone::Plain => return Vec::new(),
        Tone::Working => "hourglass_flowing_sand",
        Tone::Attention => "bell",
        Tone::Good => "white_check_mark",
        Tone::Bad => "x",
    };
    let emoji = SlackRichTextEmoji::new(SlackEmojiName(name.to_owned()));
    std::iter::once(emoji.into()).chain(words(" ".to_owned())).collect()
}

/// Blocks in the making.
struct Page<'a> {
    people: People<'a>,
    blocks: Vec<SlackBlock>,
    /// The weight that is left.
    room: usize,
    /// The most blocks.
    most: usize,
    /// Whether a table may still stand here.
    table: bool,
    /// How many lines of the message are shown.
    lines: usize,
    /// Whether something did not fit: then nothing that follows is shown either.
    full: bool,
}

impl Page<'_> {
    fn add(&mut self, chunks: Vec<Chunk>) {
        for chunk in chunks {
            self.full |= chunk.weight > self.room || self.blocks.len() >= self.most;
            if self.full {
                return;
            }
            self.room -= chunk.weight;
            self.lines += chunk.lines;
            self.blocks.push(chunk.block);
        }
    }

    fn block(&mut self, block: &Block) {
        let chunks = match block {
            Block::Paragraph(line) => sections(vec![elements(line, self.people)]),
            Block::Heading(text) => sections(vec![strong(text)]),
            Block::List(items) => lists(items.iter().map(|item| elements(item, self.people)).collect()),
            Block::Table { header, rows } if self.table && (1..=TABLE_COLUMNS).contains(&columns(header, rows)) => {
                let table = table(header, rows, self.people, self.room);
                let whole = table.as_ref().is_some_and(|table| table.lines == rows.len());
                self.add(table.into_iter().collect());
                self.table = false;
                self.full |= !whole;
                return;
            }
            Block::Table { header, rows } => stacked(header, rows, self.people),
            Block::Quote(outside) => preformatted(outside.as_str()),
            Block::Preformatted(text) => preformatted(text),
        };
        self.add(chunks);
    }
}

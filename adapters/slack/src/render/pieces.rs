//! Elements in portions that fit into a block, and blocks that know how much of the message they are.

use slack_morphism::prelude::{
    SlackBlock, SlackRichTextBlock, SlackRichTextElement, SlackRichTextInlineElement as Inline, SlackRichTextList,
    SlackRichTextListStyle, SlackRichTextPreformatted, SlackRichTextSection, SlackRichTextText,
};

use super::limits::{ELEMENT, SECTION};
use super::spans::words;
use super::text::{clean, length, split_at};

/// A block, and what it takes.
pub(crate) struct Chunk {
    pub(crate) block: SlackBlock,
    /// How much it counts against [`super::limits::MESSAGE`].
    pub(crate) weight: usize,
    /// How many lines of the message end in it.
    pub(crate) lines: usize,
}

/// How much an element weighs: its text, and something for being there, so that many small ones are no way around the limit.
pub(crate) fn weight(element: &Inline) -> usize {
    let text = match element {
        Inline::Text(text) => length(&text.text),
        Inline::User(user) => length(&user.user_id.0),
        Inline::Emoji(emoji) => length(&emoji.name.0),
        Inline::Date(date) => length(&date.format) + date.fallback.as_deref().map_or(0, length),
        // Nothing else is ever made here.
        _ => 0,
    };
    text + ELEMENT
}

/// How much elements weigh together.
pub(crate) fn weight_of(elements: &[Inline]) -> usize {
    elements.iter().map(weight).sum()
}

/// A line, or a part of one that is too long for a block.
struct Part {
    elements: Vec<Inline>,
    ends_line: bool,
}

impl Part {
    fn weight(&self) -> usize {
        // And the newline after it.
        weight_of(&self.elements) + ELEMENT + 1
    }
}

/// The most that a part weighs.
const PART: usize = SECTION - ELEMENT - 1;

/// Lines as sections of rich text.
pub(crate) fn sections(lines: Vec<Vec<Inline>>) -> Vec<Chunk> {
    groups(lines)
        .into_iter()
        .map(|parts| {
            chunk(&parts, |parts| {
                let mut elements = Vec::new();
                for (place, part) in parts.iter().enumerate() {
                    if place > 0 {
                        elements.extend(words("\n".to_owned()));
                    }
                    elements.extend(part.elements.iter().cloned());
                }
                SlackRichTextSection::new(never_empty(elements)).into()
            })
        })
        .collect()
}

/// Lines as bulleted lists.
pub(crate) fn lists(items: Vec<Vec<Inline>>) -> Vec<Chunk> {
    groups(items)
        .into_iter()
        .map(|parts| {
            chunk(&parts, |parts| {
                let items =
                    parts.iter().map(|part| SlackRichTextSection::new(never_empty(part.elements.clone())).into());
                SlackRichTextList::new(SlackRichTextListStyle::Bullet, items.collect()).into()
            })
        })
        .collect()
}

/// A text whose spacing matters as preformatted blocks. No text can end one, since it is no mark-up.
pub(crate) fn preformatted(text: &str) -> Vec<Chunk> {
    let text = clean(text);
    let text = text.trim_end_matches('\n');
    if text.is_empty() {
        return Vec::new();
    }
    // Always one element, into which the lines are joined.
    let lines = text.split('\n').map(|line| words(line.to_owned())).collect();
    groups(lines)
        .into_iter()
        .map(|parts| {
            chunk(&parts, |parts| {
                let lines = parts.iter().map(|part| text_of(&part.elements)).collect::<Vec<_>>();
                let text = Some(lines.join("\n")).filter(|text| !text.is_empty()).unwrap_or_else(|| " ".to_owned());
                SlackRichTextPreformatted::new(vec![SlackRichTextText::new(text).into()]).into()
            })
        })
        .collect()
}

fn text_of(elements: &[Inline]) -> String {
    let texts = elements.iter().map(|element| if let Inline::Text(text) = element { text.text.as_str() } else { "" });
    texts.collect()
}

fn chunk(parts: &[Part], element: impl FnOnce(&[Part]) -> SlackRichTextElement) -> Chunk {
    Chunk {
        block: SlackRichTextBlock::new(vec![element(parts)]).into(),
        weight: parts.iter().map(Part::weight).sum(),
        lines: parts.iter().filter(|part| part.ends_line).count(),
    }
}

/// What stands where nothing was said: Slack refuses sections without elements.
pub(crate) fn never_empty(elements: Vec<Inline>) -> Vec<Inline> {
    if elements.is_empty() { words("–".to_owned()) } else { elements }
}

/// Lines in portions that fit into a block, broken at their ends wherever that is possible.
fn groups(lines: Vec<Vec<Inline>>) -> Vec<Vec<Part>> {
    let mut groups: Vec<Vec<Part>> = Vec::new();
    let mut room = 0;
    for part in lines.into_iter().flat_map(parts) {
        let weight = part.weight();
        match groups.last_mut() {
            Some(group) if weight <= room => {
                room -= weight;
                group.push(part);
            }
            _ => {
                room = SECTION.saturating_sub(weight);
                groups.push(vec![part]);
            }
        }
    }
    groups
}

fn parts(line: Vec<Inline>) -> Vec<Part> {
    let mut parts = vec![Part { elements: Vec::new(), ends_line: true }];
    let mut room = PART;
    for element in line.into_iter().flat_map(portions) {
        let weight = weight(&element);
        if weight > room {
            if let Some(last) = parts.last_mut() {
                last.ends_line = false;
            }
            parts.push(Part { elements: Vec::new(), ends_line: true });
            room = PART;
        }
        room = room.saturating_sub(weight);
        if let Some(last) = parts.last_mut() {
            last.elements.push(element);
        }
    }
    parts
}

/// An element, cut where its text alone is too long for a block.
fn portions(element: Inline) -> Vec<Inline> {
    let Inline::Text(text) = element else { return vec![element] };
    let mut rest = text.text.as_str();
    let mut portions = Vec::new();
    while !rest.is_empty() {
        let (portion, after) = split_at(rest, PART - ELEMENT);
        portions.push(SlackRichTextText { text: portion.to_owned(), style: text.style.clone() }.into());
        rest = after;
    }
    portions
}

//! Whether a text is TOML, and what is wrong with it if not.

use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};
use toml_parser::Source as Lexed;
use toml_parser::lexer::TokenKind;

use super::problem::{Position, Problems};
use super::source::{Lines, Source};
use super::tree::twice;

/// The most parts of a dotted key. Parsers and destructors go one call deeper for each.
const MOST_PARTS: usize = 16;

/// The text as TOML; nothing where it is none. A key that is set twice is a problem, but leaves the first one readable.
pub(super) fn parsed<'s>(
    source: &'s Source,
    lines: &Lines<'_>,
    problems: &mut Problems,
) -> Option<Spanned<DeTable<'s>>> {
    if let Some(offset) = too_deep(&source.text) {
        problems.add(&lines.position(offset), format!("a key has at most {MOST_PARTS} parts"));
        return None;
    }
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    let mut readable = true;
    for error in errors {
        readable &= error.message() == DUPLICATE;
        if !problems.is_full() {
            report(&error, source, lines, problems);
        }
    }
    readable.then_some(table)
}

/// What the parser says of a key that is set twice.
const DUPLICATE: &str = "duplicate key";

/// Where a key with too many parts ends, if there is one: the parser itself limits only brackets.
fn too_deep(text: &str) -> Option<usize> {
    let mut dots = 0;
    for token in Lexed::new(text).lex() {
        match token.kind() {
            TokenKind::Dot => dots += 1,
            TokenKind::Whitespace | TokenKind::Atom | TokenKind::BasicString | TokenKind::LiteralString => {}
            _ => dots = 0,
        }
        if dots >= MOST_PARTS {
            return Some(token.span().start());
        }
    }
    None
}

fn report(error: &Error, source: &Source, lines: &Lines<'_>, problems: &mut Problems) {
    let Some(span) = error.span() else {
        return problems.add(&Position::whole(&source.name), error.message());
    };
    let position = lines.position(span.start);
    if error.message() != DUPLICATE {
        return problems.add(&position, error.message());
    }
    let key = source.text.get(span).unwrap_or_default();
    match first_of_two(source, lines, &position, key) {
        Some(first) => problems.add(&position, twice(key, &first)),
        None => problems.add(&position, format!("`{key}` is set twice")),
    }
}

/// Where the key that is set again at `again` was set first. The parser does not tell; the text before that line does, with a key of
/// our own at its end to mark the table that is being filled there.
fn first_of_two(source: &Source, lines: &Lines<'_>, again: &Position, key: &str) -> Option<Position> {
    const MARK: &str = "the table that is being filled";
    let start = lines.line_start(again.line);
    let line = source.text[start..].lines().next()?;
    let key = DeTable::parse(&format!("{key}=0")).ok()?.get_ref().keys().next()?.get_ref().to_string();
    let before = format!("{}\n\"{MARK}\"=0", &source.text[..start]);
    let (tree, _) = DeTable::parse_recoverable(&before);
    let table = match DeTable::parse(line).ok().filter(|_| line.trim_start().starts_with('[')) {
        Some(header) => descend(tree.get_ref(), header.get_ref(), &key),
        None => holder(tree.get_ref(), MARK),
    };
    let (first, _) = table?.get_key_value(key.as_str())?;
    Some(lines.position(first.span().start))
}

/// The table of `tree` that stands where `key` stands in `header`.
fn descend<'t, 'i>(mut tree: &'t DeTable<'i>, mut header: &DeTable<'_>, key: &str) -> Option<&'t DeTable<'i>> {
    loop {
        let (step, next) = header.iter().next()?;
        header = next.get_ref().as_table()?;
        if header.is_empty() && step.get_ref() == key {
            return Some(tree);
        }
        tree = table_in(tree.get(step.get_ref().as_ref())?.get_ref())?;
    }
}

/// The table anywhere in `tree` that holds `key`.
fn holder<'t, 'i>(tree: &'t DeTable<'i>, key: &str) -> Option<&'t DeTable<'i>> {
    if tree.contains_key(key) {
        return Some(tree);
    }
    tree.iter().filter_map(|(_, value)| table_in(value.get_ref())).find_map(|table| holder(table, key))
}

fn table_in<'t, 'i>(value: &'t DeValue<'i>) -> Option<&'t DeTable<'i>> {
    match value {
        DeValue::Table(table) => Some(table),
        DeValue::Array(array) => array.get(array.len().checked_sub(1)?)?.get_ref().as_table(),
        _ => None,
    }
}

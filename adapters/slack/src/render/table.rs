//! Tables: Slack's own block, or a list with an item for each row.
//!
//! A message may hold one table, and a view none. What cannot be a table becomes a list: columns in monospace break on every phone, and
//! a list keeps mentions, moments and code. Cells are rich text, because Slack answers some tables of raw text with an internal error
//! (<https://github.com/soxtoby/SlackNet/issues/246>).

use andon_core::Line;
use slack_morphism::prelude::{
    SlackRichTextInlineElement as Inline, SlackRichTextSection, SlackTableBlock, SlackTableCell,
    SlackTableColumnSetting, SlackTableRichTextCell,
};

use super::limits::{TABLE, TABLE_COLUMNS, TABLE_ROWS};
use super::pieces::{Chunk, lists, never_empty, weight_of};
use super::spans::{People, flat_elements, strong, words};
use super::text::one_line;

/// How many columns a table has; rows may have fewer cells, and are filled up.
pub(crate) fn columns(header: &[String], rows: &[Vec<Line>]) -> usize {
    rows.iter().map(Vec::len).chain([header.len()]).max().unwrap_or(0)
}

/// A table with as many rows as its limits and `room` (a weight) allow. Nothing where not even its header fits.
pub(crate) fn table(header: &[String], rows: &[Vec<Line>], people: People<'_>, room: usize) -> Option<Chunk> {
    let columns = columns(header, rows);
    if columns == 0 || columns > TABLE_COLUMNS {
        return None;
    }
    let names = header.iter().map(|name| strong(name)).collect();
    let cells = rows.iter().map(|row| row.iter().map(|cell| flat_elements(cell, people)).collect());
    let mut room = room.min(TABLE);
    let fits = |row: &Vec<Vec<Inline>>| {
        let weight: usize = row.iter().map(|cell| weight_of(cell)).sum();
        let fits = weight <= room;
        room = room.saturating_sub(weight);
        fits
    };
    let filled = std::iter::once(names).chain(cells).map(|row| filled(row, columns));
    let shown: Vec<_> = filled.take(TABLE_ROWS).take_while(fits).collect();
    let lines = shown.len().checked_sub(1)?;
    let weight = shown.iter().flatten().map(|cell| weight_of(cell)).sum();
    let rows = shown.into_iter().map(|row| row.into_iter().map(cell).collect()).collect();
    let wrapped = vec![SlackTableColumnSetting::new().with_is_wrapped(true); columns];
    Some(Chunk { block: SlackTableBlock::new(rows).with_column_settings(wrapped).into(), weight, lines })
}

fn filled(mut row: Vec<Vec<Inline>>, columns: usize) -> Vec<Vec<Inline>> {
    row.resize_with(columns, Vec::new);
    row.into_iter().map(never_empty).collect()
}

fn cell(elements: Vec<Inline>) -> SlackTableCell {
    SlackTableRichTextCell::new(vec![SlackRichTextSection::new(elements).into()]).into()
}

/// A table as a list: what the first column names, and what the others say of it.
pub(crate) fn stacked(header: &[String], rows: &[Vec<Line>], people: People<'_>) -> Vec<Chunk> {
    lists(rows.iter().map(|row| item(header, row, people)).collect())
}

fn item(header: &[String], row: &[Line], people: People<'_>) -> Vec<Inline> {
    let mut item = Vec::new();
    for (place, line) in row.iter().enumerate() {
        let elements = flat_elements(line, people);
        if elements.is_empty() {
            continue;
        }
        if !item.is_empty() {
            item.extend(words(" · ".to_owned()));
        }
        let name = header.get(place).map(|name| one_line(name)).filter(|name| place > 0 && !name.is_empty());
        item.extend(words(name.map(|name| format!("{name}: ")).unwrap_or_default()));
        item.extend(elements);
    }
    item
}

//! Tables, by how much room there is: as they are; with cells of several lines; or one row below the other.

use crate::layout::{pad, width, wrap};

/// The space before the first column.
const MARGIN: &str = "  ";

/// The space between columns, in columns of the terminal.
const GAP: usize = 2;

/// The narrowest that a column is made, unless it wants less.
const NARROWEST: usize = 20;

/// The lines of a table in a terminal of `columns`.
pub(crate) fn table(header: &[String], rows: &[Vec<String>], columns: usize) -> Vec<String> {
    let lines = || std::iter::once(header).chain(rows.iter().map(Vec::as_slice));
    let widest = |column: usize, of: fn(&str) -> usize| {
        lines().filter_map(|row| row.get(column)).map(|cell| of(cell)).max().unwrap_or(0)
    };
    let wanted: Vec<_> = (0..header.len()).map(|column| widest(column, width)).collect();
    let least: Vec<_> = wanted
        .iter()
        .enumerate()
        .map(|(column, wanted)| widest(column, longest_word).max(NARROWEST).min(*wanted))
        .collect();
    let room = columns.saturating_sub(MARGIN.len() + GAP * header.len().saturating_sub(1));
    match shared(&wanted, &least, room) {
        Some(widths) => lines().flat_map(|row| side_by_side(row, &widths)).collect(),
        None => rows.iter().flat_map(|row| stacked(header, row, columns)).collect(),
    }
}

/// The width of a cell's longest word, such as a digest, that is not to be broken.
fn longest_word(cell: &str) -> usize {
    cell.split_whitespace().map(width).max().unwrap_or(0)
}

/// How wide each column gets: the widest give way first, and none gets less than its `least`. Nothing where there is no room for that.
fn shared(wanted: &[usize], least: &[usize], room: usize) -> Option<Vec<usize>> {
    let widest = wanted.iter().copied().max()?;
    let given = |most: usize| wanted.iter().zip(least).map(move |(wanted, least)| most.clamp(*least, *wanted));
    let most = (0..=widest).rev().find(|&most| given(most).sum::<usize>() <= room)?;
    Some(given(most).collect())
}

fn side_by_side(row: &[String], widths: &[usize]) -> Vec<String> {
    let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| wrap(cell, *width, "", "")).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let line = |place: usize| {
        let parts =
            cells.iter().zip(widths).map(|(cell, width)| pad(cell.get(place).map_or("", String::as_str), *width));
        let text = parts.collect::<Vec<_>>().join(&" ".repeat(GAP));
        format!("{MARGIN}{}", text.trim_end())
    };
    (0..height).map(line).collect()
}

/// What the first column names, and below it what the others say of it.
fn stacked(header: &[String], row: &[String], columns: usize) -> Vec<String> {
    let mut cells = header.iter().zip(row);
    let head = cells.next().map(|(_, cell)| wrap(cell, columns, MARGIN, "      "));
    let below = cells.filter(|(_, cell)| !cell.is_empty()).flat_map(|(name, cell)| {
        let text = if name.is_empty() { cell.clone() } else { format!("{name}: {cell}") };
        wrap(&text, columns, "    ", "      ")
    });
    head.into_iter().flatten().chain(below).collect()
}

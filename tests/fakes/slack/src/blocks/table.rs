//! Tables: one to a message, 100 rows of 20 cells.

use super::check::{Checker, Node};
use super::rich;

const MOST_ROWS: usize = 100;
const MOST_COLUMNS: usize = 20;

pub(super) fn check(checker: &mut Checker, node: &mut Node<'_>) {
    checker.tables += 1;
    if checker.tables > 1 {
        checker.complain(node.path(), "only one table is allowed".to_owned());
    }
    for mut column in node.objects(checker, "column_settings", 0, MOST_COLUMNS, false) {
        column.word(checker, "align", &["left", "center", "right"], false);
        column.flag(checker, "is_wrapped");
        column.finish(checker);
    }
    let path = format!("{}/rows", node.path());
    for (index, row) in node.array(checker, "rows", 1, MOST_ROWS, true).iter().enumerate() {
        let path = format!("{path}/{index}");
        let Some(cells) = row.as_array() else {
            checker.complain(&path, "must be an array".to_owned());
            continue;
        };
        if cells.is_empty() || cells.len() > MOST_COLUMNS {
            checker.complain(&path, format!("must have 1 to {MOST_COLUMNS} cells"));
        }
        for (index, cell) in cells.iter().enumerate() {
            let Some(mut cell) = Node::of(checker, cell, &format!("{path}/{index}")) else { continue };
            match cell.kind(checker) {
                "raw_text" => {
                    cell.string(checker, "text", 1, 10_000, true);
                }
                "rich_text" => rich::check(checker, &mut cell),
                other => {
                    checker.complain(cell.path(), format!("unsupported type: {other}"));
                    continue;
                }
            }
            cell.finish(checker);
        }
    }
}

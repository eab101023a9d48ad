//! Slack's limits as it documents them, checked on the JSON that goes to it.

use serde_json::Value;

use crate::render::Rendered;

/// Fails where Slack would refuse the message.
pub(super) fn check(rendered: &Rendered) {
    let blocks = serde_json::to_value(&rendered.blocks).expect("blocks are JSON");
    let blocks = blocks.as_array().expect("an array");
    assert!((1..=40_000).contains(&rendered.text.chars().count()), "the text has {}", rendered.text.chars().count());
    assert!((1..=50).contains(&blocks.len()), "{} blocks", blocks.len());
    check_blocks(blocks);
    assert!(blocks.iter().filter(|block| block["type"] == "table").count() <= 1, "one table a message");
    let all: usize = blocks.iter().map(characters).sum();
    assert!(all <= 12_000, "{all} characters in all blocks");
    for file in &rendered.files {
        assert!(!file.name.is_empty() && file.name.len() <= 255 && !file.name.contains('/'), "{:?}", file.name);
    }
    let names: std::collections::BTreeSet<_> = rendered.files.iter().map(|file| &file.name).collect();
    assert_eq!(names.len(), rendered.files.len(), "files have different names");
}

/// Fails where a block breaks a limit of its kind.
pub(crate) fn check_blocks(blocks: &[Value]) {
    for block in blocks {
        match block["type"].as_str() {
            Some("rich_text") => rich_text(block),
            Some("table") => table(block),
            Some("actions") => actions(block),
            Some("input") => {}
            other => panic!("no block of this kind is made: {other:?}"),
        }
    }
}

/// All characters that somebody could see or say in a value.
fn characters(value: &Value) -> usize {
    match value {
        Value::Array(values) => values.iter().map(characters).sum(),
        Value::Object(fields) => {
            let text = |name: &str| matches!(name, "text" | "value" | "fallback" | "user_id" | "name");
            let own = fields.iter().filter(|(name, _)| text(name)).filter_map(|(_, value)| value.as_str());
            own.map(|text| text.chars().count()).sum::<usize>() + fields.values().map(characters).sum::<usize>()
        }
        _ => 0,
    }
}

fn array<'a>(value: &'a Value, name: &str) -> &'a Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("{name} is an array in {value}"))
}

fn rich_text(block: &Value) {
    let elements = array(block, "elements");
    assert!(!elements.is_empty());
    assert!(characters(block) <= 3_000, "{} characters in a block", characters(block));
    for element in elements {
        let inner = array(element, "elements");
        assert!(!inner.is_empty(), "an empty {}", element["type"]);
        match element["type"].as_str() {
            Some("rich_text_list") => inner.iter().for_each(section),
            Some("rich_text_preformatted") => {
                assert!(inner.iter().all(|inline| inline["type"] == "text"));
                section(element);
            }
            Some("rich_text_section") => section(element),
            other => panic!("no element of this kind is made: {other:?}"),
        }
    }
}

fn section(section: &Value) {
    let inlines = array(section, "elements");
    assert!(!inlines.is_empty(), "an empty section");
    for inline in inlines {
        assert!(inline["text"].as_str() != Some(""), "an empty text");
        if inline["type"] == "date" {
            assert!(inline["timestamp"].as_i64().is_some_and(|seconds| seconds >= 0));
        }
    }
}

fn table(block: &Value) {
    let rows = array(block, "rows");
    assert!((1..=100).contains(&rows.len()), "{} rows", rows.len());
    let columns = rows[0].as_array().map_or(0, Vec::len);
    assert!((1..=20).contains(&columns), "{columns} columns");
    for row in rows {
        let cells = row.as_array().expect("a row is an array");
        assert_eq!(cells.len(), columns, "all rows have as many cells");
        cells.iter().for_each(rich_text_cell);
    }
    assert!(array(block, "column_settings").len() <= 20);
    let all: usize = rows.iter().map(characters).sum();
    assert!(all <= 10_000, "{all} characters in all cells");
}

fn rich_text_cell(cell: &Value) {
    assert_eq!(cell["type"], "rich_text");
    array(cell, "elements").iter().for_each(section);
}

fn plain(text: &Value, most: usize) {
    assert_eq!(text["type"], "plain_text");
    let length = text["text"].as_str().map_or(0, |text| text.chars().count());
    assert!((1..=most).contains(&length), "{length} of {most} characters: {text}");
}

fn actions(block: &Value) {
    let buttons = array(block, "elements");
    assert!((1..=25).contains(&buttons.len()), "{} buttons", buttons.len());
    let mut ids = std::collections::BTreeSet::new();
    for button in buttons {
        plain(&button["text"], 75);
        let value = button["value"].as_str().expect("a button has a value");
        assert!((1..=2_000).contains(&value.chars().count()));
        let id = button["action_id"].as_str().expect("a button has an id");
        assert!(id.len() <= 255 && ids.insert(id), "{id} is there twice");
        if let Some(confirm) = button.get("confirm") {
            plain(&confirm["title"], 100);
            plain(&confirm["text"], 300);
            plain(&confirm["confirm"], 30);
            plain(&confirm["deny"], 30);
        }
    }
}

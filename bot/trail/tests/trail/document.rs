//! `docs/record.md` names what a record can hold, no more and no less.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::full;

#[test]
fn the_document_names_every_kind() {
    let document = include_str!("../../../../docs/record.md");
    let kinds = include_str!("../../../core/src/record.rs");
    let start = kinds.find("pub enum RecordKind {").unwrap();
    let body = &kinds[start..start + kinds[start..].find('}').unwrap()];
    for kind in body.lines().skip(1).map(|line| line.trim().trim_end_matches(',')).filter(|line| !line.is_empty()) {
        let name: String = kind
            .chars()
            .enumerate()
            .flat_map(|(place, c)| (place > 0 && c.is_uppercase()).then_some('_').into_iter().chain(c.to_lowercase()))
            .collect();
        assert!(document.contains(&format!("`{name}`")), "docs/record.md does not tell of `{name}`");
    }
}

/// The names of all members of a record, with dots between them; what people's words shape has no names of ours.
fn names(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| names(item, path, found)),
        Value::Object(members) if !members.contains_key("$private") => {
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if !path.ends_with("arguments") && path != "details" {
                    names(member, &path, found);
                }
                found.insert(path);
            }
        }
        _ => {}
    }
}

#[test]
fn the_document_names_every_field_at_every_depth() {
    let document = include_str!("../../../../docs/record.md");
    let table = &document[document.find("## Fields").unwrap()..document.find("## Kinds").unwrap()];
    let first = |line: &str| line.strip_prefix("| `")?.split_once("` |").map(|(name, _)| name.to_owned());
    let documented: BTreeSet<_> = table.lines().filter_map(first).collect();
    let mut there = BTreeSet::new();
    names(&serde_json::to_value(full::record()).unwrap(), "", &mut there);
    assert_eq!(documented, there, "docs/record.md and the record have other fields");
}

//! What must hold of a record by itself.

use serde_json::{Map, Value, json};

use crate::{Disclosure, canonical, sha256};

/// The most bytes of a leaf.
pub(crate) const LIMIT: usize = 16 * 1024;

/// The members that may be kept beside a leaf and named there by digest.
pub(crate) const MOVABLE: &[&str] =
    &["/plan/change", "/plan/source", "/details", "/said/arguments", "/decision/gates", "/targets"];

/// The closed list of version 1.
const KINDS: &[&str] = &[
    "asked",
    "answered",
    "applied",
    "denied",
    "planned",
    "approved",
    "objected",
    "expired",
    "cancelled",
    "started",
    "resumed",
    "finished",
    "settled",
    "configuration_loaded",
    "opened",
    "closed",
    "bypassed",
    "reviewed",
    "observed",
    "noted",
    "linked",
    "suspended",
    "key_rotated",
    "epoch_opened",
    "degraded",
    "gap",
    "anchored",
    "erased",
    "signalled",
];

/// What is wrong with the form of a record of the trail `origin`.
pub(crate) fn form(record: &Value, origin: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if record["schema"] != json!(1) {
        problems.push("its schema is not 1".to_owned());
    }
    if record["origin"] != json!(origin) {
        problems.push(format!("it belongs to the trail {}, not to {origin:?}", record["origin"]));
    }
    if !record["kind"].as_str().is_some_and(|kind| KINDS.contains(&kind)) {
        problems.push(format!("there is no kind {}", record["kind"]));
    }
    if !record["id"].as_str().is_some_and(is_ulid) {
        problems.push(format!("{} is no id", record["id"]));
    }
    if record.pointer("/when/recorded").and_then(Value::as_str).is_none() {
        problems.push("it does not say when it was recorded".to_owned());
    }
    problems
}

fn is_ulid(text: &str) -> bool {
    let crockford = |letter: char| letter.is_ascii_digit() || (letter.is_ascii_uppercase() && !"ILOU".contains(letter));
    text.len() == 26 && text.starts_with(|first| ('0'..='7').contains(&first)) && text.chars().all(crockford)
}

/// What is disclosed and was not committed to.
pub(crate) fn disclosures(record: &Value, disclosures: &[Disclosure]) -> Vec<String> {
    let wrong = |disclosure: &&Disclosure| {
        let mut bytes = disclosure.salt.clone();
        bytes.extend(disclosure.value.as_bytes());
        let committed = record.pointer(&disclosure.path).and_then(|place| sole(place, "commitment"));
        disclosure.salt.len() != 16 || committed != Some(sha256(&bytes).as_str())
    };
    let wrong = disclosures.iter().filter(wrong);
    wrong.map(|disclosure| format!("what is disclosed at {} is not what was committed to", disclosure.path)).collect()
}

/// The digest in an object of the exact form `{name: digest}`.
pub(crate) fn sole<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.as_object().filter(|members| members.len() == 1).and_then(|members: &Map<_, _>| members.get(name)?.as_str())
}

/// What is wrong with the plan of a record: its digest must be that of its change.
pub(crate) fn plan(record: &Value) -> Option<String> {
    let plan = record.get("plan")?;
    let change = canonical::text_of(&plan["change"]).ok()?;
    let digest = sha256(format!("andon plan v1\n{change}").as_bytes());
    (plan["digest"] != json!(digest)).then(|| "the digest of its plan is not that of the change".to_owned())
}

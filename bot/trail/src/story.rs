//! The story that records tell: what was started has an end, and what was approved was this plan, by somebody else.

use std::collections::BTreeMap;

use serde_json::Value;

#[derive(Default)]
struct Operation {
    planned: Option<String>,
    asker: Option<i64>,
    open: bool,
}

/// Follows operations through the records, in their order.
#[derive(Default)]
pub(crate) struct Story {
    operations: BTreeMap<String, Operation>,
}

impl Story {
    /// Takes the next record in, and says what is wrong with it.
    pub(crate) fn follow(&mut self, record: &Value) -> Option<String> {
        let text = |place: &str| record.pointer(place).and_then(Value::as_str);
        let kind = text("/kind")?;
        let operation = self.operations.entry(text("/operation")?.to_owned()).or_default();
        let person = record.pointer("/who/number").and_then(Value::as_i64);
        match kind {
            "planned" => {
                operation.planned = text("/plan/digest").map(str::to_owned);
                operation.asker = person;
                None
            }
            "approved" => operation.approval(text("/approval/digest"), person),
            "started" => {
                operation.open = true;
                None
            }
            "finished" | "settled" => {
                operation.open = false;
                None
            }
            _ => None,
        }
    }

    /// The operations that were started and have no end yet.
    pub(crate) fn open(&self) -> Vec<String> {
        self.operations.iter().filter(|(_, operation)| operation.open).map(|(id, _)| id.clone()).collect()
    }
}

impl Operation {
    fn approval(&self, digest: Option<&str>, person: Option<i64>) -> Option<String> {
        if self.planned.as_deref() != digest || digest.is_none() {
            return Some("an approval names another plan than its operation's".to_owned());
        }
        if person.is_none() || person == self.asker {
            return Some("an approval was given by the asker, or by nobody".to_owned());
        }
        None
    }
}

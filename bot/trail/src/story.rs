//! The story that the records of an operation tell, as `docs/record.md` says that it must go: planned, agreed to by others, started once
//! with just that plan, and ended once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// How far an operation has come.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Progress {
    /// Nothing was started outside.
    #[default]
    Waiting,
    /// It was started, and its end is not told yet.
    Running,
    /// It ended in a way that nobody could tell.
    InDoubt,
    /// It has its end.
    Over,
}

#[derive(Default)]
struct Operation {
    progress: Progress,
    planned: bool,
    digest: Option<String>,
    asker: Option<i64>,
    needs: u64,
    agreed: BTreeSet<i64>,
}

/// Follows operations through the records, in their order.
#[derive(Default)]
pub(crate) struct Story {
    operations: BTreeMap<String, Operation>,
}

impl Story {
    /// Takes the next record in, and says what is wrong with it.
    pub(crate) fn follow(&mut self, record: &Value) -> Vec<&'static str> {
        let (Some(kind), Some(id)) = (text(record, "/kind"), text(record, "/operation")) else { return Vec::new() };
        let operation = self.operations.entry(id.to_owned()).or_default();
        match kind {
            "planned" => operation.plan(record),
            "approved" => operation.approve(record),
            "started" => operation.start(record),
            "objected" | "expired" => operation.drop_it(),
            "cancelled" if operation.progress == Progress::Running => Vec::new(),
            "cancelled" => operation.drop_it(),
            "resumed" => wrong(&[(operation.progress != Progress::Running, "resumes what is not running")]),
            "finished" => operation.finish(text(record, "/outcome/state")),
            "settled" => operation.settle(),
            _ => Vec::new(),
        }
    }

    /// The operations that were started and have no end yet.
    pub(crate) fn open(&self) -> Vec<String> {
        let running = self.operations.iter().filter(|(_, operation)| operation.progress == Progress::Running);
        running.map(|(id, _)| id.clone()).collect()
    }
}

fn text<'a>(record: &'a Value, place: &str) -> Option<&'a str> {
    record.pointer(place).and_then(Value::as_str)
}

fn number(record: &Value, place: &str) -> Option<i64> {
    record.pointer(place).and_then(Value::as_i64)
}

/// The words for whatever is wrong.
fn wrong(rules: &[(bool, &'static str)]) -> Vec<&'static str> {
    rules.iter().filter(|(broken, _)| *broken).map(|(_, words)| *words).collect()
}

impl Operation {
    fn plan(&mut self, record: &Value) -> Vec<&'static str> {
        let allowed = record.pointer("/decision/allowed") == Some(&Value::Bool(true));
        let problems = wrong(&[
            (self.planned, "plans an operation a second time"),
            (self.progress != Progress::Waiting, "plans an operation that has started or ended"),
            (!allowed, "plans an operation without being allowed to"),
        ]);
        self.planned = true;
        self.digest = text(record, "/plan/digest").map(str::to_owned);
        self.asker = number(record, "/who/number");
        self.needs = needs(record);
        problems
    }

    /// Whether a digest is that of the plan; without one nothing is.
    fn is_plan(&self, digest: Option<&str>) -> bool {
        digest.is_some() && self.digest.as_deref() == digest
    }

    fn approve(&mut self, record: &Value) -> Vec<&'static str> {
        let person = number(record, "/who/number");
        let other = person.filter(|_| person != self.asker);
        // Whoever approves again, since the first time no longer counts, counts once.
        self.agreed.extend(other);
        wrong(&[
            (!self.planned, "approves what was never planned"),
            (self.progress != Progress::Waiting, "approves an operation that has started or ended"),
            (!self.is_plan(text(record, "/approval/digest")), "approves another plan than its operation's"),
            (other.is_none(), "is an approval by the asker, or by nobody"),
        ])
    }

    fn start(&mut self, record: &Value) -> Vec<&'static str> {
        let asker = number(record, "/who/on_behalf_of");
        let agreed = u64::try_from(self.agreed.len()).unwrap_or(u64::MAX);
        let before = std::mem::replace(&mut self.progress, Progress::Running);
        if !self.planned {
            return vec!["starts what was never planned"];
        }
        wrong(&[
            (before != Progress::Waiting, "starts an operation a second time, or after its end"),
            (!self.is_plan(text(record, "/plan/digest")), "starts another plan than its operation's"),
            (asker.is_none() || asker != self.asker, "starts an operation for somebody else than its asker"),
            (agreed < self.needs, "starts an operation without the approvals that it needs"),
        ])
    }

    /// It was denied, withdrawn or forgotten before anything was done.
    fn drop_it(&mut self) -> Vec<&'static str> {
        let before = std::mem::replace(&mut self.progress, Progress::Over);
        wrong(&[
            (!self.planned, "ends what was never planned"),
            (before != Progress::Waiting, "ends an operation as if nothing had been started or ended"),
        ])
    }

    fn finish(&mut self, state: Option<&str>) -> Vec<&'static str> {
        let after = if state == Some("unknown") { Progress::InDoubt } else { Progress::Over };
        match std::mem::replace(&mut self.progress, after) {
            Progress::Running => Vec::new(),
            // The world had moved, and nothing was started.
            Progress::Waiting => {
                wrong(&[(!self.planned || state != Some("failed"), "finishes what was never started")])
            }
            Progress::InDoubt | Progress::Over => vec!["finishes an operation a second time"],
        }
    }

    fn settle(&mut self) -> Vec<&'static str> {
        let before = std::mem::replace(&mut self.progress, Progress::Over);
        wrong(&[(before != Progress::InDoubt, "settles an operation whose end was not unknown")])
    }
}

/// How many approvals a plan needs. One that does not say needs more than there are people.
fn needs(record: &Value) -> u64 {
    let gates = record.pointer("/decision/gates").and_then(Value::as_array);
    let exempt = gates.into_iter().flatten().any(|gate| gate["gate"] == "approval" && gate["state"] == "exempt");
    if exempt { 0 } else { record.pointer("/decision/approvals_needed").and_then(Value::as_u64).unwrap_or(u64::MAX) }
}

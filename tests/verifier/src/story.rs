//! What must hold between the records of one operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Where an operation stands, as its records tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    /// Nothing was started.
    #[default]
    Before,
    /// It was started and has no end.
    Open,
    /// It ended, and nobody could tell how.
    Unknown,
    /// It has ended.
    Ended,
}

/// What was planned.
struct Plan {
    digest: Value,
    asker: Option<i64>,
    needed: u64,
}

#[derive(Default)]
struct Operation {
    plan: Option<Plan>,
    approvers: BTreeSet<i64>,
    stage: Stage,
}

/// Follows operations through the records of a trail, in their order.
#[derive(Default)]
pub(crate) struct Story(BTreeMap<String, Operation>);

impl Story {
    /// Takes the next record in, and says what it contradicts.
    pub(crate) fn follow(&mut self, record: &Value) -> Vec<String> {
        let (Some(operation), Some(kind)) = (record["operation"].as_str(), record["kind"].as_str()) else {
            return Vec::new();
        };
        let told = self.0.entry(operation.to_owned()).or_default();
        let problems = match kind {
            "planned" => told.planned(record),
            "approved" => told.approved(record),
            "objected" | "expired" => told.ended_before_its_start(),
            "cancelled" => told.cancelled(),
            "started" => told.started(record),
            "resumed" => told.resumed(),
            "finished" => told.finished(record),
            "settled" => told.settled(),
            _ => Vec::new(),
        };
        problems.into_iter().map(|problem| format!("operation {operation} {problem}")).collect()
    }

    /// The operations that were started and have no end.
    pub(crate) fn open(&self) -> Vec<&str> {
        let open = self.0.iter().filter(|(_, operation)| operation.stage == Stage::Open);
        open.map(|(id, _)| id.as_str()).collect()
    }
}

fn person(record: &Value, place: &str) -> Option<i64> {
    record.pointer(place).and_then(Value::as_i64)
}

impl Operation {
    fn planned(&mut self, record: &Value) -> Vec<&'static str> {
        let mut problems = Vec::new();
        if self.plan.is_some() || self.stage != Stage::Before {
            problems.push("was planned a second time, or after its end");
        }
        if record.pointer("/decision/allowed") != Some(&Value::Bool(true)) {
            problems.push("was planned without being allowed");
        }
        self.plan = Some(Plan {
            digest: record.pointer("/plan/digest").cloned().unwrap_or_default(),
            asker: person(record, "/who/number"),
            needed: approvals_needed(record),
        });
        problems
    }

    fn approved(&mut self, record: &Value) -> Vec<&'static str> {
        let Some(plan) = &self.plan else { return vec!["was approved and never planned"] };
        let mut problems = Vec::new();
        if self.stage != Stage::Before {
            problems.push("was approved after its start or its end");
        }
        if plan.digest.is_null() || record.pointer("/approval/digest") != Some(&plan.digest) {
            problems.push("was approved by somebody who named another plan");
        }
        match person(record, "/who/number") {
            None => problems.push("was approved by nobody"),
            by if by == plan.asker => problems.push("was approved by its asker"),
            // Whoever says it twice is still one.
            Some(by) => {
                self.approvers.insert(by);
            }
        }
        problems
    }

    fn started(&mut self, record: &Value) -> Vec<&'static str> {
        let stage = std::mem::replace(&mut self.stage, Stage::Open);
        let Some(plan) = &self.plan else { return vec!["was started and never planned"] };
        let mut problems = Vec::new();
        if stage != Stage::Before {
            problems.push("was started a second time, or after its end");
        }
        if plan.digest.is_null() || record.pointer("/plan/digest") != Some(&plan.digest) {
            problems.push("was started with another plan than its own");
        }
        if plan.asker.is_none() || person(record, "/who/on_behalf_of") != plan.asker {
            problems.push("was started on behalf of somebody other than its asker");
        }
        if (self.approvers.len() as u64) < plan.needed {
            problems.push("was started without the approvals that it needed");
        }
        problems
    }

    fn ended_before_its_start(&mut self) -> Vec<&'static str> {
        let problem = self.wrong_before_its_start();
        self.stage = Stage::Ended;
        problem
    }

    fn wrong_before_its_start(&self) -> Vec<&'static str> {
        match (self.stage, &self.plan) {
            (Stage::Before, Some(_)) => Vec::new(),
            (_, None) => vec!["was ended and never planned"],
            _ => vec!["was ended as if it had not started"],
        }
    }

    /// Withdrawn before its start it has ended; asked to stop while it runs, its end is told by `finished`.
    fn cancelled(&mut self) -> Vec<&'static str> {
        match self.stage {
            Stage::Open => Vec::new(),
            _ => self.ended_before_its_start(),
        }
    }

    fn resumed(&self) -> Vec<&'static str> {
        if self.stage == Stage::Open { Vec::new() } else { vec!["was resumed and was not open"] }
    }

    fn finished(&mut self, record: &Value) -> Vec<&'static str> {
        let state = record.pointer("/outcome/state").and_then(Value::as_str).unwrap_or_default();
        let stage = if state == "unknown" { Stage::Unknown } else { Stage::Ended };
        match std::mem::replace(&mut self.stage, stage) {
            Stage::Open => Vec::new(),
            Stage::Before if self.plan.is_some() && state == "failed" => Vec::new(),
            Stage::Before => vec!["finished and was never started"],
            Stage::Unknown | Stage::Ended => vec!["finished a second time"],
        }
    }

    fn settled(&mut self) -> Vec<&'static str> {
        match std::mem::replace(&mut self.stage, Stage::Ended) {
            Stage::Unknown => Vec::new(),
            _ => vec!["was settled, and its end was not unknown"],
        }
    }
}

/// How many approvals a plan needs: what policy asks for, unless the gate says that the operation is exempt.
fn approvals_needed(record: &Value) -> u64 {
    let gates = record.pointer("/decision/gates").and_then(Value::as_array);
    let exempt =
        gates.is_some_and(|gates| gates.iter().any(|gate| gate["gate"] == "approval" && gate["state"] == "exempt"));
    if exempt { 0 } else { record.pointer("/decision/approvals_needed").and_then(Value::as_u64).unwrap_or(u64::MAX) }
}

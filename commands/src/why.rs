//! `why <operation>`

use andon_core::{Block, Failure, Finding, Line, Message, OperationNumber, OperationState};
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use andon_engine::{Work, approvals, with_log};
use andon_store::Search;
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Explain an operation: who asked, which rules and gates decided, who agreed, and every record of it
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Why {
    /// The operation
    #[arg(value_name = "OPERATION")]
    operation: OperationNumber,
}

impl Command for Why {
    const PATH: &'static [&'static str] = &["why"];
    const EXAMPLES: &'static [&'static str] = &["why op-3"];

    async fn resources(&self, work: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![approvals::resource(&approvals::find(work, self.operation).await?)])
    }
}

impl Read for Why {
    const ANSWERS_UNRECORDED: bool = true;

    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        let row = approvals::find(work, self.operation).await?;
        let mut reader = work.reader().await?;
        let mut connection = reader.connection();
        let given = connection.approvals(row.id).await?;
        let search = Search { operation: Some(row.id), limit: 100, ..Search::default() };
        let mut records = connection.search(&search).await?;
        records.reverse();
        let summary = Line::new().text(format!("{} {}: ", row.number, row.state.words())).line(&row.plan.summary);
        let mut message = Message::new(summary)
            .fact("asked by", Line::new().person(&row.asked_by.person).text(" ").time(row.created))
            .fact("plan", Line::new().code(row.digest))
            .fact("approvals", format!("{} of {}", given.len(), row.approvals_needed));
        for approval in given {
            message = message.fact("approved by", Line::new().person(&approval.by.person).text(" ").time(approval.at));
        }
        if row.state == OperationState::WaitingApproval {
            let mut line = Line::new();
            for (place, person) in approvals::approvers(work, &row, 10).iter().enumerate() {
                line = line.text(if place == 0 { "" } else { ", " }).person(person);
            }
            message = message.fact("can approve", line);
        }
        let gates = row.plan.findings.iter().filter_map(gate).collect();
        let mut story = Vec::new();
        for record in records {
            let number = record.number.map_or_else(|| "#?".to_owned(), |number| number.to_string());
            let person = match record.index.person {
                Some(number) => connection.person_named(number).await?,
                None => None,
            };
            let line = Line::new()
                .code(number)
                .text(" ")
                .time(record.index.recorded)
                .text(format!(" {}", record.index.kind.name()));
            let line = match person {
                Some(person) => line.text(" by ").person(&person),
                None => line,
            };
            story.push(match rules(&record.leaf) {
                Some(rules) => line.text(format!(", rules: {rules}")),
                None => line,
            });
        }
        let message = with_log(message, &row);
        let message = message.block(Block::Heading("Gates when it was planned".to_owned())).block(Block::List(gates));
        Ok(message.block(Block::Heading("Records".to_owned())).block(Block::List(story)))
    }
}

fn gate(finding: &Finding) -> Option<Line> {
    match finding {
        Finding::Gate { gate, reason, .. } => Some(Line::new().strong(gate.as_str()).text(" ").line(reason)),
        Finding::Note { .. } => None,
    }
}

/// The rules that decided, as the record names them.
fn rules(leaf: &[u8]) -> Option<String> {
    let record: Value = serde_json::from_slice(leaf).ok()?;
    let rules: Vec<_> = record.pointer("/decision/policies")?.as_array()?.iter().filter_map(Value::as_str).collect();
    (!rules.is_empty()).then(|| rules.join(", "))
}

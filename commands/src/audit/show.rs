//! `audit show <record>`

use andon_core::{Block, Failure, Fault, Line, Message, RecordNumber, Refusal};
use andon_engine::Work;
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use clap::Args;
use serde::{Deserialize, Serialize};

/// Show one record of the audit trail, whole
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct AuditShow {
    /// The record, such as #812
    #[arg(value_name = "RECORD")]
    record: RecordNumber,
}

impl Command for AuditShow {
    const PATH: &'static [&'static str] = &["audit", "show"];
    const EXAMPLES: &'static [&'static str] = &["audit show #12"];

    async fn resources(&self, _: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::Trail])
    }
}

impl Read for AuditShow {
    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        let row = work.reader().await?.connection().record(self.record).await?;
        let row =
            row.ok_or_else(|| Refusal::new(format!("There is no record {}", self.record), "see `audit search`"))?;
        let value = andon_trail::open(&row.leaf, &row.texts, &row.disclosures).map_err(Fault::new)?;
        let text = serde_json::to_string_pretty(&value).map_err(Fault::new)?;
        let summary = Line::new().text("Record ").code(self.record).text(format!(" tells: {}", row.index.kind.name()));
        let message = Message::new(summary).fact("leaf", Line::new().code(row.leaf_hash));
        Ok(message.block(Block::Quote(andon_core::Outside::new(&text))))
    }
}

//! `audit verify`

use andon_core::{Block, Failure, Line, Message, Tone};
use andon_engine::Work;
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use andon_trail::Verdict;
use clap::Args;
use serde::{Deserialize, Serialize};

/// Check the whole audit trail against the key that signs it now
///
/// This is the bot's own word. Whoever trusts nobody runs `andon audit verify --key` with the key that they pinned.
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct AuditVerify {}

impl Command for AuditVerify {
    const PATH: &'static [&'static str] = &["audit", "verify"];
    const EXAMPLES: &'static [&'static str] = &["audit verify"];

    async fn resources(&self, _: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::Trail])
    }
}

impl Read for AuditVerify {
    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        let key = work.house().verifier_key();
        let report = work.house().verify().await?;
        let (tone, summary) = match report.verdict {
            Verdict::Holds | Verdict::SignerUnverified => {
                (Tone::Good, format!("The audit trail holds together: {} records", report.leaves))
            }
            Verdict::Broken => (Tone::Bad, "The audit trail is BROKEN".to_owned()),
        };
        let message = Message::new(summary).tone(tone).fact("key", Line::new().code(&key));
        Ok(message.block(Block::Preformatted(report.to_string())))
    }
}

//! `can <command…>`

use andon_core::{Block, Failure, Line, Message, Tone};
use andon_engine::Work;
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use clap::Args;
use serde::{Deserialize, Serialize};

/// Tell whether you may do something, and what it would need, without doing it
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Can {
    /// The command, as you would say it
    #[arg(value_name = "COMMAND", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

impl Command for Can {
    const PATH: &'static [&'static str] = &["can"];
    const EXAMPLES: &'static [&'static str] = &["can deploy hello v2 --env prod"];

    async fn resources(&self, _: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::House])
    }
}

impl Read for Can {
    const ANSWERS_UNRECORDED: bool = true;

    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        let line = self.words.join(" ");
        match andon_engine::can(work, self.words.clone()).await {
            Ok(foresight) => {
                let needs = foresight.approvals;
                let summary = match needs {
                    0 => Line::new().text("Yes, you may: ").outside(&line),
                    _ => Line::new()
                        .text(format!("Yes, with {needs} approval{}: ", if needs == 1 { "" } else { "s" }))
                        .outside(&line),
                };
                let message = Message::new(summary).tone(Tone::Good).fact("by", foresight.policies.join(", "));
                let lines: Vec<Line> = foresight.gates;
                Ok(if lines.is_empty() { message } else { message.block(Block::List(lines)) })
            }
            Err(Failure::Refused(refusal)) => {
                let summary = Line::new().text("No: ").line(&refusal.fact);
                Ok(Message::new(summary).paragraph(Line::new().text("Next: ").line(&refusal.next_step)))
            }
            Err(faulted) => Err(faulted),
        }
    }
}

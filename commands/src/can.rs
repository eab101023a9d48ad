//! `can <command…>`

use andon_core::{Block, Failure, Line, Message, Refusal, Tone};
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use andon_engine::{Foresight, Work};
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
            Ok(foresight) => Ok(answer(foresight, &line)),
            Err(Failure::Refused(refusal)) => {
                let summary = Line::new().text("No: ").line(&refusal.fact);
                Ok(Message::new(summary).paragraph(next(&refusal)))
            }
            Err(faulted) => Err(faulted),
        }
    }
}

fn answer(foresight: Foresight, line: &str) -> Message {
    let needs = foresight.approvals;
    let message = match (&foresight.closed, needs) {
        (Some(closed), _) => Message::new(Line::new().text("Not now: ").line(&closed.fact)).tone(Tone::Attention),
        (None, 0) => Message::new(Line::new().text("Yes, you may: ").outside(line)).tone(Tone::Good),
        (None, _) => {
            let plural = if needs == 1 { "" } else { "s" };
            let yes = Line::new().text(format!("Yes, with {needs} approval{plural}: ")).outside(line);
            Message::new(yes).tone(Tone::Good)
        }
    };
    let message = message.fact("by", foresight.policies.join(", "));
    let message = if foresight.gates.is_empty() { message } else { message.block(Block::List(foresight.gates)) };
    match &foresight.closed {
        Some(closed) => message.paragraph(next(closed)),
        None => message,
    }
}

fn next(refusal: &Refusal) -> Line {
    Line::new().text("Next: ").line(&refusal.next_step)
}

//! `help [<command>]`

use andon_core::{Block, CommandSpec, Failure, Line, Message, Refusal, closest};
use andon_engine::Work;
use andon_engine::authorize;
use andon_engine::command::{Command, Read};
use andon_engine::policy::Resource;
use clap::Args;
use serde::{Deserialize, Serialize};

/// Show what you can ask, with examples; or search for a word
#[derive(Args, Serialize, Deserialize)]
pub(crate) struct Help {
    /// A command, or any word to search for
    #[arg(value_name = "COMMAND")]
    #[serde(default)]
    words: Vec<String>,
}

impl Command for Help {
    const PATH: &'static [&'static str] = &["help"];
    const EXAMPLES: &'static [&'static str] = &["help", "help deploy", "help lock"];

    async fn resources(&self, _: &Work) -> Result<Vec<Resource>, Failure> {
        Ok(vec![Resource::House])
    }
}

impl Read for Help {
    const ANSWERS_UNRECORDED: bool = true;

    async fn answer(&self, work: &Work) -> Result<Message, Failure> {
        // The room has not asked: all that is told here is for the asker alone.
        let specs = work.house().grammar().specs();
        let wanted = self.words.join(" ").to_lowercase();
        if wanted.is_empty() {
            return Ok(list(work, specs.iter().collect(), "You can ask").whisper());
        }
        if let Some(spec) = specs.iter().find(|spec| spec.path.join(" ") == wanted) {
            return Ok(one(spec).whisper());
        }
        let found: Vec<_> = specs.iter().filter(|spec| mentions(spec, &wanted)).collect();
        if found.is_empty() {
            let names: Vec<_> = specs.iter().map(|spec| spec.path.join(" ")).collect();
            let near = closest(&wanted, names.iter().map(String::as_str));
            let next = near
                .map_or_else(|| "say `help` for all of them".to_owned(), |near| format!("did you mean `help {near}`?"));
            return Err(Refusal::new(Line::new().text("No command speaks of ").outside(&wanted), next).into());
        }
        Ok(list(work, found, "These speak of it").whisper())
    }
}

fn mentions(spec: &CommandSpec, word: &str) -> bool {
    let texts = [&spec.about, &spec.details].into_iter().chain(&spec.path).chain(&spec.examples);
    texts.into_iter().any(|text| text.to_lowercase().contains(word))
}

/// The commands that the asker could use somewhere.
fn list(work: &Work, specs: Vec<&CommandSpec>, summary: &str) -> Message {
    let usable = authorize::usable(work);
    let rows = specs.into_iter().filter(|spec| usable.contains(&spec.path.join(" "))).map(|spec| {
        let example = spec.examples.first().map_or_else(Line::new, |example| Line::new().code(example));
        vec![Line::new().code(spec.path.join(" ")), Line::from(spec.about.as_str()), example]
    });
    let rows = rows.collect();
    let header = ["command", "what it does", "such as"].map(str::to_owned).to_vec();
    let message = Message::new(summary).block(Block::Table { header, rows });
    message.paragraph(Line::new().text("More: ").code("help <command>").text(", or ").code("help <any word>").text("."))
}

fn one(spec: &CommandSpec) -> Message {
    let summary = Line::new().code(spec.path.join(" ")).text(format!(": {}", spec.about));
    let mut message = Message::new(summary);
    let details = spec.details.strip_prefix(&spec.about).unwrap_or(&spec.details).trim();
    if !details.is_empty() {
        message = message.paragraph(details);
    }
    let rows = spec.arguments.iter().map(|argument| {
        let name = if argument.positional { format!("<{}>", argument.name) } else { format!("--{}", argument.name) };
        let need = if argument.required { "needed" } else { "" };
        vec![Line::new().code(name), Line::from(need), Line::from(argument.help.as_str())]
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        let header = ["argument", "", "what it means"].map(str::to_owned).to_vec();
        message = message.block(Block::Table { header, rows });
    }
    message.block(Block::Preformatted(spec.examples.join("\n")))
}

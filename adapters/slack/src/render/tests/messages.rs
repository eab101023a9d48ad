//! Messages as the house makes them.

use andon_core::{Action, Ask, Attachment, Block, Line, Message, Outside, Style, Tone};
use jiff::Timestamp;

use super::person;

const DIGEST: &str = "bc303c78b39fb64c7f2d1acf39a03eaae72598724f621e174a26c41779955299";

pub(super) fn moment() -> Timestamp {
    "2026-11-25T00:10:00Z".parse().expect("a moment")
}

fn card(summary: Line, tone: Tone) -> Message {
    let changes = Line::new().text("hello/prod: ").code("v1@ee3c75dd").text(" → ").code("v2@f0b51f8b");
    Message::new(summary)
        .tone(tone)
        .fact("operation", Line::new().code("op-2"))
        .fact("asked by", Line::new().person(&person("ana")))
        .fact("changes", changes)
        .fact("undo", Line::new().code("rollback hello --env prod"))
}

pub(crate) fn waiting() -> Message {
    card("Approve? deploy hello v1 → v2 in prod".into(), Tone::Attention)
        .fact("approvals", Line::new().text("1 of 2: ").person(&person("ben")))
        .fact("expires", Line::new().time(moment()))
        .fact("record", Line::new().code("#9").text(", leaf ").code(DIGEST))
        .action(Action::new("Approve", Style::Primary, format!("approve op-2 --plan {DIGEST}")))
        .action(Action::new("Deny", Style::Danger, "deny op-2").asking(Ask::Reason))
        .action(Action::new("Cancel", Style::Plain, "cancel op-2"))
}

pub(super) fn running() -> Message {
    card("Running: deploy hello v1 → v2 in prod (checking)".into(), Tone::Working).action(Action::new(
        "Cancel",
        Style::Plain,
        "cancel op-2",
    ))
}

pub(crate) fn done() -> Message {
    let sure = Line::new().text("v1 goes live in prod again, and ").code("v2").text(" is held.");
    let roll_back = Action::new("Roll back", Style::Danger, "rollback hello --env prod");
    card("Deployed hello v2 in prod: it answers".into(), Tone::Good)
        .fact("seen", Line::new().outside("http://127.0.0.1:8123, pid 42"))
        .action(roll_back.asking(Ask::Confirmation(sure)))
}

pub(super) fn failed() -> Message {
    let log = "{\"say\":\"listening\"}\n```\n> <!channel> *cannot* reach &lt;db&gt; :boom:\n\n\tat main";
    card("Failed: deploy hello v1 → v2 in prod. /healthz did not answer; v1 still serves".into(), Tone::Bad)
        .block(Block::Heading("The end of its log".into()))
        .block(Block::Quote(Outside::new(log)))
}

pub(crate) fn refusal() -> Message {
    let summary = Line::new().text("Refused: There is no service ").outside("helo\n<!here>");
    Message::new(summary).tone(Tone::Bad).paragraph("Next: did you mean hello?").whisper()
}

pub(super) fn mention() -> Message {
    let line = Line::new().mention(&person("ana")).text(" ").mention(&person("ben")).text(" Approve? deploy hello v2");
    Message::new(line.text(", asked by ").person(&person("eve")).text(": ").code("approve op-2")).tone(Tone::Attention)
}

pub(crate) fn help() -> Message {
    let row = |name: &str, about: &str, example: &str| {
        vec![Line::new().code(name), Line::from(about), Line::new().code(example)]
    };
    let rows = vec![
        row("deploy", "Put a version of a service live in an environment", "deploy hello v2 --env staging"),
        row("audit search", "Find records of the audit trail, newest first", "audit search --person ana --since 2h"),
    ];
    let header = ["command", "what it does", "such as"].map(str::to_owned).to_vec();
    Message::new("You can ask")
        .block(Block::Table { header, rows })
        .paragraph(Line::new().text("More: ").code("help <command>").text("."))
}

pub(super) fn status() -> Message {
    let rows = vec![
        vec![
            Line::from("hello/prod"),
            Line::new().code("v1"),
            Line::new().time(moment()),
            Line::from("healthy"),
            Line::new().outside("http://127.0.0.1:43863, pid 31870"),
        ],
        vec![Line::from("shop/prod"), Line::from("nothing"), Line::new(), Line::new(), Line::new()],
        vec![Line::from("odd/prod"), Line::from("no deployer")],
    ];
    let header = ["target", "live", "since", "health", "seen"].map(str::to_owned).to_vec();
    let locked = Line::new().strong("locked ").text("hello/prod by ").person(&person("ana")).text(": ");
    Message::new("1 of 3 targets need a look")
        .tone(Tone::Attention)
        .block(Block::Table { header: header.clone(), rows: rows.clone() })
        .block(Block::List(vec![locked.outside("load test"), "op-3 running: deploy".into()]))
        .block(Block::Table { header, rows })
}

pub(super) fn with_file() -> Message {
    let mut message = Message::new("Found 1 record").block(Block::Preformatted("audit show #9\naudit verify".into()));
    message.attachment = Some(Attachment { name: "records.json".into(), content: Outside::new("{}\n") });
    message.whisper()
}

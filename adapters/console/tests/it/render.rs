//! Every kind of message, line, span, block and button, at three widths, with and without colour.

use andon_console::{Look, render};
use andon_core::{Action, Attachment, Block, Line, Message, Outside, PersonId, Style, Tone};
use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};

use crate::look;

const WIDTHS: [usize; 3] = [40, 80, 120];

const DIGEST: &str = "bc303c78b39fb64c7f2d1acf39a03eaae72598724f621e174a26c41779955299";

pub(crate) fn person(name: &str) -> PersonId {
    name.parse().unwrap()
}

pub(crate) fn moment() -> Timestamp {
    "2026-03-01T02:59:07Z".parse().unwrap()
}

/// The message at each width. Fails where colour changes anything but colour, or where a line is too long for no reason.
fn at_every_width(message: &Message) -> String {
    WIDTHS.map(|width| at_width(message, width)).concat()
}

fn at_width(message: &Message, width: usize) -> String {
    let plain = render(message, &look(width));
    let colourful = render(message, &Look { colour: true, ..look(width) });
    assert_eq!(without_colour(&colourful), plain);
    for line in plain.lines() {
        let whole_word = line.split_whitespace().any(|word| word.is_ascii() && word.len() > width - 20);
        assert!(unicode_width::UnicodeWidthStr::width(line) <= width || whole_word, "{width} columns: {line:?}");
    }
    format!("{}\n{plain}", "─".repeat(width))
}

fn without_colour(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |all, part| all + part.strip_prefix('[').unwrap().split_once('m').unwrap().1)
}

/// Escapes as a person can read them.
fn visible(text: &str) -> String {
    text.replace('\u{1b}', "␛")
}

/// Each tone, and the spans that a line can have.
fn of_every_tone() -> Vec<Message> {
    let tones = [Tone::Plain, Tone::Working, Tone::Attention, Tone::Good, Tone::Bad];
    let message = |tone| {
        let line = Line::new().text("Said by ").person(&person("ana")).text(" to ").mention(&person("ben"));
        let line = line.text(" at ").time(moment()).text(": ").strong("look").text(" at ").code("v1@f0b51f8b");
        Message::new(line.text(", ").outside("as they said\nin two lines")).tone(tone)
    };
    tones.map(message).to_vec()
}

pub(crate) fn card() -> Message {
    let changes = Line::new().text("hello/prod: ").code("nothing").text(" → ").code("v1@ee3c75dd");
    Message::new("Approve? deploy hello nothing → v1 in prod")
        .tone(Tone::Attention)
        .fact("operation", Line::new().code("op-2"))
        .fact("asked by", Line::new().person(&person("ana")))
        .fact("changes", changes)
        .fact("approval", "waits: one other person has to agree")
        .fact("expires", Line::new().time(moment()))
        .fact("record", Line::new().code("#9").text(", leaf ").code(DIGEST))
        .action(Action::new("Approve", Style::Primary, format!("approve op-2 --plan {DIGEST}")))
        .action(Action::new("Deny", Style::Danger, "deny op-2"))
        .action(Action::new("Cancel", Style::Plain, "cancel op-2"))
}

fn failed() -> Message {
    let log = "{\"say\":\"listening\",\"service\":\"hello\",\"version\":\"v3\"}\n\
               {\"say\":\"cannot reach the database, [redacted]\",\"version\":\"v3\"}\n\n\tat main";
    Message::new("Failed: deploy hello v1 → v3 in staging. /healthz did not answer 200 within 5 s; v1 still serves")
        .tone(Tone::Bad)
        .block(Block::Heading("The end of its log".into()))
        .block(Block::Quote(Outside::new(log)))
}

fn document() -> Message {
    let mut message = Message::new("deploy: Put a version of a service live in an environment")
        .paragraph("It starts the new release, waits until that is ready, and only then lets requests go there.")
        .block(Block::List(vec![
            "the release that serves goes on until the new one is ready".into(),
            Line::new().text("back with ").code("rollback hello --env staging"),
        ]))
        .block(Block::Preformatted("deploy hello v2 --env staging\ndeploy hello v2 --env prod --dry-run".into()));
    message.attachment = Some(Attachment { name: "log.txt".into(), content: Outside::new("first\nsecond") });
    message.whisper()
}

fn table(header: &[&str], rows: &[&[&str]]) -> Block {
    let rows = rows.iter().map(|row| row.iter().map(|cell| Line::new().code(cell)).collect()).collect();
    Block::Table { header: header.iter().map(ToString::to_string).collect(), rows }
}

fn help() -> Message {
    let rows: [&[&str]; 4] = [
        &["deploy", "Put a version of a service live in an environment", "deploy hello v2 --env staging"],
        &["lock", "Keep others from changing it for a while", "lock hello --env prod --reason 'load test' --for 1h"],
        &["audit search", "Find records of the audit trail, newest first", "audit search --person ana --since 2h"],
        &[
            "why",
            "Explain an operation: who asked, which rules decided, who agreed, and every record of it",
            "why op-3",
        ],
    ];
    Message::new("You can ask").block(table(&["command", "what it does", "such as"], &rows))
}

fn status() -> Message {
    let rows: [&[&str]; 3] = [
        &["hello/prod", "v1", "2026-11-24 03:50:59Z", "healthy", "http://127.0.0.1:43863, pid 31870"],
        &["shop/prod", "nothing", "", "", ""],
        &["店/staging", "v1", "2026-11-24 03:50:58Z", "健康", "é, one column"],
    ];
    let header = ["target", "live", "since", "health", "seen"];
    Message::new("3 targets, all that serve are healthy").block(table(&header, &rows))
}

#[test]
fn every_tone_and_span() {
    let shown: String = of_every_tone().iter().map(at_every_width).collect();
    insta::assert_snapshot!(shown);
}

#[test]
fn every_tone_in_colour() {
    let look = |width| Look { colour: true, ..look(width) };
    let shown =
        |width| of_every_tone().iter().map(|message| visible(&render(message, &look(width)))).collect::<String>();
    insta::assert_snapshot!(WIDTHS.map(shown).join("\n"));
}

#[test]
fn a_card_with_buttons() {
    insta::assert_snapshot!(at_every_width(&card()));
}

#[test]
fn a_card_with_the_end_of_a_log() {
    insta::assert_snapshot!(at_every_width(&failed()));
}

#[test]
fn paragraphs_lists_commands_to_copy_and_files() {
    insta::assert_snapshot!(at_every_width(&document()));
}

#[test]
fn help_is_a_table_that_makes_room_for_itself() {
    insta::assert_snapshot!(at_every_width(&help()));
}

#[test]
fn states_are_a_table_with_wide_characters() {
    insta::assert_snapshot!(at_every_width(&status()));
}

#[test]
fn a_refusal_is_one_fact_and_one_next_step() {
    let message = Message::new("Refused: You asked for it, so someone else must approve")
        .tone(Tone::Bad)
        .paragraph("Next: ask a colleague; `why` lists who can");
    insta::assert_snapshot!(at_every_width(&message));
}

#[test]
fn moments_stand_in_local_time_beside_utc() {
    let message = Message::new(Line::new().text("Expires ").time(moment()));
    let zoned = |time_zone| render(&message, &Look { time_zone, ..look(80) });
    assert_eq!(zoned(TimeZone::UTC), "· Expires 2026-03-01 02:59:07Z\n");
    assert_eq!(zoned(TimeZone::fixed(offset(2))), "· Expires Sun 04:59 +02 (2026-03-01 02:59:07Z)\n");
    let new_york = TimeZone::get("America/New_York").unwrap();
    assert_eq!(zoned(new_york), "· Expires Sat 21:59 EST (2026-03-01 02:59:07Z)\n");
}

#[test]
fn what_is_copied_stays_whole() {
    assert!(render(&card(), &look(40)).contains(DIGEST));
}

#[test]
fn no_width_is_too_narrow() {
    for message in [card(), failed(), document(), help(), status()] {
        for width in 0..40 {
            assert!(
                render(&message, &look(width)).lines().skip(1).all(|line| line.is_empty() || line.starts_with(' '))
            );
        }
    }
}

//! Cards at a terminal: printed once, and afterwards only what is new of them.

use std::sync::Arc;

use andon_console::ConsoleVoice;
use andon_core::ports::{Marker, Placement, Voice as _};
use andon_core::{Action, Attachment, Block, Line, Message, Outside, Style, Tone};

use crate::fake::{Seen, room, voice};
use crate::look;
use crate::render::{card, person};

struct Told {
    seen: Arc<Seen>,
    voice: Arc<ConsoleVoice>,
    card: Placement,
}

impl Told {
    /// A voice that has posted `message`; what that printed is forgotten.
    async fn posted(message: &Message) -> Self {
        let seen = Arc::<Seen>::default();
        let voice = voice(&seen, look(80));
        let card = voice.post(&room(), None, message, &Marker("card".into())).await.unwrap();
        seen.printed.lock().unwrap().clear();
        Self { seen, voice, card }
    }

    /// What an edit prints.
    async fn edited(&self, message: &Message) -> String {
        self.voice.edit(&room(), &self.card, message).await.unwrap();
        std::mem::take(&mut *self.seen.printed.lock().unwrap())
    }
}

fn running(phase: &str) -> Message {
    let cancel = Action::new("Cancel", Style::Plain, "cancel op-1");
    Message::new(format!("Running: deploy ({phase})")).tone(Tone::Working).fact("operation", "op-1").action(cancel)
}

#[tokio::test]
async fn the_same_again_prints_nothing() {
    let told = Told::posted(&card()).await;
    assert_eq!(told.edited(&card()).await, "");
}

#[tokio::test]
async fn another_room_is_named_and_its_name_controls_nothing() {
    let seen = Arc::<Seen>::default();
    let elsewhere = andon_core::Room { channel: "ops\u{1b}[2J\r".to_owned(), ..room() };
    voice(&seen, look(80)).post(&elsewhere, None, &card(), &Marker("card".into())).await.unwrap();
    let printed = seen.printed.lock().unwrap().clone();
    assert!(printed.starts_with('[') && printed.contains("ops"), "{printed}");
    assert!(!printed.contains(['\u{1b}', '\r']), "{printed:?}");
}

#[tokio::test]
async fn progress_is_one_line() {
    let told = Told::posted(&running("starting")).await;
    assert_eq!(told.edited(&running("waiting")).await, "  Running: deploy (waiting)\n");
}

#[tokio::test]
async fn the_first_of_two_approvals_is_seen() {
    let told = Told::posted(&card().fact("approvals", "0 of 2")).await;
    let agreed = card().fact("approvals", Line::new().text("1 of 2: ").person(&person("ben")));
    assert_eq!(told.edited(&agreed).await, "  approvals  1 of 2: ben\n");
}

#[tokio::test]
async fn another_state_prints_its_line_its_buttons_and_what_is_new() {
    let told = Told::posted(&running("starting")).await;
    let undo = Action::new("Roll back", Style::Danger, "rollback hello --env prod");
    let done = Message::new("Done: deploy").tone(Tone::Good).fact("operation", "op-1").fact("seen", "v1 healthy");
    let printed = told.edited(&done.action(undo)).await;
    assert_eq!(printed, "✓ Done: deploy\n  seen  v1 healthy\n  [Roll back] rollback hello --env prod\n");
}

#[tokio::test]
async fn a_log_is_printed_once() {
    let mut message = running("starting").block(Block::Quote(Outside::new("a line")));
    message.attachment = Some(Attachment { name: "log.txt".into(), content: Outside::new("a file") });
    let told = Told::posted(&message).await;
    message.summary = "Running: deploy (waiting)".into();
    assert_eq!(told.edited(&message).await, "  Running: deploy (waiting)\n");
    message.tone = Tone::Bad;
    assert!(!told.edited(&message).await.contains("a line"));
}

#[tokio::test]
async fn a_card_that_was_never_seen_is_printed_whole() {
    let told = Told::posted(&card()).await;
    let placement = Placement("of an earlier session".into());
    told.voice.edit(&room(), &placement, &running("starting")).await.unwrap();
    let whole = "… Running: deploy (starting)\n  operation  op-1\n  [Cancel] cancel op-1\n";
    assert_eq!(told.seen.printed(), whole);
}

#[tokio::test]
async fn what_stands_below_a_card_hangs_from_it() {
    let told = Told::posted(&card()).await;
    let message = Message::new("A long story that does not end where the terminal ends, but goes on and on")
        .tone(Tone::Bad)
        .fact("record", "#9");
    told.voice.follow_up(&room(), &told.card, &message, &Marker("below".into())).await.unwrap();
    insta::assert_snapshot!(told.seen.printed());
}

#[tokio::test]
async fn a_message_of_unknown_fate_is_found_by_its_mark() {
    let told = Told::posted(&card()).await;
    assert_eq!(told.voice.find(&room(), None, None, &Marker("card".into())).await.unwrap(), Some(told.card.clone()));
    assert_eq!(told.voice.find(&room(), None, None, &Marker("other".into())).await.unwrap(), None);
    assert_eq!(told.voice.platform(), "console");
}

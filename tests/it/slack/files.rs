//! Long output, as files below the message that they belong to: once, whatever gets lost.

use std::sync::Arc;
use std::time::Duration;

use andon_core::ports::{Marker, Placement, Voice, VoiceError};
use andon_core::{Directory, Message};
use andon_fake_slack::{CallFault, Often, Settings, Slack};
use andon_tests::{Chat, Database, Playground, SlackBot, until, words};

use super::ways;
use crate::PROGRAM;

ways! {
    long_output_becomes_a_file,
    a_file_is_shown_once_whatever_gets_lost,
    a_file_that_was_not_shown_before_the_end_is_shown_after_it,
    a_message_that_lacks_its_file_says_so,
}

const BRING: Option<&str> = Some("files.getUploadURLExternal");
const SHARE: Option<&str> = Some("files.completeUploadExternal");
/// Longer than any lease.
const LEASES: Duration = Duration::from_secs(20);

/// One in which `versions hello` does not fit into a message.
fn playground(chat: Chat) -> Playground {
    let playground = Playground::new(PROGRAM, (Database::Sqlite, chat));
    drop(SlackBot::start(&playground));
    let versions = playground.data().join("artifacts/hello");
    for number in 0..300 {
        let version = versions.join(format!("build-{number}"));
        std::fs::create_dir(&version).expect("a folder");
        std::fs::copy(versions.join("v1/andon.toml"), version.join("andon.toml")).expect("a copy");
    }
    playground
}

/// The messages of a channel which have files, and how many say that there is one.
fn shown(bot: &SlackBot<'_>) -> (usize, usize) {
    let messages = bot.slack().messages("lobby");
    let with = messages.iter().filter(|message| message["files"].is_array()).count();
    (with, bot.shown("lobby").matches("All of it is in answer-").count())
}

fn long_output_becomes_a_file(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let ts = bot.say("ana", "lobby", "versions hello");
    let files = bot.slack().files();
    assert_eq!((files.len(), shown(&bot)), (1, (1, 1)), "{}", bot.shown("lobby"));
    let content = files[0]["content"].as_str().unwrap_or_default();
    assert!((201..300).all(|number| content.contains(&format!("build-{number}"))), "{content}");
    let name = files[0]["name"].as_str().unwrap_or_default();
    bot.expect("lobby", &format!("All of it is in {name}.")).expect("lobby", &format!("files: {name}"));
    // Below the answer, which is not in the asker's thread.
    assert_eq!(bot.slack().thread("lobby", &ts).len(), 1);
    bot.close();
}

fn a_file_is_shown_once_whatever_gets_lost(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let error = || CallFault::Error("internal_error".to_owned());
    let faults = [
        (BRING, CallFault::ResetAfter),
        (BRING, CallFault::RateLimited(1)),
        (SHARE, CallFault::ResetAfter),
        (SHARE, CallFault::ResetBefore),
        (SHARE, CallFault::RateLimited(2)),
        (SHARE, CallFault::Garbled),
        (SHARE, error()),
        (Some("chat.postMessage"), CallFault::ResetAfter),
    ];
    for (times, (method, fault)) in (1..).zip(faults) {
        let said = format!("{method:?} {fault:?}");
        bot.slack().fail_calls(method, fault, Often::Times(1));
        bot.say("ana", "lobby", "versions hello");
        assert_eq!(shown(&bot), (times, times), "{said}: {}", bot.shown("lobby"));
    }
    bot.close();
}

fn a_file_that_was_not_shown_before_the_end_is_shown_after_it(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().fail_calls(SHARE, CallFault::ResetBefore, Often::Times(1_000));
    bot.slack().say("ana", "lobby", None, "@andon versions hello");
    until("the message stands", || shown(&bot).1 == 1);
    bot.kill();
    bot.slack().heal();
    assert_eq!(shown(&bot), (0, 1));
    bot.revive();
    playground.fast_forward(LEASES);
    bot.settle();
    assert_eq!(shown(&bot), (1, 1), "{}", bot.shown("lobby"));
    bot.close();
}

fn a_message_that_lacks_its_file_says_so(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let refused = || CallFault::Error("file_upload_size_restricted".to_owned());
    bot.slack().fail_calls(BRING, refused(), Often::Times(1));
    bot.say("ana", "lobby", "versions hello");
    bot.expect_times("lobby", "Its file could not be uploaded. Ask again for the whole answer.", 1);
    assert_eq!(shown(&bot), (0, 0), "{}", bot.shown("lobby"));
    // Where it turns out too late, it is said below.
    bot.slack().fail_calls(SHARE, CallFault::Error("file_not_found".to_owned()), Often::Times(2));
    bot.say("ana", "lobby", "versions hello");
    bot.expect_times("lobby", "All of it is in answer-", 1);
    let said = bot.slack().messages("lobby");
    let said = said.iter().filter(|message| message["text"].to_string().contains("Its file could not be uploaded"));
    assert_eq!(said.filter(|message| message["thread_ts"].is_string()).count(), 1);
    bot.close();
}

/// The way out alone: no card that people make is as long as this.
#[test]
fn a_card_that_becomes_too_long_has_its_file() {
    let slack = Slack::start(Settings { post_pacing: None, ..Settings::default() }).expect("no fake Slack");
    let runtime = tokio::runtime::Runtime::new().expect("no runtime");
    let voice = voice(&slack);
    let room = "slack:T0PLAY/C0LOBBY".parse().expect("a room");
    let card = |state: &str, lines: usize| {
        let message = Message::new(state);
        (0..lines).fold(message, |message, line| message.paragraph(format!("{state}, line {line}")))
    };
    let marker = Marker("mark".to_owned());
    let placement = runtime.block_on(voice.post(&room, None, &card("Queued", 3), &marker)).expect("it is posted");
    let edit_at = |placement: &Placement, message: &Message| loop {
        match runtime.block_on(voice.edit(&room, placement, message)) {
            Err(VoiceError::SlowDown(wait)) => std::thread::sleep(wait),
            edited => return edited,
        }
    };
    let edit = |message: &Message| edit_at(&placement, message);
    for (method, fault) in [(SHARE, CallFault::ResetAfter), (Some("chat.update"), CallFault::ResetAfter)] {
        slack.fail_calls(method, fault, Often::Times(1));
        edit(&card("Running", 2_000)).expect_err("what was lost is tried once more");
    }
    edit(&card("Running", 2_000)).expect("it is edited");
    edit(&card("Done", 2_000)).expect("it is edited");
    let shown = slack.messages("lobby");
    let card = words(shown.iter().find(|message| message["edited"].is_object()).expect("a card"));
    let files = slack.files();
    let files: Vec<_> = files.iter().map(|file| (file["name"].as_str(), file["content"].as_str())).collect();
    let [(Some(running), _), (Some(done), Some(content))] = files[..] else { panic!("one of each: {files:?}") };
    assert!(card.contains(done) && !card.contains(running) && content.contains("Done, line 1999"), "{card}");
    // One that is not there is not named.
    slack.fail_calls(BRING, CallFault::Error("file_upload_size_restricted".to_owned()), Often::Times(1));
    edit(&Message::new("Failed")).expect("it is edited");
    edit(&(0..2_000).fold(Message::new("Failed"), |message, _| message.paragraph("why"))).expect("it is edited");
    let shown = slack.messages("lobby");
    let card = words(shown.iter().find(|message| message["edited"].is_object()).expect("a card"));
    assert!(card.contains("Its file could not be uploaded") && !card.contains("answer-"), "{card}");
    // One that somebody has deleted is gone, however long.
    let short = runtime.block_on(voice.post(&room, None, &Message::new("Queued"), &marker)).expect("it is posted");
    slack.take_away("lobby", short.0.split('/').nth(1).expect("a time stamp"));
    let long = (0..2_000).fold(Message::new("Done"), |message, _| message.paragraph("why"));
    let edited = edit_at(&short, &long);
    assert!(matches!(edited, Err(VoiceError::Gone)), "{edited:?}");
}

fn voice(slack: &Slack) -> Arc<dyn Voice> {
    let config = andon_slack::Config {
        mode: andon_slack::Mode::Socket,
        workspaces: vec!["T0PLAY".to_owned()],
        matches_email: false,
        reconcile: true,
        slash_commands: Vec::new(),
    };
    let secrets = andon_slack::Secrets {
        bot_token: Some(slack.bot_token().to_owned()),
        app_token: Some(slack.app_token().to_owned()),
        api_url: Some(slack.api_url()),
        ..andon_slack::Secrets::default()
    };
    let (clock, entropy) = (Arc::new(andon::SystemClock), Arc::new(andon::SystemEntropy));
    andon_slack::Slack::new(config, &secrets, Directory::default(), clock, entropy).expect("it is set up").voice()
}

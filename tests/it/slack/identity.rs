//! Whose an account is.

use std::time::Duration;

use andon_fake_slack::{CallFault, DeliveryFault, DeliveryKind, Ending, Guest, Often, Settings};
use andon_tests::{Chat, Playground, SlackBot, until};

use super::{count, ways};
use crate::PROGRAM;
use crate::rooms::VAULT;

ways! {
    a_foreign_person_in_a_shared_channel_is_nobody,
    a_guest_is_nobody_unless_linked,
    a_confirmed_address_links_an_account,
    an_address_links_only_whom_it_should,
    a_deactivated_person_has_no_rights,
    an_approval_of_somebody_who_was_deactivated_does_not_count,
    what_somebody_asked_for_who_was_deactivated_does_not_start,
    an_old_word_about_an_account_changes_nothing,
    slack_is_waited_for_where_it_asks_for_a_second,
    who_cannot_be_looked_up_is_not_refused_for_good,
    slack_is_not_asked_again_at_once_after_it_did_not_answer,
}

const STRANGER: &str = "Refused: I do not know you";
const DEPLOY: &str = "deploy hello v1 --env staging";
const DONE: &str = "Done: deploy hello nothing → v1 in staging";

/// Dan, Gus and Eve are makers by their addresses alone.
const BY_EMAIL: &str = r#"
[people.dan]
email = "dan@example.com"
[people.gus]
email = "gus@example.com"
[people.eve]
email = "eve@example.com"
[teams.newcomers]
members = ["dan", "gus", "eve"]
[slack]
match_email = ["T0PLAY"]
"#;

fn a_foreign_person_in_a_shared_channel_is_nobody(chat: Chat) {
    let playground = Playground::new(PROGRAM, (andon_tests::Database::Sqlite, chat));
    let mut bot = SlackBot::start(&playground);
    bot.slack().add_stranger("eve", "T0EVE", "lobby");
    bot.say("eve", "lobby", DEPLOY);
    bot.expect_whisper("eve", STRANGER, 1);
    bot.say("ana", "lobby", "whoami");
    bot.expect("lobby", "You are ana").expect_times("lobby", DEPLOY, 0);
    bot.close();
    assert_eq!(count(&playground, "denied"), 1);
}

fn a_guest_is_nobody_unless_linked(chat: Chat) {
    let linked = "[people.hal]\nidentities = [\"slack:T0PLAY/U0HAL\"]\n";
    let playground = Playground::with(PROGRAM, (andon_tests::Database::Sqlite, chat), linked);
    let mut bot = SlackBot::start(&playground);
    for (name, kind) in [("gus", Guest::MultiChannel), ("hal", Guest::SingleChannel)] {
        bot.slack().add_guest(name, kind, "lobby");
    }
    bot.say("gus", "lobby", "whoami");
    bot.say("hal", "lobby", "whoami");
    bot.expect_whisper("gus", STRANGER, 1).expect_whisper("hal", STRANGER, 0).expect("lobby", "You are hal");
    bot.close();
}

fn a_confirmed_address_links_an_account(chat: Chat) {
    let playground = Playground::in_slack(PROGRAM, chat, Settings::default(), BY_EMAIL);
    let mut bot = SlackBot::start(&playground);
    bot.slack().add_user("dan");
    bot.slack().join("dan", "lobby");
    bot.say("dan", "lobby", "whoami");
    bot.expect("lobby", "dan");
    bot.slack().set_email("dan", Some("daniel@example.com"), true);
    bot.settle();
    bot.say("dan", "lobby", "status");
    bot.expect_whisper("dan", STRANGER, 1);
    bot.slack().set_email("dan", Some("Dan@Example.com"), false);
    bot.settle();
    bot.say("dan", "lobby", "status");
    bot.expect_whisper("dan", STRANGER, 2);
    bot.slack().set_email("dan", Some("Dan@Example.com"), true);
    bot.settle();
    bot.say("dan", "lobby", "status");
    bot.expect_whisper("dan", STRANGER, 2).expect("lobby", "hello/prod");
    bot.close();
    // Linked, linked to nobody, and linked again.
    assert_eq!(count(&playground, "linked"), 3);
}

fn an_address_links_only_whom_it_should(chat: Chat) {
    let playground = Playground::in_slack(PROGRAM, chat, Settings::default(), BY_EMAIL);
    let mut bot = SlackBot::start(&playground);
    bot.slack().add_guest("gus", Guest::MultiChannel, "lobby");
    bot.slack().add_stranger("eve", "T0EVE", "lobby");
    for name in ["gus", "eve"] {
        bot.say(name, "lobby", "status");
        bot.expect_whisper(name, STRANGER, 1);
    }
    // An address that was never confirmed.
    bot.slack().add_user("dan");
    bot.slack().join("dan", "lobby");
    bot.slack().set_email("dan", Some("dan@example.com"), false);
    bot.settle();
    bot.say("dan", "lobby", "status");
    bot.expect_whisper("dan", STRANGER, 1);
    bot.close();
    assert_eq!(count(&playground, "linked"), 0);
}

fn a_deactivated_person_has_no_rights(chat: Chat) {
    let playground = Playground::new(PROGRAM, (andon_tests::Database::Sqlite, chat));
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "lobby", DEPLOY);
    bot.expect("lobby", DONE);
    bot.say("ben", "lobby", "deploy hello v1 --env prod");
    // Nothing tells of it, but whoever asks hears it.
    bot.slack().fail_deliveries(Some(DeliveryKind::Event), DeliveryFault::Lost, Often::Times(1));
    bot.slack().deactivate("ana");
    playground.fast_forward(Duration::from_secs(61));
    press_as_ana(&bot, "rollback hello --env staging");
    bot.expect_times("lobby", "rollback", 0);
    bot.close();
    assert_eq!(count(&playground, "suspended"), 1);
}

/// Whatever comes in her name.
fn press_as_ana(bot: &SlackBot<'_>, line: &str) {
    let card =
        bot.slack().messages("lobby").into_iter().find(|message| message["blocks"].to_string().contains("button"));
    let ts = card.and_then(|card| card["ts"].as_str().map(str::to_owned)).expect("there is a button");
    drop(bot.slack().click_with_payload("ben", "lobby", &ts, "Approve", |payload| {
        payload["user"]["id"] = "U0ANA".into();
        payload["actions"][0]["value"] = line.into();
    }));
    bot.settle();
}

fn an_approval_of_somebody_who_was_deactivated_does_not_count(chat: Chat) {
    let playground = Playground::with(PROGRAM, (andon_tests::Database::Sqlite, chat), VAULT);
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "lobby", "deploy vault v1 --env prod");
    bot.click("ben", "lobby", "Approve");
    bot.expect("lobby", "1 of 2: ben");
    bot.slack().deactivate("ben");
    bot.settle();
    bot.click("cy", "lobby", "Approve");
    assert_eq!(playground.orders("vault/prod"), 0);
    bot.expect_times("lobby", "Approved op-1 (1 of 2)", 2).expect_times("lobby", "Queued", 0);
    bot.expect("lobby", "1 of 2: cy").expect_times("lobby", "2 of 2", 0);
    bot.close();
    assert_eq!(count(&playground, "suspended"), 1);
}

fn what_somebody_asked_for_who_was_deactivated_does_not_start(chat: Chat) {
    let playground = Playground::new(PROGRAM, (andon_tests::Database::Sqlite, chat));
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "lobby", "deploy hello v1 --env prod");
    bot.slack().deactivate("ana");
    bot.settle();
    bot.click("ben", "lobby", "Approve");
    bot.expect_times("lobby", "✓ Done", 0);
    assert_eq!(playground.orders("hello/prod"), 0);
    bot.close();
}

fn an_old_word_about_an_account_changes_nothing(chat: Chat) {
    let playground = Playground::new(PROGRAM, (andon_tests::Database::Sqlite, chat));
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "lobby", "whoami");
    let late = DeliveryFault::Late(Duration::from_millis(500));
    bot.slack().fail_deliveries(Some(DeliveryKind::Event), late, Often::Times(1));
    bot.slack().set_email("ana", Some("ana@example.org"), true);
    playground.fast_forward(Duration::from_secs(5));
    bot.slack().deactivate("ana");
    bot.settle();
    bot.close();
    assert_eq!([count(&playground, "suspended"), count(&playground, "linked")], [1, 0]);
}

const LOOK_UP: Option<&str> = Some("users.info");

/// One in which Dan is somebody by his address alone.
fn with_dan(chat: Chat) -> Playground {
    let playground = Playground::in_slack(PROGRAM, chat, Settings::default(), BY_EMAIL);
    playground.slack().add_user("dan");
    playground.slack().join("dan", "lobby");
    playground
}

fn lookups(bot: &SlackBot<'_>) -> usize {
    bot.slack().calls().iter().filter(|call| call.method == "users.info").count()
}

fn slack_is_waited_for_where_it_asks_for_a_second(chat: Chat) {
    let playground = with_dan(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().fail_calls(LOOK_UP, CallFault::RateLimited(1), Often::Times(1));
    bot.say("dan", "lobby", "whoami");
    bot.expect("lobby", "You are dan").expect_whisper("dan", STRANGER, 0);
    assert_eq!((lookups(&bot), bot.slack().deliveries().len()), (2, 1), "it was acknowledged in time");
    bot.close();
}

fn who_cannot_be_looked_up_is_not_refused_for_good(chat: Chat) {
    let playground = with_dan(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().fail_calls(LOOK_UP, CallFault::RateLimited(30), Often::Times(1_000));
    // Who is linked by the configuration needs no look.
    bot.say("ana", "lobby", "whoami");
    bot.expect("lobby", "You are ana");
    bot.say("dan", "lobby", "whoami");
    let pressed = bot.slack().slash("dan", "lobby", "/andon", "whoami").ending();
    assert!(!matches!(pressed, Ending::Acknowledged(_)), "he sees that it failed: {pressed:?}");
    let ends: Vec<_> = bot.slack().deliveries().into_iter().skip(1).map(|delivered| delivered.ending).collect();
    assert!(ends.iter().all(|ending| matches!(ending, Ending::TimedOut | Ending::Status(503))), "{ends:?}");
    bot.expect_whisper("dan", STRANGER, 0).expect_times("lobby", "You are dan", 0);
    bot.slack().heal();
    playground.fast_forward(Duration::from_secs(61));
    until("Slack brings it again", || {
        bot.settle();
        bot.shown("lobby").contains("You are dan")
    });
    bot.expect_whisper("dan", STRANGER, 0).expect_times("lobby", "You are dan", 1);
    bot.close();
    assert_eq!(count(&playground, "denied"), 0);
}

fn slack_is_not_asked_again_at_once_after_it_did_not_answer(chat: Chat) {
    let playground = with_dan(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().fail_calls(LOOK_UP, CallFault::ServerError(503), Often::Times(1_000));
    for (since, asked) in [(0, 1), (3, 1), (9, 2)] {
        playground.fast_forward(Duration::from_secs(since));
        bot.say("ana", "lobby", "whoami");
        assert_eq!(lookups(&bot), asked);
    }
    bot.expect_times("lobby", "You are ana", 3);
    bot.close();
}

//! Buttons act as whoever presses them, at that moment, whatever stands in them.

use andon_fake_slack::{CallFault, Often};
use andon_tests::{Chat, Database, Playground, SlackBot};
use serde_json::Value;

use super::{count, ways};
use crate::PROGRAM;

ways! {
    nobody_approves_what_they_asked_for,
    a_button_of_a_card_that_is_over_tells_how_it_stands,
    a_card_that_shows_what_was_is_drawn_again,
    an_edited_button_gains_nothing,
}

const CHANGE: &str = "deploy hello nothing → v1 in prod";

fn asked(playground: &Playground) -> SlackBot<'_> {
    let bot = SlackBot::start(playground);
    bot.say("ana", "lobby", "deploy hello v1 --env prod");
    bot.expect("lobby", &format!("Approve? {CHANGE}"));
    bot
}

fn everything(bot: &SlackBot<'_>) -> String {
    ["ana", "ben", "cy"].iter().map(|person| bot.whispered(person)).collect::<String>() + &bot.shown("lobby")
}

fn nobody_approves_what_they_asked_for(chat: Chat) {
    let playground = Playground::new(PROGRAM, (Database::Sqlite, chat));
    let mut bot = asked(&playground);
    bot.click("ana", "lobby", "Approve");
    let shown = everything(&bot);
    assert!(shown.contains("You asked for it, so someone else must approve"), "{shown}");
    bot.click("cy", "lobby", "Approve");
    let shown = everything(&bot);
    assert!(shown.contains("cy may not approve here"), "{shown}");
    assert_eq!(playground.orders("hello/prod"), 0);
    bot.click("ben", "lobby", "Approve");
    bot.expect("lobby", &format!("✓ Done: {CHANGE}"));
    bot.close();
}

fn a_button_of_a_card_that_is_over_tells_how_it_stands(chat: Chat) {
    let playground = Playground::new(PROGRAM, (Database::Sqlite, chat));
    let mut bot = asked(&playground);
    let ts = bot.slack().newest_with("lobby", "Approve").expect("a card");
    let old = bot.slack().message("lobby", &ts).expect("a card");
    bot.click("ben", "lobby", "Approve");
    bot.expect("lobby", &format!("✓ Done: {CHANGE}"));
    // A client that has not drawn it anew.
    let button = andon_tests::text_elements(&old, "button")[0].clone();
    press(&bot, "ben", &button);
    let shown = everything(&bot);
    assert!(shown.contains("op-1 cannot be approved any more: succeeded"), "{shown}");
    assert_eq!(playground.orders("hello/prod"), 1);
    bot.close();
}

fn a_card_that_shows_what_was_is_drawn_again(chat: Chat) {
    let playground = Playground::new(PROGRAM, (Database::Sqlite, chat));
    let mut bot = asked(&playground);
    let ts = bot.slack().newest_with("lobby", "Approve").expect("a card");
    let old = bot.slack().message("lobby", &ts).expect("a card");
    // Slack refuses to change it, and it is given up.
    let refused = CallFault::Error("cant_update_message".to_owned());
    bot.slack().fail_calls(Some("chat.update"), refused, Often::Times(1));
    bot.click("ben", "lobby", "Approve");
    let card = format!("✓ Done: {CHANGE}\n  operation");
    bot.expect_times("lobby", "[Approve]", 1).expect_times("lobby", &card, 0);
    bot.click("ben", "lobby", "Approve");
    bot.expect_whisper("ben", "op-1 cannot be approved any more: succeeded", 1);
    bot.expect_times("lobby", "[Approve]", 0).expect_times("lobby", &card, 1);
    // However often: what is to be drawn already is drawn once.
    let edits = || bot.slack().calls().iter().filter(|call| call.method == "chat.update").count();
    let (before, button) = (edits(), andon_tests::text_elements(&old, "button")[0].clone());
    for _ in 0..40 {
        send(&bot, "ben", &button);
    }
    bot.settle();
    let edited = edits() - before;
    assert!((1..20).contains(&edited), "{edited}");
    assert_eq!(playground.orders("hello/prod"), 1);
    bot.close();
}

/// Somebody presses a button that is not there any more, or never was.
fn press(bot: &SlackBot<'_>, person: &str, button: &Value) {
    send(bot, person, button);
    bot.settle();
}

fn send(bot: &SlackBot<'_>, person: &str, button: &Value) {
    let now = bot.slack().now();
    let mut action = button.clone();
    action["action_ts"] = format!("{now}.{:06}", bot.slack().deliveries().len()).into();
    let ts = format!("{now}.000200");
    let more = serde_json::json!({
        "channel": {"id": "C0LOBBY"}, "message": {"ts": ts}, "actions": [action],
        "container": {"type": "message", "message_ts": ts, "channel_id": "C0LOBBY", "is_ephemeral": false},
    });
    drop(bot.slack().send_interaction("block_actions", person, more));
}

fn an_edited_button_gains_nothing(chat: Chat) {
    let playground = Playground::new(PROGRAM, (Database::Sqlite, chat));
    let mut bot = asked(&playground);
    let plan = "e".repeat(64);
    // Cy only reads. What Ben may not do by a button is what he may not say either.
    let edits = [
        ("cy", "deploy shop v1 --env staging".to_owned()),
        ("cy", "approve op-1".to_owned()),
        ("ben", format!("approve op-1 --plan {plan}")),
        ("ben", "approve op-7".to_owned()),
        ("ben", "\u{0}\u{1b}[31m ; rm -rf / $(true)".to_owned()),
        ("ben", "x".repeat(3_000)),
        ("ben", "approve op-1 ".repeat(300)),
        ("ben", String::new()),
        ("ana", format!("approve op-1 --plan {plan}")),
    ];
    for (person, line) in edits {
        let ts = bot.slack().newest_with("lobby", "Approve").expect("a card");
        drop(bot.slack().click_with_payload(person, "lobby", &ts, "Approve", |payload| {
            payload["actions"][0]["value"] = line.into();
        }));
        bot.settle();
    }
    for odd in [Value::Null, serde_json::json!([]), serde_json::json!({"deep": [[[[{}]]]]}), 7.into()] {
        let ts = bot.slack().newest_with("lobby", "Approve").expect("a card");
        drop(bot.slack().click_with_payload("ben", "lobby", &ts, "Approve", |payload| {
            payload["actions"][0]["value"] = odd;
        }));
        bot.settle();
    }
    bot.expect_times("lobby", "Queued", 0).expect_times("lobby", "Approved", 0);
    bot.click("ben", "lobby", "Approve");
    bot.expect("lobby", &format!("✓ Done: {CHANGE}"));
    bot.close();
    assert_eq!([playground.orders("hello/prod"), playground.orders("shop/staging")], [1, 0]);
    assert!(count(&playground, "denied") >= 6);
}

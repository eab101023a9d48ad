//! What never runs, and what runs once however often it comes.

use std::time::Duration;

use andon_fake_slack::{DeliveryFault, DeliveryKind, Often, Settings, USUAL_EVENTS};
use andon_tests::{Chat, Database, Playground, SlackBot};
use serde_json::{Value, json};

use super::{count, kinds, ways};
use crate::PROGRAM;

ways! {
    what_is_not_said_to_it_never_runs,
    a_message_that_is_edited_never_runs,
    what_other_bots_say_never_runs,
    a_message_that_comes_often_runs_once,
    a_mention_and_its_message_are_one_act,
    one_time_stamp_of_two_workspaces_is_two_acts,
}

const DEPLOY: &str = "deploy hello v1 --env staging";

/// Everything that can be heard.
fn all_events() -> Settings {
    let more = ["message.channels", "message.groups", "member_joined_channel"];
    let events = USUAL_EVENTS.iter().chain(&more).map(|event| (*event).to_owned()).collect();
    Settings { events, ..Settings::default() }
}

/// Nothing was deployed, and nobody was taken for saying anything.
fn expect_nothing(playground: &Playground, bot: &mut SlackBot<'_>) {
    bot.settle();
    assert_eq!(bot.shown("lobby"), "");
    bot.close();
    assert_eq!(playground.orders("hello/staging"), 0);
    let kinds = kinds(playground);
    assert!(!kinds.iter().any(|kind| kind == "asked" || kind == "denied"), "{kinds:?}");
}

fn what_is_not_said_to_it_never_runs(chat: Chat) {
    let playground = Playground::in_slack(PROGRAM, chat, all_events(), "");
    let mut bot = SlackBot::start(&playground);
    let unsaid = [
        format!("hey @andon {DEPLOY}"),
        format!("> @andon {DEPLOY}"),
        format!("@andon > {DEPLOY}"),
        format!("@andon\n> {DEPLOY}"),
        format!("@andon ```{DEPLOY}```"),
        format!("```@andon {DEPLOY}```"),
        format!("`@andon {DEPLOY}`"),
        DEPLOY.to_owned(),
        format!("@ben {DEPLOY}"),
    ];
    for text in unsaid {
        bot.slack().say("ana", "lobby", None, &text);
    }
    let gone = bot.slack().say("ana", "lobby", None, DEPLOY);
    bot.slack().delete_message("ana", "lobby", &gone);
    expect_nothing(&playground, &mut bot);
}

fn a_message_that_is_edited_never_runs(chat: Chat) {
    let playground = Playground::in_slack(PROGRAM, chat, all_events(), "");
    let mut bot = SlackBot::start(&playground);
    let ts = bot.slack().say("ana", "lobby", None, "good morning");
    bot.slack().edit_message("ana", "lobby", &ts, &format!("@andon {DEPLOY}"));
    let direct = bot.slack().direct_with_bot("ana");
    let quoted = bot.slack().say("ana", &direct, None, "> status");
    bot.slack().edit_message("ana", &direct, &quoted, DEPLOY);
    expect_nothing(&playground, &mut bot);
}

fn what_other_bots_say_never_runs(chat: Chat) {
    let playground = Playground::in_slack(PROGRAM, chat, all_events(), "");
    let mut bot = SlackBot::start(&playground);
    let said = message(DEPLOY, "1800000000.000100");
    let variants: [fn(&mut Value); 5] = [
        |event| event["bot_id"] = "B0OTHER".into(),
        |event| event["subtype"] = "bot_message".into(),
        |event| event["subtype"] = "channel_topic".into(),
        |event| event["user"] = "U0ANDON".into(),
        |event| event["user"] = Value::Null,
    ];
    for change in variants {
        for kind in ["app_mention", "message"] {
            let mut event = said.clone();
            event["type"] = kind.into();
            change(&mut event);
            bot.slack().send_event(event);
        }
    }
    expect_nothing(&playground, &mut bot);
}

fn message(line: &str, ts: &str) -> Value {
    json!({
        "type": "app_mention", "user": "U0ANA", "team": "T0PLAY", "text": format!("<@U0ANDON> {line}"), "ts": ts,
        "channel": "C0LOBBY", "event_ts": ts,
    })
}

fn a_message_that_comes_often_runs_once(chat: Chat) {
    let playground = Playground::new(PROGRAM, (Database::Sqlite, chat));
    let mut bot = SlackBot::start(&playground);
    let faults = [
        DeliveryFault::Copies(11),
        DeliveryFault::Duplicate,
        DeliveryFault::Unheard(2),
        DeliveryFault::Late(Duration::from_millis(300)),
    ];
    for (version, fault) in ["v1", "v2", "v1", "v2"].into_iter().zip(faults) {
        bot.slack().fail_deliveries(Some(DeliveryKind::Event), fault, Often::Times(1));
        bot.say("ana", "lobby", &format!("deploy hello {version} --env staging"));
        playground.fast_forward(Duration::from_secs(61));
        bot.settle();
    }
    bot.close();
    assert_eq!(playground.orders("hello/staging"), 4);
    assert_eq!(count(&playground, "asked"), 4);
}

fn a_mention_and_its_message_are_one_act(chat: Chat) {
    let playground = Playground::in_slack(PROGRAM, chat, all_events(), "");
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "lobby", DEPLOY);
    bot.expect_times("lobby", "✓ Done: deploy hello", 1);
    let direct = bot.slack().direct_with_bot("ana");
    bot.slack().say("ana", &direct, None, "whoami");
    bot.settle();
    bot.expect_times(&direct, "You are ana", 1);
    bot.close();
}

fn one_time_stamp_of_two_workspaces_is_two_acts(chat: Chat) {
    let playground = Playground::new(PROGRAM, (Database::Sqlite, chat));
    let mut bot = SlackBot::start(&playground);
    bot.slack().add_stranger("eve", "T0EVE", "lobby");
    let ts = format!("{}.000100", bot.slack().now());
    let ours = message("whoami", &ts);
    let mut theirs = ours.clone();
    (theirs["user"], theirs["team"]) = ("U0EVE".into(), "T0EVE".into());
    theirs["user_team"] = "T0EVE".into();
    for _ in 0..2 {
        bot.slack().send_event(theirs.clone());
        bot.slack().send_event(ours.clone());
    }
    bot.settle();
    bot.expect_times("lobby", "You are ana", 1).expect_whisper("eve", "I do not know you", 1);
    bot.close();
    assert_eq!([count(&playground, "asked"), count(&playground, "denied")], [1, 1]);
}

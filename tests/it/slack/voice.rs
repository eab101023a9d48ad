//! The way out: Slack's pace, lost answers, threads, files and direct messages.

use std::time::Duration;

use andon_fake_slack::{CallFault, Often, Settings};
use andon_tests::{Chat, Database, Playground, SlackBot, until};

use super::{count, ways};
use crate::PROGRAM;

ways! {
    slacks_pace_is_heeded,
    what_has_to_wait_comes_while_others_are_answered,
    what_was_said_is_not_said_again,
    slack_may_fail_for_a_while,
    a_slack_that_says_nothing_holds_nobody_up,
    a_token_that_is_refused_is_told,
    order_is_kept_in_a_channel,
    an_answer_finds_whoever_has_left,
    an_answer_finds_whoever_asked_where_the_bot_is_not,
    what_was_said_in_a_long_thread_is_found,
    a_thread_has_the_power_of_its_channel,
    a_card_that_somebody_took_away_is_said_afresh,
    records_hold_the_link_to_the_message,
    checkpoints_stand_in_rooms,
}

const POST: Option<&str> = Some("chat.postMessage");

fn playground(chat: Chat) -> Playground {
    Playground::new(PROGRAM, (Database::Sqlite, chat))
}

/// The calls of a method, by what became of them and when.
fn calls(bot: &SlackBot<'_>, method: &str) -> Vec<(Option<String>, u64)> {
    let calls = bot.slack().calls();
    calls.into_iter().filter(|call| call.method == method).map(|call| (call.error, call.at)).collect()
}

fn slacks_pace_is_heeded(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().fail_calls(POST, CallFault::RateLimited(7), Often::Times(1));
    bot.say("ana", "lobby", "whoami");
    bot.expect_times("lobby", "You are ana", 1);
    let posts = calls(&bot, "chat.postMessage");
    assert_eq!(posts[0].0.as_deref(), Some("ratelimited"), "{posts:?}");
    assert!(posts[1].1 - posts[0].1 >= 7, "{posts:?}");
    assert_eq!(posts.len(), 2, "{posts:?}");
    bot.close();
}

fn what_has_to_wait_comes_while_others_are_answered(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let channels = bot.slack().add_channels("busy", 60, &["ana", "andon"]);
    bot.slack().fail_calls(POST, CallFault::RateLimited(2), Often::Times(1));
    bot.slack().say("ana", "lobby", None, "@andon whoami");
    until("Slack asks to wait", || !calls(&bot, "chat.postMessage").is_empty());
    // Something is always handed to the voice: a second without anything new never comes.
    let mut others = channels.iter();
    until("the first one is answered while the others speak", || {
        let channel = others.next().expect("the others have spoken without end");
        bot.slack().say("ana", channel, None, "@andon whoami");
        std::thread::sleep(Duration::from_millis(150));
        bot.shown("lobby").contains("You are ana")
    });
    bot.settle();
    bot.close();
}

fn what_was_said_is_not_said_again(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    for (times, fault) in (1..).zip([CallFault::ResetAfter, CallFault::ResetBefore, CallFault::Garbled]) {
        bot.slack().fail_calls(POST, fault, Often::Times(1));
        bot.say("ana", "lobby", "whoami");
        bot.expect_times("lobby", "You are ana", times);
    }
    bot.slack().fail_calls(POST, CallFault::ResetAfter, Often::Times(1));
    bot.say("ana", "lobby", "deploy hello v1 --env staging");
    bot.expect_times("lobby", "✓ Done: deploy hello nothing → v1 in staging\n  operation", 1);
    bot.close();
}

fn slack_may_fail_for_a_while(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().fail_calls(None, CallFault::ServerError(503), Often::Times(6));
    bot.slack().fail_calls(POST, CallFault::Error("internal_error".to_owned()), Often::Times(2));
    bot.slack().fail_calls(POST, CallFault::Slow(Duration::from_millis(700)), Often::Times(3));
    bot.say("ana", "lobby", "whoami");
    bot.expect_times("lobby", "You are ana", 1);
    bot.slack().fail_calls(Some("chat.update"), CallFault::ServerError(502), Often::Times(3));
    bot.say("ana", "lobby", "deploy hello v1 --env staging");
    bot.expect_times("lobby", "✓ Done: deploy hello nothing → v1 in staging\n  operation", 1);
    bot.close();
}

fn a_card_that_somebody_took_away_is_said_afresh(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "lobby", "deploy hello v1 --env prod");
    let card = bot.slack().newest_with("lobby", "Approve").expect("a card");
    bot.slack().take_away("lobby", &card);
    // Its answer is lost, and it is found again by its mark.
    bot.slack().fail_calls(POST, CallFault::ResetAfter, Often::Times(1));
    bot.say("ben", "lobby", "approve op-1");
    let ends = "✓ Done: deploy hello nothing → v1 in prod\n  operation";
    bot.expect_times("lobby", ends, 1).expect_times("lobby", "[Approve]", 0);
    // What follows stands under the new one.
    let messages = bot.slack().messages("lobby");
    let afresh = messages.iter().find(|message| andon_tests::words(message).contains("operation")).expect("a card");
    let thread = bot.slack().thread("lobby", afresh["ts"].as_str().expect("a time stamp"));
    assert_eq!(thread.len(), 2, "{}", bot.shown("lobby"));
    bot.close();
}

fn a_slack_that_says_nothing_holds_nobody_up(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "ops", "whoami");
    bot.slack().fail_calls(POST, CallFault::Slow(Duration::from_secs(600)), Often::Times(1));
    bot.slack().say("ana", "lobby", None, "@andon whoami");
    bot.work();
    // Another room does not wait for it.
    bot.slack().say("ana", "ops", None, "@andon whoami");
    until("the other one is answered", || bot.shown("ops").matches("You are ana").count() == 2);
    bot.expect_times("lobby", "You are ana", 0);
    // Longer than a call may take, and sooner than the outbox gives the voice up.
    playground.fast_forward(Duration::from_secs(9));
    bot.settle();
    bot.expect_times("lobby", "You are ana", 1);
    bot.close();
}

fn a_token_that_is_refused_is_told(chat: Chat) {
    let playground = playground(chat);
    let refused = |variable: &str, code: &str| format!("Slack refuses {variable}: {code}");
    let data = playground.data().display().to_string();
    let (said, code) =
        playground.run_in_slack(&["serve", "--data", &data], &[("ANDON_SLACK_BOT_TOKEN", "xoxb-1-wrong")]);
    assert!(code == Some(1) && said.contains(&refused("ANDON_SLACK_BOT_TOKEN", "invalid_auth")), "{code:?} {said}");
    let mut bot = SlackBot::start_with(&playground, &[("ANDON_LOG", "warn")]);
    bot.slack().fail_calls(None, CallFault::Error("token_revoked".to_owned()), Often::Times(1_000));
    bot.slack().say("ana", "lobby", None, "@andon whoami");
    let told = r#"Slack refuses a token; `andon slack check` says which code="token_revoked""#;
    until("the log tells of it", || bot.log().contains(told));
    let (said, code) = playground.run_in_slack(&["slack", "check"], &[]);
    assert!(code == Some(1) && said.contains(&refused("ANDON_SLACK_BOT_TOKEN", "token_revoked")), "{code:?} {said}");
    // What was to be said has waited for a token that is good.
    bot.slack().heal();
    bot.settle();
    bot.expect_times("lobby", "You are ana", 1);
    bot.close();
}

fn order_is_kept_in_a_channel(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().fail_calls(POST, CallFault::RateLimited(2), Often::Chance(0.2));
    bot.slack().fail_calls(POST, CallFault::ResetAfter, Often::Chance(0.2));
    bot.slack().fail_calls(POST, CallFault::ResetBefore, Often::Chance(0.2));
    let asked: Vec<_> = (0..4)
        .flat_map(|_| {
            [("whoami", "You are ana"), ("status hello", "2 targets"), ("can deploy hello", "That also needs")]
        })
        .collect();
    for (line, _) in &asked {
        bot.slack().say("ana", "lobby", None, &format!("@andon {line}"));
        bot.work();
    }
    bot.settle();
    let shown = bot.shown("lobby");
    let answers: Vec<_> = shown.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(answers.len(), asked.len(), "{shown}");
    for ((line, answer), shown) in asked.iter().zip(answers) {
        assert!(shown.contains(answer), "{line}: {shown}");
    }
    bot.close();
}

fn an_answer_finds_whoever_has_left(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().fail_calls(Some("chat.postEphemeral"), CallFault::RateLimited(3), Often::Times(1));
    bot.slack().say("cy", "deploys", None, "@andon deploy hello v1 --env staging");
    until("it was taken", || bot.slack().calls().iter().any(|call| call.method == "chat.postEphemeral"));
    bot.slack().leave("cy", "deploys");
    bot.settle();
    let direct = bot.slack().direct_with_bot("cy");
    bot.expect(&direct, "cy may not deploy");
    bot.expect_whisper("cy", "may not", 0);
    assert_eq!(bot.shown("deploys"), "");
    bot.close();
}

fn an_answer_finds_whoever_asked_where_the_bot_is_not(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    bot.slack().add_private_channel("elsewhere", &["ana"]);
    let direct = bot.slack().direct_with_bot("ana");
    drop(bot.slack().slash("ana", "elsewhere", "/andon", "whoami"));
    bot.settle();
    bot.expect_times(&direct, "You are ana", 1);
    // Once more, and the answer gets lost after it was said in private.
    let posts = calls(&bot, "chat.postMessage").len();
    let slow = CallFault::Slow(Duration::from_secs(1));
    bot.slack().fail_calls(Some("conversations.open"), slow, Often::Times(1));
    drop(bot.slack().slash("ana", "elsewhere", "/andon", "whoami"));
    until("it is refused there", || calls(&bot, "chat.postMessage").len() > posts);
    bot.slack().fail_calls(POST, CallFault::ResetAfter, Often::Times(1));
    bot.settle();
    bot.expect_times(&direct, "You are ana", 2);
    let posts = calls(&bot, "chat.postMessage");
    assert!(posts.iter().any(|(error, _)| error.as_deref() == Some("connection_reset")), "{posts:?}");
    bot.close();
}

/// In a thread of more than a thousand messages, where the newest come last.
fn what_was_said_in_a_long_thread_is_found(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let ts = bot.slack().say("ben", "lobby", None, "hello is broken");
    for number in 0..1_100 {
        bot.slack().say("ben", "lobby", Some(&ts), &format!("I have seen it {number} times"));
    }
    playground.fast_forward(Duration::from_secs(3_600));
    bot.slack().fail_calls(POST, CallFault::ResetAfter, Often::Times(1));
    bot.slack().say("ana", "lobby", Some(&ts), "@andon whoami");
    bot.settle();
    bot.expect_times("lobby", "You are ana", 1);
    assert_eq!(calls(&bot, "conversations.replies").len(), 1);
    bot.close();
}

fn a_thread_has_the_power_of_its_channel(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let ts = bot.slack().say("ben", "lobby", None, "hello is broken");
    bot.slack().say("ana", "lobby", Some(&ts), "@andon deploy hello v1 --env prod");
    bot.settle();
    let card = bot.slack().newest_with("lobby", "Approve").expect("a card");
    drop(bot.slack().click("ben", "lobby", &card, "Approve"));
    bot.settle();
    bot.slack().say("ana", "lobby", Some(&ts), "@andon status hello");
    bot.settle();
    bot.expect("lobby", "✓ Done: deploy hello nothing → v1 in prod");
    let thread = bot.slack().thread("lobby", &ts);
    assert_eq!(thread.len(), bot.slack().messages("lobby").len(), "{}", bot.shown("lobby"));
    bot.close();
}

fn records_hold_the_link_to_the_message(chat: Chat) {
    let playground = playground(chat);
    let mut bot = SlackBot::start(&playground);
    let ts = bot.say("ana", "lobby", "whoami");
    let answer = bot.slack().say("ana", "lobby", Some(&ts), "@andon status");
    drop(bot.slack().slash("ben", "deploys", "/andon", "versions hello"));
    bot.settle();
    let asked = bot.say("ana", "lobby", "deploy hello v1 --env staging");
    bot.close();
    let links = |command: &str| -> Vec<(String, String)> {
        let records = playground.records(&["--command", command]);
        let text = |record: &serde_json::Value, place| record.pointer(place).map(ToString::to_string);
        let link = |record| text(record, "/place/permalink").unwrap_or_default().trim_matches('"').to_owned();
        records.iter().map(|record| (text(record, "/kind").unwrap_or_default(), link(record))).collect()
    };
    let ends_with = |command: &str, end: &str, kinds: usize| {
        let links = links(command);
        assert_eq!(links.len(), kinds, "{links:?}");
        assert!(links.iter().all(|(_, link)| link.starts_with("https://") && link.ends_with(end)), "{end}: {links:?}");
    };
    let archive = |ts: &str| format!(".slack.com/archives/C0LOBBY/p{}", ts.replace('.', ""));
    ends_with("whoami", &archive(&ts), 2);
    ends_with("status", &format!("{}?thread_ts={ts}&cid=C0LOBBY", archive(&answer)), 2);
    ends_with("versions", ".slack.com/archives/C0DEPLOYS", 2);
    ends_with("deploy", &archive(&asked), 2);
    // What the bot tells of an operation has the link of what it was asked by.
    let mut told = playground.records(&["--service", "hello", "--env", "staging"]);
    told.retain(|record| record["operation"].is_string());
    assert_eq!(told.len(), 3, "{told:#?}");
    let link = |record: &serde_json::Value| record["place"]["permalink"].to_string();
    assert!(told.iter().all(|record| link(record).contains(&archive(&asked))), "{told:#?}");
    let room = |record: &serde_json::Value| record["place"]["room"].to_string();
    assert!(told.iter().all(|record| room(record).contains("slack:T0PLAY/C0LOBBY")), "{told:#?}");
}

fn checkpoints_stand_in_rooms(chat: Chat) {
    let anchors = "[trail]\nanchors = [\"slack:T0PLAY/audit\", \"slack:T0PLAY/deploys\", \"slack:T0PLAY/closed\"]\n";
    let playground = Playground::in_slack(PROGRAM, chat, Settings::default(), anchors);
    let mut bot = SlackBot::start(&playground);
    // One room that cannot be written to keeps it from no other.
    bot.slack().archive("closed");
    let notes = |room: &str| bot.shown(room).matches("Checkpoint of the audit trail: ").count();
    let posted = |times: usize| {
        until("checkpoints are posted", || {
            // It looks once a minute.
            playground.fast_forward(Duration::from_secs(61));
            bot.settle();
            ["audit", "deploys"].iter().all(|room| notes(room) == times)
        });
    };
    posted(1);
    for _ in 0..3 {
        bot.say("ana", "lobby", "lock hello --env prod --for 1h --reason test");
    }
    playground.fast_forward(Duration::from_secs(3_600));
    posted(2);
    assert_eq!(notes("closed"), 0);
    bot.close();
    assert_eq!(count(&playground, "anchored"), 6);
}

//! Text from outside: whatever somebody writes into a reason, it stands on cards as text and does nothing.

use andon_tests::{Chat, Database, Playground, SlackBot, text_elements};
use serde_json::Value;

use super::ways;
use crate::PROGRAM;

ways! {
    a_reason_is_text_and_nothing_else,
    a_reason_that_was_typed_in_a_message_is_text_too,
}

/// Everything that means something in Slack. The bot itself never mentions Cy here.
const LOADED: [&str; 14] = [
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<@U0CY>",
    "<#C0OPS>",
    "<!subteam^S0ALL>",
    "<https://evil.example|fine>",
    "`code`",
    "*bold* _it_ ~gone~",
    ":boom:",
    "&lt;!channel&gt;",
    "<!date^0^{date}|now>",
    "mailto:a@b.example",
    "@here",
];

fn loaded() -> String {
    format!("{}\n> quoted\n```\nfence\n```", LOADED.join(" "))
}

/// Nothing of a message notifies, links or runs but what the bot means.
fn expect_harmless(message: &Value) {
    for kind in ["broadcast", "usergroup", "channel", "link", "mrkdwn"] {
        let found = text_elements(message, kind);
        assert!(found.is_empty(), "{kind}: {found:#?}");
    }
    for user in text_elements(message, "user") {
        assert_ne!(user["user_id"], "U0CY", "{message:#}");
    }
    for emoji in text_elements(message, "emoji") {
        assert_ne!(emoji["name"], "boom", "{message:#}");
    }
    let notice = message["text"].as_str().unwrap_or_default();
    for control in ["<!channel", "<!here", "<!everyone", "<!subteam", "<@U0CY", "<#C0OPS", "<https:"] {
        assert!(!notice.contains(control), "{control} in {notice}");
    }
}

fn a_reason_is_text_and_nothing_else(chat: Chat) {
    let playground = Playground::new(PROGRAM, (Database::Sqlite, chat));
    let mut bot = SlackBot::start(&playground);
    bot.say("ben", "lobby", "deploy hello v1 --env prod");
    let card = bot.slack().newest_with("lobby", "Deny").expect("a card");
    drop(bot.slack().click("ana", "lobby", &card, "Deny"));
    let view = bot.view("ana", "Why?");
    bot.slack().fill("ana", &view, "Why?", &loaded());
    drop(bot.slack().submit("ana", &view));
    bot.settle();
    let messages: Vec<_> =
        bot.slack().messages("lobby").into_iter().filter(|message| !message["bot_id"].is_null()).collect();
    messages.iter().for_each(expect_harmless);
    let text: String = messages.iter().flat_map(|message| text_elements(message, "text")).map(text_of).collect();
    for part in LOADED {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(text.contains("> quoted") && text.contains("fence"), "{text}");
    bot.close();
}

fn text_of(element: &Value) -> String {
    element["text"].as_str().unwrap_or_default().to_owned()
}

fn a_reason_that_was_typed_in_a_message_is_text_too(chat: Chat) {
    let playground = Playground::new(PROGRAM, (Database::Sqlite, chat));
    let mut bot = SlackBot::start(&playground);
    let typed = "<@U0ANDON> lock hello --env prod --for 1h --reason \"stop <!channel> <!here|here> <@U0CY> \
                 <https://evil.example|fine> :boom: *now*\"";
    bot.slack().say_raw("ana", "lobby", None, typed, Vec::new());
    bot.settle();
    bot.expect("lobby", "Locked hello/prod");
    for message in bot.slack().messages("lobby").iter().filter(|message| !message["bot_id"].is_null()) {
        expect_harmless(message);
    }
    bot.close();
}

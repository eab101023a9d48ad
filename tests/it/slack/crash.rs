//! `kill -9` at random moments while people speak in Slack: every message is answered, nothing is done twice, and what was lost to a broken
//! connection or to Slack's pace arrives. Each message has a channel of its own, so that its answers can be counted.

use std::time::Duration;

use andon_fake_slack::{CallFault, Often, Settings};
use andon_tests::{Chat, Playground, SlackBot, tell, until};

use super::{count, ways};
use crate::PROGRAM;
use crate::crash::{dice, seed};

ways! { every_message_is_answered_once_whenever_the_bot_is_killed }

/// How often the bot is killed, and how many messages are said before each kill.
const KILLS: u64 = 4;
const MESSAGES: usize = 10;
/// The latest moment of a kill after people began to speak, in milliseconds.
const LATEST: u64 = 250;
/// Slack sends again what nobody acknowledged: at once, after a minute, after five.
const RETRIES: [Duration; 3] = [Duration::from_secs(61), Duration::from_secs(301), Duration::from_secs(301)];

fn every_message_is_answered_once_whenever_the_bot_is_killed(chat: Chat) {
    let seed = seed();
    tell(&format!("random kills in Slack by {chat:?}: ANDON_TEST_SEED={seed}"));
    let playground = Playground::in_slack(PROGRAM, chat, Settings::default(), "");
    let slack = playground.slack();
    let said = usize::try_from(KILLS).unwrap_or(0) * MESSAGES;
    let channels = slack.add_channels("crash", said, &["ana", "ben", "cy", "andon"]);
    slack.fail_calls(Some("chat.postMessage"), CallFault::ResetAfter, Often::Chance(0.1));
    slack.fail_calls(Some("chat.postMessage"), CallFault::RateLimited(1), Often::Chance(0.1));
    let mut bot = SlackBot::start(&playground);
    let mut under_way = 0;
    for (kill, channels) in (0..KILLS).zip(channels.chunks(MESSAGES)) {
        for channel in channels {
            slack.say("ana", channel, None, "@andon can deploy hello v1 --env staging");
        }
        std::thread::sleep(Duration::from_millis(dice(seed, kill) % LATEST));
        bot.kill();
        under_way += playground.raw().rows("select id from invocations where state = 'accepted'").len();
        bot.revive();
    }
    slack.heal();
    for retry in RETRIES {
        bot.settle();
        playground.fast_forward(retry);
        until("nothing is on its way", || slack.on_the_way() == 0);
    }
    bot.settle();
    let answers = |channel: &String| bot.slack().messages(channel).iter().filter(|it| !it["bot_id"].is_null()).count();
    tell(&format!("{said} messages, {KILLS} kills, {under_way} times accepted and not answered at a kill"));
    let odd: Vec<_> = channels.iter().filter(|channel| answers(channel) != 1).collect();
    let ends: Vec<_> = slack.deliveries().iter().map(|it| format!("{} {:?}", it.attempt, it.ending)).collect();
    assert!(odd.is_empty(), "one answer in each channel, but not in {odd:?}: {ends:#?}");
    assert_eq!((count(&playground, "asked"), count(&playground, "answered")), (said, said), "taken once, done once");
    bot.close();
}

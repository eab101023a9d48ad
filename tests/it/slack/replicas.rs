//! Two replicas over one PostgreSQL, in one Slack that spreads its deliveries over the sockets of both. One is killed in the middle: every
//! command runs once and is answered once, cards go forward only, and the trail is whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use andon_fake_slack::{Ending, Shown, ShownKind, Slack};
use andon_tests::{Chat, Database, Playground, SlackBot, tell, until};

use super::count;
use crate::PROGRAM;
use crate::crash::{dice, seed};

/// What is asked while both are there, in the middle of which one dies, and when it has come back.
const READS: usize = 24;
/// The latest moment of the kill after people spoke, in milliseconds.
const LATEST: u64 = 400;

/// A change, the channel in which it is asked for, and what it says of itself.
struct Change {
    channel: &'static str,
    line: &'static str,
    words: &'static str,
    approved: bool,
}

const fn change(channel: &'static str, line: &'static str, words: &'static str, approved: bool) -> Change {
    Change { channel, line, words, approved }
}

/// Before the kill, and just before it.
const BEFORE: [Change; 2] = [
    change("hello1", "deploy hello v1 --env prod", "deploy hello nothing → v1 in prod", true),
    change("shop1", "deploy shop v1 --env staging", "deploy shop nothing → v1 in staging", false),
];
const AMID: [Change; 3] = [
    change("hello2", "deploy hello v2 --env prod", "deploy hello v1 → v2 in prod", true),
    change("shop2", "deploy shop v2 --env staging", "deploy shop v1 → v2 in staging", false),
    change("shop3", "deploy shop v1 --env prod", "deploy shop nothing → v1 in prod", true),
];

#[test]
fn two_replicas_do_everything_once_and_one_may_die() {
    let seed = seed();
    tell(&format!("one of two replicas is killed: ANDON_TEST_SEED={seed}"));
    let playground = Playground::new(PROGRAM, (Database::Postgres, Chat::SlackSocket));
    let slack = playground.slack();
    for change in BEFORE.iter().chain(&AMID) {
        slack.add_channel(change.channel, &["ana", "ben", "cy", "andon"]);
    }
    let channels = slack.add_channels("crew", READS, &["ana", "ben", "cy", "andon"]);
    let shown = slack.watch();
    let mut first = SlackBot::start(&playground);
    let (mut second, firsts) = (SlackBot::start(&playground), first.sockets());
    let seconds = second.sockets();
    let (before, rest) = channels.split_at(READS / 3);
    let (amid, after) = rest.split_at(READS / 3);
    BEFORE.iter().for_each(|change| say(slack, change));
    before.iter().for_each(|channel| ask(slack, channel));
    second.settle();
    approve(&second, "hello1");
    second.settle();
    expect_heard(slack, [&firsts, &seconds]);
    // Both have something in hand when one of them goes.
    AMID.iter().for_each(|change| say(slack, change));
    until("approval is asked for", || ["hello2", "shop3"].iter().all(|at| slack.newest_with(at, "Approve").is_some()));
    amid.iter().for_each(|channel| ask(slack, channel));
    let clicks =
        ["hello2", "shop3"].map(|at| slack.newest_with(at, "Approve").map(|ts| slack.click("ben", at, &ts, "Approve")));
    std::thread::sleep(Duration::from_millis(dice(seed, 0) % LATEST));
    first.kill();
    let under_way = playground.raw().rows("select id from invocations where state = 'accepted'").len();
    tell(&format!("{under_way} invocations were under way when one of two replicas was killed"));
    let heard = clicks.map(|click| click.is_some_and(|click| matches!(click.ending(), Ending::Acknowledged(_))));
    second.settle();
    // Slack sends again what the dead one had not acknowledged; who pressed and saw a failure presses again.
    playground.fast_forward(Duration::from_secs(61));
    second.settle();
    for (at, _) in ["hello2", "shop3"].iter().zip(heard).filter(|(_, heard)| !heard) {
        approve(&second, at);
    }
    first.revive();
    after.iter().for_each(|channel| ask(slack, channel));
    second.settle();
    expect_once(&playground, &second, &channels);
    expect_forward(&shown);
    first.end();
    second.close();
}

fn say(slack: &Slack, change: &Change) {
    slack.say("ana", change.channel, None, &format!("@andon {}", change.line));
}

fn ask(slack: &Slack, channel: &str) {
    slack.say("cy", channel, None, "@andon can deploy hello v1 --env staging");
}

/// Ben approves what is asked for in a channel, where it still is: Slack does not repeat a button, but whoever sees that it failed does.
fn approve(bot: &SlackBot<'_>, channel: &str) {
    while let Some(ts) = bot.slack().newest_with(channel, "Approve") {
        let pressed = bot.slack().click("ben", channel, &ts, "Approve");
        let heard = matches!(pressed.ending(), Ending::Acknowledged(_));
        bot.settle();
        if heard {
            return;
        }
    }
}

/// Slack's deliveries went to all of them.
fn expect_heard(slack: &Slack, replicas: [&Vec<u64>; 2]) {
    let carried: BTreeSet<_> = slack.deliveries().iter().filter_map(|delivered| delivered.connection).collect();
    for sockets in replicas {
        assert!(sockets.iter().any(|socket| carried.contains(socket)), "{sockets:?} of {carried:?}");
    }
}

/// Everything was taken once, done once and answered once.
fn expect_once(playground: &Playground, bot: &SlackBot<'_>, channels: &[String]) {
    let answers = |channel: &str| bot.slack().messages(channel).iter().filter(|it| !it["bot_id"].is_null()).count();
    let odd: Vec<_> = channels.iter().filter(|channel| answers(channel) != 1).collect();
    assert!(odd.is_empty(), "one answer in each channel, but not in {odd:?}: {:#?}", bot.slack().deliveries());
    for Change { channel, words, approved, .. } in BEFORE.iter().chain(&AMID) {
        let requests = usize::from(*approved);
        bot.expect_times(channel, &format!("✓ Done: {words}\n  operation"), 1);
        bot.expect_times(channel, &format!("✓ @ana Done: {words}"), 1);
        bot.expect_times(channel, &format!("? @ben Approve? {words}"), requests);
        bot.expect_times(channel, "✓ Approved op-", requests);
    }
    let orders = ["hello/prod", "shop/staging", "shop/prod"].map(|target| playground.orders(target));
    assert_eq!(orders, [2, 2, 1], "each deploy was ordered once");
    let changes = BEFORE.len() + AMID.len();
    let kinds = ["planned", "started", "finished", "approved", "answered"].map(|kind| count(playground, kind));
    assert_eq!(kinds, [changes, changes, changes, 3, channels.len()]);
}

/// Whatever the card of an operation showed, it never fell back: an edit of one replica does not overtake one of the other.
fn expect_forward(shown: &Receiver<Shown>) {
    const STEPS: [&str; 4] = ["Approve? ", "Queued: ", "Running: ", "Done: "];
    let mut cards = BTreeMap::<String, Vec<usize>>::new();
    for shown in shown.try_iter().filter(|shown| matches!(shown.kind, ShownKind::Posted | ShownKind::Edited)) {
        let text = shown.message["text"].as_str().unwrap_or_default();
        let step = STEPS.iter().position(|step| text.starts_with(step));
        if let (Some(ts), Some(step), None) = (shown.ts, step, &shown.thread_ts) {
            cards.entry(ts).or_default().push(step);
        }
    }
    assert_eq!(cards.len(), BEFORE.len() + AMID.len(), "one card of each: {cards:?}");
    for steps in cards.values() {
        assert!(steps.is_sorted() && steps.last() == Some(&3), "{steps:?}");
    }
}

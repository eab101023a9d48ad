//! Web sockets: renewed, broken and silent ones, and gaps in which nobody listened.

use std::time::Duration;

use andon_fake_slack::{ConnectFault, Ending, Often, Reason, Settings};
use andon_tests::{Chat, Playground, SlackBot, Watch, ask, free_port, tell, until};

use super::count;
use crate::PROGRAM;

const OPS: &str = "[bot]\nops_room = \"slack:T0PLAY/ops\"\n";

fn playground() -> Playground {
    Playground::in_slack(PROGRAM, Chat::SlackSocket, Settings::default(), OPS)
}

/// How long it takes until two sockets are open that were not before.
fn renewed(bot: &SlackBot<'_>, newer_than: u64, how_many: usize) -> Duration {
    let watch = Watch::start();
    until("new sockets are open", || {
        bot.slack().sockets().iter().filter(|socket| **socket > newer_than).count() >= how_many
    });
    watch.elapsed()
}

fn newest(bot: &SlackBot<'_>) -> u64 {
    bot.slack().sockets().into_iter().max().expect("a socket")
}

#[test]
fn a_socket_that_is_renewed_or_reset_is_replaced_within_a_second() {
    let playground = playground();
    let mut bot = SlackBot::start(&playground);
    let mut slowest = Duration::ZERO;
    for round in 0..4 {
        let before = newest(&bot);
        match round % 2 {
            0 => bot.slack().disconnect_sockets(None, Reason::RefreshRequested),
            _ => bot.slack().drop_sockets(None),
        }
        slowest = slowest.max(renewed(&bot, before, 2));
        bot.say("ana", "lobby", "whoami");
        bot.expect_times("lobby", "You are ana", round + 1);
    }
    tell(&format!("a socket to Slack was replaced within {slowest:?} of its refresh or reset"));
    assert!(slowest <= Duration::from_secs(3), "{slowest:?}");
    bot.close();
    assert_eq!(count(&playground, "gap"), 0);
}

#[test]
fn a_socket_that_is_about_to_go_is_still_heard() {
    let playground = playground();
    let mut bot = SlackBot::start(&playground);
    bot.slack().disconnect_sockets(None, Reason::Warning);
    // Nobody says these again: who is not heard sees a failure.
    let asked: Vec<_> = (0..6).map(|_| bot.slack().slash("ana", "lobby", "/andon", "whoami")).collect();
    for asked in asked {
        assert_eq!(asked.ending(), Ending::Acknowledged(None));
    }
    bot.settle();
    bot.expect_times("lobby", "You are ana", 6);
    bot.close();
}

#[test]
fn a_silent_socket_is_noticed() {
    let playground = playground();
    let mut bot = SlackBot::start(&playground);
    let before = newest(&bot);
    bot.slack().freeze_sockets(None);
    // Said into the silence; Slack brings it again.
    bot.slack().say("ana", "lobby", None, "@andon whoami");
    let noticed = renewed(&bot, before, 2);
    tell(&format!("silent sockets to Slack were replaced within {noticed:?}"));
    assert!(noticed <= Duration::from_secs(15), "{noticed:?}");
    bot.slack().drop_sockets(Some(before));
    bot.slack().drop_sockets(Some(before - 1));
    for _ in 0..3 {
        playground.fast_forward(Duration::from_secs(61));
        bot.settle();
    }
    until("it is answered", || bot.shown("lobby").contains("You are ana"));
    bot.expect_times("lobby", "You are ana", 1);
    bot.close();
}

#[test]
fn nothing_is_lost_while_sockets_come_and_go() {
    let playground = playground();
    let mut bot = SlackBot::start(&playground);
    for number in 0..20 {
        bot.slack().say("ana", "lobby", None, &format!("@andon status nowhere{number}"));
        match number % 4 {
            0 => bot.slack().drop_sockets(bot.slack().sockets().into_iter().max()),
            1 => bot.slack().disconnect_sockets(None, Reason::RefreshRequested),
            2 => bot.slack().disconnect_sockets(bot.slack().sockets().into_iter().min(), Reason::Warning),
            _ => bot.slack().drop_sockets(None),
        }
        until("a socket is open", || !bot.slack().sockets().is_empty());
    }
    bot.settle();
    // Slack brings what was not acknowledged again after one minute and after five more.
    for _ in 0..3 {
        playground.fast_forward(Duration::from_secs(301));
        bot.settle();
    }
    for number in 0..20 {
        bot.expect_whisper("ana", &format!("nowhere{number}\n"), 1);
    }
    bot.close();
}

#[test]
fn whoever_is_refused_comes_back_ever_later() {
    let playground = playground();
    playground.slack().fail_connects(ConnectFault::Error("internal_error".to_owned()), Often::Times(1_000));
    let bot = SlackBot::start_unheard(&playground);
    let watch = Watch::start();
    let mut times = Vec::new();
    until("it tried often", || {
        while times.len() < attempts(&bot) {
            times.push(watch.elapsed());
        }
        times.len() >= 10
    });
    // Two sockets try, each by itself: the pauses of both together grow.
    let pauses: Vec<_> = times.windows(3).map(|three| three[2] - three[0]).collect();
    tell(&format!("attempts to open sockets came after {times:?}"));
    assert!(pauses[pauses.len() - 1] >= pauses[0] * 3, "{pauses:?}");
    assert!(times[9] >= Duration::from_secs(3), "{times:?}");
    bot.slack().heal();
    bot.wait_until_heard();
    drop(bot);
}

/// How often it tried to open a socket.
fn attempts(bot: &SlackBot<'_>) -> usize {
    bot.slack().calls().iter().filter(|call| call.method == "apps.connections.open").count()
}

#[test]
fn a_gap_is_recorded_and_told() {
    let playground = playground();
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "lobby", "whoami");
    bot.slack().fail_connects(ConnectFault::Refused, Often::Times(1_000));
    let before = attempts(&bot);
    bot.slack().drop_sockets(None);
    until("both are noticed", || bot.slack().sockets().is_empty() && attempts(&bot) >= before + 2);
    playground.fast_forward(Duration::from_secs(45));
    bot.slack().heal();
    bot.wait_until_heard();
    until("it is told", || {
        bot.settle();
        bot.shown("ops").contains("I could not hear slack for")
    });
    bot.expect("ops", "Next: whoever got no answer says it again").expect_times("ops", "I could not hear slack", 1);
    bot.end();
    playground.fast_forward(Duration::from_secs(20));
    bot.revive();
    bot.settle();
    bot.expect_times("ops", "I could not hear slack", 1);
    bot.kill();
    playground.fast_forward(Duration::from_secs(100));
    bot.revive();
    until("it is told", || {
        bot.settle();
        bot.shown("ops").matches("I could not hear slack").count() == 2
    });
    bot.close();
    assert_eq!(count(&playground, "gap"), 2);
}

#[test]
fn readiness_tells_whether_slack_is_heard() {
    let playground = playground();
    let address = format!("127.0.0.1:{}", free_port());
    let bot = SlackBot::start_with(&playground, &[("ANDON_LISTEN", &address)]);
    let tells = |heard: bool| {
        let (status, body) = ask(&format!("http://{address}"), "/readyz");
        assert_eq!(status, 200, "{body}");
        body.contains(&format!(r#""chats":{{"slack":{{"heard":{heard},"until":"2"#))
    };
    until("it is heard", || tells(true));
    bot.slack().fail_connects(ConnectFault::Refused, Often::Times(1_000));
    bot.slack().drop_sockets(None);
    until("that is noticed", || bot.slack().sockets().is_empty());
    playground.fast_forward(Duration::from_secs(45));
    until("it is not heard", || tells(false));
    bot.slack().heal();
    bot.wait_until_heard();
    until("it is heard again", || tells(true));
    drop(bot);
}

/// Sooner than any of the pauses and graces of sockets is over.
const AT_ONCE: Duration = Duration::from_secs(10);

#[test]
fn sockets_end_at_once_when_they_are_told_to() {
    let playground = playground();
    let mut bot = SlackBot::start(&playground);
    // Those that Slack takes away are listened to for half a minute, and Slack leaves them open meanwhile.
    let before = newest(&bot);
    bot.slack().disconnect_sockets(None, Reason::Warning);
    renewed(&bot, before, 2);
    let watch = Watch::start();
    bot.end();
    tell(&format!("a bot with sockets that go away ended within {:?}", watch.elapsed()));
    assert!(watch.elapsed() <= AT_ONCE, "{:?}", watch.elapsed());
    assert!(bot.slack().sockets().is_empty());
    // Those that cannot be opened are tried again after ever longer pauses.
    bot.slack().fail_connects(ConnectFault::Error("internal_error".to_owned()), Often::Times(1_000));
    let mut bot = SlackBot::start_unheard(&playground);
    let before = attempts(&bot);
    until("it tried often", || attempts(&bot) >= before + 10);
    let watch = Watch::start();
    bot.end();
    assert!(watch.elapsed() <= AT_ONCE, "{:?}", watch.elapsed());
}

//! Requests that are not Slack's, or not as they should be. Nothing of them runs, the bot goes on, and the trail tells of them.

use std::cell::Cell;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use andon_fake_slack::{CallFault, Ending, Often};
use andon_tests::{Chat, Database, Playground, SlackBot, until};
use serde_json::{Value, json};

use crate::PROGRAM;

const EVENTS: &str = "/slack/events";
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A bot that can be reached, and who writes to it.
struct Reached<'p> {
    playground: &'p Playground,
    bot: SlackBot<'p>,
    sent: Cell<i64>,
}

fn playground() -> Playground {
    Playground::new(PROGRAM, (Database::Sqlite, Chat::SlackHttp))
}

impl Reached<'_> {
    /// Sends a request as it is; the status.
    fn send(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", self.playground.slack_port())).expect("it listens");
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: bot\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        // It may answer before it has read all.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {answer}"))
    }

    /// Sends a request that is signed under a secret, so many seconds from now.
    fn signed(&self, path: &str, kind: &str, secret: &str, from_now: i64, body: &str) -> u16 {
        self.signed_at(path, kind, secret, self.bot.slack().now().saturating_add_signed(from_now), body)
    }

    /// Sends a request that is signed under a secret at this time.
    fn signed_at(&self, path: &str, kind: &str, secret: &str, seconds: u64, body: &str) -> u16 {
        let signature = self.bot.slack().sign(secret, seconds, body);
        let time = seconds.to_string();
        let headers = [("Content-Type", kind), ("X-Slack-Request-Timestamp", &time), ("X-Slack-Signature", &signature)];
        self.send(path, &headers, body.as_bytes())
    }

    /// As Slack would send it, each at a second of its own.
    fn good(&self, path: &str, kind: &str, body: &str) -> u16 {
        self.sent.set(self.sent.get() + 1);
        self.signed(path, kind, self.bot.slack().signing_secret(), -self.sent.get(), body)
    }

    /// An event in which Ana deploys.
    fn deploy(&self, line: &str) -> String {
        let now = self.bot.slack().now();
        // Two lines in one second are two messages.
        let ts = format!("{now}.{:06}", line.bytes().map(u32::from).sum::<u32>());
        let event = json!({
            "type": "app_mention", "user": "U0ANA", "team": "T0PLAY", "text": format!("<@U0ANDON> {line}"), "ts": ts,
            "channel": "C0LOBBY", "event_ts": ts,
        });
        json!({"type": "event_callback", "team_id": "T0PLAY", "event_id": "Ev1", "event": event}).to_string()
    }

    /// It still answers, and has started nothing. What was turned away, as (way, why, times), the oldest first.
    fn ended(mut self) -> Vec<(String, String, u64)> {
        self.bot.settle();
        self.bot.say("ana", "deploys", "whoami");
        self.bot.expect("deploys", "You are ana");
        self.bot.close();
        assert_eq!(self.playground.orders("hello/staging"), 0);
        let records = self.playground.records(&["--outcome", "refused"]);
        let mut told: Vec<_> = records.iter().rev().filter_map(|record| turned_away(&record["details"])).collect();
        told.dedup();
        told
    }
}

fn turned_away(details: &Value) -> Option<(String, String, u64)> {
    let text = |name: &str| details[name].as_str().map(str::to_owned);
    Some((text("way")?, text("why")?, details["times"].as_u64()?))
}

fn told(way: &str, why: &str, times: u64) -> (String, String, u64) {
    (way.to_owned(), why.to_owned(), times)
}

const DEPLOY: &str = "deploy hello v1 --env staging";

#[test]
fn what_is_not_signed_as_it_should_be_is_turned_away() {
    let playground = playground();
    let bot = SlackBot::start(&playground);
    let reached = Reached { playground: &playground, bot, sent: Cell::new(0) };
    let (secret, body) = (reached.bot.slack().signing_secret().to_owned(), reached.deploy(DEPLOY));
    assert_eq!(reached.send(EVENTS, &[("Content-Type", JSON)], body.as_bytes()), 401);
    assert_eq!(reached.signed(EVENTS, JSON, "another", 0, &body), 401);
    assert_eq!(reached.signed(EVENTS, JSON, &secret, -302, &body), 401);
    assert_eq!(reached.signed(EVENTS, JSON, &secret, 310, &body), 401);
    assert_eq!(reached.signed("/slack/commands", FORM, "another", 0, "command=/andon&text=deploy"), 401);
    let nonsense = [("X-Slack-Request-Timestamp", "soon"), ("X-Slack-Signature", "v0=zz")];
    assert_eq!(reached.send(EVENTS, &nonsense, body.as_bytes()), 401);
    let asks = reached.deploy("status");
    let at = reached.bot.slack().now() - 7;
    assert_eq!(reached.signed_at(EVENTS, JSON, &secret, at, &asks), 200);
    assert_eq!(reached.signed_at(EVENTS, JSON, &secret, at, &asks), 401, "to the letter, a second time");
    let expected = [
        told(EVENTS, "it was not signed", 1),
        told(EVENTS, "the signature is wrong", 1),
        told(EVENTS, "it is older than five minutes", 1),
        told(EVENTS, "it is of the future", 1),
        told("/slack/commands", "the signature is wrong", 1),
        told(EVENTS, "its time stamp is none", 1),
        told(EVENTS, "it was delivered before, to the letter", 1),
    ];
    assert_eq!(reached.ended(), expected);
}

#[test]
fn whoever_knocks_often_fills_no_trail() {
    let playground = playground();
    let bot = SlackBot::start(&playground);
    let reached = Reached { playground: &playground, bot, sent: Cell::new(0) };
    let body = reached.deploy(DEPLOY);
    for _ in 0..40 {
        assert_eq!(reached.signed(EVENTS, JSON, "another", 0, &body), 401);
    }
    playground.fast_forward(Duration::from_secs(61));
    assert_eq!(reached.signed(EVENTS, JSON, "another", 0, &body), 401);
    let why = "the signature is wrong";
    assert_eq!(reached.ended(), [told(EVENTS, why, 1), told(EVENTS, why, 40)]);
}

#[test]
fn the_old_and_the_new_secret_are_good_while_it_is_rotated() {
    let playground = playground();
    let both = format!("brand-new\n  {}", playground.slack().signing_secret());
    let bot = SlackBot::start_with(&playground, &[("ANDON_SLACK_SIGNING_SECRET", &both)]);
    let reached = Reached { playground: &playground, bot, sent: Cell::new(0) };
    assert_eq!(reached.signed(EVENTS, JSON, "brand-new", 0, &reached.deploy("status")), 200);
    assert_eq!(reached.good(EVENTS, JSON, &reached.deploy("whoami")), 200);
    assert_eq!(reached.signed(EVENTS, JSON, "brand-newer", 0, &reached.deploy("status")), 401);
    assert_eq!(reached.signed(EVENTS, JSON, &both, 0, &reached.deploy("status")), 401);
    until("what was signed is answered", || {
        reached.bot.settle();
        let shown = reached.bot.shown("lobby");
        shown.contains("hello/prod") && shown.contains("You are ana")
    });
    assert_eq!(reached.ended(), [told(EVENTS, "the signature is wrong", 1)]);
}

#[test]
fn what_cannot_be_read_is_turned_away() {
    let playground = playground();
    let bot = SlackBot::start(&playground);
    let reached = Reached { playground: &playground, bot, sent: Cell::new(0) };
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!(r#"{{"type":"event_callback","x":"{}"}}"#, "x".repeat(2_000_000));
    assert_eq!(reached.good(EVENTS, JSON, &large), 413);
    for body in ["", "{", "nonsense", &deep, "\u{0}"] {
        assert_eq!(reached.good(EVENTS, JSON, body), 400, "{}", body.len());
    }
    for body in ["", "payload", "payload=", "payload=%7B", "payload=%ff%fe", "a=b&a=c&&&==", "{\"payload\":1}"] {
        assert_eq!(reached.good("/slack/interactions", FORM, body), 400, "{body}");
        assert_eq!(reached.good("/slack/options", FORM, body), 400, "{body}");
    }
    for body in ["", "command=%2Fandon", "team_id=T0PLAY&text=%ff", r#"{"command":"/andon"}"#] {
        assert_eq!(reached.good("/slack/commands", FORM, body), 200, "{body}");
    }
    for body in ["7", "[]", "{}", r#"{"event":7}"#, r#"{"team_id":"T0PLAY","event":{"type":"message"}}"#] {
        assert_eq!(reached.good(EVENTS, JSON, body), 200, "{body}");
    }
    for payload in ["{}", "7", r#"{"type":"block_actions"}"#, r#"{"type":"view_submission","user":{"id":7}}"#] {
        let body = format!("payload={}", payload.replace('{', "%7B").replace('}', "%7D").replace('"', "%22"));
        assert_eq!(reached.good("/slack/interactions", FORM, &body), 200, "{body}");
    }
    let told_once = reached.ended();
    let whys: Vec<_> = told_once.iter().map(|(way, why, _)| format!("{way}: {why}")).collect();
    let expected = [
        "/slack/events: it is too large",
        "/slack/events: its body cannot be read",
        "/slack/interactions: its body cannot be read",
        "/slack/options: its body cannot be read",
        "/slack/commands: it lacks what it should hold",
        "/slack/events: it lacks what it should hold",
        "/slack/interactions: it lacks what it should hold",
    ];
    assert_eq!(whys, expected);
}

#[test]
fn what_is_of_an_unknown_kind_is_acknowledged_and_forgotten() {
    let playground = playground();
    let bot = SlackBot::start(&playground);
    let reached = Reached { playground: &playground, bot, sent: Cell::new(0) };
    for event in [json!({"type": "team_join"}), json!({"type": 7}), json!({}), json!({"type": "app_uninstalled"})] {
        let body = json!({"type": "event_callback", "team_id": "T0PLAY", "event": event}).to_string();
        assert_eq!(reached.good(EVENTS, JSON, &body), 200, "{body}");
    }
    // The content decides, not what it is called.
    assert_eq!(reached.good(EVENTS, "text/plain", &reached.deploy("whoami")), 200);
    assert_eq!(reached.good(EVENTS, FORM, &reached.deploy("status")), 200);
    assert_eq!(reached.bot.slack().verify_url(&format!("http://127.0.0.1:{}", playground.slack_port())), Ok(()));
    assert_eq!(reached.ended(), []);
}

#[test]
fn another_workspace_is_not_served() {
    let playground = playground();
    let bot = SlackBot::start(&playground);
    let reached = Reached { playground: &playground, bot, sent: Cell::new(0) };
    for (place, team) in [("team_id", "T0OTHER"), ("team_id", ""), ("team_id", "../T0PLAY")] {
        let mut event: Value = serde_json::from_str(&reached.deploy(DEPLOY)).expect("JSON");
        event[place] = team.into();
        event["event"]["ts"] = format!("{}.{:06}", reached.bot.slack().now(), 900 + team.len()).into();
        assert_eq!(reached.good(EVENTS, JSON, &event.to_string()), 200, "{team}");
    }
    let slash = "command=%2Fandon&text=deploy+hello+v1+--env+staging&team_id=T0OTHER&user_id=U0ANA&channel_id=C0LOBBY&trigger_id=1.2";
    assert_eq!(reached.good("/slack/commands", FORM, slash), 200);
    assert_eq!(reached.ended(), []);
    let denied = playground.records(&["--outcome", "refused"]);
    assert_eq!(denied.len(), 4, "{denied:#?}");
}

#[test]
fn what_comes_while_it_ends_waits_for_the_next_start() {
    let playground = playground();
    let mut bot = SlackBot::start(&playground);
    bot.say("ana", "lobby", "whoami");
    // Something is still to be said, which keeps it from ending at once.
    let slow = CallFault::Slow(Duration::from_secs(4));
    bot.slack().fail_calls(Some("chat.postMessage"), slow, Often::Times(1));
    bot.slack().say("ana", "lobby", None, "@andon status");
    bot.work();
    bot.begin_to_end();
    let ending = |number: usize| bot.slack().deliveries().get(number).map(|delivered| delivered.ending.clone());
    until("it takes nothing more", || {
        let number = bot.slack().deliveries().len();
        bot.slack().say("ana", "deploys", None, "@andon whoami");
        until("it has answered", || ending(number).is_some_and(|ending| ending != Ending::Waiting));
        ending(number) != Some(Ending::Acknowledged(None))
    });
    let refused = bot.slack().deliveries().iter().filter(|it| it.ending == Ending::Status(503)).count();
    assert!(refused > 0, "{:#?}", bot.slack().deliveries());
    let said = bot.slack().messages("deploys").iter().filter(|message| message["bot_id"].is_null()).count();
    bot.wait_until_ended();
    bot.revive();
    playground.fast_forward(Duration::from_secs(61));
    until("all are answered", || {
        bot.settle();
        bot.shown("deploys").matches("You are ana").count() == said
    });
    bot.close();
}

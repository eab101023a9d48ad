//! Socket Mode: acknowledgements, retries, refreshes, and connections that end or freeze.

use std::time::Duration;

use andon_fake_slack::{ConnectFault, Ending, Often, Reason, Settings};
use serde_json::json;

use crate::client::{Socket, request};
use crate::fake;

const SHORT: Duration = Duration::from_millis(100);

fn impatient(settings: &mut Settings) {
    settings.acknowledge_within = SHORT;
    settings.refresh_grace = SHORT;
}

#[test]
fn what_is_not_acknowledged_is_sent_again_elsewhere() {
    let slack = fake(impatient);
    let mut sockets = [Socket::open(&slack), Socket::open(&slack)];
    slack.say("ana", "ops", None, "@andon status");
    let first = sockets[0].next().expect("an envelope");
    let again = sockets[1].next().expect("the same again");
    assert_eq!(first["envelope_id"], again["envelope_id"]);
    assert_eq!(first["payload"]["event_id"], again["payload"]["event_id"]);
    assert_eq!((&again["retry_attempt"], &again["retry_reason"]), (&json!(1), &json!("timeout")));
    // The second retry is a minute later.
    assert!(sockets[0].is_silent_for(SHORT * 5));
    slack.fast_forward(Duration::from_secs(60));
    assert_eq!(sockets[0].take()["retry_attempt"], 2);
    slack.fast_forward(Duration::from_secs(600));
    assert!(sockets[1].is_silent_for(SHORT * 3));
    let endings: Vec<Ending> = slack.deliveries().into_iter().map(|delivered| delivered.ending).collect();
    assert_eq!(endings, [Ending::TimedOut, Ending::TimedOut, Ending::Acknowledged(None)]);
    sockets[0].acknowledge(&first, None);
    slack.say("ana", "ops", None, "@andon status");
    sockets[1].take();
    assert_eq!(slack.late_acknowledgements(), 1);
}

#[test]
fn commands_are_not_sent_again() {
    let slack = fake(impatient);
    assert_eq!(slack.slash("ana", "ops", "/andon", "").ending().shown_to_person(), Some("dispatch_failed"));
    let mut socket = Socket::open(&slack);
    let asked = slack.slash("ana", "ops", "/andon", "");
    assert_eq!(asked.ending().shown_to_person(), Some("operation_timeout"));
    assert_eq!(socket.next().expect("the command")["type"], "slash_commands");
    slack.fast_forward(Duration::from_secs(600));
    assert!(socket.is_silent_for(SHORT * 2));
}

#[test]
fn an_event_waits_for_a_connection_and_is_lost_after_the_last_retry() {
    let slack = fake(impatient);
    slack.say("ana", "ops", None, "@andon early");
    let mut socket = Socket::open(&slack);
    // The immediate retry may have come too late or in time; the next one is after a minute.
    slack.fast_forward(Duration::from_secs(60));
    assert!(socket.take()["payload"]["event"]["text"].as_str().is_some_and(|text| text.ends_with("early")));
    let slack = fake(|settings| settings.retries.clear());
    slack.say("ana", "ops", None, "@andon lost");
    let mut socket = Socket::open(&slack);
    slack.fast_forward(Duration::from_secs(600));
    assert!(socket.is_silent_for(SHORT));
}

#[test]
fn connections_share_the_work_and_there_are_ten_at_most() {
    let slack = fake(impatient);
    let mut sockets: Vec<Socket> = (0..10).map(|_| Socket::open(&slack)).collect();
    let mut eleventh = Socket::try_connect(&Socket::address(&slack)).expect("a connection");
    assert_eq!(eleventh.next().expect("a word")["reason"], "too_many_websockets");
    assert!(eleventh.next().is_none());
    for number in 0..10 {
        slack.say("ana", "ops", None, &format!("@andon {number}"));
    }
    for socket in &mut sockets {
        socket.take();
    }
}

#[test]
fn a_refresh_lets_what_is_on_its_way_arrive() {
    let slack = fake(impatient);
    let mut old = Socket::open(&slack);
    let asked = slack.slash("ana", "ops", "/andon", "");
    slack.disconnect_sockets(None, Reason::RefreshRequested);
    let command = old.next().expect("the command");
    assert_eq!(old.next().expect("a word")["reason"], "refresh_requested");
    let mut new = Socket::open(&slack);
    old.acknowledge(&command, None);
    assert_eq!(asked.ending(), Ending::Acknowledged(None));
    assert_eq!(slack.sockets().len(), 1);
    slack.slash("ana", "ops", "/andon", "");
    new.take();
    assert!(old.next().is_none());
    slack.disconnect_sockets(None, Reason::LinkDisabled);
    assert_eq!(new.next().expect("a word")["reason"], "link_disabled");
    assert!(new.next().is_none());
    assert!(slack.sockets().is_empty());
}

#[test]
fn connections_end_freeze_and_are_refused() {
    let slack = fake(impatient);
    let mut dropped = Socket::open(&slack);
    slack.drop_sockets(None);
    assert!(dropped.next().is_none());
    let mut frozen = Socket::open(&slack);
    let number = slack.sockets()[0];
    slack.freeze_sockets(Some(number));
    let mut healthy = Socket::open(&slack);
    slack.say("ana", "ops", None, "@andon one");
    slack.say("ana", "ops", None, "@andon two");
    let texts = [healthy.take(), healthy.take()].map(|envelope| envelope["payload"]["event"]["text"].to_string());
    assert!(texts.iter().any(|text| text.contains("one")) && texts.iter().any(|text| text.contains("two")));
    assert!(frozen.is_silent_for(SHORT));

    slack.fail_connects(ConnectFault::Error("internal_error".to_owned()), Often::Times(1));
    let bearer = format!("Bearer {}", slack.app_token());
    let url = format!("{}apps.connections.open", slack.api_url());
    let refused = request(&url, "POST", &[("authorization", &bearer)], "").expect("an answer");
    assert_eq!(refused.json()["error"], "internal_error");
    slack.fail_connects(ConnectFault::Refused, Often::Times(1));
    let address = Socket::address(&slack);
    let host = address.trim_start_matches("ws://").split('/').next().expect("a host").to_owned();
    assert!(std::net::TcpStream::connect(host).is_err());
    slack.fail_connects(ConnectFault::Reset, Often::Times(1));
    assert!(Socket::try_connect(&Socket::address(&slack)).is_none());
    Socket::open(&slack);
}

//! What goes wrong on demand.

use std::time::{Duration, Instant};

use andon_fake_slack::{CallFault, DeliveryFault, Ending, Often};
use serde_json::json;

use crate::client::{Socket, call, post, try_call};
use crate::unpaced;

#[test]
fn calls_fail_as_planned() {
    let slack = unpaced();
    let arguments = json!({"channel": "C0OPS", "text": "once"});
    let try_post = || try_call(&slack, "chat.postMessage", &arguments);
    let plan = |fault| slack.fail_calls(Some("chat.postMessage"), fault, Often::Times(1));
    plan(CallFault::RateLimited(7));
    let limited = try_post().expect("an answer");
    assert_eq!((limited.status(), limited.header("retry-after")), (429, Some("7")));
    plan(CallFault::ServerError(503));
    assert_eq!(try_post().expect("an answer").status(), 503);
    plan(CallFault::Error("fatal_error".to_owned()));
    assert_eq!(try_post().expect("an answer").json()["error"], "fatal_error");
    plan(CallFault::ResetBefore);
    assert!(try_post().is_none());
    assert!(slack.messages("ops").is_empty());
    plan(CallFault::ResetAfter);
    assert!(try_post().is_none());
    assert_eq!(slack.messages("ops").len(), 1);
    plan(CallFault::Garbled);
    assert_eq!(try_post().expect("an answer").json(), json!(null));
    assert_eq!(slack.messages("ops").len(), 2);
    plan(CallFault::Slow(Duration::from_millis(200)));
    let begun = now();
    post(&slack, "C0OPS", json!({}));
    assert!(begun.elapsed() >= Duration::from_millis(200));
    assert_eq!(call(&slack, "auth.test", json!({}))["ok"], true);
    slack.fail_calls(None, CallFault::ResetBefore, Often::Chance(1.0));
    assert!(try_call(&slack, "auth.test", &json!({})).is_none());
    slack.heal();
    assert_eq!(call(&slack, "auth.test", json!({}))["ok"], true);
    let errors: Vec<String> = slack.calls().into_iter().filter_map(|call| call.error).collect();
    let reset = "connection_reset";
    assert_eq!(errors, ["ratelimited", "http_503", "fatal_error", reset, reset, "garbled", reset]);
}

#[expect(clippy::disallowed_methods, reason = "slowness is measured in the machine's time")]
fn now() -> Instant {
    Instant::now()
}

#[test]
fn deliveries_fail_as_planned() {
    let slack = unpaced();
    let mut socket = Socket::open(&slack);
    let plan = |fault| slack.fail_deliveries(None, fault, Often::Times(1));
    plan(DeliveryFault::Duplicate);
    slack.say("ana", "ops", None, "@andon one");
    assert_eq!(socket.take()["envelope_id"], socket.take()["envelope_id"]);
    plan(DeliveryFault::Copies(11));
    slack.say("ana", "ops", None, "@andon two");
    let copies: Vec<_> = (0..11).map(|_| socket.take()["payload"].clone()).collect();
    let mut ids: Vec<&str> = copies.iter().filter_map(|payload| payload["event_id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 11);
    assert!(copies.iter().all(|payload| payload["event"] == copies[0]["event"]));
    plan(DeliveryFault::Unheard(1));
    slack.say("ana", "ops", None, "@andon three");
    socket.take();
    assert_eq!(socket.take()["retry_attempt"], 1);
    plan(DeliveryFault::Late(Duration::from_millis(200)));
    slack.say("ana", "ops", None, "@andon four");
    slack.say("ana", "ops", None, "@andon five");
    let texts = [socket.take(), socket.take()].map(|envelope| envelope["payload"]["event"]["text"].to_string());
    assert!(texts[0].contains("five") && texts[1].contains("four"));
    plan(DeliveryFault::Lost);
    assert_eq!(slack.slash("ana", "ops", "/andon", "").ending(), Ending::TimedOut);
    assert!(socket.is_silent_for(Duration::from_millis(50)));
}

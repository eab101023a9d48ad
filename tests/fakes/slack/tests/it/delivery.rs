//! Signed requests, checked by hand.

use std::time::Duration;

use andon_fake_slack::{Delivery, Ending, Slack};
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::client::{Http, PATIENCE, bot_server};
use crate::fake;

/// The signature as Slack's documentation has it, made here a second time.
fn is_signed(slack: &Slack, request: &Http) -> bool {
    let time = request.header("x-slack-request-timestamp").expect("a time");
    let mut mac = Hmac::<Sha256>::new_from_slice(slack.signing_secret().as_bytes()).expect("a key");
    mac.update(format!("v0:{time}:{}", request.body).as_bytes());
    let expected = format!("v0={}", hex::encode(mac.finalize().into_bytes()));
    request.header("x-slack-signature") == Some(&expected)
}

fn by_http(answers: Vec<(u16, String)>) -> (Slack, std::sync::mpsc::Receiver<Http>, String) {
    let (base, requests) = bot_server(answers);
    let delivery = Delivery::Http(base.clone());
    (fake(|settings| settings.delivery = delivery), requests, base)
}

fn of_form(body: &str, name: &str) -> String {
    let value = body.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    let value = value.unwrap_or_else(|| panic!("no {name} in {body}")).replace('+', " ");
    let mut parts = value.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
        bytes.extend(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).expect("text")
}

#[test]
fn an_address_has_to_echo_the_challenge() {
    let (slack, requests, base) =
        by_http(vec![(200, "challenge".to_owned()), (200, "no".to_owned()), (500, String::new())]);
    assert_eq!(slack.verify_url(&base), Ok(()));
    let asked = requests.recv_timeout(PATIENCE).expect("a request");
    assert!(is_signed(&slack, &asked));
    assert_eq!(asked.json()["type"], "url_verification");
    assert!(slack.verify_url(&base).is_err());
    assert!(slack.verify_url(&base).is_err());
    assert!(slack.verify_url("http://127.0.0.1:9").is_err());
}

#[test]
fn events_are_signed_and_sent_again_until_one_is_taken() {
    let (slack, requests, _) = by_http(vec![(500, String::new()), (503, String::new()), (200, String::new())]);
    slack.say("ana", "ops", None, "@andon status");
    let next = || requests.recv_timeout(PATIENCE).expect("a request");
    let first = next();
    assert_eq!(first.first, "POST /slack/events HTTP/1.1");
    assert!(is_signed(&slack, &first));
    assert_eq!(first.json()["event"]["type"], "app_mention");
    assert_eq!(first.header("x-slack-retry-num"), None);
    let again = next();
    assert_eq!(
        (again.header("x-slack-retry-num"), again.header("x-slack-retry-reason")),
        (Some("1"), Some("http_error"))
    );
    assert_eq!(again.body, first.body);
    // The next retry is due a minute after this one was refused, whenever that is.
    let last = loop {
        slack.fast_forward(Duration::from_secs(61));
        if let Ok(request) = requests.recv_timeout(Duration::from_millis(50)) {
            break request;
        }
    };
    assert_eq!(last.header("x-slack-retry-num"), Some("2"));
    assert!(is_signed(&slack, &last));
    assert_ne!(last.header("x-slack-request-timestamp"), first.header("x-slack-request-timestamp"));
}

#[test]
fn commands_and_interactions_are_forms_and_their_answers_are_shown() {
    let (slack, requests, _) = by_http(vec![(200, json!({"text": "looking"}).to_string()), (200, String::new())]);
    let asked = slack.slash("ana", "ops", "/andon", "deploy web & more");
    assert_eq!(asked.ending(), Ending::Acknowledged(Some(json!({"text": "looking"}))));
    assert_eq!(slack.ephemerals("ana")[0]["text"], "looking");
    let command = requests.recv_timeout(PATIENCE).expect("a request");
    assert_eq!(command.first, "POST /slack/commands HTTP/1.1");
    assert!(is_signed(&slack, &command));
    assert_eq!(of_form(&command.body, "text"), "deploy web &amp; more");
    assert_eq!(of_form(&command.body, "trigger_id"), asked.trigger_id);
    slack.global_shortcut("ana", "new");
    let shortcut = requests.recv_timeout(PATIENCE).expect("a request");
    assert_eq!(shortcut.first, "POST /slack/interactions HTTP/1.1");
    assert!(is_signed(&slack, &shortcut));
    let payload: Value = serde_json::from_str(&of_form(&shortcut.body, "payload")).expect("JSON");
    assert_eq!(payload["callback_id"], "new");
}

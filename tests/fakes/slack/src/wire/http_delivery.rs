//! Signed requests to the bot, as Slack makes them without Socket Mode.

use std::sync::Arc;

use axum::body::Bytes;
use hmac::{Hmac, Mac as _};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::CONTENT_TYPE;
use hyper::http::response::Parts;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Because, Parcel};
use crate::clock;
use crate::form;
use crate::hub::Hub;
use crate::log::{DeliveryKind, Ending};

/// The most that is read of an answer.
const MOST_ANSWERED: usize = 1 << 20;

/// The client for deliveries; it keeps connections open.
pub(crate) struct Client(hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>);

impl Default for Client {
    fn default() -> Self {
        Self(hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http())
    }
}

/// The signature of a body sent at this time: `v0=` and hexadecimal digits.
pub(crate) fn sign(secret: &str, seconds: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("v0:{seconds}:").as_bytes());
    mac.update(body.as_bytes());
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

/// One request, what came of it, and whether the bot wants it no more (`X-Slack-No-Retry`).
pub(crate) async fn post(
    hub: &Arc<Hub>,
    base: &str,
    parcel: &Parcel,
    attempt: u32,
    because: Option<Because>,
) -> (Ending, bool) {
    let (path, kind, body) = match parcel.kind {
        DeliveryKind::Event => ("/slack/events", "application/json", parcel.payload.to_string()),
        DeliveryKind::Command => ("/slack/commands", FORM, fields(&parcel.payload)),
        DeliveryKind::Interaction => ("/slack/interactions", FORM, interaction(&parcel.payload)),
        DeliveryKind::Options => ("/slack/options", FORM, interaction(&parcel.payload)),
    };
    let mut more = Vec::new();
    if let Some(because) = because {
        more.push(("x-slack-retry-num", attempt.to_string()));
        more.push(("x-slack-retry-reason", because.over_http().to_owned()));
    }
    let url = format!("{}{path}", base.trim_end_matches('/'));
    let asked = ask(hub, &url, kind, body, more);
    let (head, body) = match clock::within(hub.settings.acknowledge_within, asked).await {
        None => return (Ending::TimedOut, false),
        Some(Err(_)) => return (Ending::NoConnection, false),
        Some(Ok(answered)) => answered,
    };
    if head.status == StatusCode::OK {
        return (Ending::Acknowledged(answer(&body)), false);
    }
    let unwanted = head.headers.get("x-slack-no-retry").is_some_and(|value| value == "1");
    (Ending::Status(head.status.as_u16()), unwanted)
}

const FORM: &str = "application/x-www-form-urlencoded";

/// Checks that an address belongs to the app, as Slack does when it is entered; the reason if not.
pub(crate) async fn verify(hub: &Arc<Hub>, base: &str) -> Result<(), String> {
    let challenge = hub.world().random.hex(40);
    let token = &hub.secrets.verification;
    let body = json!({"token": token, "challenge": challenge, "type": "url_verification"}).to_string();
    let url = format!("{}/slack/events", base.trim_end_matches('/'));
    let asked = ask(hub, &url, "application/json", body, Vec::new());
    let answered = clock::within(hub.settings.acknowledge_within, asked).await.ok_or("no answer in time")??;
    let (head, body) = answered;
    if head.status != StatusCode::OK {
        return Err(format!("answered {}", head.status));
    }
    let text = String::from_utf8_lossy(&body);
    let echoed =
        serde_json::from_slice::<Value>(&body).ok().and_then(|json| Some(json["challenge"].as_str()? == challenge));
    if echoed.unwrap_or(text.trim() == challenge) { Ok(()) } else { Err(format!("did not echo the challenge: {text}")) }
}

async fn ask(
    hub: &Arc<Hub>,
    url: &str,
    kind: &str,
    body: String,
    more: Vec<(&str, String)>,
) -> Result<(Parts, Bytes), String> {
    let seconds = hub.clock.seconds();
    let mut request = Request::post(url)
        .header(CONTENT_TYPE, kind)
        .header("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
        .header("x-slack-request-timestamp", seconds.to_string())
        .header("x-slack-signature", sign(&hub.secrets.signing_secret, seconds, &body));
    for (name, value) in more {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
    let response = hub.client.0.request(request).await.map_err(|error| error.to_string())?;
    let (head, body) = response.into_parts();
    let read = Limited::new(body, MOST_ANSWERED).collect().await.map_err(|error| error.to_string())?;
    Ok((head, read.to_bytes()))
}

fn answer(body: &[u8]) -> Option<Value> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return None;
    }
    let text = || Value::String(String::from_utf8_lossy(body).into_owned());
    Some(serde_json::from_slice(body).unwrap_or_else(|_| text()))
}

/// The fields of a slash command as a form.
fn fields(payload: &Value) -> String {
    let pairs = payload.as_object().into_iter().flatten();
    form::encode(pairs.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))))
}

fn interaction(payload: &Value) -> String {
    form::encode([("payload", payload.to_string().as_str())])
}

#[cfg(test)]
mod tests {
    use super::sign;

    /// The example of Slack's page on verifying requests.
    #[test]
    fn the_signature_is_the_one_of_slacks_documentation() {
        let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
                    channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
                    response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
                    trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
        let expected = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
        assert_eq!(sign("8f742231b10e8888abcd99yyyzzz85a5", 1_531_420_618, body), expected);
    }
}

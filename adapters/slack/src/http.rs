//! Slack over HTTP: four paths, each request signed. An answer with status 200 acknowledges.

use std::sync::Arc;

use andon_core::ports::Edge;
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::receive::{Delivery, Inbound, Reply};
use crate::signature::Signatures;
use crate::slack::{PLATFORM, Parts};

/// The largest body that is read, in bytes. Slack's own are far smaller.
const LARGEST: usize = 1024 * 1024;
/// How often the house is told that Slack can reach us.
const HEARD_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// What the handlers share.
struct Ways {
    inbound: Arc<Inbound>,
    signatures: Signatures,
    stop: watch::Receiver<bool>,
}

/// A body, or why there is none.
type Sent = Result<Bytes, BytesRejection>;

/// The four paths.
pub(crate) fn router(inbound: Arc<Inbound>, signatures: Signatures, stop: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/slack/events", post(events))
        .route("/slack/commands", post(commands))
        .route("/slack/interactions", post(interactions))
        .route("/slack/options", post(options))
        .layer(DefaultBodyLimit::max(LARGEST))
        .with_state(Arc::new(Ways { inbound, signatures, stop }))
}

/// Tells the house that we can be heard, until told to stop: Slack calls us, and nobody can say when it does not.
pub(crate) async fn listen(parts: &Parts, edge: Arc<dyn Edge>, mut stop: watch::Receiver<bool>) {
    let since = parts.clock.now();
    while !*stop.borrow() {
        edge.heard(PLATFORM, since).await;
        tokio::select! {
            () = parts.clock.sleep(HEARD_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
    edge.heard(PLATFORM, since).await;
}

async fn events(State(ways): State<Arc<Ways>>, headers: HeaderMap, body: Sent) -> Response {
    let event = match json_body(&ways, "/slack/events", &headers, &body).await {
        Ok(event) => event,
        Err(refused) => return refused,
    };
    if event.get("type").and_then(Value::as_str) == Some("url_verification") {
        return axum::Json(json!({ "challenge": event.get("challenge") })).into_response();
    }
    ways.take("/slack/events", &headers, Delivery::Event(event)).await
}

async fn commands(State(ways): State<Arc<Ways>>, headers: HeaderMap, body: Sent) -> Response {
    match form_body(&ways, "/slack/commands", &headers, &body).await {
        Ok(fields) => ways.take("/slack/commands", &headers, Delivery::Command(Value::Object(fields))).await,
        Err(refused) => refused,
    }
}

async fn interactions(State(ways): State<Arc<Ways>>, headers: HeaderMap, body: Sent) -> Response {
    interaction(ways, "/slack/interactions", headers, body).await
}

async fn options(State(ways): State<Arc<Ways>>, headers: HeaderMap, body: Sent) -> Response {
    interaction(ways, "/slack/options", headers, body).await
}

async fn interaction(ways: Arc<Ways>, way: &'static str, headers: HeaderMap, body: Sent) -> Response {
    let fields = match form_body(&ways, way, &headers, &body).await {
        Ok(fields) => fields,
        Err(refused) => return refused,
    };
    let payload = fields.get("payload").and_then(Value::as_str).and_then(|text| serde_json::from_str(text).ok());
    match payload {
        Some(payload) => ways.take(way, &headers, Delivery::Interaction(payload)).await,
        None => malformed(&ways, way).await,
    }
}

impl Ways {
    async fn take(&self, way: &'static str, headers: &HeaderMap, delivery: Delivery) -> Response {
        match self.inbound.take(way, delivery).await {
            Reply::Empty => StatusCode::OK.into_response(),
            Reply::Json(value) => axum::Json(value).into_response(),
            Reply::Later => {
                let (signature, time) = signature(headers);
                self.signatures.forget(signature, time);
                StatusCode::SERVICE_UNAVAILABLE.into_response()
            }
        }
    }
}

/// The signature of a request, and its time.
fn signature(headers: &HeaderMap) -> (Option<&str>, Option<&str>) {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    (header("x-slack-signature"), header("x-slack-request-timestamp"))
}

async fn json_body(ways: &Ways, way: &'static str, headers: &HeaderMap, body: &Sent) -> Result<Value, Response> {
    let body = signed(ways, way, headers, body).await?;
    match serde_json::from_slice(body) {
        Ok(value) => Ok(value),
        Err(_) => Err(malformed(ways, way).await),
    }
}

async fn form_body(
    ways: &Ways,
    way: &'static str,
    headers: &HeaderMap,
    body: &Sent,
) -> Result<Map<String, Value>, Response> {
    let body = signed(ways, way, headers, body).await?;
    Ok(url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect())
}

/// The body, where it is there and signed.
async fn signed<'a>(
    ways: &Ways,
    way: &'static str,
    headers: &HeaderMap,
    body: &'a Sent,
) -> Result<&'a Bytes, Response> {
    if *ways.stop.borrow() {
        // The bot ends: what is not taken any more is delivered again.
        return Err(StatusCode::SERVICE_UNAVAILABLE.into_response());
    }
    let (signature, time) = signature(headers);
    let (why, status) = match body {
        Ok(body) => match ways.signatures.check(signature, time, body) {
            Ok(()) => return Ok(body),
            Err(why) => (why, StatusCode::UNAUTHORIZED),
        },
        Err(broken) if broken.status() == StatusCode::PAYLOAD_TOO_LARGE => ("it is too large", broken.status()),
        Err(broken) => ("it broke off", broken.status()),
    };
    ways.inbound.door().turn_away(way, why).await;
    Err(status.into_response())
}

async fn malformed(ways: &Ways, way: &'static str) -> Response {
    ways.inbound.door().turn_away(way, "its body cannot be read").await;
    StatusCode::BAD_REQUEST.into_response()
}

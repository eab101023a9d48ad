//! The HTTP server: whether it is well, and the ways in of chats.

use std::sync::{Arc, Mutex, PoisonError};

use andon_engine::{Engine, GAP};
use andon_store::StoreError;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use crate::wiring::Wired;

/// How far process and database may differ in time.
const CLOCK: SignedDuration = SignedDuration::from_secs(2);
/// How long a record may wait for its number.
const TRAIL: SignedDuration = SignedDuration::from_secs(5);
/// How long a command may wait to be taken up.
const BACKLOG: SignedDuration = SignedDuration::from_secs(60);

/// What its health is seen from.
pub(crate) struct Health {
    /// The engine, and what is outside.
    pub(crate) wired: Wired,
    /// What the configuration in force risks.
    pub(crate) warnings: Mutex<Vec<String>>,
    /// The platforms of the chats that are switched on.
    pub(crate) chats: Vec<String>,
}

/// Serves until it is dropped.
///
/// # Errors
/// The listener broke.
pub(crate) async fn serve(listener: TcpListener, health: Arc<Health>, chats: Router) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(health)
        .merge(chats);
    axum::serve(listener, router).await
}

/// Database, trail, clock and backlog: 200 where all are well, 503 with the reasons where not; always with what the configuration risks,
/// and what is wrong outside: without a keeper, only deploys wait. Whether chats are heard is told and decides nothing: while a platform is
/// down, another process would hear no more.
async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, Json<Value>) {
    let broken = |error: StoreError| tracing::warn!(%error, "not ready");
    let reasons =
        look(&health.wired.engine).await.map_err(broken).unwrap_or_else(|()| vec!["the database cannot be read"]);
    // Where the database cannot be read that is said already.
    let chats = heard(&health).await.unwrap_or_default();
    let mut warnings = health.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone();
    warnings.extend(health.wired.outside_trouble().await);
    let mut body = json!({ "ready": reasons.is_empty(), "warnings": warnings, "chats": chats });
    if reasons.is_empty() {
        return (StatusCode::OK, Json(body));
    }
    body["reasons"] = json!(reasons);
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}

/// Of each chat, whether any replica listens to it, and until when one did.
async fn heard(health: &Health) -> Result<Map<String, Value>, StoreError> {
    let house = health.wired.engine.house();
    let (now, mut chats, mut reader) = (house.clock().now(), Map::new(), house.store().read().await?);
    for platform in &health.chats {
        let until = reader.connection().heard_until(platform).await?;
        let heard = until.is_some_and(|until| now.duration_since(until) <= GAP);
        chats.insert(platform.clone(), json!({ "heard": heard, "until": until }));
    }
    Ok(chats)
}

async fn look(engine: &Engine) -> Result<Vec<&'static str>, StoreError> {
    let (house, mut reasons) = (engine.house(), Vec::new());
    let (store, now) = (house.store(), house.clock().now());
    if store.now().await?.duration_since(now).abs() > CLOCK {
        reasons.push("the clocks of process and database differ by more than 2 s");
    }
    let mut reader = store.read().await?;
    let mut connection = reader.connection();
    if house.trail_is_behind() {
        reasons.push("the audit trail cannot be signed");
    }
    let (_, oldest) = connection.waiting_records().await?;
    if oldest.is_some_and(|oldest| now.duration_since(oldest) > TRAIL) {
        reasons.push("the audit trail is behind");
    }
    let (_, oldest) = connection.waiting_invocations().await?;
    if oldest.is_some_and(|oldest| now.duration_since(oldest) > BACKLOG) {
        reasons.push("commands wait to be taken up");
    }
    Ok(reasons)
}

//! The HTTP server: the Web API, web sockets, uploads, response URLs. It ends connections without an answer where a fault wants that.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Path, RawQuery, Request, State, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{any, post};
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};

use crate::api::{self, args::Args};
use crate::clock;
use crate::faults::CallFault;
use crate::form;
use crate::hub::{Hub, locked};
use crate::log::Call;
use crate::refusal::Refusal;
use crate::wire::socket;

/// The largest request that is read: a file of the largest size.
const LARGEST_BODY: usize = 65 << 20;

/// Marks an answer that is never sent: the connection ends instead.
#[derive(Clone)]
struct Reset;

/// Listens on 127.0.0.1.
pub(crate) fn bind(port: u16) -> io::Result<(std::net::TcpListener, u16)> {
    let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Takes a port without listening on it, so that connecting to it is refused.
pub(crate) fn deaf_port() -> io::Result<(TcpSocket, u16)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let port = socket.local_addr()?.port();
    Ok((socket, port))
}

/// Serves for ever.
pub(crate) async fn serve(hub: Arc<Hub>, listener: std::net::TcpListener, deaf: TcpSocket) {
    // Only here, inside the fake's own runtime, so that the fake can also be started from inside another one.
    let Ok(listener) = TcpListener::from_std(listener) else { return };
    let router = Router::new()
        .route("/api/{method}", any(web_api))
        .route("/link/", any(link))
        .route("/upload/v1/{file}", post(upload))
        .route("/files-pri/{file}/{name}", any(download))
        .route("/response/{team}/{key}", post(response_url))
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(hub);
    // Held as long as the fake lives.
    let _deaf = deaf;
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                let answer = service.call(request);
                async move {
                    let answer = answer.await.map_err(io::Error::other)?;
                    // An error from the service makes hyper end the connection without an answer.
                    if answer.extensions().get::<Reset>().is_some() {
                        return Err(io::Error::from(io::ErrorKind::ConnectionReset));
                    }
                    Ok(answer)
                }
            });
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // Peers that go away are nobody's mistake.
            let _ = connection.with_upgrades().await;
        });
    }
}

fn reset() -> Response {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Reset);
    response
}

async fn web_api(
    State(hub): State<Arc<Hub>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (mut after, mut struck) = (None, None);
    let faults = locked(&hub.faults).calls.next(&name);
    for fault in faults {
        match fault {
            CallFault::Slow(by) => clock::sleep(by).await,
            CallFault::ResetAfter | CallFault::Garbled => after = Some(fault),
            before => struck = Some(before),
        }
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    let (logged, outcome) = match struck {
        Some(fault) => (Value::Null, Err(fault)),
        None => {
            let (logged, answer) = run(&hub, &name, kind, query.as_deref(), &body, bearer);
            (logged, Ok(answer))
        }
    };
    let error = match (&outcome, &after) {
        (Err(fault), _) => Some(fault_name(fault)),
        (Ok(_), Some(fault)) => Some(fault_name(fault)),
        (Ok(Err(refusal)), None) => Some(refusal.code.clone()),
        (Ok(Ok(_)), None) => None,
    };
    if hub.log.is_on() {
        hub.log.call(Call { method: name, arguments: logged, error, at: hub.clock.seconds() });
    }
    match (outcome, after) {
        (Err(fault), _) => strike(&fault),
        (Ok(_), Some(CallFault::Garbled)) => ([(header::CONTENT_TYPE, JSON)], "{\"ok\":tr").into_response(),
        (Ok(_), Some(_)) => reset(),
        (Ok(answer), None) => answered(&hub, answer),
    }
}

/// The arguments for the log, and the answer.
fn run(
    hub: &Arc<Hub>,
    name: &str,
    kind: &str,
    query: Option<&str>,
    body: &[u8],
    bearer: Option<&str>,
) -> (Value, Result<Value, Refusal>) {
    let Some(method) = api::find(name) else { return (Value::Null, Err(Refusal::new("unknown_method"))) };
    let mut args = match Args::read(kind, body, query, method.takes_json) {
        Ok(args) => args,
        Err(refusal) => return (Value::Null, Err(refusal)),
    };
    let token = bearer.map(str::to_owned).or_else(|| args.take_token());
    let logged = if hub.log.is_on() { args.all() } else { Value::Null };
    (logged, api::call(hub, method, &mut args, token.as_deref()))
}

const JSON: &str = "application/json; charset=utf-8";

fn answered(hub: &Hub, answer: Result<Value, Refusal>) -> Response {
    match answer {
        Ok(answer) => {
            let scopes = locked(&hub.scopes).join(",");
            let headers = [(header::CONTENT_TYPE.as_str(), JSON), ("x-oauth-scopes", &scopes)];
            (headers, answer.to_string()).into_response()
        }
        Err(refusal) => match refusal.retry_after {
            Some(seconds) => rate_limited(seconds),
            None => ([(header::CONTENT_TYPE, JSON)], refusal.to_json().to_string()).into_response(),
        },
    }
}

fn rate_limited(seconds: u64) -> Response {
    let headers = [(header::RETRY_AFTER, seconds.to_string()), (header::CONTENT_TYPE, JSON.to_owned())];
    (StatusCode::TOO_MANY_REQUESTS, headers, json!({"ok": false, "error": "ratelimited"}).to_string()).into_response()
}

fn strike(fault: &CallFault) -> Response {
    match fault {
        CallFault::RateLimited(seconds) => rate_limited(*seconds),
        CallFault::ServerError(status) => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, "upstream error").into_response()
        }
        CallFault::Error(code) => {
            ([(header::CONTENT_TYPE, JSON)], Refusal::new(code).to_json().to_string()).into_response()
        }
        _ => reset(),
    }
}

fn fault_name(fault: &CallFault) -> String {
    match fault {
        CallFault::RateLimited(_) => "ratelimited".to_owned(),
        CallFault::ServerError(status) => format!("http_{status}"),
        CallFault::Error(code) => code.clone(),
        CallFault::ResetBefore | CallFault::ResetAfter => "connection_reset".to_owned(),
        CallFault::Garbled => "garbled".to_owned(),
        CallFault::Slow(_) => "slow".to_owned(),
    }
}

/// A web socket, for a ticket that was not used.
async fn link(State(hub): State<Arc<Hub>>, RawQuery(query): RawQuery, request: Request) -> Response {
    let query = form::decode(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let ticket = value("ticket").unwrap_or_default();
    if !hub.sockets.use_ticket(ticket, hub.clock.now()) {
        return (StatusCode::UNAUTHORIZED, "invalid ticket").into_response();
    }
    if value("reset").is_some() {
        return reset();
    }
    match WebSocketUpgrade::from_request(request, &()).await {
        Ok(upgrade) => upgrade.on_upgrade(move |socket| socket::serve(hub, socket)),
        Err(refused) => refused.into_response(),
    }
}

async fn upload(State(hub): State<Arc<Hub>>, Path(file): Path<String>, body: Bytes) -> Response {
    match api::upload(&hub, &file, &body) {
        Ok(said) => said.into_response(),
        Err(refused) => (StatusCode::BAD_REQUEST, refused).into_response(),
    }
}

/// What was uploaded, for those with the bot's token.
async fn download(
    State(hub): State<Arc<Hub>>,
    Path((file, _)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if bearer != Some(&format!("Bearer {}", hub.secrets.bot_token)) {
        return StatusCode::FOUND.into_response();
    }
    let content = hub.world().files.get(&file).and_then(|file| file.content.clone());
    content.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |bytes| bytes.to_vec().into_response())
}

async fn response_url(State(hub): State<Arc<Hub>>, Path((_, key)): Path<(String, String)>, body: Bytes) -> Response {
    let mut after = false;
    let faults = locked(&hub.faults).calls.next("response_url");
    for fault in faults {
        match fault {
            CallFault::Slow(by) => clock::sleep(by).await,
            CallFault::ResetAfter | CallFault::Garbled => after = true,
            before => return strike(&before),
        }
    }
    let used = api::response::use_url(&hub, &key, &body);
    if hub.log.is_on() {
        let arguments = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let error = used.as_ref().err().map(|refusal| refusal.code.clone());
        hub.log.call(Call { method: "response_url".to_owned(), arguments, error, at: hub.clock.seconds() });
    }
    if after {
        return reset();
    }
    match used {
        Ok(()) => ([(header::CONTENT_TYPE, JSON)], r#"{"ok":true}"#).into_response(),
        Err(refusal) => {
            let gone = matches!(refusal.code.as_str(), "used_url" | "expired_url" | "invalid_url");
            let status = if gone { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
            (status, [(header::CONTENT_TYPE, JSON)], refusal.to_json().to_string()).into_response()
        }
    }
}

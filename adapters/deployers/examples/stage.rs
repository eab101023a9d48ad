//! What the tests run as processes of their own: `stage keeper DATA` is a keeper, `stage service [--never-ready] [--exit CODE]` a service
//! that tells about itself and can be asked to misbehave.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use andon_core::Clock as _;
use andon_deployers::keeper::{self, KeeperOptions};
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[path = "../tests/keeper/clock.rs"]
mod clock;

/// Whether it says that it is not healthy.
static SICK: AtomicBool = AtomicBool::new(false);
/// Whether what streams has to end.
static FINISHED: AtomicBool = AtomicBool::new(false);

type Body = http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>;

#[tokio::main]
async fn main() -> io::Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["keeper", data] => {
            keeper::run(KeeperOptions { data: data.into(), clock: Arc::new(clock::MachineClock) }).await?;
        }
        ["service", "--exit", code] => {
            println!("cannot go on, password=not-a-real-one");
            return Ok(ExitCode::from(code.parse::<u8>().unwrap_or(1)));
        }
        ["service", rest @ ..] => serve(rest.contains(&"--never-ready")).await?,
        other => return Err(io::Error::other(format!("what is {other:?}?"))),
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(never_ready: bool) -> io::Result<()> {
    let port = variable("PORT").parse::<u16>().map_err(io::Error::other)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let mut end = signal(SignalKind::terminate())?;
    println!("serving {}", variable("VERSION"));
    let watcher = GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let service = service_fn(move |request| answer(never_ready, request));
                let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(accepted?.0), service);
                let watched = watcher.watch(connection);
                tokio::spawn(async move { watched.await.ok() });
            }
            _ = end.recv() => break,
        }
    }
    drop(listener);
    watcher.shutdown().await;
    Ok(())
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

async fn answer(never_ready: bool, request: Request<Incoming>) -> Result<Response<Body>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let headers = request.headers().keys().map(|name| name.as_str()).collect::<Vec<_>>().join(" ");
    let said = request.into_body().collect().await?.to_bytes();
    let text = match path.as_str() {
        "/healthz" if never_ready || SICK.load(Ordering::SeqCst) => {
            let mut response = Response::new(full(Bytes::new()));
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            return Ok(response);
        }
        "/die" => std::process::abort(),
        "/sicken" => {
            SICK.store(true, Ordering::SeqCst);
            Bytes::new()
        }
        "/finish" => {
            FINISHED.store(true, Ordering::SeqCst);
            Bytes::new()
        }
        "/say" => {
            // As most programs do: whoever cannot speak, breaks.
            let mut output = io::stdout().lock();
            output.write_all(&said).and_then(|()| output.flush()).unwrap_or_else(|error| panic!("{error}"));
            Bytes::new()
        }
        "/echo" => said,
        "/stream" => return Ok(Response::new(drops())),
        "/who" => {
            let fields = [variable("VERSION"), std::process::id().to_string(), variable("PORT")];
            fields.join(" ").into()
        }
        "/inside" => inside().into(),
        "/headers" => headers.into(),
        _ => variable("VERSION").into(),
    };
    Ok(Response::new(full(text)))
}

fn full(bytes: Bytes) -> Body {
    http_body_util::Full::new(bytes).boxed_unsync()
}

/// A body without an end, until it is told to finish.
fn drops() -> Body {
    let pieces = stream::unfold((), |()| async {
        if FINISHED.load(Ordering::SeqCst) {
            return None;
        }
        clock::MachineClock.sleep(jiff::SignedDuration::from_millis(20)).await;
        Some((Ok(Frame::data(Bytes::from("drop "))), ()))
    });
    StreamBody::new(Box::pin(pieces)).boxed_unsync()
}

/// What it was born with, as JSON.
fn inside() -> String {
    let names = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect::<Vec<_>>();
    let open = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let open = open.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    // What the service opened itself is closed in its own children; only what it inherited is not.
    let inherited: Vec<i32> = open.filter(|number| *number > 2 && !closed_in_children(*number)).collect();
    serde_json::json!({ "names": names, "inherited": inherited, "user": rustix::process::getuid().as_raw() })
        .to_string()
}

fn closed_in_children(number: i32) -> bool {
    let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).map(str::trim).unwrap_or_default();
    // One that has gone meanwhile was this function's own.
    u32::from_str_radix(flags, 8).map_or(true, |flags| flags & 0o2_000_000 != 0)
}

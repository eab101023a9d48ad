//! The playground's service: small, real, over HTTP, with a version, health and a log.

use std::io;
use std::path::Path;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::local::MANIFEST;

/// What the service is told by its environment.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// The loopback port to listen on.
    pub port: u16,
    /// Its name.
    pub service: String,
    /// Its version.
    pub version: String,
    /// Whether it never says that it is ready.
    pub never_ready: bool,
}

/// Serves until it is told to end, then finishes what is under way.
///
/// # Errors
/// The port is taken.
pub async fn serve(options: DemoOptions) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
    let mut end = signal(SignalKind::terminate())?;
    println!("{}", json!({ "say": "listening", "service": options.service, "version": options.version }));
    if options.never_ready {
        println!(
            "{}",
            json!({ "say": "cannot reach the database, token=not-a-real-token", "version": options.version })
        );
    }
    let watcher = hyper_util::server::graceful::GracefulShutdown::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                let options = options.clone();
                let service = service_fn(move |request| answer(options.clone(), request));
                let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                let watched = watcher.watch(connection);
                // A client that goes away in the middle is no news.
                tokio::spawn(async move { watched.await.ok() });
            }
            _ = end.recv() => break,
        }
    }
    drop(listener);
    watcher.shutdown().await;
    println!("{}", json!({ "say": "ended", "version": options.version }));
    Ok(())
}

async fn answer(options: DemoOptions, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (status, text) = match request.uri().path() {
        "/healthz" if options.never_ready => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
        "/healthz" => (StatusCode::OK, "ready\n".to_owned()),
        "/version" => (StatusCode::OK, json!({ "service": options.service, "version": options.version }).to_string()),
        path => {
            println!("{}", json!({ "say": "request", "path": path, "version": options.version }));
            (StatusCode::OK, format!("{} {}\n", options.service, options.version))
        }
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    Ok(response)
}

/// Writes an artifact that runs `program demo-service`.
///
/// # Errors
/// It cannot be written.
pub fn write_artifact(folder: &Path, program: &Path, never_ready: bool) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let version = folder.file_name().unwrap_or_default().to_string_lossy();
    let mut argv = vec![program.display().to_string(), "demo-service".to_owned()];
    if never_ready {
        argv.push("--never-ready".to_owned());
    }
    let argv: Vec<_> = argv.iter().map(|word| format!("{word:?}")).collect();
    std::fs::write(folder.join(MANIFEST), format!("# {version}\nargv = [{}]\n", argv.join(", ")))
}

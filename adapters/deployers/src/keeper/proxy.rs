//! The reverse proxy in front of a target: HTTP/1.1, bodies streamed. Which instance serves can change between two requests of one
//! connection; a request is sent again only where not a byte of it was sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONNECTION, HeaderMap, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// An instance that requests go to, and how many are under way there.
#[derive(Clone, Debug)]
pub(super) struct Upstream {
    pub(super) port: u16,
    pub(super) under_way: Arc<AtomicUsize>,
}

impl Upstream {
    pub(super) fn new(port: u16) -> Self {
        Self { port, under_way: Arc::default() }
    }

    fn enter(&self) -> (u16, UnderWay) {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        (self.port, UnderWay(Arc::clone(&self.under_way)))
    }
}

/// Something that goes on at an instance, until this is dropped.
struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A response's body: the request is under way until its last byte was read.
struct Streaming {
    incoming: Incoming,
    _under_way: UnderWay,
}

impl hyper::body::Body for Streaming {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

type Body = Either<Streaming, Full<Bytes>>;

/// How long an idle connection to an instance is used again. Services close idle ones after some seconds (Node.js after 5), and a request
/// that meets such an end is lost.
const IDLE: std::time::Duration = std::time::Duration::from_secs(2);

/// How long a client may take to say what it wants, and how long an idle connection of one is kept.
const HEAD: std::time::Duration = std::time::Duration::from_secs(60);
/// The pause after a connection could not be accepted, so that a machine without free descriptors is not kept busy by it.
pub(super) const ACCEPT_AGAIN: SignedDuration = SignedDuration::from_millis(100);

/// Serves until the upstream's sender is gone.
pub(super) async fn serve(
    listener: TcpListener,
    upstream: watch::Receiver<Option<Upstream>>,
    clock: Arc<dyn andon_core::Clock>,
) {
    let client: Client<_, Incoming> =
        Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(HttpConnector::new());
    let mut gone = upstream.clone();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    clock.sleep(ACCEPT_AGAIN).await;
                    continue;
                }
            },
            () = async { while gone.changed().await.is_ok() {} } => return,
        };
        let (client, upstream) = (client.clone(), upstream.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| {
                // Counted while the choice is held: whoever switches and then sees nobody under way has seen this one.
                let chosen = upstream.borrow().as_ref().map(Upstream::enter);
                forward(client.clone(), chosen, request)
            });
            let mut server = hyper::server::conn::http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(HEAD);
            // A client that goes away in the middle is no news.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn forward(
    client: Client<HttpConnector, Incoming>,
    chosen: Option<(u16, UnderWay)>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, hyper::Error> {
    let Some((port, under_way)) = chosen else {
        return Ok(plain(StatusCode::SERVICE_UNAVAILABLE, "nothing serves here\n"));
    };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let Ok(uri) = format!("http://127.0.0.1:{port}{path}").parse::<Uri>() else {
        return Ok(plain(StatusCode::BAD_REQUEST, "no such address\n"));
    };
    *request.uri_mut() = uri;
    for_this_hop_only(request.headers_mut());
    Ok(match client.request(request).await {
        Ok(mut response) => {
            for_this_hop_only(response.headers_mut());
            response.map(|incoming| Either::Left(Streaming { incoming, _under_way: under_way }))
        }
        Err(error) => {
            tracing::debug!(error = &error as &dyn std::error::Error, port, "a service did not answer");
            plain(StatusCode::BAD_GATEWAY, "the service did not answer\n")
        }
    })
}

/// Takes out what the two ends of one connection say to each other (RFC 9110, section 7.6.1); each connection has its own. So a wish to
/// speak another protocol, such as that of a WebSocket, goes no further, and the service answers it as a plain request.
fn for_this_hop_only(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&[CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE]) {
        headers.remove(name);
    }
    for name in ["keep-alive", "proxy-connection"] {
        headers.remove(name);
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Either::Right(Full::new(Bytes::from_static(text.as_bytes()))));
    *response.status_mut() = status;
    response
}

/// Whether an instance answers 200 at `path` within two seconds of the given clock.
pub(super) async fn answers(port: u16, path: &str, clock: &dyn andon_core::Clock) -> bool {
    tokio::select! {
        status = get(port, path) => status == Some(StatusCode::OK),
        () = clock.sleep(SignedDuration::from_secs(2)) => false,
    }
}

async fn get(port: u16, path: &str) -> Option<StatusCode> {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let uri = format!("http://127.0.0.1:{port}{path}").parse::<Uri>().ok()?;
    let response = client.get(uri).await.ok()?;
    let status = response.status();
    // Read to its end, so that the service sees a whole exchange.
    let _ = http_body_util::Limited::new(response.into_body(), 64 * 1024).collect().await;
    Some(status)
}

//! The reverse proxy in front of a target: HTTP/1.1, bodies streamed. Which instance serves can change between two requests of one
//! connection; a request is sent again only where not a byte of it was sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
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

/// Serves until the upstream's sender is gone.
pub(super) async fn serve(listener: TcpListener, upstream: watch::Receiver<Option<Upstream>>) {
    let client: Client<_, Incoming> =
        Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(HttpConnector::new());
    let mut gone = upstream.clone();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
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
            // A client that goes away in the middle is no news.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
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
    Ok(match client.request(request).await {
        Ok(response) => response.map(|incoming| Either::Left(Streaming { incoming, _under_way: under_way })),
        Err(_) => plain(StatusCode::BAD_GATEWAY, "the service did not answer\n"),
    })
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
        () = clock.sleep(jiff::SignedDuration::from_secs(2)) => false,
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

//! One WebSocket, from its opening to its end.

use std::sync::Arc;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use jiff::SignedDuration;
use serde::Deserialize;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::envelope::{Envelope, acknowledgement};
use super::hearing::Hearing;
use crate::api::{ApiError, is_safe};
use crate::receive::Inbound;
use crate::slack::Parts;

/// How long opening one may take.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// How often the other side is asked whether it is there. It is taken for gone when two questions brought no sign of life: after 9 s.
const ASK_EVERY: SignedDuration = SignedDuration::from_secs(3);
const UNANSWERED: u32 = 2;
/// The most envelopes that are taken at a time. More wait in the socket.
const AT_A_TIME: usize = 512;
/// How long envelopes that are still being taken are waited for once the socket is to be closed.
const DRAIN: SignedDuration = SignedDuration::from_secs(3);

/// How long a socket that Slack takes away is still listened to: what it carries comes on no other one. Slack closes it sooner.
const LEAVING: SignedDuration = SignedDuration::from_secs(30);

/// How a socket ended that had been open.
pub(super) enum Ended {
    /// We were told to stop.
    Stopped,
    /// Slack asked for another one to take its place.
    Renewed,
    /// It broke.
    Broken(String),
}

/// Why no socket could be opened.
#[derive(Debug, Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error("Slack named a socket that is not safe")]
    Unsafe,
    #[error("the socket cannot be opened: {0}")]
    Socket(#[from] Box<tokio_tungstenite::tungstenite::Error>),
    #[error("the socket did not open in time")]
    Late,
    #[error("Socket Mode is switched off in the app's settings")]
    SwitchedOff,
}

#[derive(Deserialize)]
struct Opened {
    url: String,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Opens a socket and takes what comes over it until it ends.
///
/// # Errors
/// It could not be opened.
pub(super) async fn run(
    inbound: &Arc<Inbound>,
    hearing: &Hearing,
    stop: watch::Receiver<bool>,
) -> Result<Ended, OpenError> {
    let clock = &inbound.parts().clock;
    let socket = tokio::select! {
        socket = open(inbound.parts()) => socket?,
        () = clock.sleep(PATIENCE) => return Err(OpenError::Late),
    };
    hearing.opened().await;
    let (sink, stream) = socket.split();
    let ended = Connection::new(Arc::clone(inbound), sink).run(stream, stop).await;
    hearing.closed().await;
    ended
}

/// Opens a socket, and waits until Slack says hello.
///
/// # Errors
/// It does not in time.
pub(crate) async fn greeting(parts: &Parts) -> Result<(), OpenError> {
    let greeted = async {
        let mut socket = open(parts).await?;
        while let Some(frame) = socket.next().await {
            let text = frame.map_err(Box::new)?.into_text().map_err(Box::new)?;
            if serde_json::from_str::<Envelope>(&text).is_ok_and(|envelope| envelope.kind == "hello") {
                return Ok(());
            }
        }
        Err(OpenError::Late)
    };
    tokio::select! {
        greeted = greeted => greeted,
        () = parts.clock.sleep(PATIENCE) => Err(OpenError::Late),
    }
}

async fn open(parts: &Parts) -> Result<Socket, OpenError> {
    let Opened { url } = parts.api.call_as_app("apps.connections.open").await?;
    if !is_safe(&url, "wss", "ws") {
        return Err(OpenError::Unsafe);
    }
    let (socket, _) = connect_async(&url).await.map_err(Box::new)?;
    Ok(socket)
}

/// An open socket.
struct Connection {
    inbound: Arc<Inbound>,
    sink: SplitSink<Socket, Frame>,
    acknowledge: mpsc::UnboundedSender<String>,
    acknowledgements: mpsc::UnboundedReceiver<String>,
    places: Arc<Semaphore>,
    unanswered: u32,
}

/// What a text of the socket asks of us.
enum Step {
    GoOn,
    End(Ended),
    SwitchedOff,
}

impl Connection {
    fn new(inbound: Arc<Inbound>, sink: SplitSink<Socket, Frame>) -> Self {
        let (acknowledge, acknowledgements) = mpsc::unbounded_channel();
        Self {
            inbound,
            sink,
            acknowledge,
            acknowledgements,
            places: Arc::new(Semaphore::new(AT_A_TIME)),
            unanswered: 0,
        }
    }

    async fn run(
        mut self,
        mut stream: SplitStream<Socket>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Ended, OpenError> {
        let clock = Arc::clone(&self.inbound.parts().clock);
        let places = Arc::clone(&self.places);
        let mut ask = Box::pin(clock.sleep(ASK_EVERY));
        let ended = loop {
            let step = tokio::select! {
                Some(text) = self.acknowledgements.recv() => self.send(Frame::text(text)).await,
                // Where all places are taken nothing more is read.
                frame = stream.next(), if places.available_permits() > 0 => self.read(frame).await,
                () = &mut ask => {
                    ask = Box::pin(clock.sleep(ASK_EVERY));
                    self.ask().await
                }
                _ = stop.changed() => Step::End(Ended::Stopped),
            };
            match step {
                Step::GoOn => {}
                Step::End(ended) => break ended,
                Step::SwitchedOff => return Err(OpenError::SwitchedOff),
            }
        };
        match &ended {
            Ended::Stopped => self.finish().await,
            // Another one opens meanwhile.
            Ended::Renewed => drop(tokio::spawn(async move { self.leave(stream, stop).await })),
            Ended::Broken(_) => {}
        }
        Ok(ended)
    }

    /// Takes what still comes until Slack closes it.
    async fn leave(mut self, mut stream: SplitStream<Socket>, mut stop: watch::Receiver<bool>) {
        let clock = Arc::clone(&self.inbound.parts().clock);
        let places = Arc::clone(&self.places);
        let mut over = Box::pin(clock.sleep(LEAVING));
        loop {
            let step = tokio::select! {
                Some(text) = self.acknowledgements.recv() => self.send(Frame::text(text)).await,
                frame = stream.next(), if places.available_permits() > 0 => self.read(frame).await,
                () = &mut over => break,
                _ = stop.changed() => break,
            };
            match step {
                // That it goes away is known.
                Step::GoOn | Step::End(Ended::Renewed) => {}
                Step::End(_) => return,
                Step::SwitchedOff => break,
            }
        }
        self.finish().await;
    }

    /// Acknowledges what is still being taken, then says goodbye.
    async fn finish(&mut self) {
        let clock = Arc::clone(&self.inbound.parts().clock);
        let places = u32::try_from(AT_A_TIME).unwrap_or(u32::MAX);
        let all = Arc::clone(&self.places);
        tokio::select! {
            _ = all.acquire_many(places) => {}
            () = clock.sleep(DRAIN) => {}
        }
        while let Ok(text) = self.acknowledgements.try_recv() {
            if let Step::End(_) = self.send(Frame::text(text)).await {
                return;
            }
        }
        // Where the other side is gone already it needs no goodbye.
        let _ = self.sink.close().await;
    }

    async fn send(&mut self, frame: Frame) -> Step {
        match self.sink.send(frame).await {
            Ok(()) => Step::GoOn,
            Err(error) => Step::End(Ended::Broken(error.to_string())),
        }
    }

    async fn ask(&mut self) -> Step {
        if self.places.available_permits() == 0 {
            // Nothing is read just now, answers neither.
            return Step::GoOn;
        }
        if self.unanswered >= UNANSWERED {
            return Step::End(Ended::Broken("nothing was heard of it".to_owned()));
        }
        self.unanswered += 1;
        self.send(Frame::Ping(Vec::new().into())).await
    }

    async fn read(&mut self, frame: Option<Result<Frame, tokio_tungstenite::tungstenite::Error>>) -> Step {
        let text = match frame {
            None => return Step::End(Ended::Broken("it was closed".to_owned())),
            Some(Err(error)) => return Step::End(Ended::Broken(error.to_string())),
            Some(Ok(Frame::Close(_))) => return Step::End(Ended::Broken("it was closed".to_owned())),
            Some(Ok(Frame::Text(text))) => text,
            // Pings are answered by the library.
            Some(Ok(_)) => {
                self.unanswered = 0;
                return Step::GoOn;
            }
        };
        self.unanswered = 0;
        match serde_json::from_str::<Envelope>(&text) {
            Ok(envelope) if envelope.kind == "disconnect" => match envelope.reason.as_deref() {
                Some("link_disabled") => Step::SwitchedOff,
                _ => Step::End(Ended::Renewed),
            },
            Ok(envelope) => {
                self.take(envelope);
                Step::GoOn
            }
            Err(error) => {
                tracing::warn!(%error, "a text of Slack's socket cannot be read");
                Step::GoOn
            }
        }
    }

    /// Takes an envelope in a task of its own: what it waits for, no other one waits for.
    fn take(&self, mut envelope: Envelope) {
        let (Some(id), Some(delivery)) = (envelope.envelope_id.take(), envelope.delivery()) else { return };
        if let Some(attempt) = envelope.retry_attempt.filter(|attempt| *attempt > 0) {
            tracing::info!(attempt, reason = envelope.retry_reason, "Slack delivers something once more");
        }
        // There is a place: nothing is read where there is none.
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else { return };
        let (inbound, acknowledge) = (Arc::clone(&self.inbound), self.acknowledge.clone());
        tokio::spawn(async move {
            let reply = inbound.take("a socket", delivery).await;
            if let Some(text) = acknowledgement(&id, envelope.accepts_response_payload, reply) {
                // Where the socket is gone Slack delivers it again on another one.
                let _ = acknowledge.send(text);
            }
            drop(place);
        });
    }
}

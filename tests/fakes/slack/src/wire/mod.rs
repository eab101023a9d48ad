//! Bringing things to the bot: attempts, patience, retries, and what the person sees of it.

pub(crate) mod envelopes;
pub(crate) mod http_delivery;
pub(crate) mod socket;
pub(crate) mod sockets;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;

use crate::clock::{self, Stopwatch};
use crate::faults::DeliveryFault;
use crate::hub::{Hub, locked};
use crate::log::{Delivered, DeliveryKind, Ending};
use crate::settings::Delivery;

/// What happens when a parcel was delivered, or will not be.
pub(crate) type Afterwards = Box<dyn FnOnce(&Arc<Hub>, Ending) + Send>;

/// One thing to bring to the bot.
pub(crate) struct Parcel {
    pub(crate) kind: DeliveryKind,
    /// For the log: the event's type, the command, the interaction's type.
    pub(crate) about: String,
    pub(crate) payload: Value,
    /// Whether an acknowledgement may carry an answer.
    pub(crate) wants_answer: bool,
}

/// Why the last attempt failed, in the words of Socket Mode and of HTTP.
#[derive(Clone, Copy)]
pub(crate) enum Because {
    TimedOut,
    Status,
    NoConnection,
}

impl Because {
    pub(crate) fn over_http(self) -> &'static str {
        match self {
            Self::TimedOut => "http_timeout",
            Self::Status => "http_error",
            Self::NoConnection => "connection_failed",
        }
    }
}

/// One attempt on its way over a web socket.
pub(crate) struct Launched {
    acknowledged: oneshot::Receiver<Option<Value>>,
    connection: u64,
    watch: Stopwatch,
    logged: Option<usize>,
}

/// Counts a parcel for as long as an attempt of it is under way, or about to be.
struct OnTheWay(Arc<Hub>);

impl OnTheWay {
    fn new(hub: &Arc<Hub>) -> Self {
        hub.on_the_way.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(hub))
    }
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        self.0.on_the_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Sends a parcel. The first attempt over a web socket is on its way when this returns, so that the order in which things are sent is
/// the order in which they happened.
pub(crate) fn send(hub: &Arc<Hub>, parcel: Parcel, afterwards: Afterwards) {
    let faults = locked(&hub.faults).deliveries.next(parcel.kind.name());
    send_with(hub, parcel, &faults, Some(afterwards));
}

/// As `send`, with what goes wrong.
pub(crate) fn send_with(hub: &Arc<Hub>, parcel: Parcel, faults: &[DeliveryFault], afterwards: Option<Afterwards>) {
    let (mut late, mut twice, mut unheard) = (None, false, 0);
    for fault in faults {
        match fault {
            DeliveryFault::Duplicate => twice = true,
            DeliveryFault::Late(by) => late = Some(*by),
            DeliveryFault::Unheard(times) => unheard = *times,
            DeliveryFault::Lost => return,
            DeliveryFault::Copies(_) => {}
        }
    }
    let id = hub.sockets.envelope_id();
    let on_the_way = OnTheWay::new(hub);
    let socket = *locked(&hub.delivery) == Delivery::Socket;
    let first = if socket && late.is_none() { Some(launch(hub, &parcel, &id, 0, None)) } else { None };
    let parcel = Arc::new(parcel);
    if twice {
        let (hub, parcel, id) = (Arc::clone(hub), Arc::clone(&parcel), id.clone());
        let second = OnTheWay::new(&hub);
        hub.runtime.clone().spawn(async move {
            let _second = second;
            clock::sleep(late.unwrap_or_default()).await;
            attempt(&hub, &parcel, &id, 0, None).await;
        });
    }
    let shared = Arc::clone(hub);
    hub.runtime.spawn(async move {
        if let Some(late) = late {
            clock::sleep(late).await;
        }
        let ending = carry(&shared, &parcel, &id, first, unheard, on_the_way).await;
        if let Some(afterwards) = afterwards {
            afterwards(&shared, ending);
        }
    });
}

/// Attempts until the bot acknowledges. Only events are sent again: who waits for an answer sees the failure instead.
async fn carry(
    hub: &Arc<Hub>,
    parcel: &Parcel,
    id: &str,
    first: Option<Option<Launched>>,
    mut unheard: u32,
    mut on_the_way: OnTheWay,
) -> Ending {
    let mut ending = match first {
        Some(launched) => finish(hub, id, launched).await,
        None => {
            let (ending, unwanted) = attempt(hub, parcel, id, 0, None).await;
            if unwanted {
                return ending;
            }
            ending
        }
    };
    if parcel.kind != DeliveryKind::Event {
        return ending;
    }
    for (attempt_number, pause) in (1..).zip(hub.settings.retries.clone()) {
        let because = match &ending {
            Ending::Acknowledged(_) if unheard == 0 => return ending,
            Ending::Acknowledged(_) => {
                unheard -= 1;
                Because::TimedOut
            }
            Ending::Status(_) => Because::Status,
            Ending::NoConnection => Because::NoConnection,
            Ending::TimedOut | Ending::Waiting => Because::TimedOut,
        };
        if !pause.is_zero() {
            drop(on_the_way);
            hub.clock.wait(pause).await;
            on_the_way = OnTheWay::new(hub);
        }
        let (next, unwanted) = attempt(hub, parcel, id, attempt_number, Some(because)).await;
        ending = next;
        if unwanted {
            break;
        }
    }
    ending
}

/// One attempt: how it ended, and whether the bot wants no other one.
async fn attempt(hub: &Arc<Hub>, parcel: &Parcel, id: &str, number: u32, because: Option<Because>) -> (Ending, bool) {
    let delivery = locked(&hub.delivery).clone();
    match delivery {
        Delivery::Socket => (finish(hub, id, launch(hub, parcel, id, number, because)).await, false),
        Delivery::Http(base) => {
            let logged = hub.log.sent(|| logged(hub, parcel, id, number, None));
            let watch = Stopwatch::start();
            let (ending, unwanted) = http_delivery::post(hub, &base, parcel, number, because).await;
            hub.log.ended(logged, &ending, watch.elapsed());
            (ending, unwanted)
        }
    }
}

/// Puts an envelope on a web socket; nothing when none is open.
fn launch(hub: &Arc<Hub>, parcel: &Parcel, id: &str, number: u32, because: Option<Because>) -> Option<Launched> {
    let envelope = envelopes::envelope(parcel, id, number, because.map(|_| "timeout"));
    let sent = hub.sockets.send(id, envelope);
    let connection = sent.as_ref().map(|(connection, _)| *connection);
    let place = hub.log.sent(|| logged(hub, parcel, id, number, connection));
    match sent {
        Some((connection, acknowledged)) => {
            Some(Launched { acknowledged, connection, watch: Stopwatch::start(), logged: place })
        }
        None => {
            hub.log.ended(place, &Ending::NoConnection, Duration::ZERO);
            None
        }
    }
}

async fn finish(hub: &Arc<Hub>, id: &str, launched: Option<Launched>) -> Ending {
    let Some(launched) = launched else { return Ending::NoConnection };
    let ending = match clock::within(hub.settings.acknowledge_within, launched.acknowledged).await {
        Some(Ok(payload)) => Ending::Acknowledged(payload),
        Some(Err(_)) | None => {
            hub.sockets.gave_up(id, launched.connection);
            Ending::TimedOut
        }
    };
    hub.log.ended(launched.logged, &ending, launched.watch.elapsed());
    ending
}

fn logged(hub: &Hub, parcel: &Parcel, id: &str, attempt: u32, connection: Option<u64>) -> Delivered {
    Delivered {
        id: id.to_owned(),
        kind: parcel.kind,
        about: parcel.about.clone(),
        attempt,
        connection,
        sent_at: hub.clock.now(),
        acknowledged_after: None,
        ending: Ending::Waiting,
    }
}

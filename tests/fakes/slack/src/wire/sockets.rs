//! The open web sockets: tickets to them, which one carries what, and who waits for an acknowledgement.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::clock::{Micros, micros};
use crate::hub::locked;
use crate::ids::Random;

/// The most that Slack opens for one app.
pub(crate) const MOST_CONNECTIONS: usize = 10;
const TICKET_LIFETIME: Duration = Duration::from_secs(30);

/// Why Slack takes a web socket away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It will be taken away in about ten seconds; it still carries what comes.
    Warning,
    /// It carries nothing new any more, and closes after the grace of the settings.
    RefreshRequested,
    /// Socket Mode was switched off; it closes at once.
    LinkDisabled,
}

impl Reason {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::RefreshRequested => "refresh_requested",
            Self::LinkDisabled => "link_disabled",
        }
    }
}

/// What the task of a web socket is told.
pub(crate) enum Order {
    Say(String),
    Disconnect(Reason),
    /// Neither read nor write any more, and stay open.
    Freeze,
    /// End without a word.
    Drop,
}

struct Connection {
    number: u64,
    orders: UnboundedSender<Order>,
    /// Still open, but nothing new goes there.
    leaving: bool,
}

#[derive(Default)]
struct Pool {
    open: Vec<Connection>,
    next: usize,
    /// The connection an envelope went to last, so that it goes elsewhere when it is sent again.
    waiting: HashMap<String, Waiting>,
    last_on: HashMap<String, u64>,
    tickets: HashMap<String, Micros>,
    opened: u64,
}

struct Waiting {
    answers: Vec<oneshot::Sender<Option<Value>>>,
}

/// All the web sockets of the app.
pub(crate) struct Sockets {
    pool: Mutex<Pool>,
    random: Mutex<Random>,
    /// Acknowledgements of envelopes that nobody waited for any more.
    pub(crate) late_acknowledgements: AtomicU64,
}

impl Sockets {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Mutex::new(Random::new(seed.wrapping_add(4)));
        Self { pool: Mutex::default(), random, late_acknowledgements: AtomicU64::new(0) }
    }

    pub(crate) fn envelope_id(&self) -> String {
        locked(&self.random).uuid()
    }

    pub(crate) fn issue_ticket(&self, now: Micros) -> String {
        let ticket = locked(&self.random).uuid();
        let mut pool = locked(&self.pool);
        pool.tickets.retain(|_, until| *until >= now);
        pool.tickets.insert(ticket.clone(), now + micros(TICKET_LIFETIME));
        ticket
    }

    /// Whether a ticket is good; it is not afterwards.
    pub(crate) fn use_ticket(&self, ticket: &str, now: Micros) -> bool {
        locked(&self.pool).tickets.remove(ticket).is_some_and(|until| now <= until)
    }

    /// Takes a web socket in: its number and how many there are, or nothing when there are too many.
    pub(crate) fn join(&self, orders: UnboundedSender<Order>) -> Option<(u64, usize)> {
        let mut pool = locked(&self.pool);
        if pool.open.len() >= MOST_CONNECTIONS {
            return None;
        }
        pool.opened += 1;
        let number = pool.opened;
        pool.open.push(Connection { number, orders, leaving: false });
        Some((number, pool.open.len()))
    }

    pub(crate) fn leave(&self, number: u64) {
        locked(&self.pool).open.retain(|connection| connection.number != number);
    }

    pub(crate) fn stop_sending_to(&self, number: u64) {
        let mut pool = locked(&self.pool);
        if let Some(connection) = pool.open.iter_mut().find(|connection| connection.number == number) {
            connection.leaving = true;
        }
    }

    /// The numbers of those that carry new things.
    pub(crate) fn open(&self) -> Vec<u64> {
        locked(&self.pool).open.iter().filter(|one| !one.leaving).map(|one| one.number).collect()
    }

    /// Tells one web socket, or all.
    pub(crate) fn order(&self, number: Option<u64>, order: impl Fn() -> Order) {
        for connection in &locked(&self.pool).open {
            if number.is_none_or(|number| number == connection.number) {
                // One that is just ending has nobody to hear it.
                let _ = connection.orders.send(order());
            }
        }
    }

    /// Sends an envelope over the next open web socket, and says over which and where the acknowledgement arrives.
    pub(crate) fn send(&self, id: &str, envelope: String) -> Option<(u64, oneshot::Receiver<Option<Value>>)> {
        let mut pool = locked(&self.pool);
        let pool = &mut *pool;
        let before = pool.last_on.remove(id);
        let able: Vec<&Connection> = pool.open.iter().filter(|connection| !connection.leaving).collect();
        let mut order = (0..able.len()).map(|step| able[(pool.next + step) % able.len()]);
        let chosen = order.clone().find(|one| Some(one.number) != before).or_else(|| order.next())?;
        let number = chosen.number;
        chosen.orders.send(Order::Say(envelope)).ok()?;
        pool.next = pool.next.wrapping_add(1);
        let (answer, acknowledged) = oneshot::channel();
        pool.waiting.entry(id.to_owned()).or_insert_with(|| Waiting { answers: Vec::new() }).answers.push(answer);
        Some((number, acknowledged))
    }

    /// After an attempt without an answer: remembers where it was, and waits no longer.
    pub(crate) fn gave_up(&self, id: &str, number: u64) {
        let mut pool = locked(&self.pool);
        pool.waiting.remove(id);
        pool.last_on.insert(id.to_owned(), number);
    }

    /// Takes an acknowledgement. Whoever waits for the envelope has it, one after the other where it was sent twice.
    pub(crate) fn acknowledged(&self, id: &str, payload: Option<Value>) {
        let mut pool = locked(&self.pool);
        let Some(waiting) = pool.waiting.get_mut(id) else {
            self.late_acknowledgements.fetch_add(1, Ordering::SeqCst);
            return;
        };
        let answer = waiting.answers.remove(0);
        if waiting.answers.is_empty() {
            pool.waiting.remove(id);
        }
        // The one who waited may have given up a moment ago.
        let _ = answer.send(payload);
    }
}

//! Handing over: what a unit of work leaves to be done next goes straight to this process's own worker, under a lease, where the worker has
//! a place free and nothing waits before it. To look for it in the database would cost a unit of work more. Whatever is not handed over, or
//! handed to a process that dies, is found there all the same.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::SignedDuration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection::{Connection, micros};
use crate::invocations::Accepted;
use crate::open::{Inner, Store};
use crate::outbox::OutboxItem;

/// A worker's places: how many things it does at a time. Some are kept free for what cannot wait.
#[derive(Clone)]
pub struct Places(Arc<Rooms>);

struct Rooms {
    all: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
    /// Whether something may wait in the database, which then goes before what is new.
    behind: AtomicBool,
}

/// A place at a worker, free again once this is dropped.
#[derive(Debug)]
#[must_use = "the place is free again at once"]
pub struct Place {
    _permit: OwnedSemaphorePermit,
    /// Whether it is one of those that are kept for what cannot wait.
    pub reserved: bool,
}

impl Places {
    /// So many for everything, and so many more for what cannot wait.
    pub fn new(all: usize, urgent: usize) -> Self {
        Self(Arc::new(Rooms {
            all: Arc::new(Semaphore::new(all)),
            urgent: Arc::new(Semaphore::new(urgent)),
            behind: AtomicBool::new(true),
        }))
    }

    /// All free places for what may be anything; where there is none, one for what cannot wait.
    pub fn take_all(&self) -> Vec<Place> {
        let free: Vec<_> = std::iter::from_fn(|| self.one(false)).collect();
        if free.is_empty() { self.one(true).into_iter().collect() } else { free }
    }

    /// Nothing waits in the database that the worker could have taken up.
    pub fn caught_up(&self) {
        self.0.behind.store(false, Ordering::SeqCst);
    }

    /// Whether something may wait in the database for a place.
    pub fn are_behind(&self) -> bool {
        self.0.behind.load(Ordering::SeqCst)
    }

    fn one(&self, reserved: bool) -> Option<Place> {
        let places = if reserved { &self.0.urgent } else { &self.0.all };
        let permit = Arc::clone(places).try_acquire_owned().ok()?;
        Some(Place { _permit: permit, reserved })
    }

    /// A place for something new. Where there is none, or something waits before it, it has to wait, too.
    fn take_new(&self, urgent: bool) -> Option<Place> {
        let free = || self.one(false).or_else(|| if urgent { self.one(true) } else { None });
        let place = if self.are_behind() { None } else { free() };
        if place.is_none() {
            self.0.behind.store(true, Ordering::SeqCst);
        }
        place
    }
}

/// A way to a worker.
pub(crate) struct Hand<T> {
    owner: String,
    places: Places,
    lease: SignedDuration,
    worker: UnboundedSender<(T, Place)>,
}

impl<T> Hand<T> {
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// A place for something new, if the worker is there and has one.
    pub(crate) fn place(&self, urgent: bool) -> Option<Place> {
        if self.worker.is_closed() { None } else { self.places.take_new(urgent) }
    }

    fn give(&self, work: T, place: Place) {
        // A worker that has ended meanwhile leaves it to its lease.
        let _ = self.worker.send((work, place));
    }
}

/// The workers of this process, as far as it has any.
#[derive(Default)]
pub(crate) struct Hands {
    pub(crate) invocations: RwLock<Option<Arc<Hand<Accepted>>>>,
    pub(crate) outbox: RwLock<Option<Arc<Hand<OutboxItem>>>>,
}

/// What a unit of work hands over once it is kept.
pub(crate) struct Handing {
    pub(crate) inner: Arc<Inner>,
    pub(crate) invocations: Vec<(Accepted, Place)>,
    pub(crate) outbox: Vec<(OutboxItem, Place)>,
}

impl Handing {
    pub(crate) fn of(inner: &Arc<Inner>) -> Self {
        Self { inner: Arc::clone(inner), invocations: Vec::new(), outbox: Vec::new() }
    }

    pub(crate) fn to_invocations(&self) -> Option<Arc<Hand<Accepted>>> {
        self.inner.hands.invocations.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn to_outbox(&self) -> Option<Arc<Hand<OutboxItem>>> {
        self.inner.hands.outbox.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is to be added to [`database_now`] for the end of a lease that begins now, in microseconds.
    pub(crate) fn lease<T>(&self, hand: &Hand<T>, connection: &Connection<'_>) -> i64 {
        let clock = &self.inner.clock;
        let beyond =
            if connection.is_postgres() { clock.offset().as_micros() } else { i128::from(micros(clock.now())) };
        i64::try_from(beyond + hand.lease.as_micros()).unwrap_or(i64::MAX)
    }

    pub(crate) fn over(self) {
        let (to_invocations, to_outbox) = (self.to_invocations(), self.to_outbox());
        if let Some(hand) = to_invocations {
            self.invocations.into_iter().for_each(|(accepted, place)| hand.give(accepted, place));
        }
        if let Some(hand) = to_outbox {
            self.outbox.into_iter().for_each(|(item, place)| hand.give(item, place));
        }
    }
}

impl Store {
    /// From now on, hands accepted invocations to whoever has the receiver, as `owner`, with leases of this length.
    pub fn hand_invocations(
        &self,
        owner: &str,
        places: &Places,
        lease: SignedDuration,
    ) -> UnboundedReceiver<(Accepted, Place)> {
        hand(&self.inner.hands.invocations, owner, places, lease)
    }

    /// From now on, hands messages to be said to whoever has the receiver, with leases of this length.
    pub fn hand_messages(
        &self,
        owner: &str,
        places: &Places,
        lease: SignedDuration,
    ) -> UnboundedReceiver<(OutboxItem, Place)> {
        hand(&self.inner.hands.outbox, owner, places, lease)
    }
}

fn hand<T>(
    to: &RwLock<Option<Arc<Hand<T>>>>,
    owner: &str,
    places: &Places,
    lease: SignedDuration,
) -> UnboundedReceiver<(T, Place)> {
    let (worker, receiver) = unbounded_channel();
    let hand = Hand { owner: owner.to_owned(), places: places.clone(), lease, worker };
    *to.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hand));
    receiver
}

//! Handing over: what a unit of work leaves to be done next goes straight to this process's own worker, under a lease, where the worker has
//! a place free and nothing waits before it. To look for it in the database would cost a unit of work more. Whatever is not handed over, or
//! handed to a process that dies, is found there all the same.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use andon_core::Room;
use jiff::SignedDuration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::connection::{Connection, Transaction, micros};
use crate::error::StoreError;
use crate::invocations::Accepted;
use crate::open::{Inner, Store};
use crate::outbox::OutboxItem;

/// A worker's places: how many things it does at a time. Some are kept free for what cannot wait.
#[derive(Clone)]
pub struct Places(Arc<Rooms>);

struct Rooms {
    all: Arc<Semaphore>,
    urgent: Arc<Semaphore>,
    /// How often something had to wait in the database, or may have.
    waited: AtomicU64,
    /// How often of that was seen to. What waits goes before what is new.
    seen: AtomicU64,
}

/// Places for what waits, and how far one sees who looks for it now.
pub struct Look {
    /// The places: all of one kind.
    pub places: Vec<Place>,
    /// To be given to [`Places::caught_up`] where nothing was found.
    pub waited: u64,
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
            // Before the first look nobody knows.
            waited: AtomicU64::new(1),
            seen: AtomicU64::new(0),
        }))
    }

    /// Up to `most` free places for what may be anything; where there is none, one for what cannot wait. What finds no place may wait.
    pub fn look(&self, most: usize) -> Look {
        let mut places: Vec<_> = std::iter::from_fn(|| self.one(false)).take(most).collect();
        if places.is_empty() {
            self.0.waited.fetch_add(1, Ordering::SeqCst);
            places.extend(self.one(true));
        }
        Look { places, waited: self.0.waited.load(Ordering::SeqCst) }
    }

    /// Nothing waits of what may have waited when this look began.
    pub fn caught_up(&self, look: u64) {
        self.0.seen.fetch_max(look, Ordering::SeqCst);
    }

    /// Whether something may wait in the database for a place.
    pub fn are_behind(&self) -> bool {
        self.0.waited.load(Ordering::SeqCst) != self.0.seen.load(Ordering::SeqCst)
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
            self.0.waited.fetch_add(1, Ordering::SeqCst);
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

impl Transaction<'_> {
    /// Whether no unit of work beside this one may put something into the same room, which would then be said at the same time.
    pub(crate) async fn speaks_alone(&mut self, room: &Room) -> Result<bool, StoreError> {
        let Connection::Postgres(connection) = &mut self.0 else { return Ok(true) };
        let (alone,): (bool,) = sqlx::query_as("select pg_try_advisory_xact_lock(7236002, hashtext($1))")
            .bind(room.to_string())
            .fetch_one(&mut **connection)
            .await?;
        Ok(alone)
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

//! The running engine: its tasks, and the one way into it.

use std::sync::Arc;

use andon_core::ports::Edge;
use andon_core::{
    Account, CommandSpec, Failure, Fault, Identity, InvocationId, Message, OperationState, Receipt, Record, RecordKind,
    Refusal, Said, Verdict,
};
use andon_store::{
    Accepted, Connection, InvocationRow, InvocationState, Look, NewMessage, OperationRow, Place, Places, StoreError,
    Topic,
};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::house::{Configuration, House};
use crate::lease::LEASE;
use crate::{
    accept, anchors, approvals, complete, hearing, operations, outbox, people, pipeline, sequencer, watch as watching,
};

/// Invocations at a time.
const AT_A_TIME: usize = 24;
/// So many more of what cannot wait.
const URGENT: usize = 8;
/// The most that are looked for at once; the other places are free meanwhile for what is handed over.
const BATCH: usize = 8;
/// How long to wait for news before looking all the same.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(1);
/// How long news of the bot itself are worth delivering.
const OPS_NEWS_EXPIRES: SignedDuration = SignedDuration::from_hours(24);
/// How long present steps may take once the engine is told to stop.
const DRAIN: SignedDuration = SignedDuration::from_secs(10);

/// The engine. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    house: Arc<House>,
    stop: watch::Sender<bool>,
}

impl Engine {
    /// An engine that does not run yet.
    pub fn new(house: Arc<House>) -> Self {
        Self { house, stop: watch::Sender::new(false) }
    }

    /// Its parts.
    pub fn house(&self) -> &Arc<House> {
        &self.house
    }

    /// Tells the engine to take nothing new and finish its present steps.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Records that the bot opens, and with what: before anything is delivered to it.
    ///
    /// # Errors
    /// It could not be kept.
    pub async fn open(&self, opening: Vec<Record>, texts: Vec<String>) -> Result<(), Failure> {
        self.keep(opening, texts).await
    }

    /// Runs until [`Engine::stop`], then finishes the present steps for up to 10 seconds and signs what was written last.
    ///
    /// # Errors
    /// The closing record could not be kept, or a task of the engine ended by itself.
    pub async fn run(&self) -> Result<(), Failure> {
        let house = || Arc::clone(&self.house);
        let stop = || self.stop.subscribe();
        let sequencer_stop = watch::Sender::new(false);
        let mut sequencer = tokio::spawn(sequencer::sequence(house(), sequencer_stop.subscribe()));
        let outbox_stop = watch::Sender::new(false);
        let mut outbox = tokio::spawn(outbox::dispatch(house(), outbox_stop.subscribe()));
        let mut tasks = JoinSet::new();
        tasks.spawn(proceed(house(), stop()));
        tasks.spawn(operations::work(house(), stop()));
        tasks.spawn(operations::sweep(house(), stop()));
        tasks.spawn(operations::look_up(house(), stop()));
        tasks.spawn(watching::watch(house(), stop()));
        tasks.spawn(anchors::anchor(house(), stop()));
        let mut stopping = self.stop.subscribe();
        let ended = tokio::select! {
            biased;
            _ = stopping.wait_for(|stop| *stop) => None,
            ended = tasks.join_next() => ended,
            ended = &mut sequencer => Some(ended),
            ended = &mut outbox => Some(ended),
        };
        // Told to stop meanwhile, a task may be quicker than this.
        let broken = ended.filter(|_| !*self.stop.borrow());
        if let Some(ended) = &broken {
            tracing::error!(?ended, "a task of the engine ended by itself, and the bot with it");
        }
        self.stop();
        tokio::select! {
            () = async { while tasks.join_next().await.is_some() {} } => {}
            () = self.house.clock.sleep(DRAIN) => tracing::warn!("some steps did not finish in time; they will be taken up again"),
        }
        tasks.shutdown().await;
        self.let_invocations_go().await;
        let closed = self.keep(vec![self.house.record(RecordKind::Closed)], Vec::new()).await;
        outbox_stop.send_replace(true);
        sequencer_stop.send_replace(true);
        for task in [&mut outbox, &mut sequencer] {
            // One that has ended by itself was told of above.
            if !task.is_finished()
                && let Err(error) = task.await
            {
                tracing::error!(%error, "a task of the engine broke");
            }
        }
        match broken {
            Some(_) => Err(Fault::new("a task of the engine ended by itself").into()),
            None => closed,
        }
    }

    /// Another process can go on with them at once.
    async fn let_invocations_go(&self) {
        let owner = self.house.owner.clone();
        let let_go = self
            .house
            .store
            .write(move |transaction| Box::pin(async move { transaction.release_invocations(&owner).await }));
        if let Err(error) = let_go.await {
            tracing::warn!(%error, "the leases of invocations run out by themselves");
        }
    }

    /// The record that the bot has opened, to be completed by whoever starts it.
    pub fn record(&self, kind: RecordKind) -> Record {
        self.house.record(kind)
    }

    /// Puts another configuration in force, on the record first.
    ///
    /// # Errors
    /// It could not be recorded; the old one stays.
    pub async fn reload(
        &self,
        configuration: Configuration,
        record: Record,
        texts: Vec<String>,
    ) -> Result<(), Failure> {
        self.keep(vec![record], texts).await?;
        Ok(self.house.replace(configuration).await?)
    }

    /// Says something of the bot itself in the ops room, where there is one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn tell_operators(&self, message: Message) -> Result<(), StoreError> {
        let Some(new) = ops_news(&self.house, message) else { return Ok(()) };
        self.house.store.write(move |transaction| Box::pin(async move { transaction.put_message(&new).await })).await
    }

    async fn keep(&self, records: Vec<Record>, texts: Vec<String>) -> Result<(), Failure> {
        let house = Arc::clone(&self.house);
        let store = house.store.clone();
        store
            .write(move |transaction| {
                Box::pin(async move {
                    for text in &texts {
                        transaction.keep_text(andon_core::Digest::of(text), text).await?;
                    }
                    for record in &records {
                        transaction.append(&house.seal(record)?).await?;
                    }
                    Ok::<_, Failure>(())
                })
            })
            .await
    }

    /// The operation that an act has set going: an approval's outcome is what it approved.
    async fn set_going(
        &self,
        row: &InvocationRow,
        connection: &mut Connection<'_>,
    ) -> Result<Option<OperationRow>, StoreError> {
        match approvals::acts_on(&self.house, row) {
            Some(number) => connection.operation_by_number(number).await,
            None => Ok(None),
        }
    }

    /// Where an invocation and the operation that it became stand, and how much is still to be said about them.
    async fn standing(&self, invocation: InvocationId) -> Result<Option<Verdict>, StoreError> {
        let mut reader = self.house.store.read().await?;
        let mut connection = reader.connection();
        let Some(row) = connection.invocation(invocation).await? else { return Ok(Some(Verdict::Failed)) };
        let verdict = match row.state {
            InvocationState::Accepted => return Ok(None),
            InvocationState::Answered => match self.set_going(&row, &mut connection).await? {
                Some(operation) if !at_rest(operation.state) => return Ok(None),
                Some(operation) if connection.unsent(invocation, Some(operation.id)).await? > 0 => return Ok(None),
                Some(operation) if matches!(operation.state, OperationState::Failed | OperationState::Unknown) => {
                    Verdict::Failed
                }
                _ => Verdict::Succeeded,
            },
            InvocationState::Refused | InvocationState::Failed => Verdict::Failed,
            InvocationState::Planned => {
                match connection.operation_of(invocation).await?.map(|operation| operation.state) {
                    Some(OperationState::WaitingApproval) => Verdict::Waiting,
                    Some(state) if !at_rest(state) => return Ok(None),
                    Some(OperationState::Succeeded) => Verdict::Succeeded,
                    _ => Verdict::Failed,
                }
            }
        };
        let operation = connection.operation_of(invocation).await?;
        if let Some(operation) = &operation
            && connection.record_number(operation.planned_record).await?.is_none()
        {
            // Its card is drawn once more, to name the number.
            return Ok(None);
        }
        let operation = operation.map(|operation| operation.id);
        let unsent = connection.unsent(invocation, operation).await?;
        Ok((unsent == 0).then_some(verdict))
    }
}

/// News of the bot itself for the ops room, where there is one.
pub(crate) fn ops_news(house: &House, message: Message) -> Option<NewMessage> {
    let room = house.configuration().catalog.ops_room.clone()?;
    let expires_at = house.clock.now().saturating_add(OPS_NEWS_EXPIRES).unwrap_or(Timestamp::MAX);
    Some(NewMessage::new(room, message, expires_at))
}

/// What was said, without the one character that PostgreSQL takes in no text: nobody may keep a refusal off the record by it.
fn storable(mut said: Said) -> Said {
    if said.text.contains('\0') {
        said.text = said.text.replace('\0', "\u{fffd}");
    }
    said
}

/// Whether nothing moves until a person says something.
const fn at_rest(state: OperationState) -> bool {
    !matches!(state, OperationState::Queued | OperationState::Running)
}

#[async_trait]
impl Edge for Engine {
    async fn deliver(&self, said: Said) -> Receipt {
        pipeline::deliver(&self.house, storable(said)).await
    }

    async fn refuse(&self, said: Said, refusal: Refusal) -> Receipt {
        accept::turned_back(&self.house, storable(said), &refusal).await
    }

    async fn settled(&self, invocation: InvocationId) -> Verdict {
        let mut changes = self.house.store.changes();
        loop {
            changes.mark_unchanged();
            match self.standing(invocation).await {
                Ok(Some(verdict)) => return verdict,
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "the state of an invocation cannot be read"),
            }
            tokio::select! {
                _ = changes.changed() => {}
                () = self.house.clock.sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn commands(&self) -> &[CommandSpec] {
        self.house.grammar.specs()
    }

    async fn knows(&self, identity: &Identity, account: Option<&Account>) -> bool {
        let catalog = &self.house.configuration().catalog;
        let active = account.map_or_else(|| !people::is_closed_here(&self.house, identity), |account| account.active);
        active
            && (catalog.speaker(identity).is_some()
                || account.is_some_and(|it| catalog.by_email(identity, it).is_some()))
    }

    async fn complete(&self, line: &str) -> Vec<String> {
        complete::complete(&self.house, line).await
    }

    async fn account_changed(&self, identity: &Identity, account: &Account) {
        let configuration = self.house.configuration();
        kept(people::note(&self.house, &configuration.catalog, identity, account).await, "a change of an account");
    }

    async fn heard(&self, platform: &str, since: Timestamp) {
        kept(hearing::heard(&self.house, platform, since).await, "that a chat is listened to");
    }

    async fn turned_away(&self, platform: &str, way: &str, why: &str, times: u32) {
        kept(hearing::turned_away(&self.house, platform, way, why, times).await, "that deliveries were turned away");
    }
}

/// Tells the log where something that nobody waits for could not be kept.
fn kept(result: Result<(), Failure>, what: &str) {
    if let Err(failure) = result {
        tracing::error!(?failure, "{what} could not be kept");
    }
}

/// Goes on with accepted invocations until told to stop: with those that are handed over when they are accepted, and with those that it finds.
async fn proceed(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let places = Places::new(AT_A_TIME, URGENT);
    let mut handed = house.store.hand_invocations(&house.owner, &places, LEASE);
    let mut changes = house.store.changes_about(Topic::Invocations);
    let mut busy = JoinSet::new();
    let go_on = |busy: &mut JoinSet<()>, accepted, place: Place| {
        let house = Arc::clone(&house);
        busy.spawn(async move {
            pipeline::proceed(&house, accepted).await;
            drop(place);
        });
    };
    while !*stop.borrow() {
        changes.mark_unchanged();
        while busy.try_join_next().is_some() {}
        match claim(&house, &places).await {
            Ok(claimed) if !claimed.is_empty() => {
                claimed.into_iter().for_each(|(accepted, place)| go_on(&mut busy, accepted, place));
                continue;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "invocations cannot be taken up"),
        }
        let mut look = std::pin::pin!(house.clock.sleep(LOOK_EVERY));
        loop {
            tokio::select! {
                Some((accepted, place)) = handed.recv() => {
                    go_on(&mut busy, accepted, place);
                    continue;
                }
                _ = changes.changed() => {}
                Some(_) = busy.join_next() => if !places.are_behind() { continue },
                () = &mut look => {}
                _ = stop.changed() => {}
            }
            break;
        }
    }
    // What was handed over and not begun is let go with all leases.
    drop(handed);
    while busy.join_next().await.is_some() {}
}

/// Takes up what waits, as far as there are places.
async fn claim(house: &House, places: &Places) -> Result<Vec<(Accepted, Place)>, StoreError> {
    let Look { places: free, waited } = places.look(BATCH);
    let Some(urgent_only) = free.first().map(|place| place.reserved) else { return Ok(Vec::new()) };
    let now = house.store.now().await?;
    let until = now.saturating_add(LEASE).unwrap_or(now);
    let (owner, limit) = (house.owner.clone(), u32::try_from(free.len()).unwrap_or(u32::MAX));
    let claimed = house
        .store
        .write_quietly(move |transaction| {
            Box::pin(async move { transaction.claim_invocations(&owner, now, until, urgent_only, limit).await })
        })
        .await?;
    if claimed.is_empty() && !urgent_only {
        places.caught_up(waited);
    }
    Ok(claimed.into_iter().zip(free).collect())
}

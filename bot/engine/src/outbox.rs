//! The outbox's dispatcher: hands what is to be said to the voices, and keeps trying what could not be said.

use std::sync::Arc;

use andon_core::Fault;
use andon_core::ports::{Placement, Voice, VoiceError};
use andon_store::{Look, OutboxItem, OutboxKind, Place, Places, StoreError, Topic};
use jiff::SignedDuration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};

use crate::house::House;
use crate::probe::Point;

/// How many things are said at a time.
const AT_A_TIME: usize = 32;
/// The most that are looked for at once; the other places are free meanwhile for what is handed over.
const BATCH: usize = 16;
/// How long a voice may take over one thing before another replica tries it.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How long a voice may take before it is given up for now: well within the lease, so that nobody else says it meanwhile.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);
/// How long to wait for news before looking all the same.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(1);
/// The longest pause between two attempts, in seconds.
const LONGEST_PAUSE: i64 = 300;
/// How long what is due may still take to be said once the outbox is told to stop.
const DRAIN: SignedDuration = SignedDuration::from_secs(5);

/// What is being said.
struct Dispatch {
    house: Arc<House>,
    places: Places,
    /// What was handed over when it was put into the outbox.
    handed: UnboundedReceiver<(OutboxItem, Place)>,
    busy: JoinSet<Result<(), StoreError>>,
}

/// Dispatches until told to stop, then says what is due.
pub(crate) async fn dispatch(house: Arc<House>, mut stop: watch::Receiver<bool>) {
    let mut changes = house.store.changes_about(Topic::Outbox);
    let places = Places::new(AT_A_TIME, 0);
    let handed = house.store.hand_messages(&house.owner, &places, LEASE);
    let mut dispatch = Dispatch { house: Arc::clone(&house), places, handed, busy: JoinSet::new() };
    while !*stop.borrow() {
        changes.mark_unchanged();
        if dispatch.take_up().await {
            continue;
        }
        let mut look = std::pin::pin!(house.clock.sleep(LOOK_EVERY));
        loop {
            tokio::select! {
                Some((item, place)) = dispatch.handed.recv() => {
                    dispatch.say(item, place);
                    continue;
                }
                _ = changes.changed() => {}
                Some(said) = dispatch.busy.join_next() => {
                    heed(said);
                    if !dispatch.places.are_behind() {
                        continue;
                    }
                }
                () = &mut look => {}
                _ = stop.changed() => {}
            }
            break;
        }
    }
    tokio::select! {
        () = dispatch.drain() => {}
        // Whatever was not said waits for the next start.
        () = house.clock.sleep(DRAIN) => tracing::warn!("some messages could not be said in time; they are said after the next start"),
    }
}

impl Dispatch {
    async fn drain(&mut self) {
        loop {
            while let Ok((item, place)) = self.handed.try_recv() {
                self.say(item, place);
            }
            if self.take_up().await {
                continue;
            }
            match self.busy.join_next().await {
                Some(said) => heed(said),
                None => return,
            }
        }
    }

    /// Takes up what can be said now, as far as there are places. Tells whether there was anything.
    async fn take_up(&mut self) -> bool {
        while let Some(said) = self.busy.try_join_next() {
            heed(said);
        }
        let Look { places: free, waited } = self.places.look(BATCH);
        if free.is_empty() {
            return false;
        }
        let items = match claim(&self.house, u32::try_from(free.len()).unwrap_or(u32::MAX)).await {
            Ok(items) => items,
            Err(error) => {
                tracing::error!(error = %Fault::new(error).chain(), "the outbox cannot be read");
                return false;
            }
        };
        if items.is_empty() {
            self.places.caught_up(waited);
            return false;
        }
        items.into_iter().zip(free).for_each(|(item, place)| self.say(item, place));
        true
    }

    fn say(&mut self, item: OutboxItem, place: Place) {
        let house = Arc::clone(&self.house);
        self.busy.spawn(async move {
            let said = say(&house, item).await;
            drop(place);
            said
        });
    }
}

/// What could not be kept is said once more, after its lease: nothing is lost.
fn heed(said: Result<Result<(), StoreError>, JoinError>) {
    match said {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(error = %Fault::new(error).chain(), "what became of a message could not be kept");
        }
        Err(error) => tracing::error!(%error, "a voice broke"),
    }
}

async fn claim(house: &House, limit: u32) -> Result<Vec<OutboxItem>, StoreError> {
    let now = house.store.now().await?;
    let until = now.saturating_add(LEASE).unwrap_or(now);
    house
        .store
        .write_quietly(move |transaction| Box::pin(async move { transaction.claim_outbox(now, until, limit).await }))
        .await
}

async fn say(house: &Arc<House>, item: OutboxItem) -> Result<(), StoreError> {
    let said = match house.voice(&item.room.platform) {
        Some(voice) => tokio::select! {
            said = hand_over(&**voice, &item) => said,
            () = house.clock.sleep(PATIENCE) => Err(VoiceError::Ambiguous("it did not answer in time".into())),
        },
        None => Err(VoiceError::Unreachable(format!("no voice for {}", item.room.platform).into())),
    };
    (house.probe)(Point::Said);
    let now = house.store.now().await?;
    house
        .store
        .write(move |transaction| {
            Box::pin(async move {
                match said {
                    Ok(placement) => transaction.delivered(&item, placement.as_ref(), now).await,
                    Err(error @ (VoiceError::Refused(_) | VoiceError::Gone)) => {
                        let why = error.to_string();
                        tracing::warn!(room = %item.room, %why, "a message to {} was given up", item.room);
                        transaction.give_up(&item, &why, now).await
                    }
                    Err(VoiceError::SlowDown(wait)) => {
                        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::from_secs(LONGEST_PAUSE));
                        let at = now.saturating_add(wait).unwrap_or(now);
                        transaction.postpone(&item, at).await
                    }
                    Err(_) => {
                        let at = now.saturating_add(pause(item.attempts)).unwrap_or(now);
                        transaction.retry_later(&item, at).await
                    }
                }
            })
        })
        .await
}

/// Says it, or makes what stands there already read as it should.
async fn hand_over(voice: &dyn Voice, item: &OutboxItem) -> Result<Option<Placement>, VoiceError> {
    if let OutboxKind::Card { placement: Some(placement), .. } = &item.kind
        && still_stands(voice, item, placement).await?
    {
        return Ok(None);
    }
    if let Some(placement) = said_before(voice, item).await? {
        // It may read as the card did then.
        let is_card = matches!(item.kind, OutboxKind::Card { .. });
        if !is_card || still_stands(voice, item, &placement).await? {
            return Ok(Some(placement));
        }
    }
    match &item.kind {
        OutboxKind::Message { under: Some(card), .. } => {
            voice.follow_up(&item.room, card, &item.message, &item.marker).await.map(Some)
        }
        _ => voice.post(&item.room, item.asker.as_ref(), &item.message, &item.marker).await.map(Some),
    }
}

/// Makes a card read as it should. One that somebody has taken away is not there to be edited, and is posted afresh: the room must see how
/// it ends.
async fn still_stands(voice: &dyn Voice, item: &OutboxItem, placement: &Placement) -> Result<bool, VoiceError> {
    match voice.edit(&item.room, placement, &item.message).await {
        Ok(()) => Ok(true),
        Err(VoiceError::Gone) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where an earlier attempt left it, which may have come through without our hearing of it.
async fn said_before(voice: &dyn Voice, item: &OutboxItem) -> Result<Option<Placement>, VoiceError> {
    let under = match &item.kind {
        OutboxKind::Message { under, .. } => under.as_ref(),
        OutboxKind::Card { .. } => None,
    };
    if item.attempts > 1 { voice.find(&item.room, item.asker.as_ref(), under, &item.marker).await } else { Ok(None) }
}

/// How long to wait before it is tried once more.
fn pause(attempts: i64) -> SignedDuration {
    SignedDuration::from_secs((1_i64 << (attempts - 1).clamp(0, 16)).min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use andon_core::ports::Marker;
    use andon_core::{Identity, Message, OperationId, Room};
    use async_trait::async_trait;

    use super::*;

    /// A voice that notes what it is asked to do; `found` is what an earlier attempt has left.
    #[derive(Default)]
    struct Notes {
        found: Option<Placement>,
        gone: Vec<Placement>,
        calls: Mutex<Vec<&'static str>>,
    }

    impl Notes {
        fn note(&self, call: &'static str) -> Placement {
            self.calls.lock().expect("no panic").push(call);
            Placement("there".to_owned())
        }
    }

    #[async_trait]
    impl Voice for Notes {
        fn platform(&self) -> &'static str {
            "console"
        }

        async fn post(&self, _: &Room, _: Option<&Identity>, _: &Message, _: &Marker) -> Result<Placement, VoiceError> {
            Ok(self.note("post"))
        }

        async fn follow_up(&self, _: &Room, _: &Placement, _: &Message, _: &Marker) -> Result<Placement, VoiceError> {
            Ok(self.note("follow up"))
        }

        async fn edit(&self, _: &Room, placement: &Placement, _: &Message) -> Result<(), VoiceError> {
            self.note("edit");
            if self.gone.contains(placement) { Err(VoiceError::Gone) } else { Ok(()) }
        }

        async fn find(
            &self,
            _: &Room,
            _: Option<&Identity>,
            _: Option<&Placement>,
            _: &Marker,
        ) -> Result<Option<Placement>, VoiceError> {
            self.note("find");
            Ok(self.found.clone())
        }
    }

    fn card(placement: Option<Placement>) -> OutboxKind {
        let operation = "01J00000000000000000000001".parse::<OperationId>().expect("an identifier");
        OutboxKind::Card { operation, version: 2, placement }
    }

    /// What a voice is asked to do about something that is said for the `attempts`th time.
    fn calls(kind: OutboxKind, attempts: i64, found: bool) -> Vec<&'static str> {
        let place = || Placement("there".to_owned());
        calls_of(Notes { found: found.then(place), ..Notes::default() }, kind, attempts)
    }

    fn calls_of(voice: Notes, kind: OutboxKind, attempts: i64) -> Vec<&'static str> {
        let item = OutboxItem {
            kind,
            room: "console:lobby".parse().expect("a room"),
            asker: None,
            message: Message::new("hello"),
            marker: Marker("mark".to_owned()),
            attempts,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("no runtime");
        runtime.block_on(hand_over(&voice, &item)).expect("it is said");
        voice.calls.into_inner().expect("no panic")
    }

    #[test]
    fn what_may_have_been_said_is_looked_for_before_it_is_said_again() {
        let message = || OutboxKind::Message { id: 1, under: None };
        assert_eq!(calls(message(), 1, true), ["post"]);
        assert_eq!(calls(message(), 2, true), ["find"]);
        assert_eq!(calls(message(), 2, false), ["find", "post"]);
        let under = OutboxKind::Message { id: 1, under: Some(Placement("card".to_owned())) };
        assert_eq!(calls(under, 3, false), ["find", "follow up"]);
    }

    #[test]
    fn a_card_reads_as_it_should_whatever_was_said_before() {
        assert_eq!(calls(card(None), 1, false), ["post"]);
        // What was found may be an older state of the card.
        assert_eq!(calls(card(None), 2, true), ["find", "edit"]);
        // An edit that failed is an edit again, however often it was tried.
        assert_eq!(calls(card(Some(Placement("there".to_owned()))), 5, true), ["edit"]);
    }

    #[test]
    fn a_card_that_somebody_took_away_is_posted_afresh() {
        let taken = || card(Some(Placement("taken".to_owned())));
        let voice = |found: Option<&str>, gone: &[&str]| Notes {
            found: found.map(|place| Placement(place.to_owned())),
            gone: gone.iter().map(|place| Placement((*place).to_owned())).collect(),
            ..Notes::default()
        };
        assert_eq!(calls_of(voice(None, &["taken"]), taken(), 1), ["edit", "post"]);
        // An earlier attempt has posted it afresh, and its answer was lost.
        assert_eq!(calls_of(voice(Some("there"), &["taken"]), taken(), 2), ["edit", "find", "edit"]);
        assert_eq!(calls_of(voice(None, &["taken"]), taken(), 2), ["edit", "find", "post"]);
        // What is found and cannot be edited is no card either.
        assert_eq!(calls_of(voice(Some("taken"), &["taken"]), taken(), 2), ["edit", "find", "edit", "post"]);
    }

    #[test]
    fn the_pause_grows() {
        assert_eq!([1, 2, 3, 30].map(|attempts| pause(attempts).as_secs()), [1, 2, 4, LONGEST_PAUSE]);
    }
}

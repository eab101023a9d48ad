//! What a unit of work hands over: under a lease, to a worker with a free place, and only once it is kept.

use andon_core::{InvocationId, RecordKind};
use andon_store::{Accepted, NewMessage, OutboxItem, Places, Store, StoreError};
use jiff::{SignedDuration, Timestamp};

use crate::both;
use crate::given;
use crate::world::{World, at, keep, unit};

both! {
    an_accepted_invocation_is_handed_over_with_its_lease,
    what_finds_no_place_is_found,
    what_comes_while_somebody_looks_is_looked_for,
    who_no_longer_waits_has_handed_it_over_all_the_same,
    what_is_not_kept_is_not_handed_over,
    a_room_hears_what_it_waits_for_first,
}

const LEASE: SignedDuration = SignedDuration::from_secs(10);

/// Nothing was found.
fn looked(places: &Places) {
    places.caught_up(places.look(9).waited);
}

async fn deliver(store: &Store, world: &World, urgent: bool) -> InvocationId {
    let id = InvocationId::new(at(0), &*world.dice);
    given::accept_in_lane(store, world, id, &format!("console//line/{id}"), 0, urgent).await;
    id
}

async fn found(store: &Store, later: i64) -> Vec<Accepted> {
    let now = store.now().await.expect("no time") + SignedDuration::from_secs(later);
    keep!(store, |transaction| transaction.claim_invocations("another", now, now + LEASE, false, 9))
}

async fn an_accepted_invocation_is_handed_over_with_its_lease(world: World) {
    let store = world.open().await;
    let places = Places::new(1, 0);
    let mut handed = store.hand_invocations("me", &places, LEASE);
    looked(&places);
    let id = deliver(&store, &world, false).await;
    let (accepted, place) = handed.try_recv().expect("it is handed over");
    assert_eq!((accepted.invocation().id, accepted.invocation().attempts), (id, 1));
    assert!(found(&store, 5).await.is_empty(), "whoever is handed it holds it");
    let renewed = unit!(store, |transaction| transaction.renew_invocation(&accepted, Timestamp::MAX)).await;
    assert!(renewed.expect("no renewal"), "by the fence of its lease");
    drop((place, handed));
    deliver(&store, &world, false).await;
    assert_eq!(found(&store, 0).await.len(), 1, "a worker that has ended is handed nothing");
}

async fn what_finds_no_place_is_found(world: World) {
    let store = world.open().await;
    let places = Places::new(1, 1);
    let mut handed = store.hand_invocations("me", &places, LEASE);
    deliver(&store, &world, false).await;
    assert!(handed.try_recv().is_err(), "before the worker has looked, something older may wait");
    assert_eq!(found(&store, 0).await.len(), 1);
    looked(&places);
    let kept = places.look(9).places;
    assert_eq!(kept.len(), 1);
    deliver(&store, &world, false).await;
    assert!(handed.try_recv().is_err(), "the other place is for what cannot wait");
    assert!(places.are_behind());
    drop(kept);
    deliver(&store, &world, true).await;
    assert!(handed.try_recv().is_err(), "somebody waits before it");
    assert_eq!(found(&store, 0).await.len(), 2);
    looked(&places);
    let kept = places.look(9).places;
    let urgent = deliver(&store, &world, true).await;
    let (accepted, place) = handed.try_recv().expect("a place is kept for it");
    assert!(place.reserved && accepted.invocation().id == urgent);
    drop(kept);
    // After its lease it is anybody's.
    assert_eq!(found(&store, 11).await.first().map(|it| it.invocation().attempts), Some(2));
}

async fn what_comes_while_somebody_looks_is_looked_for(world: World) {
    let store = world.open().await;
    let places = Places::new(1, 0);
    let mut handed = store.hand_invocations("me", &places, LEASE);
    let look = places.look(9);
    deliver(&store, &world, false).await;
    drop(look.places);
    places.caught_up(look.waited);
    assert!(places.are_behind(), "it came after the look began");
    looked(&places);
    assert!(!places.are_behind());
    let busy = places.look(9).places;
    assert!(places.look(9).places.is_empty() && places.are_behind(), "who cannot look knows nothing of what waits");
    drop(busy);
    deliver(&store, &world, false).await;
    assert!(handed.try_recv().is_err());
}

async fn who_no_longer_waits_has_handed_it_over_all_the_same(world: World) {
    let store = world.open().await;
    let places = Places::new(1, 0);
    let mut handed = store.hand_messages("me", &places, LEASE);
    looked(&places);
    let (begun, mut is_begun) = tokio::sync::mpsc::channel::<()>(1);
    let (go_on, may_go_on) = tokio::sync::oneshot::channel::<()>();
    let new = news("console:ops", "1");
    let writer = store.clone();
    let caller = tokio::spawn(async move {
        let unit = writer.write(move |transaction| {
            Box::pin(async move {
                transaction.put_message(&new).await?;
                begun.send(()).await.expect("the test waits");
                may_go_on.await.expect("the test goes on");
                Ok::<_, StoreError>(())
            })
        });
        unit.await
    });
    is_begun.recv().await.expect("it has begun");
    caller.abort();
    assert!(caller.await.is_err(), "the caller is gone");
    go_on.send(()).expect("the unit is there");
    let (item, _) = handed.recv().await.expect("it is handed over");
    assert_eq!(item.attempts, 1);
}

async fn what_is_not_kept_is_not_handed_over(world: World) {
    let store = world.open().await;
    let places = Places::new(1, 0);
    let mut handed = store.hand_messages("me", &places, LEASE);
    looked(&places);
    let new = news("console:ops", "1");
    let record = given::sealed(&world, RecordKind::Asked, 0);
    let lost: Result<(), StoreError> = store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.put_message(&new).await?;
                transaction.append(&record).await?;
                transaction.append(&record).await.map(|_| ())
            })
        })
        .await;
    assert!(lost.is_err() && handed.try_recv().is_err());
    assert_eq!(places.look(9).places.len(), 1, "its place is free again");
}

fn news(room: &str, text: &str) -> NewMessage {
    NewMessage::new(room.parse().expect("a room"), andon_core::Message::new(text), Timestamp::MAX)
}

async fn a_room_hears_what_it_waits_for_first(world: World) {
    let store = world.open().await;
    let places = Places::new(9, 0);
    let mut handed = store.hand_messages("me", &places, LEASE);
    looked(&places);
    let news = |room: &str, text: &str| news(room, text);
    for new in [news("console:ops", "1"), news("console:ops", "2"), news("console:lobby", "3")] {
        keep!(store, |transaction| transaction.put_message(&new));
    }
    let items: Vec<OutboxItem> = std::iter::from_fn(|| handed.try_recv().ok()).map(|(item, _)| item).collect();
    let rooms: Vec<String> = items.iter().map(|item| item.room.to_string()).collect();
    assert_eq!(rooms, ["console:ops", "console:lobby"], "the second of a room waits for the first");
    let claim = async |later: i64| -> Vec<OutboxItem> {
        let now = store.now().await.expect("no time") + SignedDuration::from_secs(later);
        keep!(store, |transaction| transaction.claim_outbox(now, now + LEASE, 9))
    };
    assert!(claim(0).await.is_empty(), "and nobody else says either");
    let mut news = store.changes_about(andon_store::Topic::Outbox);
    for item in items.into_iter().rev() {
        news.mark_unchanged();
        let waits = item.room.to_string() == "console:ops";
        keep!(store, |transaction| transaction.delivered(&item, None, at(1)));
        assert_eq!(news.has_changed().expect("a store"), waits, "news where something waits behind it");
    }
    assert_eq!(claim(0).await.len(), 1);
    assert_eq!(claim(11).await.first().map(|item| item.attempts), Some(2));
}

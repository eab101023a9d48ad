//! The outbox: each room hears everything once and in order, cards are coalesced, what cannot be said is tried again until it is stale.

use std::collections::{BTreeMap, BTreeSet};

use andon_core::ports::Placement;
use andon_core::{Message, OperationId};
use andon_store::{NewCard, NewMessage, OutboxItem, OutboxKind, Store};
use tokio::task::JoinSet;

use crate::both;
use crate::given::{Wish, accepted, operation};
use crate::world::{World, at, keep, look};

both! {
    each_room_hears_in_its_order,
    urgent_news_go_before_others,
    many_dispatchers_say_everything_once,
    versions_of_a_card_are_coalesced,
    a_message_waits_for_its_card,
    what_could_not_be_said_is_tried_again,
    what_cannot_be_read_blocks_no_other_room,
    what_is_stale_is_not_said,
    what_is_given_up_blocks_nobody,
    marks_are_unique,
    what_is_unsent_is_counted,
}

const ROOMS: [&str; 3] = ["console:ops", "slack:T1/C1", "slack:T1/C1#17.1"];

fn news(room: &str, text: &str) -> NewMessage {
    NewMessage::new(room.parse().expect("a room"), Message::new(text), at(1000))
}

async fn put(store: &Store, new: NewMessage) {
    keep!(store, |transaction| transaction.put_message(&new));
}

async fn put_card(store: &Store, operation: OperationId, room: &str, text: &str) {
    let room = room.parse().expect("a room");
    let new = NewCard { operation, room, asker: None, message: Message::new(text) };
    keep!(store, |transaction| transaction.put_card(&new));
}

async fn redraw(store: &Store, operation: OperationId, text: &str) {
    let message = Message::new(text);
    keep!(store, |transaction| transaction.redraw_cards(operation, &message));
}

async fn claim(store: &Store, now: i64, limit: u32) -> Vec<OutboxItem> {
    keep!(store, |transaction| transaction.claim_outbox(at(now), at(now + 15), limit))
}

async fn say(store: &Store, item: OutboxItem, place: &str) {
    let placement = Placement(place.to_owned());
    keep!(store, |transaction| transaction.delivered(&item, Some(&placement), at(1)));
}

fn texts(items: &[OutboxItem]) -> Vec<String> {
    items.iter().map(text).collect()
}

fn text(item: &OutboxItem) -> String {
    // Summaries here are single spans of text.
    let line = serde_json::to_string(&item.message.summary).expect("a line");
    line.chars().filter(|character| character.is_ascii_digit()).collect()
}

async fn each_room_hears_in_its_order(world: World) {
    let store = world.open().await;
    for number in 0..12 {
        put(&store, news(ROOMS[number % 3], &number.to_string())).await;
    }
    let mut heard: BTreeMap<String, Vec<String>> = BTreeMap::new();
    loop {
        let items = claim(&store, 0, 10).await;
        assert!(claim(&store, 14, 10).await.is_empty(), "no room hears two things at a time");
        let rooms: BTreeSet<_> = items.iter().map(|item| item.room.clone()).collect();
        assert_eq!(rooms.len(), items.len());
        if items.is_empty() {
            break;
        }
        for item in items {
            heard.entry(item.room.to_string()).or_default().push(text(&item));
            say(&store, item, "there").await;
        }
    }
    assert_eq!(heard["console:ops"], ["0", "3", "6", "9"]);
    assert_eq!(heard["slack:T1/C1"], ["1", "4", "7", "10"]);
    assert_eq!(heard["slack:T1/C1#17.1"], ["2", "5", "8", "11"]);
}

async fn urgent_news_go_before_others(world: World) {
    let store = world.open().await;
    put(&store, news(ROOMS[0], "1")).await;
    put(&store, news(ROOMS[1], "2")).await;
    put(&store, NewMessage { urgent: true, ..news(ROOMS[1], "3") }).await;
    let mut heard = Vec::new();
    while let Some(item) = claim(&store, 0, 1).await.pop() {
        heard.push(text(&item));
        say(&store, item, "there").await;
    }
    assert_eq!(heard, ["3", "1", "2"]);
}

async fn many_dispatchers_say_everything_once(world: World) {
    let store = world.open().await;
    let (id, _) = operation(&store, &world, &Wish::default()).await;
    let mut things = BTreeSet::new();
    for number in 0..24 {
        let room = format!("console:room{number}");
        put(&store, news(&room, &format!("{number}"))).await;
        put_card(&store, id, &room, &format!("{}", 100 + number)).await;
        things.extend([number.to_string(), (100 + number).to_string()]);
    }
    let dispatchers: JoinSet<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            async move { texts(&claim(&store, 0, 8).await) }
        })
        .collect();
    let said: Vec<String> = dispatchers.join_all().await.into_iter().flatten().collect();
    let once: BTreeSet<String> = said.iter().cloned().collect();
    assert_eq!(once.len(), said.len(), "something is said twice: {said:?}");
    let mut rest = texts(&claim(&store, 0, 100).await);
    rest.extend(said);
    assert_eq!(rest.into_iter().collect::<BTreeSet<_>>(), things, "something is never said");
}

async fn versions_of_a_card_are_coalesced(world: World) {
    let store = world.open().await;
    let (id, _) = operation(&store, &world, &Wish::default()).await;
    put_card(&store, id, ROOMS[0], "1").await;
    put_card(&store, id, ROOMS[0], "one card is enough").await;
    let first = claim(&store, 0, 10).await.pop().expect("a card");
    assert!(matches!(&first.kind, OutboxKind::Card { version: 1, placement: None, .. }));
    for text in ["2", "3", "3", "4"] {
        redraw(&store, id, text).await;
    }
    assert!(claim(&store, 1, 10).await.is_empty(), "the first version is on its way");
    say(&store, first, "there").await;
    let last = claim(&store, 2, 10).await.pop().expect("the newest version");
    assert_eq!(text(&last), "4");
    let placed = Some(Placement("there".to_owned()));
    assert!(matches!(&last.kind, OutboxKind::Card { version: 4, placement, .. } if *placement == placed));
    say(&store, last, "there").await;
    redraw(&store, id, "4").await;
    assert!(claim(&store, 3, 10).await.is_empty(), "what reads the same is not said again");
}

async fn a_message_waits_for_its_card(world: World) {
    let store = world.open().await;
    let (id, _) = operation(&store, &world, &Wish::default()).await;
    put_card(&store, id, ROOMS[0], "1").await;
    put(&store, NewMessage { operation: Some(id), under_card: true, ..news(ROOMS[0], "2") }).await;
    let card = claim(&store, 0, 10).await;
    assert_eq!(texts(&card), ["1"]);
    assert!(claim(&store, 1, 10).await.is_empty(), "it has nothing to go under yet");
    for item in card {
        say(&store, item, "under here").await;
    }
    let message = claim(&store, 1, 10).await.pop().expect("the message");
    let under = Some(Placement("under here".to_owned()));
    assert!(matches!(&message.kind, OutboxKind::Message { under: place, .. } if *place == under));
}

async fn what_could_not_be_said_is_tried_again(world: World) {
    let store = world.open().await;
    let (id, _) = operation(&store, &world, &Wish::default()).await;
    put_card(&store, id, ROOMS[1], "7").await;
    put(&store, news(ROOMS[0], "1")).await;
    put(&store, news(ROOMS[0], "2")).await;
    for (attempt, now) in [(1, 0), (2, 100), (3, 200)] {
        let items = claim(&store, now, 10).await;
        assert_eq!(texts(&items), ["7", "1"]);
        for item in items {
            assert_eq!(item.attempts, attempt);
            keep!(store, |transaction| transaction.retry_later(&item, at(now + 100)));
        }
        assert!(claim(&store, now + 99, 10).await.is_empty(), "not before its time, and nothing overtakes it");
    }
    // A dispatcher that is gone has noted nothing: its lease runs out. That it may have said something is remembered all the same.
    assert_eq!(texts(&claim(&store, 300, 10).await), ["7", "1"]);
    assert!(claim(&store, 314, 10).await.is_empty());
    let items = claim(&store, 315, 10).await;
    assert_eq!(texts(&items), ["7", "1"]);
    assert!(items.iter().all(|item| item.attempts == 5));
}

async fn what_cannot_be_read_blocks_no_other_room(world: World) {
    let store = world.open().await;
    put(&store, news(ROOMS[0], "1")).await;
    put(&store, news(ROOMS[1], "2")).await;
    world
        .raw()
        .await
        .execute(format!("update messages set message = '[]' where room = '{}'", ROOMS[0]))
        .await
        .expect("not broken");
    assert_eq!(texts(&claim(&store, 0, 10).await), ["2"]);
}

async fn what_is_stale_is_not_said(world: World) {
    let store = world.open().await;
    let born = accepted(&store, &world, 0).await;
    put(&store, NewMessage { invocation: Some(born), expires_at: at(50), ..news(ROOMS[0], "1") }).await;
    put(&store, NewMessage { expires_at: at(500), ..news(ROOMS[0], "2") }).await;
    let first = claim(&store, 0, 10).await.pop().expect("the first");
    keep!(store, |transaction| transaction.retry_later(&first, at(40)));
    assert_eq!(texts(&claim(&store, 49, 10).await), ["1"], "still worth saying");
    assert!(claim(&store, 50, 10).await.is_empty(), "somebody may be saying it just now");
    assert_eq!(texts(&claim(&store, 64, 10).await), ["2"], "the room goes on without it");
    assert_eq!(look!(store, |connection| connection.unsent(born, None)), 0, "nobody waits for it");
}

async fn what_is_given_up_blocks_nobody(world: World) {
    let store = world.open().await;
    let (id, _) = operation(&store, &world, &Wish::default()).await;
    put_card(&store, id, ROOMS[0], "1").await;
    put(&store, NewMessage { operation: Some(id), under_card: true, ..news(ROOMS[0], "2") }).await;
    put(&store, news(ROOMS[0], "3")).await;
    let mut heard = Vec::new();
    while let Some(item) = claim(&store, 0, 1).await.pop() {
        heard.push(text(&item));
        keep!(store, |transaction| transaction.give_up(&item, "no such room", at(1)));
    }
    assert_eq!(heard, ["1", "2", "3"]);
    redraw(&store, id, "4").await;
    assert!(claim(&store, 100, 10).await.is_empty(), "a card that was given up stays so");
}

async fn marks_are_unique(world: World) {
    let store = world.open().await;
    let (id, _) = operation(&store, &world, &Wish::default()).await;
    let writers: JoinSet<_> = (0..16)
        .map(|number| {
            let store = store.clone();
            let new = NewMessage { operation: Some(id), ..news(&format!("console:room{number}"), "1") };
            async move { put(&store, new).await }
        })
        .collect();
    writers.join_all().await;
    put_card(&store, id, ROOMS[0], "2").await;
    let items = claim(&store, 0, 100).await;
    let marks: BTreeSet<String> = items.iter().map(|item| item.marker.0.clone()).collect();
    assert_eq!(marks.len(), 17, "by its mark a message of unknown fate is found again: {marks:?}");
}

async fn what_is_unsent_is_counted(world: World) {
    let store = world.open().await;
    let (id, _) = operation(&store, &world, &Wish::default()).await;
    let born = look!(store, |connection| connection.operation(id)).expect("no operation").invocation;
    put_card(&store, id, ROOMS[0], "1").await;
    put(&store, NewMessage { invocation: Some(born), ..news(ROOMS[1], "2") }).await;
    put(&store, news(ROOMS[2], "3")).await;
    assert_eq!(look!(store, |connection| connection.unsent(born, Some(id))), 2);
    assert_eq!(look!(store, |connection| connection.unsent(born, None)), 1);
    for item in claim(&store, 0, 10).await {
        say(&store, item, "there").await;
    }
    assert_eq!(look!(store, |connection| connection.unsent(born, Some(id))), 0);
}

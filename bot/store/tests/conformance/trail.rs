//! The trail: nothing in it changes or goes away, and its numbers follow the order in which records were written.

use andon_core::{Digest, PersonId, RecordId, RecordKind, RecordNumber};
use andon_store::{Search, Store};
use andon_trail::{Disclosure, Sealed, SignedCheckpoint, tree};
use tokio::task::JoinSet;

use crate::both;
use crate::given::{sealed, speaker};
use crate::world::{Database, World, at, keep, look, unit};

both! {
    nothing_is_changed_or_removed,
    numbers_follow_the_order_of_writing,
    a_clock_that_goes_backwards_keeps_the_order,
    many_writers_leave_no_gap,
    a_checkpoint_is_kept_once,
    a_person_has_one_number,
    records_are_found_by_what_they_are_about,
    a_list_that_was_tampered_with_hides_no_record,
}

/// Every table of the trail, with a column that can be set to itself.
const TABLES: &[(&str, &str)] = &[
    ("records", "kind"),
    ("record_targets", "service"),
    ("trail_leaves", "leaf_hash"),
    ("trail_hashes", "hash"),
    ("checkpoints", "note"),
    ("texts", "body"),
    ("people", "person"),
];

async fn append(store: &Store, record: &Sealed) -> Option<RecordNumber> {
    let record = record.clone();
    keep!(store, |transaction| transaction.append(&record))
}

async fn integrate(store: &Store, limit: u32) -> usize {
    keep!(store, |transaction| transaction.integrate(limit)).count
}

async fn put_checkpoint(store: &Store, size: u64, note: &str) {
    let root = look!(store, |connection| connection.root(size));
    let checkpoint = SignedCheckpoint { origin: "andon".to_owned(), size, root, note: note.to_owned() };
    keep!(store, |transaction| transaction.put_checkpoint(&checkpoint, at(0)));
}

async fn number_of(store: &Store, person: &str) -> i64 {
    let person: PersonId = speaker(person).person;
    keep!(store, |transaction| transaction.person_number(&person))
}

async fn nothing_is_changed_or_removed(world: World) {
    let store = world.open().await;
    let mut record = sealed(&world, RecordKind::Asked, 0);
    record.disclosures.push(Disclosure { path: "/said/raw".to_owned(), salt: [7; 16], value: "deploy".to_owned() });
    record.texts.push((Digest::of("a long text"), "a long text".to_owned()));
    append(&store, &record).await;
    integrate(&store, 10).await;
    number_of(&store, "ana").await;
    put_checkpoint(&store, 1, "signed").await;

    let mut raw = world.raw().await;
    for (table, column) in TABLES {
        let mut attempts = vec![format!("update {table} set {column} = {column}"), format!("delete from {table}")];
        if world.database == Database::Postgres {
            attempts.push(format!("truncate {table} cascade"));
        }
        for attempt in attempts {
            let refused = raw.execute(&attempt).await.expect_err(&attempt).to_string();
            let says = ["append-only", "never change"].iter().any(|words| refused.contains(words));
            assert!(says, "{attempt} is refused by something else: {refused}");
        }
        if world.database == Database::Sqlite {
            // A way round the triggers that guard deletion. It is refused, or does nothing.
            let replaced = raw.execute(format!("insert or replace into {table} select * from {table}")).await;
            assert_eq!(replaced.unwrap_or(0), 0, "{table} was replaced");
        }
    }
    let refused = raw.execute("update disclosures set value = 'rollback'").await;
    refused.expect_err("a disclosure is no longer what was committed to");
    let row = look!(store, |connection| connection.record_by_id(record.id)).expect("the record is gone");
    assert_eq!((row.leaf, row.leaf_hash, row.disclosures), (record.leaf, record.leaf_hash, record.disclosures));
    assert_eq!(look!(store, |connection| connection.text(Digest::of("a long text"))).as_deref(), Some("a long text"));
    // A disclosure alone may be erased; its commitment stays in the leaf.
    assert_eq!(raw.execute("delete from disclosures").await.expect("erased"), 1);
    assert!(look!(store, |connection| connection.record_by_id(record.id)).expect("no record").disclosures.is_empty());
}

async fn a_list_that_was_tampered_with_hides_no_record(world: World) {
    let store = world.open().await;
    let record = sealed(&world, RecordKind::Asked, 0);
    keep!(store, |transaction| transaction.append(&record));
    world.raw().await.execute("delete from waiting_records").await.expect("the list is no part of the trail");
    assert_eq!(integrate(&store, 7).await, 0, "the sequencer goes by the list");
    let hidden = u64::from(world.database == Database::Postgres);
    assert_eq!(look!(store, |connection| connection.unnumbered()), hidden, "a verification does not");
}

/// The identifiers in the order of their numbers, and that the numbers and the root are right.
async fn numbered(store: &Store) -> Vec<RecordId> {
    while integrate(store, 7).await > 0 {}
    assert_eq!(look!(store, |connection| connection.unnumbered()), 0);
    assert_eq!(look!(store, |connection| connection.waiting_records()), (0, None));
    let rows = look!(store, |connection| connection.leaves(0, 1000));
    let size = look!(store, |connection| connection.tree_size());
    assert_eq!(size, rows.len() as u64);
    assert!(rows.iter().zip(0..).all(|(row, number)| row.number == Some(RecordNumber(number))), "a gap");

    // The same tree, built by hand.
    let mut hashes = std::collections::BTreeMap::new();
    for (row, number) in rows.iter().zip(0..) {
        let more = tree::hashes_to_append(number, row.leaf_hash, &hashes).expect("hashes");
        hashes.extend((tree::first_position(number)..).zip(more));
    }
    let root = tree::root(size, &hashes).expect("a root");
    assert_eq!(look!(store, |connection| connection.root(size)), root);
    rows.into_iter().map(|row| row.id).collect()
}

async fn numbers_follow_the_order_of_writing(world: World) {
    let store = world.open().await;
    let mut written = Vec::new();
    for seconds in 0..20 {
        let record = sealed(&world, RecordKind::Asked, seconds);
        let number = append(&store, &record).await;
        let at_once = (world.database == Database::Sqlite).then_some(RecordNumber(written.len() as u64));
        assert_eq!(number, at_once);
        written.push(record.id);
        if seconds % 5 == 0 {
            integrate(&store, 3).await;
        }
    }
    assert_eq!(numbered(&store).await, written);
    let third = look!(store, |connection| connection.record(RecordNumber(3))).expect("no record");
    assert_eq!(look!(store, |connection| connection.record_number(third.id)), Some(RecordNumber(3)));
    assert!(look!(store, |connection| connection.record(RecordNumber(20))).is_none());
}

async fn a_clock_that_goes_backwards_keeps_the_order(world: World) {
    let store = world.open().await;
    let mut written = Vec::new();
    for seconds in [50, 40, 60, 10, 10, 0, 70] {
        let record = sealed(&world, RecordKind::Asked, seconds);
        append(&store, &record).await;
        written.push(record.id);
    }
    assert_eq!(numbered(&store).await, written);
    let found = look!(store, |connection| connection.search(&Search { limit: 100, ..Search::default() }));
    assert!(found.iter().map(|row| row.id).eq(written.into_iter().rev()), "newest first is by writing, not by clock");
}

async fn many_writers_leave_no_gap(world: World) {
    let store = world.open().await;
    let writers: JoinSet<_> = (0..16)
        .map(|writer| {
            let (store, world) = (store.clone(), world.clone());
            async move {
                let mut written = Vec::new();
                for step in 0..4 {
                    let record = sealed(&world, RecordKind::Asked, 100 - step);
                    append(&store, &record).await;
                    written.push(record.id);
                    // A unit that fails leaves no number behind.
                    let twice = record.clone();
                    let refused = unit!(store, |transaction| transaction.append(&twice)).await;
                    refused.expect_err("the same record twice");
                    if writer % 4 == 0 {
                        integrate(&store, 5).await;
                    }
                }
                written
            }
        })
        .collect();
    let written = writers.join_all().await;
    let numbered = numbered(&store).await;
    assert_eq!(numbered.len(), 64);
    for own in written {
        let places: Vec<_> = own.iter().map(|id| numbered.iter().position(|other| other == id)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "a writer's records keep their order");
    }
}

async fn a_checkpoint_is_kept_once(world: World) {
    let store = world.open().await;
    for seconds in 0..3 {
        append(&store, &sealed(&world, RecordKind::Asked, seconds)).await;
    }
    numbered(&store).await;
    for (size, note) in [(1, "one"), (3, "three"), (1, "one again"), (2, "two")] {
        put_checkpoint(&store, size, note).await;
    }
    let kept = look!(store, |connection| connection.checkpoints(i64::MAX, 10));
    assert_eq!(
        kept.iter().map(|(size, _, note)| (*size, note.as_str())).collect::<Vec<_>>(),
        [(3, "three"), (2, "two"), (1, "one")]
    );
    assert_eq!(look!(store, |connection| connection.latest_checkpoint()).map(|(size, ..)| size), Some(3));
    assert_eq!(look!(store, |connection| connection.checkpoints(3, 1)).pop().map(|(size, ..)| size), Some(2));
}

async fn a_person_has_one_number(world: World) {
    let store = world.open().await;
    let asking: JoinSet<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            async move { number_of(&store, "ana").await }
        })
        .collect();
    let numbers = asking.join_all().await;
    assert!(numbers.iter().all(|number| *number == numbers[0]), "{numbers:?}");
    assert_ne!(number_of(&store, "ben").await, numbers[0]);
    let named = look!(store, |connection| connection.person_named(numbers[0]));
    assert_eq!(named, Some(speaker("ana").person));
    assert_eq!(look!(store, |connection| connection.person_named(i64::MAX)), None);
}

async fn records_are_found_by_what_they_are_about(world: World) {
    let store = world.open().await;
    let ana = number_of(&store, "ana").await;
    let mut asked = sealed(&world, RecordKind::Asked, 10);
    asked.index.person = Some(ana);
    let mut finished = sealed(&world, RecordKind::Finished, 20);
    finished.index.outcome = Some("succeeded".to_owned());
    finished.index.targets = vec!["web/staging".parse().expect("a target")];
    for record in [&asked, &finished] {
        append(&store, record).await;
    }
    let word = |text: &str| Some(text.to_owned());
    let all = Search { limit: 10, ..Search::default() };
    for (search, expected) in [
        (Search { person: Some(speaker("ana").person), ..all.clone() }, vec![asked.id]),
        (Search { person: Some(speaker("cy").person), ..all.clone() }, vec![]),
        (Search { service: word("web"), ..all.clone() }, vec![finished.id]),
        (Search { environment: word("prod"), ..all.clone() }, vec![asked.id]),
        (Search { service: word("web"), environment: word("prod"), ..all.clone() }, vec![]),
        (Search { command: word("deploy"), ..all.clone() }, vec![finished.id, asked.id]),
        (Search { outcome: word("succeeded"), ..all.clone() }, vec![finished.id]),
        (Search { kind: word("asked"), ..all.clone() }, vec![asked.id]),
        (Search { since: Some(at(11)), ..all.clone() }, vec![finished.id]),
        (Search { until: Some(at(20)), ..all.clone() }, vec![asked.id]),
        (Search { limit: 1, ..all.clone() }, vec![finished.id]),
    ] {
        let found = look!(store, |connection| connection.search(&search));
        assert_eq!(found.iter().map(|row| row.id).collect::<Vec<_>>(), expected, "{search:?}");
    }
}

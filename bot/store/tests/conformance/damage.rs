//! Damage on SQLite: a broken file, a full disk. The error is clear, and nothing that was acknowledged is lost.

use std::path::PathBuf;
use std::process::Command;

use andon_core::{PersonId, RecordId, RecordKind};
use andon_store::{Connection, DatabaseUrl, OpenError, Store, StoreError};

use crate::given::{sealed, speaker};
use crate::world::{self, Database, World, keep, look, unit};

/// Where the process that fills its disk keeps its database: set only by the test that starts it.
const FULL: &str = "ANDON_TEST_FULL_DISK";

fn file(world: &World) -> PathBuf {
    match &world.url {
        DatabaseUrl::Sqlite(path) => path.clone(),
        DatabaseUrl::Postgres(_) => panic!("a file"),
    }
}

/// A record of 10 KB.
async fn write(store: &Store, world: &World) -> Result<RecordId, StoreError> {
    let mut record = sealed(world, RecordKind::Asked, 0);
    record.leaf.resize(10_000, b' ');
    let id = record.id;
    unit!(store, |transaction| transaction.append(&record)).await.map(|_| id)
}

async fn all_there(store: &Store, acknowledged: &[RecordId]) {
    let rows = look!(store, |connection| connection.leaves(0, 10_000));
    assert!(rows.iter().map(|row| row.id).eq(acknowledged.iter().copied()), "not what was acknowledged");
}

#[test]
fn what_is_no_database_is_left_alone() {
    world::run(Database::Sqlite, async |world: World| {
        let text = "this is a shopping list, not a database\n".repeat(200);
        std::fs::write(file(&world), &text).expect("a file");
        let refused = world.try_open().await.err().expect("a shopping list was opened");
        assert!(matches!(refused, OpenError::Corrupt(_)), "{refused:?}");
        assert!(refused.to_string().starts_with("the database is damaged"), "{refused}");
        assert_eq!(std::fs::read_to_string(file(&world)).expect("a file"), text);
    });
}

/// A database with some records in it, closed, and its file's bytes.
async fn filled(world: &World) -> Vec<u8> {
    let store = world.open().await;
    for _ in 0..20 {
        write(&store, world).await.expect("written");
    }
    store.close().await;
    std::fs::read(file(world)).expect("a file")
}

#[test]
fn a_damaged_database_says_so() {
    world::run(Database::Sqlite, async |world: World| {
        let whole = filled(&world).await;
        let mut overwritten = whole.clone();
        overwritten[4096..].fill(0xaa);
        for damaged in [&whole[..4096 * 2 + 100], &overwritten] {
            std::fs::write(file(&world), damaged).expect("a file");
            let refused = world.try_open().await.err().expect("a damaged database was opened");
            assert!(matches!(refused, OpenError::Corrupt(_)), "{refused:?}");
        }
        std::fs::write(file(&world), &whole).expect("a file");
        let store = world.open().await;
        assert_eq!(look!(store, |connection| connection.tree_size()), 20, "the copy is still good");
    });
}

/// Sets how large the file of the store's own connection may become.
async fn limit(store: &Store, sql: &'static str) -> i64 {
    let limited = store.write(move |transaction| {
        Box::pin(async move {
            let Connection::Sqlite(connection) = transaction.connection() else { panic!("a file") };
            let (pages,): (i64,) = sqlx::query_as(sql).fetch_one(connection).await?;
            Ok::<_, StoreError>(pages)
        })
    });
    limited.await.expect("a limit")
}

#[test]
fn a_full_database_keeps_what_was_acknowledged() {
    world::run(Database::Sqlite, async |world: World| {
        let store = world.open().await;
        let before = limit(&store, "pragma page_count").await;
        assert_eq!(limit(&store, "pragma max_page_count = 200").await, 200);
        assert!(before < 200);
        let mut acknowledged = Vec::new();
        let refused = loop {
            match write(&store, &world).await {
                Ok(id) => acknowledged.push(id),
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, StoreError::NotWritable(_)), "{refused:?}");
        assert_eq!(refused.to_string(), "the database cannot be written");
        assert!(acknowledged.len() > 10);
        all_there(&store, &acknowledged).await;
        // Room again: the same store goes on.
        limit(&store, "pragma max_page_count = 100000").await;
        acknowledged.push(write(&store, &world).await.expect("there is room again"));
        store.close().await;
        drop(store);
        all_there(&world.open().await, &acknowledged).await;
    });
}

#[test]
fn a_full_disk_keeps_what_was_acknowledged() {
    if let Some(folder) = std::env::var_os(FULL) {
        return fill_the_disk(folder.into());
    }
    world::run(Database::Sqlite, async |world: World| {
        // In a process of its own, whose files may have two megabytes: it hits the limit where the batch is committed.
        let output = Command::new("sh")
            .args([
                "-c",
                "trap '' XFSZ; ulimit -f 4096; exec \"$0\" --exact damage::a_full_disk_keeps_what_was_acknowledged",
            ])
            .arg(std::env::current_exe().expect("this test"))
            .env(FULL, world.folder.path())
            .output()
            .expect("no shell");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let told = std::fs::read_to_string(world.folder.path().join("acknowledged")).expect("it did not run");
        let acknowledged: Vec<RecordId> = told.lines().map(|line| line.parse().expect("an id")).collect();
        assert!(acknowledged.len() > 10, "{told}");
        let store = world.open().await;
        all_there(&store, &acknowledged).await;
        // The other process threw the same dice: past its throws, or the record would be one of those.
        (0..100_000).for_each(|_| _ = world.dice.roll());
        write(&store, &world).await.expect("there is room again");
    });
}

/// Writes until nothing more can be written, and leaves a list of what was acknowledged.
fn fill_the_disk(folder: PathBuf) {
    world::run(Database::Sqlite, async move |world: World| {
        let world = World { url: DatabaseUrl::Sqlite(folder.join("andon.db")), ..world };
        let store = world.open().await;
        let mut acknowledged = Vec::new();
        let refused = loop {
            match write(&store, &world).await {
                Ok(id) => acknowledged.push(id.to_string()),
                Err(error) => break error,
            }
            assert!(acknowledged.len() < 10_000, "the disk is never full");
        };
        assert!(matches!(refused, StoreError::NotWritable(_)), "{refused:?}");
        let again = write(&store, &world).await.expect_err("still full");
        assert!(matches!(again, StoreError::NotWritable(_)), "{again:?}");
        std::fs::write(folder.join("acknowledged"), acknowledged.join("\n")).expect("a list");
    });
}

#[test]
fn a_unit_that_panics_takes_nothing_with_it() {
    world::run(Database::Sqlite, async |world: World| {
        let store = world.open().await;
        let person: PersonId = speaker("ana").person;
        let lost = store.write(move |transaction| {
            Box::pin(async move {
                transaction.person_number(&person).await?;
                panic!("a mistake in the engine");
                #[expect(unreachable_code, reason = "says what the unit would have made")]
                Ok::<(), StoreError>(())
            })
        });
        assert!(matches!(lost.await, Err(StoreError::Lost)));
        let mut raw = world.raw().await;
        assert_eq!(raw.number("select count(*) from people").await, 0);
        keep!(store, |transaction| transaction.person_number(&speaker("ben").person));
        assert_eq!(raw.number("select count(*) from people").await, 1);
    });
}

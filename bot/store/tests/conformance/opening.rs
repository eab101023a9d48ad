//! Opening: by one process at a time on SQLite, by any number on PostgreSQL, and never another's data.

use andon_store::{DatabaseUrl, OpenError, Purpose, Store};
use tokio::task::JoinSet;

use crate::both;
use crate::given::accepted;
use crate::world::{self, Database, World, keep, look};

both! {
    what_was_accepted_is_there_after_a_restart,
    a_reader_stands_beside_the_writer,
    the_playground_is_kept_apart,
    changes_are_told,
    what_is_deployed_locally_runs_in_one_place,
}

async fn what_is_deployed_locally_runs_in_one_place(world: World) {
    let store = world.open().await;
    let claim = async |place: &'static str, take_over| {
        let claimed =
            store.write(move |transaction| Box::pin(async move { transaction.claim_local(place, take_over).await }));
        claimed.await.expect("it can be claimed")
    };
    assert_eq!(claim("a:/data", false).await, "a:/data");
    assert_eq!(claim("b:/data", false).await, "a:/data", "the first one has it");
    assert_eq!(claim("a:/data", false).await, "a:/data");
    assert_eq!(claim("b:/data", true).await, "b:/data");
    assert_eq!(claim("a:/data", false).await, "b:/data");
    store.close().await;
}

#[test]
fn a_second_process_is_refused_with_the_pid_of_the_first() {
    world::run(Database::Sqlite, async |world: World| {
        let first = world.open().await;
        let refused = world.try_open().await.err().expect("two writers of one file");
        assert!(matches!(&refused, OpenError::InUse { pid } if *pid == std::process::id().to_string()), "{refused:?}");
        assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
        let again = world.try_open().await.err().expect("two writers of one file");
        assert!(matches!(again, OpenError::InUse { .. }), "being refused takes nothing away: {again:?}");
        first.close().await;
        drop(first);
        world.open().await;
    });
}

#[test]
fn the_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    world::run(Database::Sqlite, async |world: World| {
        let _store = world.open().await;
        let DatabaseUrl::Sqlite(path) = &world.url else { panic!("a file") };
        for beside in ["", "-wal", "-shm"] {
            let path = format!("{}{beside}", path.display());
            let mode = std::fs::metadata(&path).expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{path}");
        }
    });
}

#[test]
fn replicas_that_start_together_migrate_once() {
    world::run(Database::Postgres, async |world: World| {
        let opening: JoinSet<_> = (0..6)
            .map(|_| {
                let world = world.clone();
                async move { world.try_open().await }
            })
            .collect();
        let stores: Vec<Store> =
            opening.join_all().await.into_iter().map(|opened| opened.expect("a replica did not start")).collect();
        accepted(&stores[0], &world, 0).await;
        for store in &stores {
            assert_eq!(look!(store, |connection| connection.waiting_invocations()).0, 1, "they share one database");
            store.close().await;
        }
        let mut raw = world.raw().await;
        assert_eq!(raw.number("select count(*) from _sqlx_migrations").await, andon_store::newest());
    });
}

async fn what_was_accepted_is_there_after_a_restart(world: World) {
    let store = world.open().await;
    let id = accepted(&store, &world, 0).await;
    store.close().await;
    drop(store);
    let store = world.open().await;
    assert!(look!(store, |connection| connection.invocation(id)).is_some());
}

async fn a_reader_stands_beside_the_writer(world: World) {
    let missing = Store::open_read_only(&world.url, world.clock.clone()).await;
    assert!(missing.is_err(), "a reader makes no database");
    let store = world.open().await;
    let reader = Store::open_read_only(&world.url, world.clock.clone()).await.expect("a reader");
    let id = accepted(&store, &world, 0).await;
    assert!(look!(reader, |connection| connection.invocation(id)).is_some(), "it sees what is written");
    reader.close().await;
    accepted(&store, &world, 1).await;
}

async fn the_playground_is_kept_apart(world: World) {
    let store = world.open().await;
    store.close().await;
    drop(store);
    let refused = Store::open(&world.url, Purpose::Playground, world.clock.clone()).await;
    let refused = refused.err().expect("the playground got the bot's data");
    assert!(
        matches!(&refused, OpenError::OtherPurpose { found, expected } if found == "serve" && expected == "playground"),
        "{refused:?}"
    );
    world.open().await;
}

async fn changes_are_told(world: World) {
    let store = world.open().await;
    let mut changes = store.changes();
    changes.mark_unchanged();
    accepted(&store, &world, 0).await;
    changes.changed().await.expect("the store is open");
    if world.database == Database::Postgres {
        let other = world.open().await;
        changes.mark_unchanged();
        // Told by the database, through the listener of this replica.
        keep!(other, |transaction| transaction.person_number(&crate::given::speaker("ben").person));
        changes.changed().await.expect("the store is open");
    }
}

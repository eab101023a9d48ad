//! Migrations: each over the data that the ones before it left behind, the same on both databases, none of them ever edited.

use std::path::PathBuf;

use andon_core::{Digest, OperationId, RecordId};
use andon_store::{DatabaseUrl, OpenError, Store};
use serde_json::json;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use crate::both;
use crate::given::{command, plan, room, said, speaker, target};
use crate::world::{Database, Raw, World, at, look};

both! {
    each_keeps_what_was_there,
    a_newer_database_is_refused,
    an_older_database_is_not_only_read,
    an_edited_migration_is_noticed,
}

/// A migration as it lies in the repository.
struct Step {
    number: i64,
    name: String,
    sql: String,
}

fn steps(database: Database) -> Vec<Step> {
    let folder = match database {
        Database::Sqlite => "sqlite",
        Database::Postgres => "postgres",
    };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(folder);
    let mut steps: Vec<Step> = std::fs::read_dir(folder)
        .expect("no migrations")
        .map(|file| {
            let path = file.expect("a file").path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
            let (number, name) = stem.split_once('_').expect("a number and a name");
            let sql = std::fs::read_to_string(&path).expect("a text");
            Step { number: number.parse().expect("a number"), name: name.to_owned(), sql }
        })
        .collect();
    steps.sort_by_key(|step| step.number);
    steps
}

/// Applies migrations as the program does, but from the files.
async fn apply(raw: &mut Raw, steps: &[Step]) -> Result<(), MigrateError> {
    let steps = steps.iter().map(|step| {
        let sql = AssertSqlSafe(step.sql.clone()).into_sql_str();
        Migration::new(step.number, step.name.clone().into(), MigrationType::Simple, sql, false)
    });
    let migrator = Migrator::with_migrations(steps.collect());
    match raw {
        Raw::Sqlite(connection) => migrator.run_direct(None, connection, false).await,
        Raw::Postgres(connection) => migrator.run_direct(None, connection, false).await,
    }
}

#[test]
fn both_databases_tell_one_story() {
    let names = |database| steps(database).into_iter().map(|step| (step.number, step.name)).collect::<Vec<_>>();
    let sqlite = names(Database::Sqlite);
    assert_eq!(sqlite, names(Database::Postgres));
    assert!(sqlite.iter().map(|(number, _)| *number).eq(1..=andon_store::newest()), "no gap, and all are compiled in");
}

const RECORD: &str = "01J00000000000000000000001";
const INVOCATION: &str = "01J00000000000000000000002";
const OPERATION: &str = "01J00000000000000000000003";

/// What a bot of that version would have left in the tables that came with migration `number`.
fn rows(database: Database, number: i64) -> Vec<String> {
    let (digest, now) = (Digest::of("v2"), at(0).as_microsecond());
    match number {
        1 => of_the_trail(database, digest, now),
        2 => of_invocations(now),
        3 => of_operations(digest, now),
        4 => of_locks(digest, now),
        5 => of_the_outbox(now),
        6 => of_rooms_of_holds(now),
        7 => vec![
            "insert into watched_targets (service, environment, well, revision) values ('api', 'prod', 1, 0)"
                .to_owned(),
        ],
        // They keep nothing of their own.
        8..=10 => Vec::new(),
        11 => vec![
            format!("insert into accounts (identity, person, closed, changed) values ('slack:T1/U1', 'ana', 0, {now})"),
            format!("insert into hearings (platform, until) values ('slack', {now})"),
            format!("insert into room_anchors (room, size, posted) values ('slack:T1/C1', 1, {now})"),
        ],
        other => panic!("write down what migration {other} has to keep"),
    }
}

fn of_rooms_of_holds(now: i64) -> Vec<String> {
    let columns = "service, environment, token, owner, reason, at, expires_at, room";
    vec![format!(
        "insert into locks ({columns}) values ('web', 'prod', 1, 'ana', 'why', {now}, {now} + 1000000, 'console:ops')"
    )]
}

fn of_the_trail(database: Database, digest: Digest, now: i64) -> Vec<String> {
    let blob = |hex: &str| match database {
        Database::Sqlite => format!("x'{hex}'"),
        Database::Postgres => format!("'\\x{hex}'::bytea"),
    };
    vec![
        "insert into meta (key, value) values ('purpose', 'serve')".to_owned(),
        "insert into people (person) values ('ana')".to_owned(),
        format!(
            "insert into records (id, leaf, leaf_hash, kind, recorded, person, targets, command) values ('{RECORD}', {}, '{}', \
                 'asked', {now}, 1, '[{{\"service\":\"api\",\"environment\":\"prod\"}}]', 'deploy')",
            blob("7b7d"),
            andon_trail::tree::leaf_hash(b"{}")
        ),
        format!("insert into record_targets (record_id, service, environment) values ('{RECORD}', 'api', 'prod')"),
        format!(
            "insert into disclosures (record_id, path, salt, value) values ('{RECORD}', '/said/raw', {}, 'deploy')",
            blob(&"07".repeat(16))
        ),
        format!(
            "insert into trail_leaves (number, record_id, leaf_hash) values (0, '{RECORD}', '{}')",
            andon_trail::tree::leaf_hash(b"{}")
        ),
        format!("insert into trail_hashes (position, hash) values (0, '{}')", andon_trail::tree::leaf_hash(b"{}")),
        format!("insert into checkpoints (size, root, note, at) values (1, '{digest}', 'signed', {now})"),
        format!("insert into texts (digest, body) values ('{digest}', 'v2')"),
    ]
}

fn of_invocations(now: i64) -> Vec<String> {
    let body = json!({"said": said("key", 0), "speaker": speaker("ana"), "command": command()});
    vec![
        format!("insert into inbox (key, receipt, received) values ('key', '\"ignored\"', {now})"),
        format!(
            "insert into invocations (id, state, body, received) values ('{INVOCATION}', 'accepted', '{body}', {now})"
        ),
    ]
}

fn of_operations(digest: Digest, now: i64) -> Vec<String> {
    let plan = plan(&[target("api")]);
    let body = json!({"command": command(), "digest": plan.digest().expect("a digest"), "plan": plan,
                "targets": [target("api")], "asked_by": speaker("ana"), "room": "console:ops", "said": "deploy",
                "approvals_needed": 1, "planned_record": RECORD});
    vec![
        format!(
            "insert into operations (id, invocation, body, state, urgent, created, expires_at) values ('{OPERATION}', \
                     '{INVOCATION}', '{body}', 'running', (1 = 0), {now}, {now})"
        ),
        format!(
            "insert into operation_targets (operation, service, environment, holding) values ('{OPERATION}', 'api', 'prod', (1 = 1))"
        ),
        format!(
            "insert into approvals (operation, person, identity, digest, at) values ('{OPERATION}', 'ben', 'console:ben', '{digest}', {now})"
        ),
    ]
}

fn of_locks(digest: Digest, now: i64) -> Vec<String> {
    vec![
        format!(
            "insert into locks (service, environment, token, owner, reason, at, expires_at) values ('api', 'prod', 7, 'ana', 'why', \
                 {now}, {now} + 1000000)"
        ),
        format!(
            "insert into freezes (service, owner, reason, at, expires_at) values ('api', 'ana', 'why', {now}, {now} + 1000000)"
        ),
        format!(
            "insert into version_holds (service, environment, digest, version, operation, at) values ('api', 'prod', '{digest}', 'v2', \
                 '{OPERATION}', {now})"
        ),
        format!(
            "insert into releases (service, environment, version, digest, operation, person, healthy_at) values ('api', 'prod', 'v1', \
                 '{digest}', '{OPERATION}', 'ana', {now})"
        ),
    ]
}

fn of_the_outbox(now: i64) -> Vec<String> {
    let message = json!(andon_core::Message::new("done"));
    vec![
        format!(
            "insert into cards (operation, room, message, marker) values ('{OPERATION}', 'console:ops', '{message}', 'mark')"
        ),
        format!(
            "insert into messages (room, message, invocation, under_card, urgent, expires_at, marker) values ('console:ops', '{message}', \
                 '{INVOCATION}', (1 = 0), (1 = 0), {now} + 1000000, 'mark')"
        ),
        format!("insert into leases (name, owner, until, fence) values ('sequencer', 'me', {now}, 3)"),
    ]
}

/// That the store still reads those rows.
async fn check(store: &Store, number: i64) {
    let operation: OperationId = OPERATION.parse().expect("an id");
    match number {
        1 => {
            let record: RecordId = RECORD.parse().expect("an id");
            let row = look!(store, |connection| connection.record_by_id(record)).expect("the record is gone");
            assert_eq!((row.leaf.as_slice(), row.disclosures.len(), row.index.person), (b"{}".as_slice(), 1, Some(1)));
            assert_eq!(look!(store, |connection| connection.tree_size()), 1);
            assert_eq!(look!(store, |connection| connection.latest_checkpoint()).expect("none").2, "signed");
            assert_eq!(look!(store, |connection| connection.text(Digest::of("v2"))).as_deref(), Some("v2"));
        }
        2 => {
            let id = INVOCATION.parse().expect("an id");
            let row = look!(store, |connection| connection.invocation(id)).expect("the invocation is gone");
            assert_eq!((row.said, row.command), (said("key", 0), Some(command())));
        }
        3 => {
            let row = look!(store, |connection| connection.holder(&target("api"))).expect("nobody holds the target");
            assert_eq!((row.id, row.plan), (operation, plan(&[target("api")])));
            assert_eq!(look!(store, |connection| connection.approvals(operation)).len(), 1);
        }
        4 => {
            let lock = look!(store, |connection| connection.lock(&target("api"), at(0))).expect("the lock is gone");
            assert_eq!(lock.token, 7);
            assert_eq!(look!(store, |connection| connection.freezes_over(&target("api"), at(0))).len(), 1);
            assert!(look!(store, |connection| connection.version_hold(&target("api"), &Digest::of("v2"))).is_some());
            assert_eq!(look!(store, |connection| connection.releases(&target("api"), 10)).len(), 1);
        }
        5 => {
            let invocation = INVOCATION.parse().expect("an id");
            assert_eq!(look!(store, |connection| connection.unsent(invocation, Some(operation))), 2);
        }
        6 => {
            let lock = look!(store, |connection| connection.lock(&target("web"), at(0))).expect("the lock is gone");
            assert_eq!(lock.room, Some(room()));
            let before = look!(store, |connection| connection.lock(&target("api"), at(0))).expect("the lock is gone");
            assert_eq!(before.room, None, "nobody wrote down where it was taken");
        }
        7 => {
            let watched =
                look!(store, |connection| connection.watched(&target("api"))).expect("nothing was remembered");
            assert_eq!((watched.well, watched.revision), (true, 0));
        }
        // They keep nothing of their own.
        8..=10 => {}
        11 => {
            let account = "slack:T1/U1".parse().expect("an account");
            let kept = look!(store, |connection| connection.account(&account)).expect("it was forgotten");
            assert!(!kept.closed && kept.person == Some("ana".parse().expect("a person")));
            let room = "slack:T1/C1".parse().expect("a room");
            assert_eq!(look!(store, |connection| connection.room_anchor(&room)).map(|(size, _)| size), Some(1));
        }
        other => panic!("write down what migration {other} has to keep"),
    }
}

async fn each_keeps_what_was_there(world: World) {
    let steps = steps(world.database);
    for last in 1..=steps.len() {
        let world = World::new(world.database);
        let mut raw = world.raw().await;
        for before in 1..last {
            apply(&mut raw, &steps[..before]).await.expect("an earlier migration");
            for row in rows(world.database, steps[before - 1].number) {
                raw.execute(&row).await.unwrap_or_else(|error| panic!("{row}: {error}"));
            }
        }
        apply(&mut raw, &steps[..last]).await.unwrap_or_else(|error| panic!("migration {last} over data: {error}"));
        raw.close().await;
        let store = world.open().await;
        for before in &steps[..last - 1] {
            check(&store, before.number).await;
        }
    }
    // And the newest one has something to keep as well, for the one that comes after it.
    let store = world.open().await;
    let mut raw = world.raw().await;
    for step in &steps {
        for row in rows(world.database, step.number).into_iter().filter(|row| !row.contains("into meta")) {
            raw.execute(&row).await.unwrap_or_else(|error| panic!("{row}: {error}"));
        }
    }
    for step in &steps {
        check(&store, step.number).await;
    }
}

async fn read_only(url: &DatabaseUrl, world: &World) -> Result<Store, OpenError> {
    Store::open_read_only(url, world.clock.clone()).await
}

async fn a_newer_database_is_refused(world: World) {
    let mut steps = steps(world.database);
    let known = andon_store::newest();
    let sql = "create table future (what text)".to_owned();
    steps.push(Step { number: known + 1, name: "future".to_owned(), sql });
    let mut raw = world.raw().await;
    apply(&mut raw, &steps).await.expect("a newer program");
    raw.close().await;
    for refused in [world.try_open().await.err(), read_only(&world.url, &world).await.err()] {
        let refused = refused.expect("a newer database was opened");
        assert!(matches!(refused, OpenError::Newer { found, known: here } if found == known + 1 && here == known));
        assert!(refused.to_string().contains("use the newer version"), "{refused}");
    }
}

async fn an_older_database_is_not_only_read(world: World) {
    let mut raw = world.raw().await;
    apply(&mut raw, &steps(world.database)[..2]).await.expect("an older program");
    raw.close().await;
    let refused = read_only(&world.url, &world).await.err().expect("an older database was opened for reading");
    assert!(matches!(refused, OpenError::Older { found: 2, .. }), "{refused}");
    assert!(refused.to_string().contains("andon migrate"), "{refused}");
    world.open().await.close().await;
    read_only(&world.url, &world).await.expect("it is migrated now");
}

async fn an_edited_migration_is_noticed(world: World) {
    let mut steps = steps(world.database);
    steps[1].sql.push_str("-- a harmless remark\n");
    let mut raw = world.raw().await;
    apply(&mut raw, &steps).await.expect("a program with other migrations");
    raw.close().await;
    let refused = world.try_open().await.err().expect("an edited migration went unnoticed");
    assert!(matches!(refused, OpenError::Migrate(MigrateError::VersionMismatch(2))), "{refused:?}");
}

//! A fresh database of either kind for each test, and a raw connection to it beside the store.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use andon_core::{Clock, Entropy};
use andon_store::{DatabaseUrl, OpenError, Purpose, Store};
use jiff::{SignedDuration, Timestamp};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};

/// The kinds of databases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// A database of its own for one test.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) url: DatabaseUrl,
    pub(crate) folder: Arc<tempfile::TempDir>,
    pub(crate) clock: Arc<Hands>,
    pub(crate) dice: Arc<Dice>,
}

/// Runs one test on one kind of database.
pub(crate) fn run<F: Future<Output = ()>>(database: Database, test: impl FnOnce(World) -> F) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("no runtime");
    runtime.block_on(test(World::new(database)));
}

impl World {
    pub(crate) fn new(database: Database) -> Self {
        let folder = tempfile::tempdir().expect("no temporary folder");
        let url = match database {
            Database::Sqlite => DatabaseUrl::Sqlite(folder.path().join("andon.db")),
            Database::Postgres => DatabaseUrl::Postgres(andon_test_postgres::database()),
        };
        Self { database, url, folder: Arc::new(folder), clock: Arc::default(), dice: Arc::default() }
    }

    pub(crate) async fn try_open(&self) -> Result<Store, OpenError> {
        Store::open(&self.url, Purpose::Serve, Arc::clone(&self.clock) as Arc<dyn Clock>).await
    }

    pub(crate) async fn open(&self) -> Store {
        self.try_open().await.expect("the database cannot be opened")
    }

    /// A connection that knows nothing of the store and its rules.
    pub(crate) async fn raw(&self) -> Raw {
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
                Raw::Sqlite(SqliteConnection::connect_with(&options).await.expect("no raw connection"))
            }
            DatabaseUrl::Postgres(url) => Raw::Postgres(PgConnection::connect(url).await.expect("no raw connection")),
        }
    }
}

/// A raw connection.
pub(crate) enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    /// Runs statements as they are.
    pub(crate) async fn execute(&mut self, sql: impl AsRef<str>) -> Result<u64, sqlx::Error> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql.as_ref()));
        Ok(match self {
            Self::Sqlite(connection) => sql.execute(connection).await?.rows_affected(),
            Self::Postgres(connection) => sql.execute(connection).await?.rows_affected(),
        })
    }

    /// The one number that a query gives.
    pub(crate) async fn number(&mut self, sql: &'static str) -> i64 {
        let (number,): (i64,) = match self {
            Self::Sqlite(connection) => sqlx::query_as(sql).fetch_one(connection).await,
            Self::Postgres(connection) => sqlx::query_as(sql).fetch_one(connection).await,
        }
        .expect("a raw query failed");
        number
    }

    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        }
        .expect("a raw connection did not close");
    }
}

/// A unit of work of one call, with what it makes: `unit!(store, |transaction| transaction.call())`, to be awaited.
macro_rules! unit {
    ($store:expr, |$transaction:ident| $work:expr) => {
        $store.write(move |$transaction| Box::pin(async move { $work.await }))
    };
}
pub(crate) use unit;

/// A unit of work that has to be kept: `keep!(store, |transaction| transaction.call())`.
macro_rules! keep {
    ($store:expr, |$transaction:ident| $work:expr) => {
        crate::world::unit!($store, |$transaction| $work).await.expect("a unit of work is not kept")
    };
}
pub(crate) use keep;

/// Looks into the database: `look!(store, |connection| connection.call())`.
macro_rules! look {
    ($store:expr, |$connection:ident| $work:expr) => {{
        let mut reader = $store.read().await.expect("no connection for reading");
        let $connection = &mut reader.connection();
        $work.await.expect("nothing can be read")
    }};
}
pub(crate) use look;

/// A moment, in seconds after the tests' beginning of time.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a moment out of range")
}

/// A clock whose hands the test moves.
#[derive(Default)]
pub(crate) struct Hands(AtomicI64);

#[async_trait::async_trait]
impl Clock for Hands {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }

    fn offset(&self) -> SignedDuration {
        SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, _: Timestamp) {
        std::future::pending().await
    }
}

/// Random numbers that are the same in every run (splitmix64).
#[derive(Default)]
pub(crate) struct Dice(AtomicU64);

impl Dice {
    pub(crate) fn roll(&self) -> u64 {
        let mut number = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^ (number >> 31)
    }

    /// A number below `sides`.
    pub(crate) fn below(&self, sides: u64) -> u64 {
        self.roll() % sides
    }
}

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.roll().to_be_bytes()[..chunk.len()]);
        }
    }
}

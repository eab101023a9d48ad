//! Opening a database: the right one, by the right process, in the right version.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::sync::Arc;

use andon_core::Clock;
use jiff::{SignedDuration, Timestamp};
use rustix::fs::{FlockOperation, flock};
use sqlx::migrate::Migrate;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, PgPool, SqlitePool};
use tokio::sync::watch;

use crate::connection::{Reader, database_now, on, time};
use crate::error::{OpenError, StoreError};
use crate::hand::Hands;
use crate::migrate;
use crate::news::{Bell, News, Topic};
use crate::url::DatabaseUrl;
use crate::write::Writer;

/// Connections to PostgreSQL per process.
const POSTGRES_CONNECTIONS: u32 = 16;
/// How long to wait for a connection to PostgreSQL: whoever speaks is told soon that the database cannot be reached.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);
/// Reading connections to SQLite; its one writer has its own.
const SQLITE_READERS: u32 = 4;

/// How long to wait before listening again after the database was lost.
const LISTEN_AGAIN: SignedDuration = SignedDuration::from_secs(1);

/// Whose data a database holds. Neither opens the other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The bot's.
    Serve,
    /// The playground's, where anybody may speak as anybody.
    Playground,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Playground => "playground",
        }
    }
}

/// An open database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) pool: Pool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) bell: Bell,
    pub(crate) hands: Hands,
    /// Held for as long as the process writes to the file.
    _lock: Option<File>,
}

pub(crate) enum Pool {
    Sqlite { readers: SqlitePool, writer: Writer },
    Postgres(PgPool),
}

impl Store {
    /// Opens a database for writing, makes it where there is none, and migrates it.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(url: &DatabaseUrl, purpose: Purpose, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let (pool, lock) = match url {
            DatabaseUrl::Sqlite(path) => open_sqlite(path).await?,
            DatabaseUrl::Postgres(url) => (open_postgres(url).await?, None),
        };
        let inner = Inner { pool, clock, bell: Bell::default(), hands: Hands::default(), _lock: lock };
        let store = Self { inner: Arc::new(inner) };
        store.claim(purpose).await?;
        store.listen().await?;
        Ok(store)
    }

    /// Opens a database for reading only, beside the process that writes to it.
    ///
    /// # Errors
    /// See [`OpenError`]; a database of another schema is refused.
    pub async fn open_read_only(url: &DatabaseUrl, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let pool = match url {
            DatabaseUrl::Sqlite(path) => {
                let options = sqlite_options(path).read_only(true).create_if_missing(false);
                let mut probe = options.connect().await?;
                check_version(probe.list_applied_migrations("_sqlx_migrations").await, true)?;
                let readers = sqlite_readers().connect_with(options).await?;
                Pool::Sqlite { readers, writer: Writer::none() }
            }
            DatabaseUrl::Postgres(url) => {
                let pool = postgres_options().connect(url).await?;
                let mut probe = pool.acquire().await?;
                check_version(probe.list_applied_migrations("_sqlx_migrations").await, true)?;
                drop(probe);
                Pool::Postgres(pool)
            }
        };
        let inner = Inner { pool, clock, bell: Bell::default(), hands: Hands::default(), _lock: None };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn read(&self) -> Result<Reader, StoreError> {
        Ok(match &self.inner.pool {
            Pool::Sqlite { readers, .. } => Reader::Sqlite(readers.acquire().await?),
            Pool::Postgres(pool) => Reader::Postgres(pool.acquire().await?),
        })
    }

    /// The database's time, by which leases are compared: the same for all replicas.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        let Pool::Postgres(pool) = &self.inner.pool else { return Ok(self.inner.clock.now()) };
        let (micros,): (i64,) = sqlx::query_as(concat!("select ", database_now!())).fetch_one(pool).await?;
        let now = time(micros)?;
        Ok(now.saturating_add(self.inner.clock.offset()).unwrap_or(now))
    }

    /// Counts up after every unit of work that was kept and is news, of this process and, on PostgreSQL, of every other.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.inner.bell.any()
    }

    /// As [`Store::changes`], for news about a topic alone.
    pub fn changes_about(&self, topic: Topic) -> watch::Receiver<u64> {
        self.inner.bell.about(topic)
    }

    /// Whether the database is PostgreSQL, where records get their numbers from a sequencer.
    pub fn is_postgres(&self) -> bool {
        matches!(self.inner.pool, Pool::Postgres(_))
    }

    /// Ends all connections; what was written is kept.
    pub async fn close(&self) {
        match &self.inner.pool {
            Pool::Sqlite { readers, writer } => {
                // The writer last: whoever closes last folds the log into the file.
                readers.close().await;
                writer.close().await;
            }
            Pool::Postgres(pool) => pool.close().await,
        }
    }

    /// Marks a new database as this purpose's, and refuses one that is another's.
    async fn claim(&self, purpose: Purpose) -> Result<(), OpenError> {
        let found = self
            .write(move |transaction| {
                Box::pin(async move {
                    let name = purpose.name();
                    on!(transaction.0, c => {
                        sqlx::query("insert into meta (key, value) values ('purpose', $1) on conflict do nothing")
                            .bind(name).execute(&mut **c).await?;
                        let (found,): (String,) = sqlx::query_as("select value from meta where key = 'purpose'").fetch_one(&mut **c).await?;
                        Ok::<_, StoreError>(found)
                    })
                })
            })
            .await?;
        if found == purpose.name() {
            return Ok(());
        }
        Err(OpenError::OtherPurpose { found, expected: purpose.name().to_owned() })
    }

    /// On PostgreSQL: hears of what other replicas write.
    async fn listen(&self) -> Result<(), OpenError> {
        let Pool::Postgres(pool) = &self.inner.pool else { return Ok(()) };
        let mut listener = sqlx::postgres::PgListener::connect_with(pool).await?;
        listener.listen("andon").await?;
        let (bell, clock) = (self.inner.bell.clone(), Arc::clone(&self.inner.clock));
        tokio::spawn(async move {
            // Whether or not anybody waits for changes yet: somebody may later.
            loop {
                match listener.recv().await {
                    Ok(told) => bell.ring(News::hear(told.payload())),
                    Err(sqlx::Error::PoolClosed) => break,
                    Err(error) => {
                        // The listener makes a lost connection again; whoever waits for changes also looks by itself now and then.
                        tracing::warn!(%error, "not hearing of other replicas' changes");
                        clock.sleep(LISTEN_AGAIN).await;
                    }
                }
            }
        });
        Ok(())
    }
}

fn postgres_options() -> PgPoolOptions {
    PgPoolOptions::new().max_connections(POSTGRES_CONNECTIONS).acquire_timeout(PATIENCE)
}

/// A connection to a file is not lost while nobody looks: it needs no trial before each use.
fn sqlite_readers() -> SqlitePoolOptions {
    SqlitePoolOptions::new().max_connections(SQLITE_READERS).test_before_acquire(false)
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What a savepoint may have to undo stays in memory: otherwise each one makes a file, and takes it away again.
        .pragma("temp_store", "memory")
        .busy_timeout(std::time::Duration::from_secs(5))
}

async fn open_sqlite(path: &Path) -> Result<(Pool, Option<File>), OpenError> {
    let lock = take_file_lock(path)?;
    // Before anything is written: the log beside it gets the same permissions.
    restrict(path)?;
    let options = sqlite_options(path).create_if_missing(true);
    let mut writer = options.clone().connect().await?;
    check_version(applied(&mut writer).await, false)?;
    migrate::migrator(false, migrate::newest())
        .run_direct(None, &mut writer, false)
        .await
        .map_err(OpenError::Migrate)?;
    let readers = sqlite_readers().connect_with(options.read_only(true)).await?;
    Ok((Pool::Sqlite { readers, writer: Writer::start(writer) }, Some(lock)))
}

async fn open_postgres(url: &str) -> Result<Pool, OpenError> {
    let pool = postgres_options().connect(url).await?;
    let mut connection = pool.acquire().await?;
    // Replicas that start together migrate one after the other; even the table of migrations cannot be made twice at once.
    connection.lock().await.map_err(OpenError::Migrate)?;
    let migrated = migrate_postgres(&mut connection).await;
    connection.unlock().await.map_err(OpenError::Migrate)?;
    migrated?;
    drop(connection);
    Ok(Pool::Postgres(pool))
}

async fn migrate_postgres(connection: &mut sqlx::PgConnection) -> Result<(), OpenError> {
    check_version(applied(connection).await, false)?;
    let migrator = migrate::migrator(true, migrate::newest());
    migrator.run_direct(None, connection, false).await.map_err(OpenError::Migrate)
}

type Applied = Result<Vec<sqlx::migrate::AppliedMigration>, sqlx::migrate::MigrateError>;

async fn applied<C: Migrate>(connection: &mut C) -> Applied {
    connection.ensure_migrations_table("_sqlx_migrations").await?;
    connection.list_applied_migrations("_sqlx_migrations").await
}

fn check_version(applied: Applied, exactly: bool) -> Result<(), OpenError> {
    let applied = applied.map_err(|error| match error {
        sqlx::migrate::MigrateError::Execute(error) => OpenError::from(error),
        other => OpenError::Migrate(other),
    })?;
    let found = applied.iter().map(|migration| migration.version).max().unwrap_or(0);
    let known = migrate::newest();
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    if exactly && found < known {
        return Err(OpenError::Older { found, known });
    }
    Ok(())
}

/// One writing process per file: an advisory lock on a file beside it, which holds the process's id for whoever comes second.
fn take_file_lock(path: &Path) -> Result<File, OpenError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let lock = folder.join("andon.lock");
    let failed = |source| OpenError::File { path: lock.display().to_string(), source };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&lock).map_err(failed)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        let mut pid = String::new();
        file.read_to_string(&mut pid).map_err(failed)?;
        return Err(OpenError::InUse { pid: pid.trim().to_owned() });
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    writeln!(file, "{}", std::process::id()).map_err(failed)?;
    Ok(file)
}

/// The database is its owner's alone.
fn restrict(path: &Path) -> Result<(), OpenError> {
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    let failed = |source| OpenError::File { path: path.display().to_string(), source };
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path).map_err(failed)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(failed)
}

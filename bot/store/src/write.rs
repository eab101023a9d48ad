//! Units of work. SQLite has one writer, a task that takes whatever waits and commits it together (group commit): each unit in a savepoint
//! of its own, so that one that fails takes nothing else with it. PostgreSQL commits units in parallel.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::{Connection as _, PgPool, SqliteConnection};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::connection::{Beside, Connection, Transaction};
use crate::error::StoreError;
use crate::hand::Handing;
use crate::news::News;
use crate::open::{Pool, Store};
use crate::trail::Top;

/// How many units share one commit at most.
const BATCH: usize = 64;
/// How many units may wait; more wait at the door.
const QUEUE: usize = 1024;

impl Store {
    /// Does a unit of work: all that it writes is durable when this returns `Ok`, none of it is kept otherwise. Whoever waits for
    /// [`Store::changes`] is woken, on every replica.
    ///
    /// # Errors
    /// Whatever the work returns, or the database's refusal to keep it.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Transaction<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.unit(work, Told::Always).await
    }

    /// As [`Store::write`], and nobody is woken unless it is news about a topic: for taking and keeping leases, which is no news to anybody.
    /// Whoever looks for work by such a unit and then waits for changes would otherwise wake itself, and all replicas, for ever.
    ///
    /// # Errors
    /// See [`Store::write`].
    pub async fn write_quietly<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Transaction<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.unit(work, Told::News).await
    }

    /// Once begun it goes on to its end, and what it leaves to others is left, whether or not its caller still waits.
    async fn unit<T, E, F>(&self, work: F, told: Told) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Transaction<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let beside = Beside { news: News::default(), handing: Handing::of(&self.inner), top: None, told };
        match &self.inner.pool {
            Pool::Sqlite { writer, .. } => writer.write(work, beside).await,
            Pool::Postgres(pool) => {
                let unit = tokio::spawn(in_postgres(pool.clone(), work, beside));
                unit.await.unwrap_or_else(|_| Err(StoreError::Lost.into()))
            }
        }
    }
}

/// When those who wait are woken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// In any case.
    Always,
    /// Where it is news about a topic.
    News,
}

impl Beside {
    fn is_told(&self) -> bool {
        self.told == Told::Always || self.news != News::default()
    }

    /// Leaves to others what is theirs, now that the unit is kept.
    fn leave(self) {
        let (inner, is_told) = (Arc::clone(&self.handing.inner), self.is_told());
        self.handing.over();
        if is_told {
            inner.bell.ring(self.news);
        }
    }
}

async fn in_postgres<T, E, F>(pool: PgPool, work: F, beside: Beside) -> Result<T, E>
where
    F: for<'t> FnOnce(&'t mut Transaction<'_>) -> BoxFuture<'t, Result<T, E>> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    let mut transaction = pool.begin().await.map_err(StoreError::from)?;
    let (value, beside) = {
        let mut unit = Transaction(Connection::Postgres(&mut transaction), beside);
        (work(&mut unit).await?, unit.1)
    };
    if beside.is_told() {
        let told = sqlx::query("select pg_notify('andon', $1)").bind(beside.news.tell()).execute(&mut *transaction);
        told.await.map_err(StoreError::from)?;
    }
    transaction.commit().await.map_err(StoreError::from)?;
    beside.leave();
    Ok(value)
}

/// Whether a batch was kept, and why not.
type Fate = Result<(), Arc<sqlx::Error>>;

/// What a unit leaves: whether to keep it, and how to tell its owner once the batch is committed or lost.
struct Ended {
    keep: bool,
    tell: Box<dyn FnOnce(&Fate) + Send>,
}

type Job = Box<dyn for<'t> FnOnce(&'t mut Desk) -> BoxFuture<'t, Ended> + Send>;

/// What the writer works with.
struct Desk {
    connection: SqliteConnection,
    /// The top of the tree, unless a unit that was not kept has moved it.
    top: Option<Top>,
}

/// The one writer of a SQLite file.
pub(crate) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn none() -> Self {
        Self { jobs: Mutex::new(None), task: Mutex::new(None) }
    }

    pub(crate) fn start(connection: SqliteConnection) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let task = tokio::spawn(run(connection, receiver));
        Self { jobs: Mutex::new(Some(sender)), task: Mutex::new(Some(task)) }
    }

    /// Finishes what waits, then ends the connection.
    pub(crate) async fn close(&self) {
        self.jobs.lock().await.take();
        if let Some(task) = self.task.lock().await.take() {
            // The task only ends; it has nothing to report that was not told to the owners of units.
            let _ = task.await;
        }
    }

    async fn write<T, E, F>(&self, work: F, mut beside: Beside) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut Transaction<'_>) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |desk| {
            Box::pin(async move {
                beside.top = desk.top.take();
                let mut transaction = Transaction(Connection::Sqlite(&mut desk.connection), beside);
                let result = AssertUnwindSafe(work(&mut transaction))
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|_| Err(StoreError::Lost.into()));
                let mut beside = transaction.1;
                let keep = result.is_ok();
                desk.top = beside.top.take().filter(|_| keep);
                let tell = Box::new(move |fate: &Fate| {
                    let answer = match fate {
                        Err(error) if keep => Err(StoreError::not_kept(error).into()),
                        _ => result,
                    };
                    if answer.is_ok() {
                        beside.leave();
                    }
                    // Nobody waits any more: what was kept is kept all the same.
                    let _ = sender.send(answer);
                });
                Ended { keep, tell }
            })
        });
        let jobs = self.jobs.lock().await.clone().ok_or(StoreError::Lost)?;
        jobs.send(job).await.map_err(|_| StoreError::Lost)?;
        receiver.await.unwrap_or_else(|_| Err(StoreError::Lost.into()))
    }
}

async fn run(connection: SqliteConnection, mut jobs: mpsc::Receiver<Job>) {
    let mut desk = Desk { connection, top: None };
    let mut batch = Vec::with_capacity(BATCH);
    while jobs.recv_many(&mut batch, BATCH).await > 0 {
        let mut ended = Vec::with_capacity(batch.len());
        let fate = match commit(&mut desk, &mut batch, &mut ended).await {
            Ok(()) => Ok(()),
            Err(error) => {
                tracing::error!(%error, "a batch of {} units of work was not kept", ended.len());
                desk.top = None;
                // Whether or not a transaction is open: after this, none is.
                let _ = sqlx::raw_sql("rollback").execute(&mut desk.connection).await;
                Err(Arc::new(error))
            }
        };
        batch.clear();
        for unit in ended {
            (unit.tell)(&fate);
        }
    }
    // Folds the log into the file, so that a copy of the file is a copy of everything. Where a reader is still there, the next start does it.
    if let Err(error) = sqlx::raw_sql("pragma wal_checkpoint(truncate)").execute(&mut desk.connection).await {
        tracing::debug!(%error, "the log was not folded into the file");
    }
    if let Err(error) = desk.connection.close().await {
        tracing::error!(%error, "the database was not closed cleanly");
    }
}

/// Each step that leads from one unit to the next is one statement: every statement is a change of threads and back.
async fn commit(desk: &mut Desk, batch: &mut Vec<Job>, ended: &mut Vec<Ended>) -> Result<(), sqlx::Error> {
    // Alone it needs no savepoint: what it wrote is kept or not with the transaction.
    let alone = batch.len() == 1;
    let mut next = if alone { "begin immediate" } else { "begin immediate; savepoint unit" };
    let mut left = batch.len();
    for job in batch.drain(..) {
        sqlx::raw_sql(next).execute(&mut desk.connection).await?;
        let unit = job(desk).await;
        left -= 1;
        next = match (unit.keep, alone, left) {
            (true, true, _) => "commit",
            (false, true, _) => "rollback",
            (true, false, 0) => "release unit; commit",
            (false, false, 0) => "rollback to unit; release unit; commit",
            (true, false, _) => "release unit; savepoint unit",
            (false, false, _) => "rollback to unit; release unit; savepoint unit",
        };
        ended.push(unit);
    }
    sqlx::raw_sql(next).execute(&mut desk.connection).await.map(|_| ())
}

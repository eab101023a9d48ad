//! What can go wrong with the database.

use std::sync::Arc;

use andon_core::{Failure, Fault, OperationNumber};
use thiserror::Error;

/// Something could not be read or kept.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
    /// Nothing can be written: the disk is full, read-only or broken.
    #[error("the database cannot be written")]
    NotWritable(#[source] sqlx::Error),
    /// Somebody else changed the row first, or it cannot go there.
    #[error("the row has moved on: {0}")]
    Conflict(String),
    /// Another operation holds the target.
    #[error("{0} holds the target")]
    TargetHeld(OperationNumber),
    /// What stands in the database is not what this program wrote.
    #[error("the database holds something unexpected in {0}")]
    Corrupt(String),
    /// The unit of work was lost: the writer ended, or the work panicked.
    #[error("the unit of work was lost")]
    Lost,
}

impl StoreError {
    /// Why a unit was not kept although it had done its work: the batch that it was part of could not be committed.
    pub(crate) fn not_kept(error: &Arc<sqlx::Error>) -> Self {
        if not_writable(error) {
            let shared = std::io::Error::other(Arc::clone(error));
            return Self::NotWritable(sqlx::Error::Io(shared));
        }
        Self::Lost
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        if not_writable(&error) { Self::NotWritable(error) } else { Self::Database(error) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Faulted(Fault::new(error))
    }
}

/// SQLite: SQLITE_FULL 13, SQLITE_READONLY 8, SQLITE_IOERR 10 and their extended codes. PostgreSQL: class 53 (insufficient resources),
/// 25006 (read-only transaction), 58030 (I/O error).
fn not_writable(error: &sqlx::Error) -> bool {
    let Some(code) = error.as_database_error().and_then(|error| error.code()) else { return false };
    let sqlite = code.parse::<i64>().is_ok_and(|code| code < 10_000 && matches!(code & 0xff, 8 | 10 | 13));
    sqlite || code.starts_with("53") || code == "25006" || code == "58030"
}

/// What was taken up, where it can be read. Where not, another version of the program may be able to: the log is told, and whoever asked
/// goes on with the next.
pub(crate) fn readable<T>(row: Result<T, StoreError>, what: &str) -> Option<T> {
    row.inspect_err(|error| tracing::error!(%error, "{what} cannot be read, and is passed over")).ok()
}

pub(crate) fn corrupt(place: &str) -> impl FnOnce(serde_json::Error) -> StoreError {
    let place = place.to_owned();
    move |error| StoreError::Corrupt(format!("{place}: {error}"))
}

/// Why a database could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has the SQLite file.
    #[error("process {pid} has this database already; one process at a time writes to it")]
    InUse {
        /// That process, as it wrote itself into the lock file.
        pid: String,
    },
    /// A newer version of the program has been here.
    #[error(
        "the database has migration {found}, which this version does not know (it knows {known}); use the newer version"
    )]
    Newer {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration of this program.
        known: i64,
    },
    /// The database is older than this program, and it was opened for reading only.
    #[error("the database has migration {found}, this version needs {known}; run `andon migrate` first")]
    Older {
        /// The newest migration in the database.
        found: i64,
        /// The newest migration of this program.
        known: i64,
    },
    /// A playground's data for `serve`, or the other way round.
    #[error("this database belongs to {found}, not to {expected}; neither touches the other's")]
    OtherPurpose {
        /// Whose it is.
        found: String,
        /// Who wanted it.
        expected: String,
    },
    /// Not a database, or a damaged one.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A file or folder.
    #[error("{path} cannot be opened")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A migration failed.
    #[error("the database could not be migrated")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// Anything else.
    #[error("the database cannot be opened")]
    Store(#[source] StoreError),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_CORRUPT 11, SQLITE_NOTADB 26.
        let code = error.as_database_error().and_then(|error| error.code()?.parse::<i64>().ok());
        match code.map(|code| code & 0xff) {
            Some(11 | 26) => Self::Corrupt(error.to_string()),
            _ => Self::Store(error.into()),
        }
    }
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(error) => error.into(),
            other => Self::Store(other),
        }
    }
}

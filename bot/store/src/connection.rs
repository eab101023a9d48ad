//! One SQL text for both databases: a connection is one of two kinds, and [`on`] runs the same body on either.

use andon_core::{Speaker, Target};
use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection};

use crate::error::StoreError;
use crate::hand::Handing;
use crate::news::News;
use crate::trail::Top;
use crate::write::Told;

/// A connection with all reading methods.
pub enum Connection<'c> {
    /// To SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// To PostgreSQL.
    Postgres(&'c mut PgConnection),
}

impl Connection<'_> {
    pub(crate) fn again(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(connection) => Connection::Postgres(connection),
        }
    }

    pub(crate) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }
}

/// A unit of work: all of it is kept, or nothing. Has all writing methods; [`Transaction::connection`] has the reading ones.
pub struct Transaction<'c>(pub(crate) Connection<'c>, pub(crate) Beside);

/// What a unit of work gathers beside the database.
pub(crate) struct Beside {
    /// What it is news about.
    pub(crate) news: News,
    /// What it hands over once it is kept.
    pub(crate) handing: Handing,
    /// The top of the tree, where it is known.
    pub(crate) top: Option<Top>,
    /// When those who wait are woken.
    pub(crate) told: Told,
}

impl Transaction<'_> {
    /// For reading inside the unit of work.
    pub fn connection(&mut self) -> Connection<'_> {
        self.0.again()
    }
}

/// A pooled connection for reading.
pub enum Reader {
    /// To SQLite.
    Sqlite(PoolConnection<Sqlite>),
    /// To PostgreSQL.
    Postgres(PoolConnection<Postgres>),
}

impl Reader {
    /// The reading methods.
    pub fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(connection) => Connection::Postgres(connection),
        }
    }
}

/// Runs the same body on either kind of connection; where the dialects differ, `sql = [sqlite, postgres]` names the text.
macro_rules! on {
    ($connection:expr, $c:ident => $body:expr) => {
        match &mut $connection {
            $crate::connection::Connection::Sqlite($c) => $body,
            $crate::connection::Connection::Postgres($c) => $body,
        }
    };
    ($connection:expr, $c:ident, $sql:ident = [$sqlite:expr, $postgres:expr] => $body:expr) => {
        match &mut $connection {
            $crate::connection::Connection::Sqlite($c) => {
                let $sql = $sqlite;
                $body
            }
            $crate::connection::Connection::Postgres($c) => {
                let $sql = $postgres;
                $body
            }
        }
    };
}
pub(crate) use on;

/// PostgreSQL's time, in microseconds since 1970.
macro_rules! database_now {
    () => {
        "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
    };
}
pub(crate) use database_now;

pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(crate) fn time(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| StoreError::Corrupt(format!("a time: {error}")))
}

pub(crate) fn maybe_time(micros: Option<i64>) -> Result<Option<Timestamp>, StoreError> {
    micros.map(time).transpose()
}

pub(crate) fn parse<T: std::str::FromStr>(text: &str, place: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt(place.to_owned()))
}

pub(crate) fn json<T: serde::de::DeserializeOwned>(text: &str, place: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(crate::error::corrupt(place))
}

pub(crate) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(crate::error::corrupt("a value to be kept"))
}

pub(crate) fn target(service: &str, environment: &str) -> Result<Target, StoreError> {
    Ok(Target { service: parse(service, "a service")?, environment: parse(environment, "an environment")? })
}

pub(crate) fn speaker(person: &str, identity: &str) -> Result<Speaker, StoreError> {
    Ok(Speaker { person: parse(person, "a person")?, identity: parse(identity, "an identity")? })
}

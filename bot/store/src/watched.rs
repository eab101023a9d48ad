//! What was last told of the services that are live, so that of all replicas one tells their end, once.

use andon_core::{OperationId, Target};
use jiff::Timestamp;

use crate::connection::{Connection, Transaction, maybe_time, micros, on, parse};
use crate::error::StoreError;

/// What was last seen of a target, and told where it was news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The operation that put there what serves; nothing where nothing serves, or nobody knows.
    pub operation: Option<OperationId>,
    /// Since when that very instance runs.
    pub since: Option<Timestamp>,
    /// Whether all was well.
    pub well: bool,
    /// Counts the changes; the first is 0.
    pub revision: i64,
}

impl Transaction<'_> {
    /// Remembers the next revision of what was seen. False where somebody else has already remembered it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn remember_watched(&mut self, target: &Target, seen: &Watched) -> Result<bool, StoreError> {
        let (service, environment) = (target.service.as_str(), target.environment.as_str());
        let (operation, since) = (seen.operation.map(|operation| operation.to_string()), seen.since.map(micros));
        let sql = if seen.revision == 0 {
            "insert into watched_targets (service, environment, operation, since, well, revision) values ($1, $2, $3, $4, $5, $6) \
                on conflict do nothing"
        } else {
            "update watched_targets set operation = $3, since = $4, well = $5, revision = $6 \
                where service = $1 and environment = $2 and revision = $6 - 1"
        };
        let changed = on!(self.0, c => {
            sqlx::query(sql).bind(service).bind(environment).bind(operation).bind(since).bind(i64::from(seen.well))
                .bind(seen.revision).execute(&mut **c).await?.rows_affected()
        });
        Ok(changed == 1)
    }
}

impl Connection<'_> {
    /// What was last seen of a target.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn watched(&mut self, target: &Target) -> Result<Option<Watched>, StoreError> {
        let row: Option<(Option<String>, Option<i64>, i64, i64)> = on!(*self, c => {
            sqlx::query_as("select operation, since, well, revision from watched_targets where service = $1 and environment = $2")
                .bind(target.service.as_str()).bind(target.environment.as_str()).fetch_optional(&mut **c).await?
        });
        row.map(|(operation, since, well, revision)| {
            Ok(Watched {
                operation: operation.map(|id| parse(&id, "a watched target's operation")).transpose()?,
                since: maybe_time(since)?,
                well: well == 1,
                revision,
            })
        })
        .transpose()
    }
}

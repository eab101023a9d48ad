//! Looking operations up.

use andon_core::{InvocationId, OperationId, OperationNumber, Target};
use jiff::Timestamp;

use super::{OperationRow, Row, operation};
use crate::connection::{Connection, micros, on};
use crate::error::StoreError;

impl Connection<'_> {
    /// An operation.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn operation(&mut self, id: OperationId) -> Result<Option<OperationRow>, StoreError> {
        let row: Option<Row> = on!(*self, c => {
            sqlx::query_as(concat!("select ", columns!(), " from operations where id = $1")).bind(id.to_string()).fetch_optional(&mut **c).await?
        });
        row.map(operation).transpose()
    }

    /// An operation by its short number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn operation_by_number(&mut self, number: OperationNumber) -> Result<Option<OperationRow>, StoreError> {
        let row: Option<Row> = on!(*self, c => {
            sqlx::query_as(concat!("select ", columns!(), " from operations where number = $1")).bind(number.0).fetch_optional(&mut **c).await?
        });
        row.map(operation).transpose()
    }

    /// The operation that an invocation became.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn operation_of(&mut self, invocation: InvocationId) -> Result<Option<OperationRow>, StoreError> {
        let row: Option<Row> = on!(*self, c => {
            sqlx::query_as(concat!("select ", columns!(), " from operations where invocation = $1"))
                .bind(invocation.to_string()).fetch_optional(&mut **c).await?
        });
        row.map(operation).transpose()
    }

    /// The operation that holds a target.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn holder(&mut self, target: &Target) -> Result<Option<OperationRow>, StoreError> {
        let row: Option<Row> = on!(*self, c => {
            sqlx::query_as(concat!("select ", columns!(), " from operations where id = \
                (select operation from operation_targets where service = $1 and environment = $2 and holding)"))
                .bind(target.service.as_str()).bind(target.environment.as_str()).fetch_optional(&mut **c).await?
        });
        row.map(operation).transpose()
    }

    /// Operations that have not ended, on a service and in an environment or on all: those at work and those of which nobody can tell first,
    /// then the newest, at most 100.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn open_operations(
        &mut self,
        service: Option<&str>,
        environment: Option<&str>,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let rows: Vec<Row> = on!(*self, c => {
            sqlx::query_as(concat!("select ", columns!(), " from operations o where state in ('waiting_approval', 'queued', 'running', 'unknown') \
                and exists (select 1 from operation_targets t where t.operation = o.id and ($1 is null or t.service = $1) \
                and ($2 is null or t.environment = $2)) \
                order by case when state in ('running', 'unknown') then 0 when state = 'queued' then 1 else 2 end, number desc limit 100"))
                .bind(service).bind(environment).fetch_all(&mut **c).await?
        });
        rows.into_iter().map(operation).collect()
    }

    /// Operations on a service, in one environment or all, newest first, at most 100.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn operations_of(
        &mut self,
        service: &str,
        environment: Option<&str>,
        limit: u32,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let rows: Vec<Row> = on!(*self, c => {
            sqlx::query_as(concat!("select ", columns!(), " from operations o where exists (select 1 from operation_targets t \
                where t.operation = o.id and t.service = $1 and ($2 is null or t.environment = $2)) order by number desc limit $3"))
                .bind(service).bind(environment).bind(i64::from(limit.min(100))).fetch_all(&mut **c).await?
        });
        rows.into_iter().map(operation).collect()
    }

    /// Operations that wait although their time has run out.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn overdue(&mut self, now: Timestamp) -> Result<Vec<OperationRow>, StoreError> {
        let rows: Vec<Row> = on!(*self, c => {
            sqlx::query_as(concat!("select ", columns!(), " from operations \
                where state in ('waiting_approval', 'queued') and expires_at <= $1 order by number limit 100")).bind(micros(now)).fetch_all(&mut **c).await?
        });
        rows.into_iter().map(operation).collect()
    }
}

//! Approvals of operations: one a person, each naming a plan's digest.

use andon_core::{Digest, OperationId, Speaker};
use jiff::Timestamp;

use crate::connection::{Connection, Transaction, micros, on, parse, speaker, time};
use crate::error::StoreError;

/// An approval to be counted.
pub struct NewApproval {
    /// The operation.
    pub operation: OperationId,
    /// Who approves, through which account.
    pub by: Speaker,
    /// The plan that is approved.
    pub digest: Digest,
    /// When.
    pub at: Timestamp,
}

/// An approval.
#[derive(Clone, Debug)]
pub struct ApprovalRow {
    /// Who approved, through which account.
    pub by: Speaker,
    /// The plan that was approved.
    pub digest: Digest,
    /// When.
    pub at: Timestamp,
}

impl Transaction<'_> {
    /// Keeps an approval: one a person; an earlier one of the same person is replaced.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn add_approval(&mut self, new: &NewApproval) -> Result<(), StoreError> {
        on!(self.0, c => {
            sqlx::query("insert into approvals (operation, person, identity, digest, at) values ($1, $2, $3, $4, $5) \
                on conflict (operation, person) do update set identity = excluded.identity, digest = excluded.digest, at = excluded.at")
                .bind(new.operation.to_string()).bind(new.by.person.as_str()).bind(new.by.identity.to_string())
                .bind(new.digest.to_string()).bind(micros(new.at)).execute(&mut **c).await?;
        });
        Ok(())
    }
}

impl Connection<'_> {
    /// The approvals of an operation, in their order. Whether they still hold is decided elsewhere.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn approvals(&mut self, operation: OperationId) -> Result<Vec<ApprovalRow>, StoreError> {
        let rows: Vec<(String, String, String, i64)> = on!(*self, c => {
            sqlx::query_as("select person, identity, digest, at from approvals where operation = $1 order by at, person")
                .bind(operation.to_string()).fetch_all(&mut **c).await?
        });
        rows.into_iter()
            .map(|(person, identity, digest, at)| {
                Ok(ApprovalRow {
                    by: speaker(&person, &identity)?,
                    digest: parse(&digest, "an approval's digest")?,
                    at: time(at)?,
                })
            })
            .collect()
    }
}

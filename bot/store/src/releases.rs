//! What is remembered of releases: which were seen healthy on a target, and which were rolled back from it.

use andon_core::{Artifact, Digest, OperationId, PersonId, Target, Version};
use jiff::Timestamp;

use crate::connection::{Connection, Transaction, micros, on, parse, time};
use crate::error::StoreError;

/// A release that was seen healthy on a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReleaseRow {
    /// What it was.
    pub artifact: Artifact,
    /// The operation that put it there.
    pub operation: OperationId,
    /// Who asked for that.
    pub by: PersonId,
    /// When it was first seen healthy.
    pub healthy_at: Timestamp,
}

/// A version that was rolled back from a target and is held there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionHold {
    /// Its name.
    pub version: Version,
    /// When it was rolled back.
    pub at: Timestamp,
}

impl Transaction<'_> {
    /// Remembers a release that was seen healthy. A release that comes back is no longer held.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record_release(
        &mut self,
        target: &Target,
        artifact: &Artifact,
        operation: OperationId,
        by: &PersonId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (service, environment) = (target.service.as_str(), target.environment.as_str());
        on!(self.0, c => {
            sqlx::query("insert into releases (service, environment, version, digest, operation, person, healthy_at) \
                values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing")
                .bind(service).bind(environment).bind(artifact.version.as_str()).bind(artifact.digest.to_string())
                .bind(operation.to_string()).bind(by.as_str()).bind(micros(at)).execute(&mut **c).await?;
            sqlx::query("update version_holds set released_at = $4 where service = $1 and environment = $2 and digest = $3")
                .bind(service).bind(environment).bind(artifact.digest.to_string()).bind(micros(at)).execute(&mut **c).await?;
        });
        Ok(())
    }

    /// Holds a version that was rolled back from a target.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hold_version(
        &mut self,
        target: &Target,
        artifact: &Artifact,
        operation: OperationId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        on!(self.0, c => {
            sqlx::query("insert into version_holds (service, environment, digest, version, operation, at) values ($1, $2, $3, $4, $5, $6) \
                on conflict (service, environment, digest) do update set operation = excluded.operation, at = excluded.at, released_at = null")
                .bind(target.service.as_str()).bind(target.environment.as_str()).bind(artifact.digest.to_string())
                .bind(artifact.version.as_str()).bind(operation.to_string()).bind(micros(at)).execute(&mut **c).await?;
        });
        Ok(())
    }
}

impl Connection<'_> {
    /// Whether a version is held on a target.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn version_hold(&mut self, target: &Target, digest: &Digest) -> Result<Option<VersionHold>, StoreError> {
        let row: Option<(String, i64)> = on!(*self, c => {
            sqlx::query_as("select version, at from version_holds where service = $1 and environment = $2 and digest = $3 and released_at is null")
                .bind(target.service.as_str()).bind(target.environment.as_str()).bind(digest.to_string()).fetch_optional(&mut **c).await?
        });
        row.map(|(version, at)| Ok(VersionHold { version: parse(&version, "a held version")?, at: time(at)? }))
            .transpose()
    }

    /// The releases that were seen healthy on a target, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn releases(&mut self, target: &Target, limit: u32) -> Result<Vec<ReleaseRow>, StoreError> {
        let rows: Vec<(String, String, String, String, i64)> = on!(*self, c => {
            sqlx::query_as("select version, digest, operation, person, healthy_at from releases where service = $1 and environment = $2 \
                order by id desc limit $3")
                .bind(target.service.as_str()).bind(target.environment.as_str()).bind(i64::from(limit)).fetch_all(&mut **c).await?
        });
        rows.into_iter()
            .map(|(version, digest, operation, person, healthy_at)| {
                Ok(ReleaseRow {
                    artifact: Artifact {
                        version: parse(&version, "a release's version")?,
                        digest: parse(&digest, "a release's digest")?,
                    },
                    operation: parse(&operation, "a release's operation")?,
                    by: parse(&person, "a release's person")?,
                    healthy_at: time(healthy_at)?,
                })
            })
            .collect()
    }
}

//! Locks and freezes: leases with an owner, a reason, a scope and an expiry.

use std::fmt;

use andon_core::{EnvironmentName, OperationId, PersonId, Room, ServiceName, Target};
use jiff::Timestamp;

use crate::connection::{Connection, Transaction, micros, on, parse, target as make_target, time};
use crate::error::StoreError;

/// A lock to be taken.
pub struct NewLock {
    /// What is locked.
    pub target: Target,
    /// Who holds it.
    pub owner: PersonId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// The operation that left it behind.
    pub operation: Option<OperationId>,
    /// Where it was taken, and its end is told.
    pub room: Room,
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// What is locked.
    pub target: Target,
    /// The fencing token: it only ever grows on a target.
    pub token: i64,
    /// Who holds it.
    pub owner: PersonId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Where it was taken, if that is known.
    pub room: Option<Room>,
}

/// What became of taking a lock.
pub enum LockHeld {
    /// It is held now.
    Held(Lock),
    /// Somebody else holds it.
    Taken(Lock),
}

/// What a freeze covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Only this service, or all.
    pub service: Option<ServiceName>,
    /// Only this environment, or all.
    pub environment: Option<EnvironmentName>,
}

impl Scope {
    /// Whether a target lies in it.
    pub fn covers(&self, target: &Target) -> bool {
        self.service.as_ref().is_none_or(|service| *service == target.service)
            && self.environment.as_ref().is_none_or(|environment| *environment == target.environment)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.service, &self.environment) {
            (None, None) => f.write_str("everything"),
            (Some(service), None) => write!(f, "{service}"),
            (None, Some(environment)) => write!(f, "{environment}"),
            (Some(service), Some(environment)) => write!(f, "{service}/{environment}"),
        }
    }
}

/// A freeze to be pulled.
pub struct NewFreeze {
    /// What it covers.
    pub scope: Scope,
    /// Who pulls it.
    pub owner: PersonId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Where it is pulled, and its end is told.
    pub room: Room,
}

/// A freeze.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// Its identifier.
    pub id: i64,
    /// What it covers.
    pub scope: Scope,
    /// Who pulled it.
    pub owner: PersonId,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// Where it was pulled, if that is known.
    pub room: Option<Room>,
}

type LockRow = (String, String, i64, String, String, i64, i64, Option<String>);

fn lock((service, environment, token, owner, reason, at, expires_at, room): LockRow) -> Result<Lock, StoreError> {
    Ok(Lock {
        target: make_target(&service, &environment)?,
        token,
        owner: parse(&owner, "a lock's owner")?,
        reason,
        at: time(at)?,
        expires_at: time(expires_at)?,
        room: maybe_room(room)?,
    })
}

fn maybe_room(room: Option<String>) -> Result<Option<Room>, StoreError> {
    room.map(|room| parse(&room, "a room")).transpose()
}

type FreezeRow = (i64, Option<String>, Option<String>, String, String, i64, i64, Option<String>);

fn freeze((id, service, environment, owner, reason, at, expires_at, room): FreezeRow) -> Result<Freeze, StoreError> {
    let scope = Scope {
        service: service.map(|name| parse(&name, "a freeze's service")).transpose()?,
        environment: environment.map(|name| parse(&name, "a freeze's environment")).transpose()?,
    };
    let owner = parse(&owner, "a freeze's owner")?;
    let (at, expires_at, room) = (time(at)?, time(expires_at)?, maybe_room(room)?);
    Ok(Freeze { id, scope, owner, reason, at, expires_at, room })
}

impl Transaction<'_> {
    /// Keeps everybody from taking a lock or pulling a freeze until this unit of work ends: what was looked at in it still holds when it
    /// is kept. Many may do so at once.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keep_obstacles(&mut self) -> Result<(), StoreError> {
        if let Connection::Postgres(connection) = &mut self.0 {
            sqlx::query("select pg_advisory_xact_lock_shared(7236003)").execute(&mut **connection).await?;
        }
        // SQLite has one writer, and this is it.
        Ok(())
    }

    /// Waits for whoever looked and goes on under [`Transaction::keep_obstacles`].
    async fn change_obstacles(&mut self) -> Result<(), StoreError> {
        if let Connection::Postgres(connection) = &mut self.0 {
            sqlx::query("select pg_advisory_xact_lock(7236003)").execute(&mut **connection).await?;
        }
        Ok(())
    }

    /// Takes a lock, or says who holds it. Its owner may take it again: the new one replaces the old one, with a new token.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hold_lock(&mut self, new: &NewLock) -> Result<LockHeld, StoreError> {
        self.change_obstacles().await?;
        let held = self.connection().lock(&new.target, new.at).await?;
        if let Some(lock) = held.filter(|lock| lock.owner != new.owner) {
            return Ok(LockHeld::Taken(lock));
        }
        let (service, environment) = (new.target.service.as_str(), new.target.environment.as_str());
        let added = on!(self.0, c => {
            sqlx::query("update locks set released_at = $3 where service = $1 and environment = $2 and released_at is null \
                and (expires_at <= $3 or owner = $4)")
                .bind(service).bind(environment).bind(micros(new.at)).bind(new.owner.as_str()).execute(&mut **c).await?;
            sqlx::query("insert into locks (service, environment, token, owner, reason, at, expires_at, operation, room) \
                select $1, $2, coalesce(max(token), 0) + 1, $3, $4, $5, $6, $7, $8 from locks where service = $1 and environment = $2 \
                on conflict do nothing")
                .bind(service).bind(environment).bind(new.owner.as_str()).bind(&new.reason).bind(micros(new.at))
                .bind(micros(new.expires_at)).bind(new.operation.map(|operation| operation.to_string())).bind(new.room.to_string())
                .execute(&mut **c).await?.rows_affected()
        });
        match self.connection().lock(&new.target, new.at).await? {
            Some(lock) if added == 1 => Ok(LockHeld::Held(lock)),
            Some(lock) => Ok(LockHeld::Taken(lock)),
            None => Err(StoreError::Conflict(format!("the lock of {}", new.target))),
        }
    }

    /// Lets a lock go, if it still is the one with this token. False where it is not.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn release_lock(&mut self, target: &Target, token: i64, at: Timestamp) -> Result<bool, StoreError> {
        let changed = on!(self.0, c => {
            sqlx::query("update locks set released_at = $4 where service = $1 and environment = $2 and token = $3 and released_at is null")
                .bind(target.service.as_str()).bind(target.environment.as_str()).bind(token).bind(micros(at))
                .execute(&mut **c).await?.rows_affected()
        });
        Ok(changed == 1)
    }

    /// Pulls the andon cord.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn pull_freeze(&mut self, new: &NewFreeze) -> Result<i64, StoreError> {
        self.change_obstacles().await?;
        on!(self.0, c => {
            let (id,): (i64,) = sqlx::query_as("insert into freezes (service, environment, owner, reason, at, expires_at, room) \
                values ($1, $2, $3, $4, $5, $6, $7) returning id")
                .bind(new.scope.service.as_ref().map(ServiceName::as_str)).bind(new.scope.environment.as_ref().map(EnvironmentName::as_str))
                .bind(new.owner.as_str()).bind(&new.reason).bind(micros(new.at)).bind(micros(new.expires_at))
                .bind(new.room.to_string()).fetch_one(&mut **c).await?;
            Ok(id)
        })
    }

    /// Lifts a freeze. False where it is lifted already.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn lift_freeze(&mut self, id: i64, at: Timestamp) -> Result<bool, StoreError> {
        let changed = on!(self.0, c => {
            sqlx::query("update freezes set lifted_at = $2 where id = $1 and lifted_at is null")
                .bind(id).bind(micros(at)).execute(&mut **c).await?.rows_affected()
        });
        Ok(changed == 1)
    }
}

impl Connection<'_> {
    /// The lock on a target at `now`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn lock(&mut self, target: &Target, now: Timestamp) -> Result<Option<Lock>, StoreError> {
        Ok(self.locks(now).await?.into_iter().find(|lock| lock.target == *target))
    }

    /// All locks at `now`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn locks(&mut self, now: Timestamp) -> Result<Vec<Lock>, StoreError> {
        Ok(self.locks_held().await?.into_iter().filter(|lock| lock.expires_at > now).collect())
    }

    /// All locks that nobody has let go yet, whether they have run out or not.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn locks_held(&mut self) -> Result<Vec<Lock>, StoreError> {
        let rows: Vec<LockRow> = on!(*self, c => {
            sqlx::query_as("select service, environment, token, owner, reason, at, expires_at, room from locks \
                where released_at is null order by service, environment").fetch_all(&mut **c).await?
        });
        rows.into_iter().map(lock).collect()
    }

    /// All freezes at `now`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn freezes(&mut self, now: Timestamp) -> Result<Vec<Freeze>, StoreError> {
        Ok(self.freezes_pulled().await?.into_iter().filter(|freeze| freeze.expires_at > now).collect())
    }

    /// All freezes that nobody has lifted yet, whether they have run out or not.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn freezes_pulled(&mut self) -> Result<Vec<Freeze>, StoreError> {
        let rows: Vec<FreezeRow> = on!(*self, c => {
            sqlx::query_as("select id, service, environment, owner, reason, at, expires_at, room from freezes \
                where lifted_at is null order by id").fetch_all(&mut **c).await?
        });
        rows.into_iter().map(freeze).collect()
    }

    /// The freezes that cover a target at `now`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn freezes_over(&mut self, target: &Target, now: Timestamp) -> Result<Vec<Freeze>, StoreError> {
        Ok(self.freezes(now).await?.into_iter().filter(|freeze| freeze.scope.covers(target)).collect())
    }
}

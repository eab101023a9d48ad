//! What chats tell beyond what people say: accounts, until when each chat was listened to, and where checkpoints were posted.

use andon_core::{Identity, PersonId, Room};
use jiff::Timestamp;

use crate::connection::{Connection, Transaction, maybe_time, micros, on, parse};
use crate::error::StoreError;

/// An account of which more is known than the configuration says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountRow {
    /// The account.
    pub identity: Identity,
    /// Whose it is by its confirmed e-mail address.
    pub person: Option<PersonId>,
    /// Whether its platform has deactivated it.
    pub closed: bool,
}

impl Transaction<'_> {
    /// Remembers what is known of an account as of a time. False where something is known as of a later one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn put_account(&mut self, account: &AccountRow, at: Timestamp) -> Result<bool, StoreError> {
        let changed = on!(self.0, c => {
            sqlx::query("insert into accounts (identity, person, closed, changed) values ($1, $2, $3, $4) \
                on conflict (identity) do update set person = excluded.person, closed = excluded.closed, changed = excluded.changed \
                where accounts.changed <= excluded.changed")
                .bind(account.identity.to_string()).bind(account.person.as_ref().map(ToString::to_string))
                .bind(i64::from(account.closed)).bind(micros(at)).execute(&mut **c).await?.rows_affected()
        });
        Ok(changed == 1)
    }

    /// Notes that a chat is listened to until `now`, and gives the time of the note before.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn note_hearing(&mut self, platform: &str, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let before = self.connection().heard_until(platform).await?;
        on!(self.0, c => {
            sqlx::query("insert into hearings (platform, until) values ($1, $2) on conflict (platform) \
                do update set until = case when excluded.until > hearings.until then excluded.until else hearings.until end")
                .bind(platform).bind(micros(now)).execute(&mut **c).await?;
        });
        Ok(before)
    }

    /// Notes that the checkpoint of `size` is posted to a room. False where one as large was posted already, perhaps by another replica.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn note_anchor(&mut self, room: &Room, size: u64, at: Timestamp) -> Result<bool, StoreError> {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let changed = on!(self.0, c => {
            sqlx::query("insert into room_anchors (room, size, posted) values ($1, $2, $3) on conflict (room) \
                do update set size = excluded.size, posted = excluded.posted where room_anchors.size < excluded.size")
                .bind(room.to_string()).bind(size).bind(micros(at)).execute(&mut **c).await?.rows_affected()
        });
        Ok(changed == 1)
    }
}

impl Connection<'_> {
    /// Until when a chat was listened to, by any replica; nothing where it never was.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn heard_until(&mut self, platform: &str) -> Result<Option<Timestamp>, StoreError> {
        let row: Option<(i64,)> = on!(*self, c => {
            sqlx::query_as("select until from hearings where platform = $1").bind(platform).fetch_optional(&mut **c).await?
        });
        maybe_time(row.map(|(until,)| until))
    }

    /// What is known of an account beyond the configuration.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn account(&mut self, identity: &Identity) -> Result<Option<AccountRow>, StoreError> {
        let row: Option<(Option<String>, i64)> = on!(*self, c => {
            sqlx::query_as("select person, closed from accounts where identity = $1").bind(identity.to_string())
                .fetch_optional(&mut **c).await?
        });
        row.map(|(person, closed)| account(identity.clone(), person, closed)).transpose()
    }

    /// All accounts of which more is known than the configuration says.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn accounts(&mut self) -> Result<Vec<AccountRow>, StoreError> {
        let rows: Vec<(String, Option<String>, i64)> = on!(*self, c => {
            sqlx::query_as("select identity, person, closed from accounts order by identity").fetch_all(&mut **c).await?
        });
        let read =
            |(identity, person, closed): (String, _, _)| account(parse(&identity, "an account")?, person, closed);
        rows.into_iter().map(read).collect()
    }

    /// The size of the checkpoint that was posted to a room last, and when.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn room_anchor(&mut self, room: &Room) -> Result<Option<(u64, Timestamp)>, StoreError> {
        let row: Option<(i64, i64)> = on!(*self, c => {
            sqlx::query_as("select size, posted from room_anchors where room = $1").bind(room.to_string())
                .fetch_optional(&mut **c).await?
        });
        row.map(|(size, posted)| Ok((u64::try_from(size).unwrap_or(0), crate::connection::time(posted)?))).transpose()
    }
}

fn account(identity: Identity, person: Option<String>, closed: i64) -> Result<AccountRow, StoreError> {
    let person = person.map(|person| parse(&person, "an account's person")).transpose()?;
    Ok(AccountRow { identity, person, closed: closed == 1 })
}

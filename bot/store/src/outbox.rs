//! The outbox: what is to be said. A card is desired state, sent when its version is ahead of what was sent; messages are a queue, in
//! order for each room.

use andon_core::ports::{Marker, Placement};
use andon_core::{Identity, InvocationId, Message, OperationId, Room};
use jiff::Timestamp;

use crate::connection::{Connection, Transaction, database_now, json, micros, on, parse, to_json};
use crate::error::{StoreError, readable};
use crate::news::Topic;

/// A card to be placed in a room.
pub struct NewCard {
    /// Whose card it is.
    pub operation: OperationId,
    /// Where.
    pub room: Room,
    /// Who asked, for messages that are for the asker alone.
    pub asker: Option<Identity>,
    /// What it reads.
    pub message: Message,
}

/// A message to be said once.
#[derive(Clone)]
pub struct NewMessage {
    /// Where.
    pub room: Room,
    /// Who asked.
    pub asker: Option<Identity>,
    /// What.
    pub message: Message,
    /// The invocation that it answers.
    pub invocation: Option<InvocationId>,
    /// The operation that it is about.
    pub operation: Option<OperationId>,
    /// Whether it goes into the thread of the operation's card.
    pub under_card: bool,
    /// Whether it goes before others.
    pub urgent: bool,
    /// When it is no longer worth saying.
    pub expires_at: Timestamp,
}

impl NewMessage {
    /// One that answers nothing and is about nothing in particular; it goes after what waits.
    pub const fn new(room: Room, message: Message, expires_at: Timestamp) -> Self {
        let (asker, invocation, operation) = (None, None, None);
        Self { room, asker, message, invocation, operation, under_card: false, urgent: false, expires_at }
    }
}

/// Something to be said now.
pub struct OutboxItem {
    /// Which.
    pub kind: OutboxKind,
    /// Where.
    pub room: Room,
    /// Who asked.
    pub asker: Option<Identity>,
    /// What.
    pub message: Message,
    /// The mark by which it is found again.
    pub marker: Marker,
    /// How often it was tried, this time included. A crash while it was said leaves its mark here, too.
    pub attempts: i64,
}

/// The kinds of things to be said.
pub enum OutboxKind {
    /// A card: posted first, edited after.
    Card {
        /// Whose.
        operation: OperationId,
        /// The version that `message` is.
        version: i64,
        /// Where it was posted.
        placement: Option<Placement>,
    },
    /// A message.
    Message {
        /// Its row.
        id: i64,
        /// The card under which it goes.
        under: Option<Placement>,
    },
}

type CardRow = (String, String, Option<String>, String, i64, Option<String>, String, i64);
type MessageRow = (i64, String, Option<String>, String, String, i64, Option<String>);

// On PostgreSQL several replicas claim at the same moment: each locks what it takes, and passes over what another has locked. The choice
// is materialized, so that it is made once.
macro_rules! claim_cards {
    ($lock:literal) => {
        concat!(
            "with due as materialized (select operation, room from cards \
             where version > sent_version and given_up is null and next_at <= $1 and lease_until <= $1 \
             order by (select o.urgent from operations o where o.id = cards.operation) desc, next_at limit $3 ",
            $lock,
            ") update cards set lease_until = $2, attempts = attempts + 1 where (operation, room) in (select operation, room from due) \
             returning operation, room, asker, message, version, placement, marker, attempts"
        )
    };
}

macro_rules! claim_messages {
    ($lock:literal) => {
        concat!(
            "with due as materialized (select m.id from messages m \
             where m.done_at is null and m.next_at <= $1 and m.lease_until <= $1 \
             and m.id = (select f.id from messages f where f.room = m.room and f.done_at is null order by f.urgent desc, f.id limit 1) \
             and not (m.under_card and exists (select 1 from cards k where k.operation = m.operation and k.room = m.room \
             and k.sent_version < k.version and k.given_up is null)) \
             order by m.urgent desc, m.id limit $3 ",
            $lock,
            ") update messages set lease_until = $2, attempts = attempts + 1 where id in (select id from due) \
             returning id, room, asker, message, marker, attempts, (select k.placement from cards k \
             where messages.under_card and k.operation = messages.operation and k.room = messages.room)"
        )
    };
}

// Its mark holds the row's number, and is another in every database. It is handed over at once where `$10` is 1 and its room has nothing else to hear.
macro_rules! insert_message {
    ($id:expr, $overriding:expr, $random:expr, $now:expr) => {
        concat!(
            "insert into messages (id, room, asker, message, invocation, operation, under_card, urgent, expires_at, marker, attempts, lease_until) ",
            $overriding,
            " select next.id, $1, $2, $3, $4, $5, $6, $7, $8, $9 || '/' || next.id || '/' || ",
            $random,
            ", next.taken, next.taken * (",
            $now,
            " + $11) from (select ",
            $id,
            " as id, case when exists (select 1 from messages where room = $1 and done_at is null) then 0 else $10 end as taken) as next \
             returning id, marker, attempts"
        )
    };
}

impl Transaction<'_> {
    /// Places a card.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn put_card(&mut self, new: &NewCard) -> Result<(), StoreError> {
        self.1.news.note(Topic::Outbox);
        on!(self.0, c => {
            sqlx::query("insert into cards (operation, room, asker, message, marker) values ($1, $2, $3, $4, $5) on conflict do nothing")
                .bind(new.operation.to_string()).bind(new.room.to_string()).bind(new.asker.as_ref().map(ToString::to_string))
                .bind(to_json(&new.message)?).bind(format!("{}/{}", new.operation, new.room)).execute(&mut **c).await?;
        });
        Ok(())
    }

    /// Makes all cards of an operation read otherwise.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn redraw_cards(&mut self, operation: OperationId, message: &Message) -> Result<(), StoreError> {
        self.1.news.note(Topic::Outbox);
        on!(self.0, c => {
            sqlx::query("update cards set message = $2, version = version + 1 where operation = $1 and message <> $2")
                .bind(operation.to_string()).bind(to_json(message)?).execute(&mut **c).await?;
        });
        Ok(())
    }

    /// Has all cards of an operation said once more, also those that were given up and those that should read so already. One that is still
    /// to be said is left alone, unless it reads otherwise: however often this is asked, they are said once.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn repeat_cards(&mut self, operation: OperationId, message: &Message) -> Result<(), StoreError> {
        self.1.news.note(Topic::Outbox);
        on!(self.0, c => {
            sqlx::query("update cards set message = $2, version = version + 1, given_up = null \
                where operation = $1 and (version = sent_version or given_up is not null or message <> $2)")
                .bind(operation.to_string()).bind(to_json(message)?).execute(&mut **c).await?;
        });
        Ok(())
    }

    /// Queues a message.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn put_message(&mut self, new: &NewMessage) -> Result<(), StoreError> {
        // What goes under a card waits until the card stands there.
        let hand = self.1.handing.to_outbox().filter(|_| !new.under_card);
        let mut hand = hand.and_then(|hand| Some((hand.place(new.urgent)?, hand)));
        if hand.is_some() && !self.speaks_alone(&new.room).await? {
            hand = None;
        }
        let lease = hand.as_ref().map_or(0, |(_, hand)| self.1.handing.lease(hand, &self.0));
        let about = new
            .invocation
            .map(|id| id.to_string())
            .or_else(|| new.operation.map(|id| id.to_string()))
            .unwrap_or_default();
        let (id, marker, attempts): (i64, String, i64) = on!(self.0, c, sql = [
            insert_message!("(select coalesce(max(id), 0) + 1 from messages)", "", "lower(hex(randomblob(8)))", "0"),
            insert_message!("nextval(pg_get_serial_sequence('messages', 'id'))", "overriding system value", "gen_random_uuid()", database_now!())
        ] => {
            sqlx::query_as(sql)
                .bind(new.room.to_string()).bind(new.asker.as_ref().map(ToString::to_string)).bind(to_json(&new.message)?)
                .bind(new.invocation.map(|id| id.to_string())).bind(new.operation.map(|id| id.to_string()))
                .bind(new.under_card).bind(new.urgent).bind(micros(new.expires_at)).bind(about)
                .bind(i64::from(hand.is_some())).bind(lease).fetch_one(&mut **c).await?
        });
        match hand {
            Some((place, _)) if attempts > 0 => {
                let kind = OutboxKind::Message { id, under: None };
                let NewMessage { room, asker, message, .. } = new.clone();
                self.1
                    .handing
                    .outbox
                    .push((OutboxItem { kind, room, asker, message, marker: Marker(marker), attempts }, place));
            }
            _ => self.1.news.note(Topic::Outbox),
        }
        Ok(())
    }

    /// Takes up what is to be said now: cards that are behind first, then the first waiting message of each room. What is no longer
    /// worth saying is given up, so that nothing waits behind it; what cannot be read is passed over for as long as its lease lasts.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_outbox(
        &mut self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<OutboxItem>, StoreError> {
        let (now, until, limit) = (micros(now), micros(until), i64::from(limit));
        self.give_up_stale(now).await?;
        let cards: Vec<CardRow> = on!(self.0, c, sql = [claim_cards!(""), claim_cards!("for update skip locked")] => {
            sqlx::query_as(sql).bind(now).bind(until).bind(limit).fetch_all(&mut **c).await?
        });
        let limit = limit - i64::try_from(cards.len()).unwrap_or(limit);
        let messages: Vec<MessageRow> = on!(self.0, c, sql = [claim_messages!(""), claim_messages!("for update of m skip locked")] => {
            sqlx::query_as(sql).bind(now).bind(until).bind(limit).fetch_all(&mut **c).await?
        });
        let cards = cards.into_iter().filter_map(|row| readable(card(row), "a card"));
        Ok(cards.chain(messages.into_iter().filter_map(|row| readable(message(row), "a message"))).collect())
    }

    async fn give_up_stale(&mut self, now: i64) -> Result<(), StoreError> {
        let stale = on!(self.0, c => {
            sqlx::query("update messages set done_at = $1, given_up = 'it could not be said in time' \
                where done_at is null and expires_at <= $1 and lease_until <= $1").bind(now).execute(&mut **c).await?.rows_affected()
        });
        if stale > 0 {
            tracing::warn!("{stale} messages could not be said in time and were given up");
        }
        Ok(())
    }

    /// Something was said. It is news for those who wait for what goes next, under a card or in the same room, if there is any.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn delivered(
        &mut self,
        item: &OutboxItem,
        placement: Option<&Placement>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let placement = placement.map(|placement| placement.0.as_str());
        let more = on!(self.0, c => match &item.kind {
            OutboxKind::Card { operation, version, .. } => {
                sqlx::query("update cards set sent_version = $3, placement = coalesce($4, placement), attempts = 0, lease_until = 0 \
                    where operation = $1 and room = $2")
                    .bind(operation.to_string()).bind(item.room.to_string()).bind(*version).bind(placement).execute(&mut **c).await?;
                true
            }
            OutboxKind::Message { id, .. } => {
                let more: Option<(bool,)> = sqlx::query_as("update messages set done_at = $2, placement = $3 where id = $1 \
                    returning exists (select 1 from messages n where n.room = messages.room and n.done_at is null and n.id <> messages.id)")
                    .bind(*id).bind(micros(at)).bind(placement).fetch_optional(&mut **c).await?;
                more.is_some_and(|(more,)| more)
            }
        });
        if more {
            self.1.news.note(Topic::Outbox);
        }
        Ok(())
    }

    /// Something could not be said yet.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn retry_later(&mut self, item: &OutboxItem, at: Timestamp) -> Result<(), StoreError> {
        on!(self.0, c => match &item.kind {
            OutboxKind::Card { operation, .. } => {
                sqlx::query("update cards set next_at = $3, lease_until = 0 where operation = $1 and room = $2")
                    .bind(operation.to_string()).bind(item.room.to_string()).bind(micros(at)).execute(&mut **c).await?;
            }
            OutboxKind::Message { id, .. } => {
                sqlx::query("update messages set next_at = $2, lease_until = 0 where id = $1")
                    .bind(*id).bind(micros(at)).execute(&mut **c).await?;
            }
        });
        Ok(())
    }

    /// Something was not even tried, since its platform asks to wait: it counts as no attempt.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn postpone(&mut self, item: &OutboxItem, at: Timestamp) -> Result<(), StoreError> {
        on!(self.0, c => match &item.kind {
            OutboxKind::Card { operation, .. } => {
                sqlx::query("update cards set next_at = $3, lease_until = 0, attempts = attempts - 1 where operation = $1 and room = $2")
                    .bind(operation.to_string()).bind(item.room.to_string()).bind(micros(at)).execute(&mut **c).await?;
            }
            OutboxKind::Message { id, .. } => {
                sqlx::query("update messages set next_at = $2, lease_until = 0, attempts = attempts - 1 where id = $1")
                    .bind(*id).bind(micros(at)).execute(&mut **c).await?;
            }
        });
        Ok(())
    }

    /// Something will never be said.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn give_up(&mut self, item: &OutboxItem, why: &str, at: Timestamp) -> Result<(), StoreError> {
        self.1.news.note(Topic::Outbox);
        on!(self.0, c => match &item.kind {
            OutboxKind::Card { operation, .. } => {
                sqlx::query("update cards set given_up = $3, lease_until = 0 where operation = $1 and room = $2")
                    .bind(operation.to_string()).bind(item.room.to_string()).bind(why).execute(&mut **c).await?;
            }
            OutboxKind::Message { id, .. } => {
                sqlx::query("update messages set done_at = $2, given_up = $3 where id = $1")
                    .bind(*id).bind(micros(at)).bind(why).execute(&mut **c).await?;
            }
        });
        Ok(())
    }
}

impl Connection<'_> {
    /// How much is still to be said about an invocation and the operation that it became.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unsent(
        &mut self,
        invocation: InvocationId,
        operation: Option<OperationId>,
    ) -> Result<i64, StoreError> {
        let operation = operation.map(|id| id.to_string());
        let (messages, cards): (i64, i64) = on!(*self, c => {
            sqlx::query_as("select (select count(*) from messages where done_at is null and (invocation = $1 or operation = $2)), \
                (select count(*) from cards where version > sent_version and given_up is null and operation = $2)")
                .bind(invocation.to_string()).bind(operation).fetch_one(&mut **c).await?
        });
        Ok(messages + cards)
    }
}

fn maybe_identity(asker: Option<String>) -> Result<Option<Identity>, StoreError> {
    asker.map(|asker| parse(&asker, "an asker")).transpose()
}

fn card(
    (operation, room, asker, message, version, placement, marker, attempts): CardRow,
) -> Result<OutboxItem, StoreError> {
    let operation = parse(&operation, "a card's operation")?;
    Ok(OutboxItem {
        kind: OutboxKind::Card { operation, version, placement: placement.map(Placement) },
        room: parse(&room, "a card's room")?,
        asker: maybe_identity(asker)?,
        message: json(&message, "a card")?,
        marker: Marker(marker),
        attempts,
    })
}

fn message((id, room, asker, message, marker, attempts, under): MessageRow) -> Result<OutboxItem, StoreError> {
    Ok(OutboxItem {
        kind: OutboxKind::Message { id, under: under.map(Placement) },
        room: parse(&room, "a message's room")?,
        asker: maybe_identity(asker)?,
        message: json(&message, "a message")?,
        marker: Marker(marker),
        attempts,
    })
}

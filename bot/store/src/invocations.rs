//! Invocations: what people said, from the moment it is accepted until it is answered.

use andon_core::{InvocationId, Receipt, Said, Speaker};
use andon_trail::Sealed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::connection::{Connection, Transaction, database_now, json, micros, on, parse, to_json};
use crate::error::{StoreError, readable};
use crate::news::Topic;

/// A command as it is kept: stored arguments carry their path, so that they are still understood after an upgrade.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredCommand {
    /// Its words.
    pub path: Vec<String>,
    /// Its arguments.
    pub arguments: Value,
    /// The flags that all changes share.
    pub flags: Value,
}

/// How a new invocation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewInvocationState {
    /// Somebody will proceed with it.
    Accepted,
    /// It was refused already.
    Refused,
}

/// How an invocation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvocationState {
    /// Not yet.
    Accepted,
    /// Answered or applied.
    Answered,
    /// It became an operation.
    Planned,
    /// Refused.
    Refused,
    /// Something broke.
    Failed,
}

impl InvocationState {
    const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Answered => "answered",
            Self::Planned => "planned",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    fn parse(name: &str) -> Result<Self, StoreError> {
        [Self::Accepted, Self::Answered, Self::Planned, Self::Refused, Self::Failed]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or_else(|| StoreError::Corrupt("an invocation's state".to_owned()))
    }
}

/// A delivery to be accepted.
pub struct NewInvocation<'a> {
    /// Its identifier.
    pub id: InvocationId,
    /// What was said.
    pub said: &'a Said,
    /// Who said it; nobody for an unlinked account.
    pub speaker: Option<&'a Speaker>,
    /// What was understood.
    pub command: Option<&'a StoredCommand>,
    /// Its first records.
    pub records: &'a [Sealed],
    /// What the adapter is told, now and for every further delivery of the same act.
    pub receipt: &'a Receipt,
    /// How it begins.
    pub state: NewInvocationState,
    /// Whether it goes by the lane of what cannot wait.
    pub urgent: bool,
}

/// An invocation as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Body {
    said: Said,
    speaker: Option<Speaker>,
    command: Option<StoredCommand>,
}

/// An invocation.
#[derive(Clone, Debug)]
pub struct InvocationRow {
    /// Its identifier.
    pub id: InvocationId,
    /// Where it stands.
    pub state: InvocationState,
    /// What was said.
    pub said: Said,
    /// Who said it.
    pub speaker: Option<Speaker>,
    /// What was understood.
    pub command: Option<StoredCommand>,
    /// How often somebody has taken it up.
    pub attempts: i64,
}

/// What became of a delivery.
pub enum Acceptance {
    /// It is new, and durable once the unit of work is kept. This process's own worker is handed it, or somebody will find it.
    New,
    /// The same human act was delivered before; this is what was said of it then.
    Duplicate(Receipt),
}

/// Proof that an intent is durable, and that this process holds its lease. Without one nothing can be answered or planned.
#[derive(Debug)]
pub struct Accepted {
    row: InvocationRow,
    fence: i64,
}

impl Accepted {
    /// The invocation.
    pub const fn invocation(&self) -> &InvocationRow {
        &self.row
    }
}

/// Taken up at once where `$7` is 1, and not at all where it is 0; the lease ends `$8` after `$now`.
macro_rules! insert_invocation {
    ($now:expr) => {
        concat!(
            "insert into invocations (id, state, body, received, urgent, lease_owner, fence, attempts, lease_until) \
             values ($1, $2, $3, $4, $5, $6, $7, $7, $7 * (",
            $now,
            " + $8))"
        )
    };
}

macro_rules! claim_invocations {
    ($lock:literal) => {
        concat!(
            "with due as materialized (select id from invocations where state = 'accepted' and lease_until <= $2 \
             and ($4 = (1 = 0) or urgent) order by urgent desc, received limit $5 ",
            $lock,
            ") update invocations set lease_owner = $1, lease_until = $3, fence = fence + 1, attempts = attempts + 1 \
             where id in (select id from due) returning id, state, body, attempts, fence"
        )
    };
}

impl Transaction<'_> {
    /// Makes an intent durable: the key of the human act, the invocation and its records, together or not at all.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn accept(&mut self, new: NewInvocation<'_>) -> Result<Acceptance, StoreError> {
        let earlier = self.remember(&new).await?;
        if let Some(receipt) = self.attempted(&new, earlier).await? {
            return Ok(Acceptance::Duplicate(receipt));
        }
        let body = Body { said: new.said.clone(), speaker: new.speaker.cloned(), command: new.command.cloned() };
        let state = match new.state {
            NewInvocationState::Accepted => InvocationState::Accepted,
            NewInvocationState::Refused => InvocationState::Refused,
        };
        let goes_on = new.state == NewInvocationState::Accepted;
        let hand = self.1.handing.to_invocations().filter(|_| goes_on);
        let hand = hand.and_then(|hand| Some((hand.place(new.urgent)?, hand)));
        let owner = hand.as_ref().map(|(_, hand)| hand.owner());
        let lease = hand.as_ref().map_or(0, |(_, hand)| self.1.handing.lease(hand, &self.0));
        let taken = i64::from(hand.is_some());
        on!(self.0, c, sql = [insert_invocation!("0"), insert_invocation!(database_now!())] => {
            sqlx::query(sql)
                .bind(new.id.to_string()).bind(state.name()).bind(to_json(&body)?).bind(micros(new.said.received)).bind(new.urgent)
                .bind(owner).bind(taken).bind(lease).execute(&mut **c).await?;
        });
        for record in new.records {
            self.append(record).await?;
        }
        let Body { said, speaker, command } = body;
        let row = InvocationRow { id: new.id, state, said, speaker, command, attempts: taken };
        match hand {
            Some((place, _)) => self.1.handing.invocations.push((Accepted { row, fence: taken }, place)),
            None if goes_on => self.1.news.note(Topic::Invocations),
            None => {}
        }
        Ok(Acceptance::New)
    }

    /// Remembers the human act, or gives the receipt of an earlier delivery of it.
    async fn remember(&mut self, new: &NewInvocation<'_>) -> Result<Option<Receipt>, StoreError> {
        let inserted = on!(self.0, c => {
            sqlx::query("insert into inbox (key, receipt, received) values ($1, $2, $3) on conflict do nothing")
                .bind(&new.said.key.0).bind(to_json(new.receipt)?).bind(micros(new.said.received))
                .execute(&mut **c).await?.rows_affected()
        });
        if inserted > 0 {
            return Ok(None);
        }
        let (receipt,): (String,) = on!(self.0, c => {
            sqlx::query_as("select receipt from inbox where key = $1").bind(&new.said.key.0).fetch_one(&mut **c).await?
        });
        Ok(Some(json(&receipt, "a receipt")?))
    }

    /// Forgets human acts that were received before `before`; later deliveries of them are refused by their time stamp.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn prune_inbox(&mut self, before: Timestamp) -> Result<(), StoreError> {
        on!(self.0, c => {
            sqlx::query("delete from inbox where received < $1").bind(micros(before)).execute(&mut **c).await?;
        });
        Ok(())
    }

    /// Takes up to `limit` accepted invocations that nobody holds: urgent ones first, then the oldest. `urgent_only` keeps places free for
    /// them. One that cannot be read is passed over for as long as its lease lasts, so that nothing waits behind it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_invocations(
        &mut self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        urgent_only: bool,
        limit: u32,
    ) -> Result<Vec<Accepted>, StoreError> {
        let rows: Vec<(String, String, String, i64, i64)> = on!(self.0, c, sql = [claim_invocations!(""), claim_invocations!("for update skip locked")] => {
            sqlx::query_as(sql).bind(owner).bind(micros(now)).bind(micros(until)).bind(urgent_only).bind(i64::from(limit)).fetch_all(&mut **c).await?
        });
        let taken = |(id, state, body, attempts, fence): (String, String, String, i64, i64)| {
            let row = readable(invocation(&id, &state, &body, attempts), "an invocation")?;
            Some(Accepted { row, fence })
        };
        Ok(rows.into_iter().filter_map(taken).collect())
    }

    /// Keeps an invocation's lease for longer. False where it is lost, or the invocation has ended.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn renew_invocation(&mut self, accepted: &Accepted, until: Timestamp) -> Result<bool, StoreError> {
        let changed = on!(self.0, c => {
            sqlx::query("update invocations set lease_until = $1 where id = $2 and fence = $3 and state = 'accepted'")
                .bind(micros(until)).bind(accepted.row.id.to_string()).bind(accepted.fence).execute(&mut **c).await?.rows_affected()
        });
        Ok(changed == 1)
    }

    /// Ends an invocation.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where somebody else has taken it up meanwhile.
    pub async fn finish_invocation(
        &mut self,
        accepted: &Accepted,
        state: InvocationState,
        summary: &str,
    ) -> Result<(), StoreError> {
        let changed = on!(self.0, c => {
            sqlx::query("update invocations set state = $1, summary = $2, lease_until = 0 where id = $3 and fence = $4 and state = 'accepted'")
                .bind(state.name()).bind(summary).bind(accepted.row.id.to_string()).bind(accepted.fence)
                .execute(&mut **c).await?.rows_affected()
        });
        if changed == 1 { Ok(()) } else { Err(StoreError::Conflict(format!("invocation {}", accepted.row.id))) }
    }

    /// Lets go of an invocation, for whoever comes next.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn release_invocations(&mut self, owner: &str) -> Result<(), StoreError> {
        self.1.news.note(Topic::Invocations);
        on!(self.0, c => {
            sqlx::query("update invocations set lease_until = 0 where lease_owner = $1 and state = 'accepted'")
                .bind(owner).execute(&mut **c).await?;
        });
        Ok(())
    }
}

impl Connection<'_> {
    /// An invocation.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn invocation(&mut self, id: InvocationId) -> Result<Option<InvocationRow>, StoreError> {
        let row: Option<(String, String, i64)> = on!(*self, c => {
            sqlx::query_as("select state, body, attempts from invocations where id = $1")
                .bind(id.to_string()).fetch_optional(&mut **c).await?
        });
        row.map(|(state, body, attempts)| invocation(&id.to_string(), &state, &body, attempts)).transpose()
    }

    /// How many accepted invocations wait, and since when the oldest of them does.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn waiting_invocations(&mut self) -> Result<(i64, Option<Timestamp>), StoreError> {
        let (count, oldest): (i64, Option<i64>) = on!(*self, c => {
            sqlx::query_as("select count(*), min(received) from invocations where state = 'accepted'").fetch_one(&mut **c).await?
        });
        Ok((count, crate::connection::maybe_time(oldest)?))
    }
}

fn invocation(id: &str, state: &str, body: &str, attempts: i64) -> Result<InvocationRow, StoreError> {
    let Body { said, speaker, command } = json(body, "an invocation")?;
    let state = InvocationState::parse(state)?;
    Ok(InvocationRow { id: parse(id, "an invocation's id")?, state, said, speaker, command, attempts })
}

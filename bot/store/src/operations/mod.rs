//! Operations: plans on their way to being done. A row, not a task in memory: whoever holds its lease works on it.

use andon_core::{
    Cause, Digest, InvocationId, OperationId, OperationNumber, OperationState, Outcome, Plan, RecordId, Room, Speaker,
    Target,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::connection::{Connection, Transaction, json, maybe_time, micros, on, parse, time, to_json};
use crate::error::{StoreError, readable};
use crate::invocations::{Accepted, StoredCommand};
use crate::news::Topic;

/// An operation to be reserved.
pub struct NewOperation {
    /// Its identifier.
    pub id: OperationId,
    /// The command that it does.
    pub command: StoredCommand,
    /// What it would change.
    pub plan: Plan,
    /// The plan's digest.
    pub digest: Digest,
    /// What it holds while it runs.
    pub targets: Vec<Target>,
    /// Who asked.
    pub asked_by: Speaker,
    /// Where its card is.
    pub room: Room,
    /// When.
    pub created: Timestamp,
    /// When it is no longer worth approving.
    pub expires_at: Timestamp,
    /// How many other people have to agree.
    pub approvals_needed: u32,
    /// Whether it goes by the lane of rollbacks.
    pub urgent: bool,
    /// The record of its plan.
    pub planned_record: RecordId,
}

/// What never changes about an operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Body {
    command: StoredCommand,
    plan: Plan,
    digest: Digest,
    targets: Vec<Target>,
    asked_by: Speaker,
    room: Room,
    #[serde(default)]
    permalink: Option<String>,
    said: String,
    approvals_needed: u32,
    planned_record: RecordId,
}

/// An operation.
#[derive(Clone, Debug)]
pub struct OperationRow {
    /// Its identifier.
    pub id: OperationId,
    /// Its short number.
    pub number: OperationNumber,
    /// The invocation that it came from.
    pub invocation: InvocationId,
    /// The command that it does.
    pub command: StoredCommand,
    /// What it changes.
    pub plan: Plan,
    /// The plan's digest: what approvals name.
    pub digest: Digest,
    /// What it holds while it runs.
    pub targets: Vec<Target>,
    /// Who asked.
    pub asked_by: Speaker,
    /// Where its card is.
    pub room: Room,
    /// The link to what was said, where its platform has one.
    pub permalink: Option<String>,
    /// What was said, to be said again.
    pub said: String,
    /// How many other people have to agree.
    pub approvals_needed: u32,
    /// The record of its plan.
    pub planned_record: RecordId,
    /// Where it stands.
    pub state: OperationState,
    /// Whether it goes by the lane of rollbacks.
    pub urgent: bool,
    /// When it was asked for.
    pub created: Timestamp,
    /// When it is no longer worth approving or starting.
    pub expires_at: Timestamp,
    /// When its `started` mark was made.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// What its backend is doing.
    pub phase: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Whether a person asked it to stop.
    pub cancel_requested: bool,
    /// The fencing token of its lease.
    pub fence: i64,
    /// How often somebody has taken it up.
    pub attempts: i64,
}

type Row = (
    i64,
    String,
    String,
    String,
    String,
    bool,
    i64,
    i64,
    Option<i64>,
    Option<i64>,
    Option<String>,
    Option<String>,
    bool,
    i64,
    i64,
);

macro_rules! columns {
    () => {
        "number, id, invocation, body, state, urgent, created, expires_at, started_at, finished_at, phase, outcome, cancel_requested, \
         fence, attempts"
    };
}

fn operation(row: Row) -> Result<OperationRow, StoreError> {
    let (
        number,
        id,
        invocation,
        body,
        state,
        urgent,
        created,
        expires_at,
        started_at,
        finished_at,
        phase,
        outcome,
        cancel,
        fence,
        attempts,
    ) = row;
    let Body { command, plan, digest, targets, asked_by, room, permalink, said, approvals_needed, planned_record } =
        json(&body, "an operation")?;
    Ok(OperationRow {
        id: parse(&id, "an operation's id")?,
        number: OperationNumber(number),
        invocation: parse(&invocation, "an operation's invocation")?,
        command,
        plan,
        digest,
        targets,
        asked_by,
        room,
        permalink,
        said,
        approvals_needed,
        planned_record,
        state: OperationState::parse(&state).ok_or_else(|| StoreError::Corrupt("an operation's state".to_owned()))?,
        urgent,
        created: time(created)?,
        expires_at: time(expires_at)?,
        started_at: maybe_time(started_at)?,
        finished_at: maybe_time(finished_at)?,
        phase,
        outcome: outcome.map(|outcome| json(&outcome, "an operation's outcome")).transpose()?,
        cancel_requested: cancel,
        fence,
        attempts,
    })
}

mod read;

impl Transaction<'_> {
    /// Reserves an operation: waiting for approvals, or queued where none is needed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn insert_operation(
        &mut self,
        accepted: &Accepted,
        new: &NewOperation,
    ) -> Result<OperationNumber, StoreError> {
        self.1.news.note(Topic::Operations);
        let state = if new.approvals_needed > 0 { OperationState::WaitingApproval } else { OperationState::Queued };
        let body = Body {
            command: new.command.clone(),
            plan: new.plan.clone(),
            digest: new.digest,
            targets: new.targets.clone(),
            asked_by: new.asked_by.clone(),
            room: new.room.clone(),
            permalink: accepted.invocation().said.permalink.clone(),
            said: accepted.invocation().said.text.clone(),
            approvals_needed: new.approvals_needed,
            planned_record: new.planned_record,
        };
        on!(self.0, c => {
            let (number,): (i64,) = sqlx::query_as("insert into operations (id, invocation, body, state, urgent, created, expires_at) \
                values ($1, $2, $3, $4, $5, $6, $7) returning number")
                .bind(new.id.to_string()).bind(accepted.invocation().id.to_string()).bind(to_json(&body)?).bind(state.as_str())
                .bind(new.urgent).bind(micros(new.created)).bind(micros(new.expires_at)).fetch_one(&mut **c).await?;
            for target in &new.targets {
                sqlx::query("insert into operation_targets (operation, service, environment) values ($1, $2, $3)")
                    .bind(new.id.to_string()).bind(target.service.as_str()).bind(target.environment.as_str()).execute(&mut **c).await?;
            }
            Ok(OperationNumber(number))
        })
    }

    /// An operation by its short number, kept from changing until this unit of work ends.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn lock_operation(&mut self, number: OperationNumber) -> Result<Option<OperationRow>, StoreError> {
        let row: Option<Row> = on!(self.0, c, sql = [
            concat!("select ", columns!(), " from operations where number = $1"),
            concat!("select ", columns!(), " from operations where number = $1 for update")
        ] => sqlx::query_as(sql).bind(number.0).fetch_optional(&mut **c).await?);
        row.map(operation).transpose()
    }

    /// Keeps an operation from changing until this unit of work ends.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hold_operation(&mut self, operation: OperationId) -> Result<(), StoreError> {
        if let Connection::Postgres(connection) = &mut self.0 {
            let held = sqlx::query("select 1 from operations where id = $1 for update").bind(operation.to_string());
            held.execute(&mut **connection).await?;
        }
        Ok(())
    }

    /// Moves an operation on. Entering `running` it takes its targets, and its attempts are counted from there; ending it lets them go; `unknown` keeps them.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it has moved meanwhile or cannot go there; [`StoreError::TargetHeld`] where another one runs.
    pub async fn advance(
        &mut self,
        row: &OperationRow,
        cause: Cause,
        at: Timestamp,
        outcome: Option<&Outcome>,
    ) -> Result<OperationState, StoreError> {
        self.1.news.note(Topic::Operations);
        let conflict = || StoreError::Conflict(format!("{} from {}", row.number, row.state.as_str()));
        let next = row.state.after(cause).ok_or_else(conflict)?;
        if next == OperationState::Running {
            self.hold_targets(row).await?;
        } else if next.is_final() {
            self.let_targets_go(row.id).await?;
        }
        let started = (next == OperationState::Running).then(|| micros(at));
        let finished = next.is_final().then(|| micros(at));
        let changed = on!(self.0, c => {
            sqlx::query("update operations set state = $1, started_at = coalesce($2, started_at), finished_at = $3, \
                outcome = coalesce($4, outcome), attempts = case when $1 = 'running' then 1 else attempts end where id = $5 and state = $6 and fence = $7")
                .bind(next.as_str()).bind(started).bind(finished).bind(outcome.map(to_json).transpose()?)
                .bind(row.id.to_string()).bind(row.state.as_str()).bind(row.fence).execute(&mut **c).await?.rows_affected()
        });
        if changed == 1 { Ok(next) } else { Err(conflict()) }
    }

    async fn hold_targets(&mut self, row: &OperationRow) -> Result<(), StoreError> {
        if let Connection::Postgres(connection) = &mut self.0 {
            // Two that start at the same moment would not see each other. One after the other, always in the same order, so that nobody
            // waits in a circle, and the second is told who holds the target.
            let mut names: Vec<String> = row.targets.iter().map(ToString::to_string).collect();
            names.sort_unstable();
            for name in names {
                sqlx::query("select pg_advisory_xact_lock(7236002, hashtext($1))")
                    .bind(name)
                    .execute(&mut **connection)
                    .await?;
            }
        }
        for target in &row.targets {
            if let Some(holder) = self.connection().holder(target).await? {
                return Err(StoreError::TargetHeld(holder.number));
            }
        }
        on!(self.0, c => {
            sqlx::query("update operation_targets set holding = (1 = 1) where operation = $1")
                .bind(row.id.to_string()).execute(&mut **c).await?;
        });
        Ok(())
    }

    /// Lets the targets of an operation go, so that another one can take them: at its end, or when a rollback takes over from one whose
    /// end nobody can tell.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn let_targets_go(&mut self, operation: OperationId) -> Result<(), StoreError> {
        self.1.news.note(Topic::Operations);
        on!(self.0, c => {
            sqlx::query("update operation_targets set holding = (1 = 0) where operation = $1")
                .bind(operation.to_string()).execute(&mut **c).await?;
        });
        Ok(())
    }

    /// Takes up an operation: one whose worker is gone, or the next queued one of whose targets nobody holds. A rollback also where the
    /// holder's end is unknown, or where nobody has asked the holder to stop yet, so that it can. Rollbacks first, then by age.
    /// `urgent_only` keeps places free for them. One that cannot be read is passed over for as long as its lease lasts.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_operation(
        &mut self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        urgent_only: bool,
    ) -> Result<Option<OperationRow>, StoreError> {
        macro_rules! claim {
            ($lock:literal) => {
                concat!(
                    "update operations set lease_owner = $1, lease_until = $3, fence = fence + 1, attempts = attempts + 1 where id = \
                     (select o.id from operations o where o.lease_until <= $2 and ($4 = (1 = 0) or o.urgent) and (o.state = 'running' or \
                     (o.state = 'queued' and not exists (select 1 from operation_targets mine join operation_targets theirs \
                     on theirs.service = mine.service and theirs.environment = mine.environment and theirs.holding \
                     join operations holder on holder.id = theirs.operation \
                     where mine.operation = o.id and not (o.urgent and (holder.state = 'unknown' or not holder.cancel_requested))))) \
                     order by o.urgent desc, o.number limit 1 ", $lock, ") returning ", columns!()
                )
            };
        }
        let row: Option<Row> = on!(self.0, c, sql = [claim!(""), claim!("for update of o skip locked")] => {
            sqlx::query_as(sql).bind(owner).bind(micros(now)).bind(micros(until)).bind(urgent_only).fetch_optional(&mut **c).await?
        });
        Ok(row.and_then(|row| readable(operation(row), "an operation")))
    }

    /// Keeps a lease for longer. False where it is lost.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn renew_lease(
        &mut self,
        operation: OperationId,
        fence: i64,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = on!(self.0, c => {
            sqlx::query("update operations set lease_until = $1 where id = $2 and fence = $3")
                .bind(micros(until)).bind(operation.to_string()).bind(fence).execute(&mut **c).await?.rows_affected()
        });
        Ok(changed == 1)
    }

    /// Asks a running operation to stop.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn request_cancel(&mut self, operation: OperationId) -> Result<(), StoreError> {
        self.1.news.note(Topic::Operations);
        on!(self.0, c => {
            sqlx::query("update operations set cancel_requested = (1 = 1) where id = $1").bind(operation.to_string()).execute(&mut **c).await?;
        });
        Ok(())
    }

    /// Notes what an operation's backend is doing. False where the lease is lost.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn set_phase(&mut self, operation: OperationId, fence: i64, phase: &str) -> Result<bool, StoreError> {
        let changed = on!(self.0, c => {
            sqlx::query("update operations set phase = $1 where id = $2 and fence = $3 and state = 'running'")
                .bind(phase).bind(operation.to_string()).bind(fence).execute(&mut **c).await?.rows_affected()
        });
        Ok(changed == 1)
    }
}

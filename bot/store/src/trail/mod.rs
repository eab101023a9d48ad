//! The audit trail as it is kept: records, their numbers, the tree's hashes, checkpoints.

use andon_core::{Digest, OperationId, PersonId, RecordId, RecordKind, RecordNumber};
use andon_trail::{Disclosure, Index, Sealed, SignedCheckpoint};
use jiff::Timestamp;

use crate::connection::{Connection, Transaction, micros, on, parse, to_json};
use crate::error::StoreError;
use crate::news::Topic;

/// A record as it is kept.
#[derive(Clone, Debug)]
pub struct RecordRow {
    /// Its number, once integrated.
    pub number: Option<RecordNumber>,
    /// Its identifier.
    pub id: RecordId,
    /// Its bytes.
    pub leaf: Vec<u8>,
    /// Their hash.
    pub leaf_hash: Digest,
    /// What it is searched by.
    pub index: Index,
    /// What is disclosed of it.
    pub disclosures: Vec<Disclosure>,
    /// The texts that it names by digest, as far as they are kept.
    pub texts: Vec<(Digest, String)>,
}

/// What to search records by; everything that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Who acted.
    pub person: Option<PersonId>,
    /// A service that it is about.
    pub service: Option<String>,
    /// An environment that it is about.
    pub environment: Option<String>,
    /// The command's words with spaces between them.
    pub command: Option<String>,
    /// The state of its outcome.
    pub outcome: Option<String>,
    /// Its kind.
    pub kind: Option<String>,
    /// Its operation.
    pub operation: Option<OperationId>,
    /// Made at this moment or later.
    pub since: Option<Timestamp>,
    /// Made before this moment.
    pub until: Option<Timestamp>,
    /// At most this many, newest first; never more than 100.
    pub limit: u32,
}

type Row = (
    Option<i64>,
    String,
    Vec<u8>,
    String,
    String,
    i64,
    Option<i64>,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The columns of a record, in the order of [`Row`].
macro_rules! record_query {
    ($rest:literal) => {
        concat!(
            "select l.number, r.id, r.leaf, r.leaf_hash, r.kind, r.recorded, r.person, r.targets, r.command, r.outcome, \
             r.operation, r.invocation from records r left join trail_leaves l on l.record_id = r.id ",
            $rest
        )
    };
}

mod append;
mod read;
mod top;

pub(crate) use top::Top;

/// What was given numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integrated {
    /// How many records.
    pub count: usize,
    /// The operations whose plans are among them: their cards can name the number now.
    pub planned: Vec<OperationId>,
}

impl Transaction<'_> {
    /// Appends a record. On SQLite it has its number at once; on PostgreSQL the sequencer gives it one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn append(&mut self, sealed: &Sealed) -> Result<Option<RecordNumber>, StoreError> {
        self.1.news.note(Topic::Trail);
        for (digest, text) in &sealed.texts {
            self.keep_text(*digest, text).await?;
        }
        // Taken out, and put back only once the database has it.
        let mut top = if self.0.is_postgres() { None } else { Some(self.top().await?) };
        let growth = top.as_mut().map(|top| top.grow(sealed.leaf_hash)).transpose()?;
        let index = &sealed.index;
        let targets: Vec<_> = index.targets.iter().map(|it| (it.service.as_str(), it.environment.as_str())).collect();
        let disclosures: Vec<_> =
            sealed.disclosures.iter().map(|it| (&it.path, hex::encode(it.salt), &it.value)).collect();
        on!(self.0, c, sql = [append::SQLITE, append::POSTGRES] => {
            let mut query = sqlx::query(sql)
                .bind(sealed.id.to_string()).bind(&sealed.leaf).bind(sealed.leaf_hash.to_string()).bind(index.kind.name())
                .bind(micros(index.recorded)).bind(index.person).bind(to_json(&index.targets)?).bind(&index.command)
                .bind(&index.outcome).bind(index.operation.map(|operation| operation.to_string()))
                .bind(index.invocation.map(|invocation| invocation.to_string())).bind(to_json(&targets)?).bind(to_json(&disclosures)?);
            if let Some(growth) = &growth {
                query = query.bind(signed(growth.number)?).bind(signed(growth.first)?).bind(to_json(&growth.hashes)?);
            }
            query.execute(&mut **c).await?;
        });
        self.1.top = top;
        Ok(growth.map(|growth| RecordNumber(growth.number)))
    }

    /// The top of the tree, which is read where it is not known.
    async fn top(&mut self) -> Result<Top, StoreError> {
        match self.1.top.take() {
            Some(top) => Ok(top),
            None => Top::read(&mut self.0.again()).await,
        }
    }

    /// Gives numbers to records that have none, in the order in which they were written. Only one process at a time does this; the others
    /// wait.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn integrate(&mut self, limit: u32) -> Result<Integrated, StoreError> {
        if let Connection::Postgres(connection) = &mut self.0 {
            sqlx::query("select pg_advisory_xact_lock(7236001)").execute(&mut **connection).await?;
        }
        let waiting: Vec<(String, String, String, Option<String>)> = on!(self.0, c => {
            sqlx::query_as("select r.id, r.leaf_hash, r.kind, r.operation from waiting_records w join records r on r.id = w.record_id \
                where not exists (select 1 from trail_leaves l where l.record_id = w.record_id) order by w.position limit $1")
                .bind(i64::from(limit)).fetch_all(&mut **c).await?
        });
        let mut integrated = Integrated { count: waiting.len(), planned: Vec::new() };
        if waiting.is_empty() {
            return Ok(integrated);
        }
        let mut top = self.top().await?;
        let (mut leaves, mut hashes) = (Vec::new(), Vec::new());
        for (id, hash, kind, operation) in waiting {
            let growth = top.grow(parse(&hash, "a leaf hash")?)?;
            leaves.push((growth.number, id, hash));
            hashes.extend((growth.first..).zip(growth.hashes));
            if let Some(operation) = operation.filter(|_| kind == RecordKind::Planned.name()) {
                integrated.planned.push(parse(&operation, "a record's operation")?);
            }
        }
        on!(self.0, c, sql = [append::NUMBER_IN_SQLITE, append::NUMBER_IN_POSTGRES] => {
            sqlx::query(sql).bind(to_json(&leaves)?).bind(to_json(&hashes)?).execute(&mut **c).await?;
        });
        self.1.top = Some(top);
        Ok(integrated)
    }

    /// Keeps a text under its digest, once.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn keep_text(&mut self, digest: Digest, text: &str) -> Result<(), StoreError> {
        on!(self.0, c => {
            sqlx::query("insert into texts (digest, body) values ($1, $2) on conflict do nothing")
                .bind(digest.to_string()).bind(text).execute(&mut **c).await?;
        });
        Ok(())
    }

    /// The number that stands for a person in the trail; given at first use and never again to anybody else.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn person_number(&mut self, person: &PersonId) -> Result<i64, StoreError> {
        on!(self.0, c => {
            sqlx::query("insert into people (person) values ($1) on conflict do nothing").bind(person.as_str()).execute(&mut **c).await?;
            let (number,): (i64,) =
                sqlx::query_as("select number from people where person = $1").bind(person.as_str()).fetch_one(&mut **c).await?;
            Ok(number)
        })
    }

    /// Keeps a checkpoint; one of a size that is there already is dropped.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn put_checkpoint(&mut self, checkpoint: &SignedCheckpoint, at: Timestamp) -> Result<(), StoreError> {
        self.1.news.note(Topic::Trail);
        on!(self.0, c => {
            sqlx::query("insert into checkpoints (size, root, note, at) values ($1, $2, $3, $4) on conflict do nothing")
                .bind(signed(checkpoint.size)?).bind(checkpoint.root.to_string()).bind(&checkpoint.note).bind(micros(at))
                .execute(&mut **c).await?;
        });
        Ok(())
    }
}

fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Corrupt("a number of the trail".to_owned()))
}

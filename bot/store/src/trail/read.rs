//! Looking into the trail as it is kept.

use std::collections::BTreeMap;

use andon_core::{Digest, PersonId, RecordId, RecordNumber, Target};
use andon_trail::{Disclosure, Index, texts_beside, tree};
use jiff::Timestamp;

use super::{RecordRow, Row, Search, signed};
use crate::connection::{Connection, json, maybe_time, micros, on, parse, time, to_json};
use crate::error::StoreError;

impl Connection<'_> {
    /// How many records have a number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn tree_size(&mut self) -> Result<u64, StoreError> {
        let (next,): (i64,) = on!(*self, c => {
            sqlx::query_as("select coalesce(max(number) + 1, 0) from trail_leaves").fetch_one(&mut **c).await?
        });
        u64::try_from(next).map_err(|_| StoreError::Corrupt("the trail's size".to_owned()))
    }

    /// Stored hashes of the tree at these positions.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hashes(&mut self, positions: &[u64]) -> Result<BTreeMap<u64, Digest>, StoreError> {
        if positions.is_empty() {
            return Ok(BTreeMap::new());
        }
        // One question for all of them: each is a trip to the database.
        let rows: Vec<(i64, String)> = on!(*self, c, sql = [
            "select position, hash from trail_hashes where position in (select value from json_each($1))",
            "select position, hash from trail_hashes where position in \
                (select asked.value::bigint from json_array_elements_text($1::json) as asked (value))"
        ] => {
            sqlx::query_as(sql).bind(to_json(&positions)?).fetch_all(&mut **c).await?
        });
        let read = |(position, hash): (i64, String)| {
            let position =
                u64::try_from(position).map_err(|_| StoreError::Corrupt("a position of the tree".to_owned()))?;
            Ok((position, parse(&hash, "a stored hash")?))
        };
        rows.into_iter().map(read).collect()
    }

    /// The root of the tree of the first `size` records.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn root(&mut self, size: u64) -> Result<Digest, StoreError> {
        let known = self.hashes(&tree::positions_for_root(size)).await?;
        tree::root(size, &known).map_err(|error| StoreError::Corrupt(format!("the tree: {error}")))
    }

    /// The largest checkpoint: size, root and note.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn latest_checkpoint(&mut self) -> Result<Option<(u64, Digest, String)>, StoreError> {
        Ok(self.checkpoints(i64::MAX, 1).await?.pop())
    }

    /// Checkpoints of less than `below`, the largest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn checkpoints(&mut self, below: i64, limit: u32) -> Result<Vec<(u64, Digest, String)>, StoreError> {
        let rows: Vec<(i64, String, String)> = on!(*self, c => {
            sqlx::query_as("select size, root, note from checkpoints where size < $1 order by size desc limit $2")
                .bind(below).bind(i64::from(limit)).fetch_all(&mut **c).await?
        });
        rows.into_iter().map(|(size, root, note)| Ok((unsigned(size)?, parse(&root, "a root")?, note))).collect()
    }

    /// How many records wait for their number, and when the oldest of them was made: as the database's list has it, which is quick.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn waiting_records(&mut self) -> Result<(u64, Option<Timestamp>), StoreError> {
        let (count, oldest): (i64, Option<i64>) = on!(*self, c => {
            sqlx::query_as("select count(*), min(recorded) from waiting_records").fetch_one(&mut **c).await?
        });
        Ok((unsigned(count)?, maybe_time(oldest)?))
    }

    /// How many records have no number: looked for where the records are, so that a list that was tampered with hides none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unnumbered(&mut self) -> Result<u64, StoreError> {
        let (count,): (i64,) = on!(*self, c => {
            sqlx::query_as("select count(*) from records r where not exists \
                (select 1 from trail_leaves l where l.record_id = r.id)").fetch_one(&mut **c).await?
        });
        unsigned(count)
    }

    /// The number of a record, once it has one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record_number(&mut self, id: RecordId) -> Result<Option<RecordNumber>, StoreError> {
        let row: Option<(i64,)> = on!(*self, c => {
            sqlx::query_as("select number from trail_leaves where record_id = $1").bind(id.to_string()).fetch_optional(&mut **c).await?
        });
        row.map(|(number,)| Ok(RecordNumber(unsigned(number)?))).transpose()
    }

    /// A record by its number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record(&mut self, number: RecordNumber) -> Result<Option<RecordRow>, StoreError> {
        Ok(self.leaves(number.0, 1).await?.into_iter().find(|row| row.number == Some(number)))
    }

    /// A record by its identifier.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record_by_id(&mut self, id: RecordId) -> Result<Option<RecordRow>, StoreError> {
        let row: Option<Row> = on!(*self, c => {
            sqlx::query_as(record_query!("where r.id = $1")).bind(id.to_string()).fetch_optional(&mut **c).await?
        });
        match row {
            Some(row) => {
                let disclosures = self.disclosures(&row.1).await?;
                Ok(Some(self.complete(row, disclosures).await?))
            }
            None => Ok(None),
        }
    }

    /// Numbered records from `from` upwards.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn leaves(&mut self, from: u64, limit: u32) -> Result<Vec<RecordRow>, StoreError> {
        let rows: Vec<Row> = on!(*self, c => {
            sqlx::query_as(record_query!("where l.number >= $1 order by l.number limit $2"))
                .bind(signed(from)?).bind(i64::from(limit)).fetch_all(&mut **c).await?
        });
        let Some(last) = rows.last().and_then(|row| row.0) else { return Ok(Vec::new()) };
        let mut disclosed = self.disclosures_of_leaves(signed(from)?, last).await?;
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let disclosures = disclosed.remove(&row.1).unwrap_or_default();
            records.push(self.complete(row, disclosures).await?);
        }
        Ok(records)
    }

    /// What is disclosed of the records with these numbers, by the identifiers of the records.
    async fn disclosures_of_leaves(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<BTreeMap<String, Vec<Disclosure>>, StoreError> {
        let rows: Vec<(String, String, Vec<u8>, String)> = on!(*self, c => {
            sqlx::query_as("select d.record_id, d.path, d.salt, d.value from trail_leaves l \
                join disclosures d on d.record_id = l.record_id where l.number >= $1 and l.number <= $2 order by d.path")
                .bind(first).bind(last).fetch_all(&mut **c).await?
        });
        let mut disclosed = BTreeMap::<_, Vec<_>>::new();
        for (id, path, salt, value) in rows {
            disclosed.entry(id).or_default().push(disclosure((path, salt, value))?);
        }
        Ok(disclosed)
    }

    async fn disclosures(&mut self, id: &str) -> Result<Vec<Disclosure>, StoreError> {
        let rows: Vec<(String, Vec<u8>, String)> = on!(*self, c => {
            sqlx::query_as("select path, salt, value from disclosures where record_id = $1 order by path")
                .bind(id).fetch_all(&mut **c).await?
        });
        rows.into_iter().map(disclosure).collect()
    }

    /// Records that match, newest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn search(&mut self, search: &Search) -> Result<Vec<RecordRow>, StoreError> {
        let rows: Vec<Row> = on!(*self, c => {
            sqlx::query_as(record_query!("where \
                ($1 is null or r.person = (select number from people where person = $1)) \
                and (($2 is null and $3 is null) or exists (select 1 from record_targets t where t.record_id = r.id \
                    and ($2 is null or t.service = $2) and ($3 is null or t.environment = $3))) \
                and ($4 is null or r.command = $4) and ($5 is null or r.outcome = $5) and ($6 is null or r.kind = $6) \
                and ($7 is null or r.operation = $7) and r.recorded >= $8 and r.recorded < $9 \
                order by r.position desc limit $10"))
                .bind(search.person.as_ref().map(PersonId::as_str)).bind(&search.service).bind(&search.environment)
                .bind(&search.command).bind(&search.outcome).bind(&search.kind)
                .bind(search.operation.map(|operation| operation.to_string()))
                .bind(search.since.map_or(i64::MIN, micros)).bind(search.until.map_or(i64::MAX, micros))
                .bind(i64::from(search.limit.min(100))).fetch_all(&mut **c).await?
        });
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            let disclosures = self.disclosures(&row.1).await?;
            records.push(self.complete(row, disclosures).await?);
        }
        Ok(records)
    }

    /// A text by its digest.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn text(&mut self, digest: Digest) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = on!(*self, c => {
            sqlx::query_as("select body from texts where digest = $1").bind(digest.to_string()).fetch_optional(&mut **c).await?
        });
        Ok(row.map(|(body,)| body))
    }

    /// Kept texts whose digests come after `after`, in the order of their digests.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn texts_after(
        &mut self,
        after: Option<Digest>,
        limit: u32,
    ) -> Result<Vec<(Digest, String)>, StoreError> {
        let after = after.map_or_else(String::new, |digest| digest.to_string());
        let rows: Vec<(String, String)> = on!(*self, c => {
            sqlx::query_as("select digest, body from texts where digest > $1 order by digest limit $2")
                .bind(after).bind(i64::from(limit)).fetch_all(&mut **c).await?
        });
        rows.into_iter().map(|(digest, body)| Ok((parse(&digest, "a text's digest")?, body))).collect()
    }

    /// The person behind a number.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn person_named(&mut self, number: i64) -> Result<Option<PersonId>, StoreError> {
        let row: Option<(String,)> = on!(*self, c => {
            sqlx::query_as("select person from people where number = $1").bind(number).fetch_optional(&mut **c).await?
        });
        row.map(|(person,)| parse(&person, "a person")).transpose()
    }

    async fn complete(&mut self, row: Row, disclosures: Vec<Disclosure>) -> Result<RecordRow, StoreError> {
        let (number, id, leaf, leaf_hash, kind, recorded, person, targets, command, outcome, operation, invocation) =
            row;
        let mut texts = Vec::new();
        // A leaf that was damaged names nothing; whoever verifies it finds that out.
        for digest in texts_beside(&leaf).unwrap_or_default() {
            texts.extend(self.text(digest).await?.map(|text| (digest, text)));
        }
        let targets: Vec<Target> = json(&targets, "a record's targets")?;
        let index = Index {
            kind: json(&format!("{kind:?}"), "a record's kind")?,
            recorded: time(recorded)?,
            person,
            targets,
            command,
            outcome,
            operation: operation.map(|id| parse(&id, "an operation's id")).transpose()?,
            invocation: invocation.map(|id| parse(&id, "an invocation's id")).transpose()?,
        };
        Ok(RecordRow {
            number: number.map(|number| unsigned(number).map(RecordNumber)).transpose()?,
            id: parse(&id, "a record's id")?,
            leaf,
            leaf_hash: parse(&leaf_hash, "a leaf hash")?,
            index,
            disclosures,
            texts,
        })
    }
}

fn disclosure((path, salt, value): (String, Vec<u8>, String)) -> Result<Disclosure, StoreError> {
    let salt = salt.try_into().map_err(|_| StoreError::Corrupt("a salt".to_owned()))?;
    Ok(Disclosure { path, salt, value })
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::Corrupt("a number of the trail".to_owned()))
}

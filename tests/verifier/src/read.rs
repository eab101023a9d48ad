//! Reading a whole trail out of the bot's database, by the names of tables and columns that `docs/verify.md` tells, and nothing else.

use std::collections::BTreeMap;

use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::{Disclosure, Leaf, Text, Trail};

enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// All rows of a query that both databases understand.
macro_rules! rows {
    ($database:expr, $sql:literal) => {
        match $database {
            Database::Sqlite(connection) => sqlx::query_as($sql).fetch_all(connection).await?,
            Database::Postgres(connection) => sqlx::query_as($sql).fetch_all(connection).await?,
        }
    };
}

/// The trail in a database: the path of SQLite's file, or the address of PostgreSQL's (`postgres://…`).
///
/// # Errors
/// It cannot be read.
pub fn read(database: &str) -> Result<Trail, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(read_all(database))?)
}

async fn read_all(database: &str) -> Result<Trail, sqlx::Error> {
    let mut database = if database.starts_with("postgres://") {
        Database::Postgres(PgConnection::connect(database).await?)
    } else {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(database).read_only(true);
        Database::Sqlite(SqliteConnection::connect_with(&options).await?)
    };
    let checkpoints: Vec<(String,)> = rows!(&mut database, "select note from checkpoints order by size");
    // What has no number yet comes last, where no checkpoint covers it.
    let records: Vec<(String, Vec<u8>)> = rows!(
        &mut database,
        "select r.id, r.leaf from records r left join trail_leaves t on t.record_id = r.id \
         order by case when t.number is null then 1 else 0 end, t.number"
    );
    let disclosures: Vec<(String, String, Vec<u8>, String)> =
        rows!(&mut database, "select record_id, path, salt, value from disclosures");
    let mut disclosed = BTreeMap::<String, Vec<Disclosure>>::new();
    for (id, path, salt, value) in disclosures {
        disclosed.entry(id).or_default().push(Disclosure { path, salt, value });
    }
    let texts: Vec<(String, String)> = rows!(&mut database, "select digest, body from texts");
    Ok(Trail {
        leaves: records
            .into_iter()
            .map(|(id, bytes)| Leaf { disclosures: disclosed.remove(&id).unwrap_or_default(), bytes })
            .collect(),
        checkpoints: checkpoints.into_iter().map(|(note,)| note).collect(),
        texts: texts.into_iter().map(|(digest, body)| Text { digest, body }).collect(),
    })
}

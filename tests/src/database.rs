//! What lies in the database, read behind the bot's back: for what a room cannot tell, such as where a kill hit, and for the mischief that a
//! database does.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqlSafeStr, SqliteConnection};

use crate::Playground;

/// A database, seen by somebody who knows nothing of the bot and its rules.
pub struct Raw {
    url: Option<String>,
    file: PathBuf,
}

impl Playground {
    /// Its database.
    pub fn raw(&self) -> Raw {
        Raw::new(self.database.as_deref(), self.data())
    }
}

impl Raw {
    /// The server's database at `url`, or the file in a data folder.
    pub fn new(url: Option<&str>, data: &Path) -> Self {
        Self { url: url.map(str::to_owned), file: data.join("andon.db") }
    }

    /// The first column of each row, as text, where the bot is dead or closed. A file is read from a copy, so that the bot's next life finds
    /// just what the last one left.
    ///
    /// # Panics
    /// It cannot be read.
    pub fn rows(&self, sql: &'static str) -> Vec<String> {
        self.read(sql)
    }

    /// Somebody who looks into the database again and again while the bot lives.
    pub(crate) fn watcher(&self) -> Watcher {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("no runtime");
        Watcher { url: self.url.clone(), file: self.file.clone(), runtime, open: None }
    }

    /// Runs statements beside the bot, also while it lives.
    ///
    /// # Panics
    /// The database refuses.
    pub fn meddle(&self, sql: &str) {
        let sql = AssertSqlSafe(sql).into_sql_str();
        let done = wait_for(async {
            match &self.url {
                Some(url) => {
                    sqlx::raw_sql(sql.clone()).execute(&mut PgConnection::connect(url).await?).await.map(|_| ())
                }
                None => sqlx::raw_sql(sql.clone()).execute(&mut sqlite(&self.file).await?).await.map(|_| ()),
            }
        });
        done.unwrap_or_else(|error| panic!("{}: {error}", sql.as_str()));
    }

    /// Whether a text lies anywhere in the database of a bot that is closed, readable or as bytes.
    ///
    /// # Panics
    /// It cannot be read.
    pub fn holds(&self, text: &str) -> bool {
        let hexadecimal: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        let found = |bytes: &[u8], part: &str| bytes.windows(part.len()).any(|window| window == part.as_bytes());
        if self.url.is_none() {
            let files = [self.file.clone(), self.file.with_extension("db-wal")];
            let mut files = files.iter().filter_map(|file| std::fs::read(file).ok()).peekable();
            assert!(files.peek().is_some(), "there is no database");
            return files.any(|bytes| found(&bytes, text));
        }
        let tables = self.rows("select table_name::text from information_schema.tables where table_schema = 'public'");
        assert!(tables.len() > 10, "these are not all: {tables:?}");
        tables.iter().any(|table| {
            let rows = self.read(AssertSqlSafe(format!("select row_to_json(\"{table}\")::text from \"{table}\"")));
            rows.iter().any(|row| found(row.as_bytes(), text) || found(row.as_bytes(), &hexadecimal))
        })
    }

    fn read(&self, sql: impl SqlSafeStr) -> Vec<String> {
        let sql = sql.into_sql_str();
        let rows = wait_for(async {
            if let Some(url) = &self.url {
                return sqlx::query_scalar(sql.clone()).fetch_all(&mut PgConnection::connect(url).await?).await;
            }
            let folder = tempfile::tempdir().map_err(sqlx::Error::Io)?;
            let copy = folder.path().join("andon.db");
            std::fs::copy(&self.file, &copy).map_err(sqlx::Error::Io)?;
            // Where the bot ended in good order there is none.
            let _ = std::fs::copy(self.file.with_extension("db-wal"), copy.with_extension("db-wal"));
            sqlx::query_scalar(sql.clone()).fetch_all(&mut sqlite(&copy).await?).await
        });
        rows.unwrap_or_else(|error| panic!("{}: {error}", sql.as_str()))
    }
}

/// A connection that is kept.
pub(crate) struct Watcher {
    url: Option<String>,
    file: PathBuf,
    runtime: tokio::runtime::Runtime,
    open: Option<Open>,
}

enum Open {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Watcher {
    /// The first column of each row, as text; `like` is the parameter. Nothing where it cannot be read now.
    pub(crate) fn rows(&mut self, sql: &'static str, like: Option<&str>) -> Vec<String> {
        let Self { url, file, runtime, open } = self;
        let rows = runtime.block_on(async {
            if open.is_none() {
                *open = Some(match url {
                    Some(url) => Open::Postgres(PgConnection::connect(url).await?),
                    None => Open::Sqlite(sqlite(file).await?),
                });
            }
            match open {
                Some(Open::Sqlite(connection)) => sqlx::query_scalar(sql).bind(like).fetch_all(connection).await,
                Some(Open::Postgres(connection)) if like.is_some() => {
                    sqlx::query_scalar(sql).bind(like).fetch_all(connection).await
                }
                Some(Open::Postgres(connection)) => sqlx::query_scalar(sql).fetch_all(connection).await,
                None => Ok(Vec::new()),
            }
        });
        rows.unwrap_or_else(|_| {
            *open = None;
            Vec::new()
        })
    }
}

async fn sqlite(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnection::connect_with(&sqlx::sqlite::SqliteConnectOptions::new().filename(file)).await
}

fn wait_for<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("no runtime");
    runtime.block_on(future)
}

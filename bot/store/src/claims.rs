//! What a database belongs to: a purpose, and the one place whose keeper runs what is deployed locally.

use crate::connection::{Connection, Transaction, on};
use crate::error::StoreError;

impl Transaction<'_> {
    /// Says that what is deployed locally runs at `place`, where nobody has said so yet, or where this one may `take_over`. Gives the place
    /// that holds from now on, which may be another.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim_local(&mut self, place: &str, take_over: bool) -> Result<String, StoreError> {
        let sql = match take_over {
            false => "insert into meta (key, value) values ('local_deployer', $1) on conflict (key) do nothing",
            true => {
                "insert into meta (key, value) values ('local_deployer', $1) \
                    on conflict (key) do update set value = excluded.value"
            }
        };
        on!(self.0, c => {
            sqlx::query(sql).bind(place).execute(&mut **c).await?;
            let (holder,): (String,) =
                sqlx::query_as("select value from meta where key = 'local_deployer'").fetch_one(&mut **c).await?;
            Ok(holder)
        })
    }
}

impl Connection<'_> {
    /// Whether the data are a playground's, where anybody may speak as anybody.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn is_playground(&mut self) -> Result<bool, StoreError> {
        let found: Option<(String,)> = on!(*self, c => {
            sqlx::query_as("select value from meta where key = 'purpose'").fetch_optional(&mut **c).await?
        });
        Ok(found.is_some_and(|(purpose,)| purpose == "playground"))
    }
}

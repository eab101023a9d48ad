//! Named leases, for work that one replica does at a time.

use jiff::Timestamp;

use crate::connection::{Transaction, micros, on};
use crate::error::StoreError;

impl Transaction<'_> {
    /// Lets all leases go. Only for who is alone with the database: whoever held them before is gone.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn release_all_leases(&mut self) -> Result<(), StoreError> {
        on!(self.0, c => {
            sqlx::query("update invocations set lease_until = 0 where state = 'accepted'").execute(&mut **c).await?;
            sqlx::query("update operations set lease_until = 0 where state in ('queued', 'running')").execute(&mut **c).await?;
            sqlx::query("update cards set lease_until = 0").execute(&mut **c).await?;
            sqlx::query("update messages set lease_until = 0 where done_at is null").execute(&mut **c).await?;
        });
        Ok(())
    }

    /// Takes or renews a named lease and gives its fencing token, or nothing where another owner holds it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn take_lease(
        &mut self,
        name: &str,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<i64>, StoreError> {
        let row: Option<(i64,)> = on!(self.0, c => {
            sqlx::query_as("insert into leases (name, owner, until, fence) values ($1, $2, $4, 1) \
                on conflict (name) do update set owner = excluded.owner, until = excluded.until, \
                fence = case when leases.owner = excluded.owner then leases.fence else leases.fence + 1 end \
                where leases.owner = excluded.owner or leases.until <= $3 returning fence")
                .bind(name).bind(owner).bind(micros(now)).bind(micros(until)).fetch_optional(&mut **c).await?
        });
        Ok(row.map(|(fence,)| fence))
    }
}

//! Attempts at one human act: a form that stays open after a refusal can be submitted again as it is, which is no second delivery. The act has
//! its key in the inbox, and each attempt at it one of its own.

use andon_core::Receipt;

use crate::connection::{Transaction, json, micros, on, to_json};
use crate::error::StoreError;
use crate::invocations::NewInvocation;

impl Transaction<'_> {
    /// What to tell of a delivery, given the receipt of an earlier one of the same act. Nothing where it is to be gone on with: it is the
    /// first, or a further attempt at what was refused.
    pub(crate) async fn attempted(
        &mut self,
        new: &NewInvocation<'_>,
        earlier: Option<Receipt>,
    ) -> Result<Option<Receipt>, StoreError> {
        let Some(attempt) = &new.said.attempt else { return Ok(earlier) };
        let (act, attempt) = (&new.said.key.0, format!("{}/{attempt}", new.said.key.0));
        if earlier.is_some() {
            // One attempt after the other: what the last one came to decides about the next.
            let told = self.receipt_held(act).await?;
            if !matches!(told, Some(Receipt::Refused { .. })) {
                return Ok(told);
            }
            if let Some(told) = self.receipt_held(&attempt).await? {
                return Ok(Some(told));
            }
        }
        let (receipt, received) = (to_json(new.receipt)?, micros(new.said.received));
        on!(self.0, c => {
            sqlx::query("update inbox set receipt = $2, received = $3 where key = $1")
                .bind(act).bind(&receipt).bind(received).execute(&mut **c).await?;
            sqlx::query("insert into inbox (key, receipt, received) values ($1, $2, $3)")
                .bind(&attempt).bind(&receipt).bind(received).execute(&mut **c).await?;
        });
        Ok(None)
    }

    /// The receipt under a key, kept from changing until this unit of work ends.
    async fn receipt_held(&mut self, key: &str) -> Result<Option<Receipt>, StoreError> {
        let row: Option<(String,)> = on!(self.0, c, sql = [
            "select receipt from inbox where key = $1",
            "select receipt from inbox where key = $1 for update"
        ] => sqlx::query_as(sql).bind(key).fetch_optional(&mut **c).await?);
        row.map(|(receipt,)| json(&receipt, "a receipt")).transpose()
    }
}

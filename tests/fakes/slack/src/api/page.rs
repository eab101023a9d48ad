//! Lists that come page by page.

use serde_json::{Value, json};

use super::args::Args;
use crate::refusal::Refusal;

/// The part of a list that was asked for.
pub(crate) struct Page {
    pub(crate) limit: usize,
    cursor: Option<String>,
}

impl Page {
    /// Takes `limit` and `cursor`.
    pub(crate) fn take(args: &mut Args, usual: u64, most: u64) -> Result<Self, Refusal> {
        let limit = args.number("limit")?.unwrap_or(usual);
        if limit == 0 || limit > most {
            return Err(Refusal::new("invalid_limit"));
        }
        let cursor = args.optional_text("cursor")?.filter(|cursor| !cursor.is_empty());
        Ok(Self { limit: usize::try_from(limit).unwrap_or(usize::MAX), cursor })
    }

    /// What the cursor says: where this page begins.
    pub(crate) fn begins(&self) -> Result<Option<u64>, Refusal> {
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let digits = hex::decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let begins = digits.and_then(|text| text.strip_prefix("next:")?.parse().ok());
        begins.map(Some).ok_or_else(|| Refusal::new("invalid_cursor"))
    }

    /// Where this page begins in a list that only grows at its end.
    pub(crate) fn offset(&self) -> Result<usize, Refusal> {
        Ok(usize::try_from(self.begins()?.unwrap_or(0)).unwrap_or(usize::MAX))
    }

    /// The cursor of the page that begins there.
    pub(crate) fn cursor(begins: u64) -> String {
        hex::encode(format!("next:{begins}"))
    }

    /// The part of an answer that tells of the next page: an empty cursor when there is none.
    pub(crate) fn metadata(next: Option<u64>) -> Value {
        json!({"next_cursor": next.map(Self::cursor).unwrap_or_default()})
    }
}

//! Verification of the trail as a store keeps it: reads everything, a page at a time, and hands it to the trail's own verifier.

use andon_core::{Digest, Failure, Refusal};
use andon_store::{Store, StoreError};
use andon_trail::{Leaf, Report, Verifier, VerifierKey};

use crate::house::House;

/// Rows read at a time. Each page has a reader of its own, so that whoever else reads comes between.
const PAGE: u32 = 100;

impl House {
    /// Verifies the whole trail against the key that signs it now, and the anchor outside the database.
    ///
    /// # Errors
    /// Refused while another verification runs: each reads everything.
    pub async fn verify(&self) -> Result<Report, Failure> {
        let Ok(_alone) = self.verifying.try_lock() else {
            return Err(Refusal::new("The trail is being verified already", "wait for that answer").into());
        };
        // Nobody has pinned the bot's own key: that the signer is the right one is not for the bot to say.
        Ok(verify(&self.store, None, Some(self.verifier_key()), self.anchored().as_deref()).await?)
    }
}

/// Verifies the whole trail in `store`, against the `pinned` key or, where none is pinned, the one found `beside` it. `anchor` is the
/// text of a checkpoint kept outside the database.
///
/// # Errors
/// The database cannot be read.
pub async fn verify(
    store: &Store,
    pinned: Option<VerifierKey>,
    beside: Option<VerifierKey>,
    anchor: Option<&str>,
) -> Result<Report, StoreError> {
    let mut verifier = Verifier::new(pinned, beside);
    // Checkpoints first: what is written meanwhile is then beyond all of them, and counted as such.
    checkpoints(store, &mut verifier).await?;
    let end = store.read().await?.connection().tree_size().await?;
    leaves(store, end, &mut verifier).await?;
    texts(store, &mut verifier).await?;
    if let Some(anchor) = anchor {
        verifier.anchor(anchor);
    }
    verifier.unnumbered(store.read().await?.connection().unnumbered().await?);
    Ok(verifier.finish())
}

async fn checkpoints(store: &Store, verifier: &mut Verifier) -> Result<(), StoreError> {
    let mut below = i64::MAX;
    loop {
        let page = store.read().await?.connection().checkpoints(below, PAGE).await?;
        for (_, _, note) in &page {
            verifier.checkpoint(note);
        }
        let Some((size, ..)) = page.last() else { return Ok(()) };
        below = i64::try_from(*size).unwrap_or(i64::MAX);
    }
}

async fn leaves(store: &Store, end: u64, verifier: &mut Verifier) -> Result<(), StoreError> {
    let mut from = 0;
    while from < end {
        let page = store.read().await?.connection().leaves(from, PAGE).await?;
        for row in &page {
            let Some(number) = row.number.map(|number| number.0).filter(|number| *number < end) else { continue };
            verifier.leaf(&Leaf {
                number,
                bytes: &row.leaf,
                hash: row.leaf_hash,
                index: Some(&row.index),
                disclosures: &row.disclosures,
                texts: &row.texts,
            });
        }
        let Some(last) = page.last().and_then(|row| row.number) else { return Ok(()) };
        from = last.0.saturating_add(1);
    }
    Ok(())
}

/// Texts last: those that a record names were written with it.
async fn texts(store: &Store, verifier: &mut Verifier) -> Result<(), StoreError> {
    let mut after: Option<Digest> = None;
    loop {
        let page = store.read().await?.connection().texts_after(after, PAGE).await?;
        for (digest, body) in &page {
            verifier.text(*digest, body);
        }
        let Some((last, _)) = page.last() else { return Ok(()) };
        after = Some(*last);
    }
}

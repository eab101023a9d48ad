//! Verification of the trail as a store keeps it: reads everything and hands it to the trail's own verifier.

use andon_store::{Store, StoreError};
use andon_trail::{Leaf, Report, Verifier, VerifierKey};

/// Records read at a time.
const PAGE: u32 = 500;

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
    let mut reader = store.read().await?;
    let mut connection = reader.connection();
    // Checkpoints first: what is written meanwhile is then beyond all of them, and left to the next verification.
    let checkpoints = connection.checkpoints(i64::MAX, PAGE).await?;
    let end = match checkpoints.first() {
        Some((size, ..)) => *size,
        None => connection.tree_size().await?,
    };
    let mut from = 0;
    loop {
        let page = connection.leaves(from, PAGE).await?;
        for row in page.iter().filter(|row| row.number.is_some_and(|number| number.0 < end)) {
            let number = row.number.map_or(0, |number| number.0);
            let leaf = Leaf {
                number,
                bytes: &row.leaf,
                hash: row.leaf_hash,
                index: Some(&row.index),
                disclosures: &row.disclosures,
            };
            verifier.leaf(&leaf);
        }
        match page.last().and_then(|row| row.number) {
            Some(last) if last.0 + 1 < end => from = last.0 + 1,
            _ => break,
        }
    }
    for (_, _, note) in &checkpoints {
        verifier.checkpoint(note);
    }
    if let Some(anchor) = anchor {
        verifier.anchor(anchor);
    }
    verifier.unnumbered(connection.unnumbered().await?.0);
    Ok(verifier.finish())
}

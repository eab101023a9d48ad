//! The top of the tree: its size, and the hashes of its peaks, from which every further record is appended. Whoever has appended a record
//! knows them for the next one.

use std::collections::BTreeMap;

use andon_core::Digest;
use andon_trail::tree;

use crate::connection::Connection;
use crate::error::StoreError;

/// The top of a tree, as it was read or as it has grown since.
pub(crate) struct Top {
    size: u64,
    peaks: BTreeMap<u64, Digest>,
}

/// What a new leaf brings: its number, and hashes to be stored from a position on.
pub(crate) struct Growth {
    pub(crate) number: u64,
    pub(crate) first: u64,
    pub(crate) hashes: Vec<Digest>,
}

impl Top {
    pub(crate) async fn read(connection: &mut Connection<'_>) -> Result<Self, StoreError> {
        let size = connection.tree_size().await?;
        Ok(Self { size, peaks: connection.hashes(&tree::positions_for_root(size)).await? })
    }

    /// Adds a leaf.
    ///
    /// # Errors
    /// A hash that it needs is not there.
    pub(crate) fn grow(&mut self, leaf_hash: Digest) -> Result<Growth, StoreError> {
        let number = self.size;
        let hashes = tree::hashes_to_append(number, leaf_hash, &self.peaks)
            .map_err(|error| StoreError::Corrupt(format!("the tree: {error}")))?;
        let first = tree::first_position(number);
        self.peaks.extend((first..).zip(hashes.iter().copied()));
        self.size += 1;
        let peaks = tree::positions_for_root(self.size);
        self.peaks.retain(|position, _| peaks.contains(position));
        Ok(Growth { number, first, hashes })
    }
}

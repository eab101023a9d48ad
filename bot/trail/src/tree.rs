//! The Merkle tree of RFC 6962, section 2.1, in the stored-hash order of C2SP tlog-tiles. A thin layer over `tlog_tiles`: whoever keeps
//! hashes asks here which positions are needed, fetches them, and hands them back.

use std::collections::BTreeMap;

use andon_core::Digest;
use thiserror::Error;
use tlog_tiles::tlog::{
    self, Error as TlogError, Hash, HashReader, RecordProof, TreeProof, stored_hash_index, sub_tree_index,
};

/// A hash that the tree needs is not there, or a proof does not hold.
#[derive(Debug, Error)]
pub enum TreeError {
    /// The keeper of hashes did not give this position.
    #[error("the stored hash at position {0} is missing")]
    Missing(u64),
    /// The proof does not lead to the root.
    #[error("the proof does not hold")]
    Proof,
    /// Sizes or numbers that no tree has.
    #[error("no tree is like that")]
    Shape,
}

/// RFC 6962 leaf hash: `SHA-256(0x00 ‖ leaf)`.
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::from_bytes(tlog::record_hash(leaf).0)
}

/// The first position at which the hashes of leaf `number` are stored.
pub fn first_position(number: u64) -> u64 {
    stored_hash_index(0, number)
}

/// The positions that must be known to append leaf `number`.
pub fn positions_to_append(number: u64) -> Vec<u64> {
    let completed = (number + 1).trailing_zeros();
    (0..completed)
        .rev()
        .filter_map(|level| u8::try_from(level).ok())
        .map(|level| stored_hash_index(level, (number >> level) - 1))
        .collect()
}

/// The hashes to store for leaf `number`, in order from [`first_position`].
///
/// # Errors
/// A position of [`positions_to_append`] is not in `known`.
pub fn hashes_to_append(
    number: u64,
    leaf_hash: Digest,
    known: &BTreeMap<u64, Digest>,
) -> Result<Vec<Digest>, TreeError> {
    require(&positions_to_append(number), known)?;
    let hashes =
        tlog::stored_hashes_for_record_hash(number, hash(leaf_hash), &Known(known)).map_err(|_| TreeError::Shape)?;
    Ok(hashes.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect())
}

/// The positions that must be known to compute the root of a tree of `size` leaves.
pub fn positions_for_root(size: u64) -> Vec<u64> {
    if size == 0 { Vec::new() } else { sub_tree_index(0, size, Vec::new()) }
}

/// The root of a tree of `size` leaves.
///
/// # Errors
/// A position of [`positions_for_root`] is not in `known`.
pub fn root(size: u64, known: &BTreeMap<u64, Digest>) -> Result<Digest, TreeError> {
    require(&positions_for_root(size), known)?;
    tlog::tree_hash(size, &Known(known)).map(|hash| Digest::from_bytes(hash.0)).map_err(|_| TreeError::Shape)
}

/// A proof that leaf `number` is in the tree of `size` leaves. `known` holds all stored hashes of that tree.
///
/// # Errors
/// There is no such leaf, or a hash is missing.
pub fn prove_inclusion(size: u64, number: u64, known: &BTreeMap<u64, Digest>) -> Result<Vec<Digest>, TreeError> {
    if number >= size {
        return Err(TreeError::Shape);
    }
    let proof: RecordProof = tlog::prove_record(size, number, &Known(known)).map_err(|_| TreeError::Shape)?;
    Ok(proof.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect())
}

/// Checks that a leaf is number `number` of the tree with this root.
///
/// # Errors
/// It is not, as far as the proof shows.
pub fn check_inclusion(
    size: u64,
    root: Digest,
    number: u64,
    leaf_hash: Digest,
    proof: &[Digest],
) -> Result<(), TreeError> {
    let proof: RecordProof = proof.iter().copied().map(hash).collect();
    tlog::check_record(&proof, size, hash(root), number, hash(leaf_hash)).map_err(|_| TreeError::Proof)
}

/// A proof that the tree of `size` leaves begins with the tree of `older` leaves. `known` holds all stored hashes of the larger tree.
///
/// # Errors
/// The older one is larger or empty, or a hash is missing.
pub fn prove_consistency(size: u64, older: u64, known: &BTreeMap<u64, Digest>) -> Result<Vec<Digest>, TreeError> {
    if older == 0 || older > size {
        return Err(TreeError::Shape);
    }
    let proof: TreeProof = tlog::prove_tree(size, older, &Known(known)).map_err(|_| TreeError::Shape)?;
    Ok(proof.into_iter().map(|hash| Digest::from_bytes(hash.0)).collect())
}

/// Checks that the tree of `size` leaves with root `root` begins with the tree of `older` leaves with root `older_root`.
///
/// # Errors
/// It does not, as far as the proof shows.
pub fn check_consistency(
    size: u64,
    root: Digest,
    older: u64,
    older_root: Digest,
    proof: &[Digest],
) -> Result<(), TreeError> {
    let proof: TreeProof = proof.iter().copied().map(hash).collect();
    tlog::check_tree(&proof, size, hash(root), older, hash(older_root)).map_err(|_| TreeError::Proof)
}

fn hash(digest: Digest) -> Hash {
    Hash(*digest.as_bytes())
}

fn require(positions: &[u64], known: &BTreeMap<u64, Digest>) -> Result<(), TreeError> {
    match positions.iter().find(|position| !known.contains_key(position)) {
        Some(position) => Err(TreeError::Missing(*position)),
        None => Ok(()),
    }
}

struct Known<'a>(&'a BTreeMap<u64, Digest>);

impl HashReader for Known<'_> {
    fn read_hashes(&self, positions: &[u64]) -> Result<Vec<Hash>, TlogError> {
        positions
            .iter()
            .map(|position| self.0.get(position).copied().map(hash).ok_or(TlogError::InvalidInput("missing".into())))
            .collect()
    }
}

//! The tree against a naive one, and everything that tampering leaves behind.

mod document;
mod full;
mod large;
mod story;

use std::collections::BTreeMap;

use andon_core::{Digest, Entropy, Private, Record, RecordId, RecordKind, Redactor, Saying};
use andon_trail::{Leaf, SealError, Sealed, SigningKey, Verdict, Verifier, open, seal, sign, tree};
use jiff::Timestamp;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

/// Bytes that differ from call to call, the same in every run.
struct Counting(std::sync::atomic::AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = Sha256::digest((count * 1_000 + place as u64).to_be_bytes())[0];
        }
    }
}

fn entropy() -> Counting {
    Counting(std::sync::atomic::AtomicU64::new(0))
}

/// RFC 6962, section 2.1, word by word.
fn naive(leaves: &[Vec<u8>]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => Sha256::digest([&[0], &leaf[..]].concat()).into(),
        several => {
            let split = several.len().next_power_of_two() / 2;
            let (left, right) = (naive(&several[..split]), naive(&several[split..]));
            Sha256::digest([&[1], &left[..], &right[..]].concat()).into()
        }
    }
}

fn grow(leaves: &[Vec<u8>]) -> BTreeMap<u64, Digest> {
    let mut known = BTreeMap::new();
    for (number, leaf) in (0u64..).zip(leaves) {
        let hashes = tree::hashes_to_append(number, tree::leaf_hash(leaf), &known).unwrap();
        known.extend((tree::first_position(number)..).zip(hashes));
    }
    known
}

proptest! {
    #[test]
    fn the_tree_is_the_naive_one(leaves in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..70), at in any::<prop::sample::Index>()) {
        let known = grow(&leaves);
        let size = leaves.len() as u64;
        let root = tree::root(size, &known).unwrap();
        prop_assert_eq!(root, Digest::from_bytes(naive(&leaves)));
        let number = at.index(leaves.len());
        let proof = tree::prove_inclusion(size, number as u64, &known).unwrap();
        let hash = tree::leaf_hash(&leaves[number]);
        prop_assert!(tree::check_inclusion(size, root, number as u64, hash, &proof).is_ok());
        prop_assert!(tree::check_inclusion(size, root, number as u64, Digest::of("other"), &proof).is_err());
        let older = number as u64 + 1;
        let older_root = tree::root(older, &known).unwrap();
        let proof = tree::prove_consistency(size, older, &known).unwrap();
        prop_assert!(tree::check_consistency(size, root, older, older_root, &proof).is_ok());
        if older < size {
            prop_assert!(tree::check_consistency(size, root, older, Digest::of("other"), &proof).is_err());
        }
    }
}

fn record(number: i64, raw: &str) -> Record {
    let at = Timestamp::from_second(1_800_000_000 + number).unwrap();
    let mut record = Record::new("trail.test", RecordId::new(at, &entropy()), RecordKind::Asked, at);
    record.said = Some(Saying {
        raw: Private::new(raw),
        command: vec!["whoami".to_owned()],
        arguments: serde_json::json!({}),
        alias: None,
        reason: None,
    });
    record
}

fn sealed(number: i64) -> Sealed {
    seal(&record(number, &format!("whoami {number}")), &Redactor::default(), &entropy()).unwrap()
}

fn verify(leaves: &[Sealed], key: &SigningKey, signed: &[Sealed], pinned: Option<&SigningKey>) -> andon_trail::Report {
    let mut verifier = Verifier::new(pinned.map(|key| key.verifier_key().clone()), Some(key.verifier_key().clone()));
    for (number, leaf) in (0u64..).zip(leaves) {
        let (hash, index) = (leaf.leaf_hash, Some(&leaf.index));
        verifier.leaf(&Leaf {
            number,
            bytes: &leaf.leaf,
            hash,
            index,
            disclosures: &leaf.disclosures,
            texts: &leaf.texts,
        });
    }
    let bytes: Vec<_> = signed.iter().map(|leaf| leaf.leaf.clone()).collect();
    let checkpoint = sign(key, signed.len() as u64, Digest::from_bytes(naive(&bytes))).unwrap();
    verifier.checkpoint(&checkpoint.note);
    verifier.finish()
}

#[test]
fn a_whole_trail_holds_and_every_tampering_is_found() {
    let (key, other) = (
        SigningKey::generate("trail.test", &entropy()).unwrap(),
        SigningKey::generate("trail.test", &Counting(9_999.into())).unwrap(),
    );
    let leaves: Vec<_> = (0..5).map(sealed).collect();
    assert_eq!(verify(&leaves, &key, &leaves, Some(&key)).verdict, Verdict::Holds);
    assert_eq!(verify(&leaves, &key, &leaves, None).verdict, Verdict::SignerUnverified);
    assert_eq!(verify(&leaves, &key, &leaves, Some(&other)).verdict, Verdict::Broken, "another key");
    assert_eq!(verify(&leaves[..4], &key, &leaves, Some(&key)).verdict, Verdict::Broken, "cut");
    let mut swapped = leaves.clone();
    swapped.swap(1, 2);
    assert_eq!(verify(&swapped, &key, &leaves, Some(&key)).verdict, Verdict::Broken, "swapped");
    let mut columns = leaves.clone();
    columns[2].index.outcome = Some("succeeded".to_owned());
    assert_eq!(verify(&columns, &key, &leaves, Some(&key)).verdict, Verdict::Broken, "columns");
    let mut disclosed = leaves.clone();
    disclosed[2].disclosures[0].value = "something else".to_owned();
    assert_eq!(verify(&disclosed, &key, &leaves, Some(&key)).verdict, Verdict::Broken, "disclosure");
    for place in 0..leaves[3].leaf.len() {
        let mut flipped = leaves.clone();
        flipped[3].leaf[place] ^= 1;
        flipped[3].leaf_hash = tree::leaf_hash(&flipped[3].leaf);
        assert_eq!(verify(&flipped, &key, &leaves, Some(&key)).verdict, Verdict::Broken, "byte {place}");
    }
}

#[test]
fn private_values_and_secrets_stay_out_of_leaves() {
    let secret = format!("ghp_{}", "a".repeat(36));
    let sealed = seal(&record(1, &format!("my words with {secret}")), &Redactor::default(), &entropy()).unwrap();
    let leaf = String::from_utf8(sealed.leaf.clone()).unwrap();
    assert!(!leaf.contains("my words") && !leaf.contains("ghp_"));
    assert!(sealed.disclosures.iter().all(|disclosure| !disclosure.value.contains("ghp_")));
    let opened = open(&sealed.leaf, &sealed.texts, &sealed.disclosures).unwrap();
    assert_eq!(opened["said"]["raw"], "my words with [redacted]");
}

#[test]
fn arguments_cannot_look_like_a_commitment() {
    for name in ["$private", "commitment", "sha256"] {
        let mut record = record(1, "x");
        if let Some(said) = &mut record.said {
            said.arguments = serde_json::json!({ "a": [{ name: "x" }] });
        }
        assert!(matches!(seal(&record, &Redactor::default(), &entropy()), Err(SealError::Reserved(_))), "{name}");
    }
}

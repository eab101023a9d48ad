//! What a record costs beside the database: sealing it, its place in the tree, and the signature over a checkpoint.
//! `cargo bench -p andon-trail`.

use std::collections::BTreeMap;
use std::hint::black_box;

use andon_core::{Digest, Entropy, Private, Record, RecordId, RecordKind, Redactor, Saying};
use andon_trail::{SigningKey, seal, sign, tree};
use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;

/// Leaves of the tree to which one more is appended: its path is 16 hashes long.
const LEAVES: u64 = (1 << 16) - 1;

/// The same bytes in every run.
struct Zeroes;

impl Entropy for Zeroes {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

fn record() -> Record {
    let at = Timestamp::from_second(1_800_000_000).expect("a moment");
    let mut record = Record::new("trail.bench", RecordId::new(at, &Zeroes), RecordKind::Asked, at);
    record.said = Some(Saying {
        raw: Private::new("deploy api v1.4 --env prod --reason 'the fix of the checkout'"),
        command: vec!["deploy".to_owned()],
        arguments: serde_json::json!({"service": "api", "version": "v1.4", "env": "prod"}),
        alias: None,
        reason: Some(Private::new("the fix of the checkout")),
    });
    record
}

fn benches(criterion: &mut Criterion) {
    let (record, redactor) = (record(), Redactor::new(&[]).expect("the built-in patterns"));
    criterion.bench_function("seal a record", |bencher| {
        bencher.iter(|| seal(black_box(&record), &redactor, &Zeroes).expect("it is sealed"));
    });
    let mut known = BTreeMap::new();
    for number in 0..LEAVES {
        let hashes = tree::hashes_to_append(number, Digest::of(number.to_be_bytes()), &known).expect("a tree");
        known.extend((tree::first_position(number)..).zip(hashes));
    }
    criterion.bench_function("append to 65,535 leaves", |bencher| {
        bencher.iter(|| tree::hashes_to_append(LEAVES, black_box(Digest::of("leaf")), &known).expect("a tree"));
    });
    let key = SigningKey::generate("trail.bench", &Zeroes).expect("a key");
    let root = tree::root(LEAVES, &known).expect("a root");
    criterion.bench_function("sign a checkpoint", |bencher| {
        bencher.iter(|| sign(&key, black_box(LEAVES), root).expect("it is signed"));
    });
}

criterion_group!(trail, benches);
criterion_main!(trail);

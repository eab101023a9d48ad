//! Verification of a trail that does not fit on one page, on both databases.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use andon_core::{Clock, Digest, Entropy, Private, Record, RecordId, RecordKind, Redactor};
use andon_store::{DatabaseUrl, Purpose, Store, StoreError};
use andon_trail::{Report, Sealed, SignedCheckpoint, SigningKey, Verdict, seal, sign, tree};
use jiff::Timestamp;

/// One more than a page of whatever is read by pages.
const COUNT: u64 = 101;

struct Still;

#[async_trait::async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    async fn sleep_until(&self, _: Timestamp) {
        pending().await
    }
}

/// Bytes that differ from call to call, the same in every run.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::SeqCst);
        for (place, chunk) in bytes.chunks_mut(32).enumerate() {
            let digest = Digest::of(format!("{count} {place}"));
            chunk.copy_from_slice(&digest.as_bytes()[..chunk.len()]);
        }
    }
}

/// A database with a trail of [`COUNT`] records, each with a disclosure, and a checkpoint over each.
struct World {
    store: Store,
    key: SigningKey,
    entropy: Counting,
    known: std::collections::BTreeMap<u64, Digest>,
    size: u64,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new(url: impl FnOnce(&std::path::Path) -> DatabaseUrl) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&url(folder.path()), Purpose::Serve, Arc::new(Still)).await.unwrap();
        let entropy = Counting::default();
        let key = SigningKey::generate("trail.test", &entropy).unwrap();
        Self { store, key, entropy, known: std::collections::BTreeMap::new(), size: 0, _folder: folder }
    }

    /// Appends records, each with something to disclose, and gives their checkpoints.
    async fn append(&mut self, count: u64) -> Vec<SignedCheckpoint> {
        let mut checkpoints = Vec::new();
        let sealed: Vec<Sealed> = (0..count).map(|_| self.sealed()).collect();
        for each in &sealed {
            let hashes = tree::hashes_to_append(self.size, each.leaf_hash, &self.known).unwrap();
            self.known.extend((tree::first_position(self.size)..).zip(hashes));
            self.size += 1;
            let root = tree::root(self.size, &self.known).unwrap();
            checkpoints.push(sign(&self.key, self.size, root).unwrap());
        }
        let written = self.store.write(move |transaction| {
            Box::pin(async move {
                for each in &sealed {
                    transaction.append(each).await?;
                }
                transaction.integrate(u32::MAX).await?;
                Ok::<_, StoreError>(())
            })
        });
        written.await.unwrap();
        checkpoints
    }

    fn sealed(&self) -> Sealed {
        let now = Still.now();
        let mut record = Record::new("trail.test", RecordId::new(now, &self.entropy), RecordKind::Observed, now);
        record.details = serde_json::json!({ "evidence": Private::new("pid 7") });
        seal(&record, &Redactor::default(), &self.entropy).unwrap()
    }

    async fn keep(&self, checkpoints: Vec<SignedCheckpoint>) {
        let kept = self.store.write(move |transaction| {
            Box::pin(async move {
                for checkpoint in &checkpoints {
                    transaction.put_checkpoint(checkpoint, Still.now()).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        kept.await.unwrap();
    }

    async fn verify(&self) -> Report {
        andon_engine::verify(&self.store, Some(self.key.verifier_key().clone()), None, None).await.unwrap()
    }
}

async fn every_checkpoint_is_held_against_the_leaves(mut world: World) {
    let checkpoints = world.append(COUNT).await;
    let forged = sign(&world.key, 1, Digest::of("another history")).unwrap();
    world.keep(std::iter::once(forged).chain(checkpoints.into_iter().skip(1)).collect()).await;
    let report = world.verify().await;
    assert_eq!((report.verdict, report.leaves), (Verdict::Broken, COUNT));
    assert_eq!(
        report.problems,
        ["the checkpoint of size 1 has another root: records below #1 were changed"],
        "the oldest checkpoint stands on the last page"
    );
}

async fn what_nobody_has_signed_yet_is_counted(mut world: World) {
    let checkpoints = world.append(COUNT).await;
    world.keep(checkpoints).await;
    world.append(1).await;
    let report = world.verify().await;
    assert_eq!((report.verdict, report.leaves, report.uncovered), (Verdict::Holds, COUNT + 1, 1));
    assert!(report.to_string().contains("1 records are not under a checkpoint yet"), "{report}");
}

macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                let file = |folder: &std::path::Path| andon_store::DatabaseUrl::Sqlite(folder.join("andon.db"));
                super::$name(super::World::new(file).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() {
                let server = |_: &std::path::Path| andon_store::DatabaseUrl::Postgres(andon_test_postgres::database());
                super::$name(super::World::new(server).await).await;
            })*
        }
    };
}

both! { every_checkpoint_is_held_against_the_leaves, what_nobody_has_signed_yet_is_counted }

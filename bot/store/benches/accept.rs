//! How fast an intent becomes durable: one accepted act is its inbox key, its invocation and its first record, in one unit of work.
//!
//! What decides is the ratio to the floor of the same run: one write of four KiB made durable. Acts that come together share a commit on
//! SQLite, so that many callers cost hardly more than one. `cargo bench -p andon-store`.

use std::hint::black_box;
use std::io::Write as _;

use andon_core::InvocationId;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::world::{Database, World, at};

#[path = "../tests/conformance/given.rs"]
#[expect(dead_code, reason = "the conformance suite needs more of it")]
mod given;
#[path = "../tests/conformance/world.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the conformance suite needs more of it")]
mod world;

/// Callers at the same time.
const CALLERS: [u64; 3] = [1, 16, 64];

fn floor(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("no temporary folder");
    let mut file = std::fs::File::create(folder.path().join("floor")).expect("no file");
    let block = [7_u8; 4096];
    criterion.bench_function("floor: 4 KiB written and made durable", |bencher| {
        bencher.iter(|| {
            file.write_all(black_box(&block)).expect("not written");
            file.sync_data().expect("not durable");
        });
    });
}

fn accept(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("no runtime");
    for database in [Database::Sqlite, Database::Postgres] {
        let world = World::new(database);
        let store = runtime.block_on(world.open());
        let mut raw = runtime.block_on(world.raw());
        let durable = match database {
            // 2 is FULL; the store's own writer has it, and so has this connection by default (https://sqlite.org/pragma.html).
            Database::Sqlite => format!("synchronous = {}", runtime.block_on(raw.number("pragma synchronous"))),
            Database::Postgres => {
                let on =
                    "select count(*) from pg_settings where name in ('fsync', 'synchronous_commit') and setting = 'on'";
                format!("{} of fsync and synchronous_commit are on", runtime.block_on(raw.number(on)))
            }
        };
        eprintln!("{database:?}: {durable}");
        let mut group = criterion.benchmark_group(format!("accept on {database:?}"));
        for callers in CALLERS {
            group.throughput(Throughput::Elements(callers));
            group.bench_with_input(BenchmarkId::from_parameter(callers), &callers, |bencher, &callers| {
                bencher.iter(|| {
                    runtime.block_on(async {
                        let acts: JoinSet<_> = (0..callers)
                            .map(|_| {
                                let (store, world) = (store.clone(), world.clone());
                                async move {
                                    let id = InvocationId::new(at(0), &*world.dice);
                                    given::accept(&store, &world, id, &format!("console//line/{id}"), 0).await
                                }
                            })
                            .collect();
                        acts.join_all().await
                    })
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, floor, accept);
criterion_main!(benches);

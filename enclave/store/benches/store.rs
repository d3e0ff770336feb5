//! The store over a keeper in memory that answers at once: what the store itself costs.
//!
//! `cargo bench -p r3e-store`

#![expect(clippy::unwrap_used, reason = "what fails here ends the bench")]

#[path = "../tests/keeper/mod.rs"]
mod keeper;

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use keeper::{Keeper, keys, space, uncached};
use r3e_store::{Options, Store, Write};
use tokio::runtime::{Builder, Runtime};

const RECORD_BYTES: usize = 1024;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

fn keeper() -> Arc<Keeper> {
    let mut keeper = Keeper::new();
    Arc::get_mut(&mut keeper).unwrap().page_records = 1000;
    keeper
}

async fn fill(store: &Store, records: usize) {
    for start in (0..records).step_by(1000) {
        let one = |index| Write::put(&space(), &format!("key {index}"), vec![7; RECORD_BYTES]);
        store.batch((start..(start + 1000).min(records)).map(one).collect()).await.unwrap();
    }
}

fn writes(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("put 1 KiB");
    group.throughput(Throughput::Elements(1));
    for writers in [1u64, 64] {
        let store = runtime.block_on(Store::open(keeper(), keys(1), Options::default())).unwrap();
        runtime.block_on(fill(&store, 10_000));
        group.bench_function(format!("{writers} writers"), |bencher| {
            bencher.iter_custom(|iterations| {
                let each = iterations.div_ceil(writers);
                let start = Instant::now();
                runtime.block_on(async {
                    let tasks: Vec<_> = (0..writers)
                        .map(|writer| {
                            let store = store.clone();
                            tokio::spawn(async move {
                                for index in 0..each {
                                    let key = format!("key {}", (writer * 157 + index) % 10_000);
                                    store.put(&space(), &key, vec![8; RECORD_BYTES]).await.unwrap();
                                }
                            })
                        })
                        .collect();
                    for task in tasks {
                        task.await.unwrap();
                    }
                });
                // As if exactly `iterations` had been made.
                let nanos = start.elapsed().as_nanos() * u128::from(iterations) / u128::from(each * writers);
                Duration::from_nanos(u64::try_from(nanos).unwrap())
            });
        });
    }
    group.throughput(Throughput::Elements(100));
    let store = runtime.block_on(Store::open(keeper(), keys(1), Options::default())).unwrap();
    runtime.block_on(fill(&store, 10_000));
    let mut round = 0;
    group.bench_function("batches of 100", |bencher| {
        bencher.iter(|| {
            round += 1;
            let one = |index| {
                Write::put(
                    &space(),
                    &format!("key {}", (round * 100 + index) % 10_000),
                    vec![9; RECORD_BYTES],
                )
            };
            runtime.block_on(store.batch((0..100).map(one).collect())).unwrap()
        });
    });
    group.finish();
}

fn reads(criterion: &mut Criterion) {
    let runtime = runtime();
    let mut group = criterion.benchmark_group("get 1 KiB");
    group.throughput(Throughput::Elements(1));
    for (name, options) in [("from the cache", Options::default()), ("from the keeper", uncached())] {
        let store = runtime.block_on(Store::open(keeper(), keys(1), options)).unwrap();
        runtime.block_on(fill(&store, 10_000));
        let mut index = 0;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                index = (index + 7) % 10_000;
                black_box(runtime.block_on(store.get(&space(), &format!("key {index}"))).unwrap())
            });
        });
    }
    group.finish();
}

fn boots(criterion: &mut Criterion) {
    let runtime = runtime();
    let keeper = keeper();
    runtime.block_on(async {
        let store = Store::open(keeper.clone(), keys(1), uncached()).await.unwrap();
        fill(&store, 100_000).await;
    });
    let mut group = criterion.benchmark_group("boot");
    group.sample_size(10);
    group.throughput(Throughput::Elements(100_000));
    group.bench_function("100,000 records of 1 KiB", |bencher| {
        bencher.iter(|| runtime.block_on(Store::open(keeper.clone(), keys(1), uncached())).unwrap());
    });
    group.finish();
}

criterion_group!(benches, writes, reads, boots);
criterion_main!(benches);

//! What metering costs an invocation, without a plan and with one, beside the work of a commit that a reservation of its own
//! would take.
//!
//! `cargo bench -p r3e-ledger`
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench fails by panicking, and its macros document nothing"
)]

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
#[path = "../tests/world/mod.rs"]
mod world;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use r3e_ledger::Options;
use tokio::runtime::Builder;
use world::{ALICE, PLANS, World};

fn admissions(criterion: &mut Criterion) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let mut group = criterion.benchmark_group("admit and settle");
    group.throughput(Throughput::Elements(1));
    for plan in ["none", "payg", "month"] {
        let world = runtime.block_on(async {
            let world = World::under(PLANS, Options::default()).await;
            world.deposit(ALICE, 1_000_000_000_000_000_000, "d").await;
            world.ledger.set_plan(ALICE, plan).await.unwrap();
            world.invoke(ALICE, "f", 1).await;
            world
        });
        group.bench_function(plan, |bencher| {
            bencher.iter(|| runtime.block_on(world.invoke(ALICE, "f", 1)));
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("beside it");
    let world = runtime.block_on(World::new());
    let mut number = 0u64;
    group.bench_function("a commit of a deposit", |bencher| {
        bencher.iter(|| {
            number += 1;
            runtime.block_on(world.deposit(ALICE, 1, &number.to_string()))
        });
    });
    group.finish();
}

criterion_group!(benches, admissions);
criterion_main!(benches);

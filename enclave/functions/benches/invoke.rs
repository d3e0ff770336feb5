//! Events per second through the pool, each in a fresh process or in one that is used again; what the first event of a function
//! costs; and what a thousand loaded functions hold.
//!
//! Run with `cargo bench -p r3e-functions`, after `cargo build --release -p r3e-runner` into the same target folder.
#![allow(
    clippy::expect_used,
    missing_docs,
    reason = "a bench fails by panicking, and its macros document nothing"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use r3e_functions::runner_pool::{
    FunctionKey, HostCall, HostCalls, HostFuture, HostValue, Limits, RunnerConfig, RunnerPool,
};
use tokio::runtime::Runtime;

const LIMITS: Limits = Limits {
    wall_ms: 10_000,
    cpu_ms: 10_000,
    memory_mib: 64,
    output_bytes: 100_000,
    host_calls: 100,
    log_bytes: 10_000,
    reuse: false,
};

/// A host that answers at once, so that only the pool and the runner are measured.
struct Host;

impl HostCalls for Host {
    fn call(&self, _call: HostCall) -> HostFuture<'_> {
        Box::pin(std::future::ready(Ok(HostValue::StoreGet { value: None })))
    }
}

fn runner_path() -> PathBuf {
    let path = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.parent()?.join("r3e-runner")));
    path.filter(|path| path.exists())
        .expect("cargo build --release -p r3e-runner, into the same target folder")
}

fn key(version: &str) -> FunctionKey {
    FunctionKey { tenant: "bench".into(), version: version.into() }
}

fn pool(runtime: &Runtime, spares: usize) -> RunnerPool {
    let _within = runtime.enter();
    RunnerPool::new(RunnerConfig { spares, max_processes: 8, ..RunnerConfig::new(runner_path()) })
        .expect("a pool")
}

async fn event(pool: &RunnerPool, key: &FunctionKey, source: &str, limits: &Limits) {
    let done = pool.invoke(key, source, r#"{"name":"world"}"#, limits, &Host).await;
    assert!(done.outcome.is_ok(), "{:?}", done.outcome);
}

/// Runs so many events one after the other, on a worker of the runtime as in the enclave.
async fn events(pool: Arc<RunnerPool>, key: FunctionKey, source: &'static str, limits: Limits, count: u64) {
    let run = async move {
        for _ in 0..count {
            event(&pool, &key, source, &limits).await;
        }
    };
    tokio::spawn(run).await.expect("no event fails");
}

fn fresh(c: &mut Criterion) {
    loaded(c, "fresh", LIMITS);
}

fn reused(c: &mut Criterion) {
    loaded(c, "reused", Limits { reuse: true, ..LIMITS });
}

/// Events of functions that are loaded.
fn loaded(c: &mut Criterion, group: &str, limits: Limits) {
    let runtime = Runtime::new().expect("a runtime");
    let pool = Arc::new(pool(&runtime, 0));
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Elements(1));
    let sources = [
        ("sync", "export default (e) => ({ hello: e.name });"),
        ("async", "export default async (e) => { await null; return { hello: e.name }; };"),
        ("host_call", "export default async (e) => ({ hello: await r3e.store.get(e.name) });"),
    ];
    for (name, source) in sources {
        group.bench_function(name, |b| {
            b.iter_custom(|count| {
                let start = Instant::now();
                runtime.block_on(events(Arc::clone(&pool), key(name), source, limits, count));
                start.elapsed()
            });
        });
    }
    let [(_, source), ..] = sources;
    group.bench_function("4_functions_at_once", |b| {
        b.iter_custom(|count| {
            let start = Instant::now();
            runtime.block_on(async {
                let run = |name| events(Arc::clone(&pool), key(name), source, limits, count.div_ceil(4));
                tokio::join!(run("a"), run("b"), run("c"), run("d"));
            });
            start.elapsed()
        });
    });
    group.finish();
}

fn cold(c: &mut Criterion) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let runtime = Runtime::new().expect("a runtime");
    let source = "export default (e) => ({ hello: e.name });";
    let mut group = c.benchmark_group("cold");
    group.sample_size(20).measurement_time(Duration::from_secs(10));
    for spares in [0, 4] {
        let pool = pool(&runtime, spares);
        group.bench_function(format!("{spares}_spares"), |b| {
            b.iter_custom(|iterations| {
                let mut total = Duration::ZERO;
                for _ in 0..iterations {
                    // Time for the spares to be there: what is measured is an event after a pause.
                    std::thread::sleep(Duration::from_millis(if spares > 0 { 250 } else { 0 }));
                    let key = key(&NEXT.fetch_add(1, Ordering::Relaxed).to_string());
                    let start = Instant::now();
                    runtime.block_on(event(&pool, &key, source, &LIMITS));
                    total += start.elapsed();
                    pool.forget(&key);
                }
                total
            });
        });
    }
    group.finish();
}

/// The share of its memory that each process below this one holds (`Pss`, `proc_pid_smaps(5)`), summed.
fn held_kib() -> (u64, usize) {
    let of =
        |pid: u32, file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let figure = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let names = std::fs::read_dir("/proc").expect("processes").flatten().map(|entry| entry.file_name());
    let parents: Vec<(u64, u32)> = names
        .filter_map(|name| name.to_str()?.parse().ok())
        .filter_map(|pid| Some((figure(&of(pid, "status"), "PPid:")?, pid)))
        .collect();
    let (mut kib, mut count, mut above) = (0, 0, vec![u64::from(std::process::id())]);
    while let Some(parent) = above.pop() {
        for (_, pid) in parents.iter().filter(|(of, _)| *of == parent) {
            kib += figure(&of(*pid, "smaps_rollup"), "Pss:").unwrap_or_default();
            count += 1;
            above.push(u64::from(*pid));
        }
    }
    (kib, count)
}

/// Not a time: what a thousand loaded functions hold, and the median, lowest and highest times of an event of each.
fn idle(_: &mut Criterion) {
    const FUNCTIONS: usize = 1_000;
    let runtime = Runtime::new().expect("a runtime");
    let config = RunnerConfig { spares: 0, memory_mib: 16_384, ..RunnerConfig::new(runner_path()) };
    let pool = {
        let _within = runtime.enter();
        RunnerPool::new(config).expect("a pool")
    };
    let source = "export default (e) => ({ hello: e.name });";
    let mut times = [Vec::new(), Vec::new()];
    for round in &mut times {
        for number in 0..FUNCTIONS {
            let start = Instant::now();
            runtime.block_on(event(&pool, &key(&number.to_string()), source, &LIMITS));
            round.push(start.elapsed());
        }
        round.sort_unstable();
    }
    std::thread::sleep(Duration::from_secs(1));
    let (kib, processes) = held_kib();
    let of = |times: &[Duration]| [0, FUNCTIONS / 2, FUNCTIONS - 1].map(|index| times[index]);
    println!(
        "{} functions loaded: {processes} processes hold {} MiB; first event {:?}, second {:?}",
        pool.loaded_functions(),
        kib / 1024,
        of(&times[0]),
        of(&times[1])
    );
}

criterion_group!(benches, fresh, reused, cold, idle);
criterion_main!(benches);

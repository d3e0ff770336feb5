//! Events that wait for a slot cost no copy of their bytes. A test program of its own, because it weighs what the whole
//! program holds.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use r3e_functions::runner_pool::{RunnerConfig, RunnerPool};
use support::{AMPLE, Host, class, config, eventually, key};
use tokio::task::JoinSet;

/// Resident memory of this program.
fn resident_bytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse::<usize>().unwrap() * 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_copied_when_it_starts_and_not_while_it_waits() {
    const EVENT_BYTES: usize = 2 << 20;
    const WAITING: usize = 60;
    let settings = RunnerConfig {
        max_per_function: 1,
        max_per_tenant: 1,
        max_waiting_per_tenant: WAITING,
        max_wait_ms: 60_000,
        ..config()
    };
    let pool = Arc::new(RunnerPool::new(settings).unwrap());
    let event: Arc<str> = format!("\"{}\"", "x".repeat(EVENT_BYTES)).into();
    let hangs = "export default () => r3e.store.get('hang');";
    let host = Arc::new(Host::default());
    let start = |tasks: &mut JoinSet<String>| {
        let (pool, host, event) = (Arc::clone(&pool), Arc::clone(&host), Arc::clone(&event));
        tasks.spawn(async move {
            class(&pool.invoke(&key("a", "1"), hangs, &event, &AMPLE, &*host).await.outcome)
        });
    };
    let mut tasks = JoinSet::new();
    start(&mut tasks);
    eventually("one runs", || host.calls.load(Ordering::Relaxed) == 1).await;
    let before = resident_bytes();
    // One more than may wait. Once it is turned away, all the others have come to the gate.
    for _ in 0..=WAITING {
        start(&mut tasks);
    }
    let mut turned_away = None;
    eventually("one is turned away", || {
        turned_away = tasks.try_join_next();
        turned_away.is_some()
    })
    .await;
    assert_eq!(turned_away.unwrap().unwrap(), "busy");
    let more = resident_bytes().saturating_sub(before);
    assert!(more < WAITING * EVENT_BYTES / 4, "{WAITING} events that wait cost {more} bytes");
    assert_eq!(host.calls.load(Ordering::Relaxed), 1);
}

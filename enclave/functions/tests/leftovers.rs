//! Nothing is left of processes that were ended: no zombie, no descriptor, no process. A test program of its own,
//! because it counts what the whole program holds.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use r3e_functions::runner_pool::{Limits, RunnerConfig, RunnerPool};
use support::{AMPLE, Host, REUSED, class, config, eventually, key, runners};

const COUNTER: &str = "let count = 0; export default () => ++count;";

fn open_descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Children of this process that ended and were not reaped.
fn zombies() -> usize {
    runners().iter().filter(|(_, status)| status.contains("\nState:\tZ")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_kills_leave_nothing_behind() {
    let pool = Arc::new(RunnerPool::new(RunnerConfig { spares: 2, ..config() }).unwrap());
    warm(&pool).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = open_descriptors();
    let limits = Limits { wall_ms: 30, ..AMPLE };
    for round in 0..200 {
        let pool = Arc::clone(&pool);
        let source = "export default () => r3e.store.get('hang');";
        let host = Host::default();
        let name = round.to_string();
        let bad = key("mallory", &name);
        let event = pool.invoke(&bad, source, "1", &limits, &host);
        if round % 4 == 0 {
            // The caller gives up half way.
            let _gave_up = tokio::time::timeout(Duration::from_millis(10), event).await;
        } else {
            assert!(matches!(class(&event.await.outcome).as_str(), "timeout" | "load"));
        }
    }
    assert_eq!(warm(&pool).await, "2", "the good one was never touched");
    eventually("all are reaped", || zombies() == 0).await;
    // The good one and the spares remain, and the bad functions that had loaded before they were called off: each has a
    // socket and a handle.
    let loaded = pool.loaded_functions();
    eventually("descriptors are given back", || open_descriptors() <= before + 2 * loaded + 4).await;
    assert!(pool.live_processes() <= 3);
    drop(pool);
    eventually("all are gone", || runners().is_empty()).await;
}

async fn warm(pool: &RunnerPool) -> String {
    let done = pool.invoke(&key("warm", "1"), COUNTER, "{}", &REUSED, &Host::default()).await;
    done.outcome.unwrap()
}

//! A process that something else kills costs one event at most. A test program of its own, because it kills every
//! runner that the program has.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use r3e_functions::runner_pool::{RunnerConfig, RunnerPool};
use support::{Host, REUSED, class, config, eventually, key, runners};

/// Several times as long as a process may go without being measured.
const HANGING: Duration = Duration::from_millis(1_500);

fn kill_all() {
    for (pid, _) in runners() {
        // Some end by what was done to others before them.
        let _gone = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_from_outside_costs_one_event_at_most() {
    let pool = RunnerPool::new(RunnerConfig { spares: 0, ..config() }).unwrap();
    let source =
        "let n = 0; export default async (e) => { if (e === 1) await r3e.store.get('hang'); return ++n; };";
    let k = key("killed", "1");
    let host = Host::default();
    assert_eq!(pool.invoke(&k, source, "0", &REUSED, &host).await.outcome.unwrap(), "1");
    let hanging = pool.invoke(&k, source, "1", &REUSED, &host);
    let killer = async {
        eventually("it hangs", || host.calls.load(Ordering::Relaxed) == 1).await;
        tokio::time::sleep(HANGING).await;
        kill_all();
    };
    let (done, ()) = tokio::join!(hanging, killer);
    assert_eq!(class(&done.outcome), "crashed 9");
    assert_eq!(pool.invoke(&k, source, "0", &REUSED, &host).await.outcome.unwrap(), "1");
    // It waited, and is not billed as if it had worked all the while.
    let (cpu, wall) = (Duration::from_micros(done.usage.cpu_us), Duration::from_micros(done.usage.wall_us));
    assert!(wall >= HANGING && cpu < wall / 2, "{cpu:?} of {wall:?}");
    // Killed while idle: nobody notices.
    kill_all();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(pool.invoke(&k, source, "0", &REUSED, &host).await.outcome.unwrap(), "1");
}

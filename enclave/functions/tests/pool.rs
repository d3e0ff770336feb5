//! The pool: limits, warmth, isolation, admission, and nothing left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use r3e_functions::runner_pool::{
    InvocationError, Limits, LogLevel, RunnerConfig, RunnerPool, StartError, Usage,
};
use support::{AMPLE, Host, REUSED, class, config, eventually, key, pool, runner_path};

const COUNTER: &str = "let count = 0; export default () => ++count;";

async fn count(pool: &RunnerPool, tenant: &str, version: &str, limits: &Limits) -> (String, bool) {
    let done = pool.invoke(&key(tenant, version), COUNTER, "{}", limits, &Host::default()).await;
    (done.outcome.unwrap(), done.usage.cold)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_kept_for_its_function_alone() {
    let pool = pool();
    assert_eq!(count(&pool, "a", "1", &REUSED).await, ("1".into(), true));
    assert_eq!(count(&pool, "a", "1", &REUSED).await, ("2".into(), false));
    assert_eq!(count(&pool, "b", "1", &REUSED).await, ("1".into(), true), "another tenant");
    assert_eq!(count(&pool, "a", "2", &REUSED).await, ("1".into(), true), "another version");
    let other = Limits { memory_mib: 32, ..REUSED };
    assert_eq!(count(&pool, "a", "1", &other).await, ("1".into(), true), "other limits");
    assert_eq!(count(&pool, "a", "1", &other).await, ("2".into(), false));
    pool.forget(&key("a", "1"));
    assert_eq!(count(&pool, "a", "1", &other).await, ("1".into(), true), "forgotten");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_is_replaced_after_its_events_an_error_or_growth() {
    let pool = RunnerPool::new(RunnerConfig { max_events_per_process: 3, ..config() }).unwrap();
    for expected in ["1", "2", "3", "1"] {
        assert_eq!(count(&pool, "a", "1", &REUSED).await.0, expected);
    }
    let source = "let n = 0; let kept; export default (e) => { n++; if (e === 1) throw new Error('x'); \
                  if (e === 2) kept = new Uint8Array(60 << 20).fill(1); if (e === 3) r3e.store.get('hang'); return n; };";
    let pool = support::pool();
    for (event, expected) in
        [("0", "1"), ("1", "function thrown"), ("0", "1"), ("2", "2"), ("0", "1"), ("3", "2"), ("0", "1")]
    {
        let done = pool.invoke(&key("a", "2"), source, event, &REUSED, &Host::default()).await;
        assert_eq!(class(&done.outcome).trim_start_matches("ok "), expected, "event {event}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn timers_and_calls_end_with_their_event() {
    let pool = pool();
    let source = "let ticks = 0; export default async (e) => { if (e === 0) setInterval(() => ticks++, 1); \
                  else await new Promise((r) => setTimeout(r, 50)); return ticks; };";
    for event in ["0", "1"] {
        let done = pool.invoke(&key("a", "1"), source, event, &AMPLE, &Host::default()).await;
        assert_eq!(done.outcome.unwrap(), "0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn use_is_measured_by_the_kernel() {
    let pool = pool();
    let source = "export default async (ms) => { const end = Date.now() + ms; while (Date.now() < end); \
                  await r3e.store.get('k'); const b = new Uint8Array(30 << 20).fill(7); return b[5]; };";
    let done = pool.invoke(&key("a", "1"), source, "100", &AMPLE, &Host::default()).await;
    assert_eq!(done.outcome.unwrap(), "7");
    assert!(done.usage.wall_us >= 100_000);
    assert!(done.usage.cpu_us > 0 && done.usage.cpu_us <= done.usage.wall_us);
    assert!(done.usage.peak_memory_bytes >= 30 << 20);
    assert_eq!(done.usage.host_calls, 1);
    let idle = "export default () => new Promise((r) => setTimeout(() => r(1), 300));";
    let done = pool.invoke(&key("a", "2"), idle, "{}", &AMPLE, &Host::default()).await;
    assert!(done.usage.cpu_us < done.usage.wall_us, "waiting is not charged as work");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_limit_ends_its_event() {
    let pool = pool();
    let cases: [(&str, Limits, &str); 6] = [
        ("export default () => { for (;;); };", Limits { cpu_ms: 100, ..AMPLE }, "cpu_limit"),
        (
            "export default () => new Promise(() => setInterval(() => {}, 50));",
            Limits { wall_ms: 200, ..AMPLE },
            "timeout",
        ),
        (
            "export default () => { const a = []; for (;;) a.push(new Array(1000).fill(1)); };",
            Limits { memory_mib: 16, ..AMPLE },
            "memory",
        ),
        ("export default () => 'x'.repeat(99);", Limits { output_bytes: 100, ..AMPLE }, "output_too_large"),
        (
            "export default async () => { for (let i = 0; i < 4; i++) await r3e.store.get('k'); };",
            Limits { host_calls: 3, ..AMPLE },
            "too_many_host_calls",
        ),
        ("export default () => { for (;;); };", Limits { wall_ms: 100, ..AMPLE }, "timeout"),
    ];
    for (source, limits, expected) in cases {
        let done = pool.invoke(&key("a", source), source, "{}", &limits, &Host::default()).await;
        assert_eq!(class(&done.outcome), expected, "{source}");
        assert!(done.usage.cpu_us > 0);
    }
    let fits = Limits { output_bytes: 100, ..AMPLE };
    let source = "export default () => 'x'.repeat(98);";
    let done = pool.invoke(&key("a", source), source, "{}", &fits, &Host::default()).await;
    assert_eq!(done.outcome.unwrap().len(), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_kept_in_order_and_bounded() {
    let pool = pool();
    let source = "console.debug('load'); export default (n) => { for (let i = 0; i < n; i++) console.log('line', i); console.error('end'); throw 1; };";
    let done = pool.invoke(&key("a", "1"), source, "2", &AMPLE, &Host::default()).await;
    let lines: Vec<(LogLevel, &str)> =
        done.logs.iter().map(|record| (record.level, record.text.as_str())).collect();
    let expected = [
        (LogLevel::Debug, "load"),
        (LogLevel::Info, "line 0"),
        (LogLevel::Info, "line 1"),
        (LogLevel::Error, "end"),
    ];
    assert_eq!(lines, expected);
    assert!(!done.logs_truncated);

    let limits = Limits { log_bytes: 100, ..AMPLE };
    let done = pool.invoke(&key("a", "2"), source, "50", &limits, &Host::default()).await;
    assert!(done.logs_truncated);
    assert!(done.logs.iter().map(|record| record.text.len()).sum::<usize>() <= 100);
    let done = pool
        .invoke(&key("a", "3"), source, "100000", &Limits { log_bytes: u32::MAX, ..AMPLE }, &Host::default())
        .await;
    assert!(done.logs_truncated && done.logs.len() <= 1_001, "{}", done.logs.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_no_json_are_refused_before_a_process_is_taken() {
    let pool = pool();
    let deep = "[".repeat(200) + &"]".repeat(200);
    for event in ["", "undefined", "{", "1 2", &deep, &"[".repeat(1_000_000)] {
        let done = pool.invoke(&key("a", "1"), COUNTER, event, &AMPLE, &Host::default()).await;
        assert_eq!(class(&done.outcome), "event");
        assert_eq!(done.usage, Usage::default());
    }
    let big = format!("\"{}\"", "x".repeat(7 << 20));
    let done = pool.invoke(&key("a", "1"), COUNTER, &big, &AMPLE, &Host::default()).await;
    assert_eq!(class(&done.outcome), "too_large");
    let source = format!("export default () => 1; // {}", "x".repeat(10 << 20));
    let done = pool.invoke(&key("a", "2"), &source, "1", &AMPLE, &Host::default()).await;
    assert_eq!(class(&done.outcome), "too_large");
}

#[tokio::test(flavor = "multi_thread")]
async fn large_events_and_outputs_pass() {
    let pool = pool();
    let limits = Limits { output_bytes: 6 << 20, memory_mib: 128, ..AMPLE };
    let event = format!("\"{}\"", "é".repeat(2 << 20));
    let done =
        pool.invoke(&key("a", "1"), "export default (e) => e;", &event, &limits, &Host::default()).await;
    assert!(done.outcome.unwrap() == event);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_version_runs_several_events_at_once_up_to_its_bound() {
    let settings = RunnerConfig {
        max_per_function: 3,
        max_waiting_per_tenant: 1,
        max_wait_ms: 60_000,
        max_processes: 8,
        ..config()
    };
    let pool = Arc::new(RunnerPool::new(settings).unwrap());
    let hangs = "export default () => r3e.store.get('hang');";
    let limits = Limits { wall_ms: 3_000, ..AMPLE };
    let host = Arc::new(Host::default());
    let mut running = Vec::new();
    for _ in 0..4 {
        let (pool, host) = (Arc::clone(&pool), Arc::clone(&host));
        running.push(tokio::spawn(async move {
            class(&pool.invoke(&key("a", "1"), hangs, "1", &limits, &*host).await.outcome)
        }));
    }
    let calls = Arc::clone(&host);
    eventually("three run", || calls.calls.load(Ordering::Relaxed) == 3).await;
    // Three run and one waits: there is no place for a fifth, but one for another function.
    let fifth = pool.invoke(&key("a", "1"), hangs, "1", &limits, &*host).await;
    assert!(matches!(fifth.outcome, Err(InvocationError::Busy { scope: "function" })), "{:?}", fifth.outcome);
    assert_eq!(count(&pool, "b", "1", &AMPLE).await.0, "1");
    for task in running {
        assert_eq!(task.await.unwrap(), "timeout");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_least_recently_used_process_makes_room() {
    let settings = RunnerConfig { spares: 0, max_processes: 2, ..config() };
    let pool = RunnerPool::new(settings).unwrap();
    for (tenant, expected) in [("a", "1"), ("b", "1"), ("a", "2"), ("c", "1"), ("a", "3"), ("b", "1")] {
        assert_eq!(count(&pool, tenant, "1", &REUSED).await.0, expected, "{tenant}");
        assert!(pool.live_processes() <= 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_processes_are_ended() {
    let pool = RunnerPool::new(RunnerConfig { spares: 0, max_idle_ms: 100, ..config() }).unwrap();
    count(&pool, "a", "1", &REUSED).await;
    eventually("the idle process is ended", || pool.live_processes() == 0).await;
    assert_eq!(pool.loaded_functions(), 1);
    assert_eq!(count(&pool, "a", "1", &REUSED).await, ("1".into(), false), "its function is still loaded");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_are_no_runner_are_typed_errors() {
    let folder = tempfile::tempdir().unwrap();
    let program = |name: &str, body: &str| {
        let path = folder.path().join(name);
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let ready = r"printf '\000\000\000\003\201\002\000' >&0";
    let cases = [
        ("missing", folder.path().join("missing"), "start"),
        ("exits", program("exits", "exit 21"), "start"),
        ("noise", program("noise", "echo hello there >&0; sleep 5"), "start"),
        ("version", program("version", r"printf '\000\000\000\003\201\001\000' >&0; sleep 5"), "start"),
        ("twice", program("twice", &format!("{ready}; {ready}; sleep 5")), "start"),
        (
            "hasty",
            program(
                "hasty",
                &format!(
                    r"{ready}; printf '\000\000\000\011\206\000\000\000\000\000\000\000\001' >&0; sleep 5"
                ),
            ),
            "start",
        ),
        (
            "huge",
            program(
                "huge",
                &format!(r"{ready}; head -c 4 <&0 >/dev/null; printf '\377\377\377\377\205' >&0; sleep 5"),
            ),
            "start",
        ),
        ("leaves", program("leaves", &format!("{ready}; head -c 4 <&0 >/dev/null; exit 7")), "start"),
        ("silent", program("silent", &format!("{ready}; sleep 5")), "start"),
    ];
    for (name, path, expected) in cases {
        let pool = RunnerPool::new(RunnerConfig { spares: 0, runner_path: path, ..config() }).unwrap();
        let limits = Limits { wall_ms: 1_000, ..AMPLE };
        let done = pool.invoke(&key("a", "1"), COUNTER, "1", &limits, &Host::default()).await;
        assert_eq!(class(&done.outcome), expected, "{name}: {:?}", done.outcome);
        if name == "exits" {
            let Err(InvocationError::Start(StartError::Ended { status })) = done.outcome else {
                panic!("{name}")
            };
            assert_eq!(status.code(), Some(21));
        }
        assert_eq!(pool.live_processes(), 0, "{name}");
    }
    assert!(runner_path().exists());
}

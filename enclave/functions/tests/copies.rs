//! Each event in a process of its own: what one leaves is not there in the next, and how one ends is no other's matter.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use r3e_functions::runner_pool::{
    Code, Engine, Fetching, LateSource, Limits, RunnerConfig, RunnerPool, Source,
};
use support::{AMPLE, Host, REUSED, class, config, eventually, generation, key, pool, runners};

/// Some look at all processes that this program has.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn event(pool: &RunnerPool, version: &str, source: &str, event: &str, limits: &Limits) -> String {
    class(&pool.invoke(&key("a", version), source, event, limits, &Host::default()).await.outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_event_is_there_in_the_next() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool();
    let source = "let count = 0; const seen = []; const loaded = Date.now();
        export default async (e) => {
            seen.push(e); globalThis.left = (globalThis.left ?? 0) + 1; Array.prototype.mine = e;
            setInterval(() => {}, 1);
            const secret = await r3e.secrets.get('n');
            const before = globalThis.kept; globalThis.kept = secret;
            return [++count, seen.length, globalThis.left, before ?? null];
        };";
    for round in 0..5 {
        assert_eq!(event(&pool, "1", source, "1", &AMPLE).await, "ok [1,1,1,null]", "round {round}");
    }
    // Where the function asks for it, its process is used again: with what it left.
    assert_eq!(event(&pool, "2", source, "1", &REUSED).await, "ok [1,1,1,null]");
    assert_eq!(event(&pool, "2", source, "1", &REUSED).await, r#"ok [2,2,2,"s3cret"]"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn randomness_differs_in_every_copy() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = Arc::new(RunnerPool::new(RunnerConfig { spares: 0, max_processes: 12, ..config() }).unwrap());
    // Drawn when it is loaded too, so that whatever an engine draws ahead is there to be copied.
    let source = "const early = Math.random(); export default () => {
            const bytes = Array.from(crypto.getRandomValues(new Uint32Array(2)));
            return [early, Math.random(), Math.random(), ...bytes, crypto.randomUUID()];
        };";
    let mut drawn = BTreeSet::new();
    let mut early = BTreeSet::new();
    for round in 0..40 {
        let tenant = format!("tenant {}", round % 2);
        let done = pool.invoke(&key(&tenant, "1"), source, "1", &AMPLE, &Host::default()).await;
        let values: Vec<serde_json::Value> = serde_json::from_str(&done.outcome.unwrap()).unwrap();
        early.insert(values[0].to_string());
        for value in &values[1..] {
            assert!(drawn.insert(value.to_string()), "{value} came twice");
        }
        assert!(values[1].as_f64().is_some_and(|value| (0.0..1.0).contains(&value)));
    }
    assert_eq!(early.len(), 2, "one load for each tenant's, and each another");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_dies_in_any_way_is_named_and_leaves_the_function_loaded() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = RunnerPool::new(RunnerConfig { spares: 0, ..config() }).unwrap();
    let source = "export default async (e) => {
            if (e === 'hang') await r3e.store.get('hang');
            if (e === 'loop') for (;;);
            if (e === 'memory') { const all = []; for (;;) all.push(new Array(1000).fill(1)); }
            if (e === 'throw') throw new Error('x');
            return 1;
        };";
    let host = Arc::new(Host::default());
    assert_eq!(event(&pool, "1", source, "1", &AMPLE).await, "ok 1");
    for (what, limits, expected) in [
        ("\"loop\"", Limits { cpu_ms: 100, ..AMPLE }, "cpu_limit"),
        ("\"loop\"", Limits { wall_ms: 100, ..AMPLE }, "timeout"),
        ("\"hang\"", Limits { wall_ms: 100, ..AMPLE }, "timeout"),
        ("\"memory\"", AMPLE, "memory"),
        ("\"throw\"", AMPLE, "function thrown"),
    ] {
        assert_eq!(event(&pool, "1", source, what, &limits).await, expected, "{what}");
        let done = pool.invoke(&key("a", "1"), source, "1", &AMPLE, &*host).await;
        assert_eq!((class(&done.outcome).as_str(), done.usage.cold), ("ok 1", false), "after {what}");
    }
    // By every signal that ends a process, as the kernel tells its parent.
    for signal in [Signal::SIGABRT, Signal::SIGSYS, Signal::SIGILL, Signal::SIGKILL] {
        let host = Host::default();
        let k = key("a", "1");
        let hanging = pool.invoke(&k, source, "\"hang\"", &AMPLE, &host);
        let killer = async {
            eventually("it hangs", || host.calls.load(Ordering::Relaxed) == 1).await;
            let (pid, _) = runners().into_iter().find(|(_, status)| handles_events(status)).unwrap();
            kill(Pid::from_raw(pid.cast_signed()), signal).unwrap();
        };
        let (done, ()) = tokio::join!(hanging, killer);
        assert_eq!(class(&done.outcome), format!("crashed {}", signal as i32));
        let next = pool.invoke(&key("a", "1"), source, "1", &AMPLE, &Host::default()).await;
        assert_eq!((class(&next.outcome).as_str(), next.usage.cold), ("ok 1", false), "after {signal}");
    }
}

/// Whether it is a copy of what has loaded a function: two filters, and not the first of its namespace.
fn handles_events(status: &str) -> bool {
    generation(status) == 2 && status.contains("\nSeccomp_filters:\t2\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_what_has_loaded_a_function_ends_its_copies_and_no_others() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = Arc::new(RunnerPool::new(RunnerConfig { spares: 0, ..config() }).unwrap());
    let hangs = "export default () => r3e.store.get('hang');";
    let host = Arc::new(Host::default());
    let start = |tenant: &str| {
        let (pool, host, key) = (Arc::clone(&pool), Arc::clone(&host), key(tenant, "1"));
        tokio::spawn(async move { class(&pool.invoke(&key, hangs, "1", &AMPLE, &*host).await.outcome) })
    };
    let mallory = [start("mallory"), start("mallory"), start("mallory")];
    eventually("three hang", || host.calls.load(Ordering::Relaxed) == 3).await;
    let (family, _) = runners().into_iter().find(|(_, status)| first_of_family(status)).unwrap();
    let alice = start("alice");
    eventually("the fourth hangs", || host.calls.load(Ordering::Relaxed) == 4).await;
    kill(Pid::from_raw(family.cast_signed()), Signal::SIGKILL).unwrap();
    for ended in mallory {
        assert_eq!(ended.await.unwrap(), "crashed 9");
    }
    assert!(!alice.is_finished());
    let source = "export default () => 1;";
    let good = pool.invoke(&key("mallory", "1"), source, "1", &AMPLE, &Host::default()).await;
    assert_eq!((class(&good.outcome).as_str(), good.usage.cold), ("ok 1", true), "it is loaded anew");
    assert!(!alice.is_finished());
    alice.abort();
}

fn first_of_family(status: &str) -> bool {
    status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"))
        && status.contains("\nSeccomp_filters:\t1\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deadline_is_kept_while_others_are_served() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = Arc::new(RunnerPool::new(RunnerConfig { spares: 0, ..config() }).unwrap());
    let loops = "export default () => { for (;;) 'x'.repeat(1 << 20).indexOf('y'); };";
    let limits = Limits { wall_ms: 400, ..AMPLE };
    assert_eq!(event(&pool, "warm", "export default () => 1;", "1", &AMPLE).await, "ok 1");
    let bad = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move {
            let began = Instant::now();
            let done = pool.invoke(&key("mallory", "1"), loops, "1", &limits, &Host::default()).await;
            (class(&done.outcome), began.elapsed())
        }
    });
    let mut served = 0;
    while !bad.is_finished() {
        assert_eq!(event(&pool, "warm", "export default () => 1;", "1", &AMPLE).await, "ok 1");
        served += 1;
    }
    let (ended, after) = bad.await.unwrap();
    assert_eq!(ended, "timeout");
    assert!(after >= Duration::from_millis(400) && served > 0, "{after:?}, {served}");
    eventually("what looped is gone", || !runners().iter().any(|(_, status)| handles_events(status))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_function_is_charged_what_it_holds() {
    let _turn = ONE_AT_A_TIME.lock().await;
    // Memory for one event and a dozen loaded functions; at their most, there would be room for one.
    let settings = RunnerConfig { spares: 0, memory_mib: 64 + 128 + 150, ..config() };
    let pool = RunnerPool::new(settings).unwrap();
    for version in 0..12 {
        let version = version.to_string();
        assert_eq!(event(&pool, &version, "export default () => 1;", "1", &AMPLE).await, "ok 1");
    }
    assert!(pool.loaded_functions() >= 8, "{}", pool.loaded_functions());
    // What a function keeps when it is loaded is charged: those that keep much push the others out.
    let keeps = "const kept = new Uint8Array(40 << 20).fill(7); export default () => kept[5];";
    for version in ["x", "y", "z"] {
        assert_eq!(event(&pool, version, keeps, "1", &AMPLE).await, "ok 7");
    }
    assert!(pool.loaded_functions() < 8, "{}", pool.loaded_functions());
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_one_function_at_once_load_it_once() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = Arc::new(RunnerPool::new(RunnerConfig { spares: 0, ..config() }).unwrap());
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move {
                let source = "export default () => 1;";
                let done = pool.invoke(&key("a", "1"), source, "1", &AMPLE, &Host::default()).await;
                (done.outcome.unwrap(), done.usage.cold)
            })
        })
        .collect();
    let mut cold = 0;
    for task in tasks {
        let (output, was_cold) = task.await.unwrap();
        assert_eq!(output, "1");
        cold += usize::from(was_cold);
    }
    assert_eq!((cold, pool.loaded_functions()), (1, 1));
}

/// A source that counts how often it is fetched; nothing of it can be had once it is gone.
#[derive(Debug, Default)]
struct Counted {
    fetched: AtomicU32,
    is_gone: AtomicBool,
}

impl LateSource for Counted {
    fn fetch(&self) -> Fetching<'_> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        let is_gone = self.is_gone.load(Ordering::Relaxed);
        let source = (!is_gone).then(|| "export default (e) => e;".to_owned());
        Box::pin(async move { source.map(|source| Box::new(source) as Box<dyn AsRef<str> + Send + Sync>) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_source_is_fetched_for_a_load_and_for_nothing_else() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = RunnerPool::new(RunnerConfig { spares: 0, max_per_function: 1, ..config() }).unwrap();
    let late = Counted::default();
    let code = Code { engine: Engine::default(), source: Source::Late(&late) };
    let key = key("a", "1");
    let host = Host::default();
    let event = || pool.invoke(&key, code, "1", &AMPLE, &host);
    let (one, two, three, four) = tokio::join!(event(), event(), event(), event());
    assert!([one, two, three, four].iter().all(|done| class(&done.outcome) == "ok 1"));
    assert_eq!(late.fetched.load(Ordering::Relaxed), 1, "three waited without it");
    // Gone, it fails who would load it, and no other.
    late.is_gone.store(true, Ordering::Relaxed);
    assert_eq!(class(&pool.invoke(&key, code, "1", &AMPLE, &host).await.outcome), "ok 1");
    pool.forget(&key);
    assert_eq!(class(&pool.invoke(&key, code, "1", &AMPLE, &host).await.outcome), "not_ready");
    assert_eq!(pool.loaded_functions(), 0);
    late.is_gone.store(false, Ordering::Relaxed);
    assert_eq!(class(&pool.invoke(&key, code, "1", &AMPLE, &host).await.outcome), "ok 1");
    // One that handles its event alone is not loaded ahead: it would be fetched for nobody.
    let pool = RunnerPool::new(RunnerConfig { spares: 1, ..config() }).unwrap();
    eventually("a process waits", || pool.spare_processes() == 1).await;
    let before = late.fetched.load(Ordering::Relaxed);
    assert_eq!(class(&pool.invoke(&key, code, "1", &AMPLE, &host).await.outcome), "ok 1");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!((late.fetched.load(Ordering::Relaxed) - before, pool.loaded_functions()), (1, 0));
}

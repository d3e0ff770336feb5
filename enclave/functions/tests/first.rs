//! The first event of a function, handled by the process that loads it: under every wall, and as any other event would be.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use r3e_functions::runner_pool::{
    HostCall, HostCalls, HostFuture, HostValue, Invocation, Limits, RunnerConfig, RunnerPool,
};
use support::{AMPLE, Host, REUSED, class, config, eventually, generation, key, runners};
use tokio::sync::Notify;

/// Some look at all processes that this program has.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A pool that has a process ready for a function.
async fn pool() -> Arc<RunnerPool> {
    let pool = Arc::new(RunnerPool::new(RunnerConfig { spares: 1, ..config() }).unwrap());
    eventually("a process waits", || pool.spare_processes() == 1).await;
    pool
}

async fn event(pool: &RunnerPool, source: &str, limits: &Limits) -> Invocation {
    pool.invoke(&key("a", "1"), source, "1", limits, &Host::default()).await
}

/// The first of a namespace of processes, as what makes copies is; with the second filter, under which it makes none.
fn handles_alone(status: &str) -> bool {
    generation(status) == 2
        && status.lines().any(|line| line.starts_with("NSpid:") && line.ends_with("\t1"))
        && status.contains("\nSeccomp_filters:\t2\n")
}

fn alone() -> Option<Pid> {
    let found = runners().into_iter().find(|(_, status)| handles_alone(status))?;
    Some(Pid::from_raw(found.0.cast_signed()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_is_loaded_for_the_others_once_the_first_is_answered() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let source = "let count = 0; export default async (e) => [e, ++count, await r3e.secrets.get('n')];";
    let first = event(&pool, source, &AMPLE).await;
    assert_eq!((class(&first.outcome).as_str(), first.usage.cold), (r#"ok [1,1,"s3cret"]"#, true));
    assert!(first.usage.cpu_us > 0 && first.usage.peak_memory_bytes > 0 && first.usage.host_calls == 1);
    eventually("it is loaded", || pool.loaded_functions() == 1).await;
    let next = event(&pool, source, &AMPLE).await;
    assert_eq!((class(&next.outcome).as_str(), next.usage.cold), (r#"ok [1,1,"s3cret"]"#, false));
    eventually("what handled the first has ended", || alone().is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_walls_stand_before_the_function_is_loaded() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let limits = Limits { wall_ms: 3_000, ..AMPLE };
    let looping = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { class(&event(&pool, "for (;;); export default () => 1;", &limits).await.outcome) }
    });
    eventually("it is loaded behind the last wall", || alone().is_some()).await;
    assert!(!looping.is_finished());
    assert_eq!(looping.await.unwrap(), "timeout");
    eventually("it has ended", || alone().is_none()).await;
    assert_eq!(pool.loaded_functions(), 0, "what did not load is not loaded again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_throws_is_loaded_and_what_dies_is_not() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let hangs = "export default () => r3e.store.get('hang');";
    let hanging = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { class(&event(&pool, hangs, &AMPLE).await.outcome) }
    });
    eventually("it is handled alone", || alone().is_some()).await;
    kill(alone().unwrap(), Signal::SIGKILL).unwrap();
    assert_eq!(hanging.await.unwrap(), "crashed 9");
    eventually("another process waits", || pool.spare_processes() == 1).await;
    assert_eq!(pool.loaded_functions(), 0);
    let throws = "export default () => { throw new Error('x'); };";
    let done = pool.invoke(&key("a", "2"), throws, "1", &AMPLE, &Host::default()).await;
    assert_eq!(class(&done.outcome), "function thrown");
    eventually("it is loaded", || pool.loaded_functions() == 1).await;
}

/// What takes long to load is loaded once more only for whoever asks, and pays for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_loads_slowly_is_not_loaded_ahead() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let slow = "const end = Date.now() + 600; while (Date.now() < end); export default () => 1;";
    let first = event(&pool, slow, &AMPLE).await;
    assert_eq!((class(&first.outcome).as_str(), first.usage.cold), ("ok 1", true));
    eventually("another process waits", || pool.spare_processes() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(pool.loaded_functions(), 0);
    // Its second event has it loaded to be copied, though a process waits.
    let second = event(&pool, slow, &AMPLE).await;
    assert_eq!((class(&second.outcome).as_str(), second.usage.cold), ("ok 1", true));
    assert!(second.usage.cpu_us > 400_000, "{:?}", second.usage);
    assert_eq!((pool.loaded_functions(), pool.spare_processes()), (1, 1));
}

/// A function whose second load would do what its first did not pay for.
#[tokio::test(flavor = "multi_thread")]
async fn a_load_ahead_takes_hardly_more_than_the_first() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let turns = now.as_millis() + 1_000;
    let source = format!(
        "if (Date.now() > {turns}) for (;;); export default () => new Promise((done) => setTimeout(() => done(1), 1500));"
    );
    let begun = std::time::Instant::now();
    let first = event(&pool, &source, &AMPLE).await;
    assert_eq!((class(&first.outcome).as_str(), first.usage.cold), ("ok 1", true), "{:?}", begun.elapsed());
    // It is begun, and ended long before the limits of the function.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(pool.loaded_functions(), 0);
    assert_eq!(pool.live_processes(), 1, "the one that waits");
}

/// A fault of the event's own does not keep the function from being loaded.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_loads_and_meets_a_limit_is_loaded() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let limits = Limits { wall_ms: 300, ..AMPLE };
    let done = event(&pool, "export default () => r3e.store.get('hang');", &limits).await;
    assert_eq!(class(&done.outcome), "timeout");
    eventually("it is loaded", || pool.loaded_functions() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_waited_draw_differently() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let source = "const early = Math.random(); export default () =>
        [early, Math.random(), ...crypto.getRandomValues(new Uint32Array(2)), crypto.randomUUID()];";
    let mut drawn = std::collections::BTreeSet::new();
    for version in ["1", "2", "3"] {
        eventually("a process waits", || pool.spare_processes() == 1).await;
        let done = pool.invoke(&key("a", version), source, "1", &AMPLE, &Host::default()).await;
        let values: Vec<serde_json::Value> = serde_json::from_str(&done.outcome.unwrap()).unwrap();
        for value in values {
            assert!(drawn.insert(value.to_string()), "{value} came twice");
        }
    }
}

/// A dozen functions, each called once, leave room for an event that needs nearly all that they do not hold.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_loaded_ahead_is_charged_what_it_holds() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let settings = RunnerConfig { spares: 1, memory_mib: 600, ..config() };
    let pool = RunnerPool::new(settings).unwrap();
    for version in 0..12 {
        eventually("a process waits", || pool.spare_processes() == 1).await;
        let key = key("a", &version.to_string());
        let done = pool.invoke(&key, "export default () => 1;", "1", &AMPLE, &Host::default()).await;
        assert_eq!(class(&done.outcome), "ok 1");
        eventually("it is loaded", || pool.loaded_functions() == version + 1).await;
    }
    // The last of them is weighed.
    tokio::time::sleep(Duration::from_millis(500)).await;
    // 150 MiB are left beside it, for the processes that wait and the dozen: they would not fit, each with all that it shares.
    let limits = Limits { memory_mib: 600 - 150 - 128, ..AMPLE };
    let done = pool.invoke(&key("b", "1"), "export default () => 1;", "1", &limits, &Host::default()).await;
    assert_eq!(class(&done.outcome), "ok 1");
    assert!(pool.loaded_functions() >= 12, "{}", pool.loaded_functions());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_used_again_goes_on_with_what_it_has() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let source = "let count = 0; export default () => ++count;";
    for expected in ["ok 1", "ok 2", "ok 3"] {
        assert_eq!(class(&event(&pool, source, &REUSED).await.outcome), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_at_once_load_it_twice_at_most() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let pool = Arc::clone(&pool);
        tasks.spawn(async move {
            let done = event(&pool, "export default () => 1;", &AMPLE).await;
            (class(&done.outcome), done.usage.cold)
        });
    }
    let done = tasks.join_all().await;
    assert!(done.iter().all(|(outcome, _)| outcome == "ok 1"), "{done:?}");
    assert!((1..=2).contains(&done.iter().filter(|(_, cold)| *cold).count()), "{done:?}");
    eventually("it is loaded", || pool.loaded_functions() == 1).await;
}

/// Answers once it is let.
#[derive(Default)]
struct Gated {
    asked: Notify,
    let_go: Notify,
}

impl HostCalls for Gated {
    fn call(&self, _call: HostCall) -> HostFuture<'_> {
        Box::pin(async move {
            self.asked.notify_one();
            self.let_go.notified().await;
            Ok(HostValue::StoreGet { value: None })
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_was_deleted_meanwhile_is_not_loaded() {
    let _turn = ONE_AT_A_TIME.lock().await;
    let pool = pool().await;
    let host = Arc::new(Gated::default());
    let waiting = tokio::spawn({
        let (pool, host) = (Arc::clone(&pool), Arc::clone(&host));
        async move {
            let source = "export default () => r3e.store.get('k');";
            class(&pool.invoke(&key("a", "1"), source, "1", &AMPLE, &*host).await.outcome)
        }
    });
    host.asked.notified().await;
    pool.forget(&key("a", "1"));
    host.let_go.notify_one();
    assert_eq!(waiting.await.unwrap(), "ok null");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(pool.loaded_functions(), 0);
}

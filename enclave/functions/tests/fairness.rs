//! What one tenant can take from the others: its share of slots and memory, and no more; and that what was forgotten is
//! not kept.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use r3e_functions::runner_pool::{
    Engine, HostCall, HostCalls, HostFuture, HostValue, InvocationError, Limits, RunnerConfig, RunnerPool,
};
use support::{AMPLE, Host, REUSED, class, config, eventually, key};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const HANGS: &str = "export default () => r3e.store.get('hang');";
const COUNTER: &str = "let count = 0; export default () => ++count;";
/// Heap and all beside it, of a function with the limits of `AMPLE`.
const CHARGE_MIB: u32 = 64 + 128;

async fn count(pool: &RunnerPool, tenant: &str, version: &str) -> Result<String, InvocationError> {
    pool.invoke(&key(tenant, version), COUNTER, "{}", &REUSED, &Host::default()).await.outcome
}

/// Events of a tenant's, each of another function, that hang until this is dropped.
struct Hanging {
    tasks: JoinSet<String>,
    host: Arc<Host>,
}

impl Hanging {
    fn start(pool: &Arc<RunnerPool>, tenant: &str, count: usize, limits: Limits) -> Self {
        let host = Arc::new(Host::default());
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let (pool, host, key) = (Arc::clone(pool), Arc::clone(&host), key(tenant, &number.to_string()));
            tasks.spawn(async move { class(&pool.invoke(&key, HANGS, "1", &limits, &*host).await.outcome) });
        }
        Self { tasks, host }
    }

    fn running(&self) -> u32 {
        self.host.calls.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_greedy_tenant_that_hangs_keeps_nobody_else_waiting() {
    let settings =
        RunnerConfig { spares: 0, max_processes: 6, max_wait_ms: 500, max_waiting_per_tenant: 8, ..config() };
    let settings = settings.with_tenant_share(33, 64);
    assert_eq!(settings.max_per_tenant, 2);
    let pool = Arc::new(RunnerPool::new(settings).unwrap());
    let mut greedy = Hanging::start(&pool, "greedy", 100, AMPLE);
    // Two run, eight wait, and ninety are turned away at once; then the eight are, too.
    for _ in 0..98 {
        assert_eq!(greedy.tasks.join_next().await.unwrap().unwrap(), "busy");
    }
    eventually("the greedy one has all that it may", || greedy.running() == 2).await;
    for round in 1..=3 {
        for tenant in ["alice", "bob", "carol"] {
            assert_eq!(count(&pool, tenant, "1").await.unwrap(), round.to_string(), "{tenant}");
        }
        // New ones of the greedy tenant's are told whose share is used up, not that the appliance is full.
        let refused = count(&pool, "greedy", "more").await.unwrap_err();
        assert!(matches!(refused, InvocationError::Busy { scope: "tenant" }), "{refused:?}");
        assert!(refused.to_string().contains("try again"), "{refused}");
    }
    assert_eq!(greedy.running(), 2);
    drop(greedy);
    eventually("the greedy one is served again", || pool.live_processes() <= 3).await;
    assert_eq!(count(&pool, "greedy", "more").await.unwrap(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn deploying_is_within_the_same_share() {
    let settings =
        RunnerConfig { spares: 0, max_processes: 6, max_wait_ms: 200, max_waiting_per_tenant: 0, ..config() };
    let pool = Arc::new(RunnerPool::new(settings.with_tenant_share(33, 64)).unwrap());
    let greedy = Hanging::start(&pool, "greedy", 2, AMPLE);
    eventually("both hang", || greedy.running() == 2).await;
    let refused = pool.check(&"greedy".into(), Engine::default(), COUNTER, &AMPLE).await.unwrap_err();
    assert!(matches!(refused, InvocationError::Busy { scope: "tenant" }), "{refused:?}");
    pool.check(&"alice".into(), Engine::default(), COUNTER, &AMPLE).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_share_of_memory_counts_what_its_functions_may_come_to_hold() {
    // Slots enough for all of it; memory for nine of the least, of which a third is one tenant's.
    let settings = RunnerConfig {
        spares: 0,
        max_processes: 20,
        memory_mib: 9 * CHARGE_MIB,
        max_wait_ms: 300,
        max_waiting_per_tenant: 0,
        ..config()
    };
    let settings = settings.with_tenant_share(34, 64);
    assert!((3 * CHARGE_MIB..4 * CHARGE_MIB).contains(&settings.max_memory_mib_per_tenant));
    let pool = Arc::new(RunnerPool::new(settings).unwrap());
    // One function of 256 MiB and its process leave room for one small one, though slots are free.
    let large = Limits { memory_mib: 256, ..AMPLE };
    let greedy = Hanging::start(&pool, "greedy", 1, large);
    eventually("it hangs", || greedy.running() == 1).await;
    assert_eq!(count(&pool, "greedy", "small").await.unwrap(), "1");
    let second = pool.invoke(&key("greedy", "l2"), COUNTER, "1", &large, &Host::default()).await.outcome;
    assert!(matches!(second, Err(InvocationError::Busy { scope: "tenant's memory" })), "{second:?}");
    for tenant in ["alice", "bob"] {
        let served = pool.invoke(&key(tenant, "1"), COUNTER, "1", &large, &Host::default()).await.outcome;
        assert_eq!(served.unwrap(), "1");
    }
    // What exceeds a tenant's share whatever is running says so, and is not told to try again.
    let huge = Limits { memory_mib: 700, ..AMPLE };
    let refused = pool.invoke(&key("alice", "h"), COUNTER, "1", &huge, &Host::default()).await.outcome;
    assert!(matches!(refused, Err(InvocationError::NoRoom { needed_mib: 828, .. })), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_of_all_is_one_budget() {
    let settings = RunnerConfig {
        spares: 0,
        max_processes: 20,
        memory_mib: 3 * CHARGE_MIB + 70,
        // Longer than a process that gives way takes to end on a busy machine.
        max_wait_ms: 5_000,
        ..config()
    };
    let pool = Arc::new(RunnerPool::new(settings).unwrap());
    // Idle ones give way, the least recently used first.
    for tenant in ["a", "b", "c", "d", "e"] {
        assert_eq!(count(&pool, tenant, "1").await.unwrap(), "1");
    }
    eventually("no more than three live", || pool.live_processes() <= 3).await;
    assert_eq!(count(&pool, "e", "1").await.unwrap(), "2", "the latest is still warm");
    assert_eq!(count(&pool, "a", "1").await.unwrap(), "1", "the oldest is not");

    // Busy ones do not: three hang, and the fourth tenant is refused, with the reason, until one of them ends.
    let mut hanging: Vec<Hanging> =
        ["x", "y", "z"].map(|tenant| Hanging::start(&pool, tenant, 1, AMPLE)).into();
    for one in &hanging {
        eventually("it hangs", || one.running() == 1).await;
    }
    let refused = count(&pool, "a", "1").await.unwrap_err();
    assert!(matches!(refused, InvocationError::Busy { scope: "appliance's memory" }), "{refused:?}");
    assert!(pool.live_processes() <= 3);
    hanging.pop();
    assert_eq!(count(&pool, "a", "1").await.unwrap(), "1");
    drop(hanging);
    // All of it comes back.
    for tenant in ["a", "b", "c"] {
        count(&pool, tenant, "2").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_memory_gets_that_of_an_event_that_ends() {
    let settings = RunnerConfig {
        spares: 0,
        max_processes: 20,
        // Beside it, what the processes hold that have no function, or only keep it loaded.
        memory_mib: CHARGE_MIB + 40,
        max_wait_ms: 60_000,
        ..config()
    };
    let pool = Arc::new(RunnerPool::new(settings).unwrap());
    let host = Arc::new(Gated::default());
    let first = host.run(&pool, key("a", "1"));
    eventually("it waits for its host", || host.calls.available_permits() == 1).await;
    let second = tokio::spawn({
        let pool = Arc::clone(&pool);
        async move { count(&pool, "b", "1").await.unwrap() }
    });
    // It is not kept warm while somebody waits for what it holds: the one who waits would wait for ever.
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    host.answers.add_permits(1);
    assert_eq!(first.await.unwrap(), "ok 1");
    assert_eq!(second.await.unwrap(), "1");
}

/// A host that answers a call when it is told to.
struct Gated {
    /// A permit for each call that came.
    calls: Semaphore,
    /// A permit for each call that may be answered.
    answers: Semaphore,
}

impl Default for Gated {
    fn default() -> Self {
        Self { calls: Semaphore::new(0), answers: Semaphore::new(0) }
    }
}

impl HostCalls for Gated {
    fn call(&self, _: HostCall) -> HostFuture<'_> {
        self.calls.add_permits(1);
        Box::pin(async {
            self.answers.acquire().await.unwrap().forget();
            Ok(HostValue::StoreGet { value: None })
        })
    }
}

const GATED: &str =
    "let count = 0; export default async () => { await r3e.store.get('k'); return ++count; };";

impl Gated {
    fn run(
        self: &Arc<Self>,
        pool: &Arc<RunnerPool>,
        key: r3e_functions::runner_pool::FunctionKey,
    ) -> tokio::task::JoinHandle<String> {
        let (pool, host) = (Arc::clone(pool), Arc::clone(self));
        tokio::spawn(async move { class(&pool.invoke(&key, GATED, "1", &REUSED, &*host).await.outcome) })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_forgotten_while_it_is_busy_is_not_kept() {
    let pool = Arc::new(RunnerPool::new(RunnerConfig { spares: 0, ..config() }).unwrap());
    let host = Arc::new(Gated::default());
    let (gone, other) = (key("a", "gone"), key("b", "other"));
    let busy = [host.run(&pool, gone.clone()), host.run(&pool, gone.clone()), host.run(&pool, other.clone())];
    eventually("all are busy", || host.calls.available_permits() == 3).await;
    pool.forget(&gone);
    host.answers.add_permits(3);
    for done in busy {
        assert_eq!(done.await.unwrap(), "ok 1", "what is under way ends as it would have");
    }
    eventually("the other tenant's alone is kept", || pool.live_processes() == 1).await;
    host.answers.add_permits(2);
    assert_eq!(host.run(&pool, other).await.unwrap(), "ok 2");
    assert_eq!(host.run(&pool, gone.clone()).await.unwrap(), "ok 1", "deployed again, it begins anew");
    // What comes after is kept as ever.
    host.answers.add_permits(1);
    assert_eq!(host.run(&pool, gone).await.unwrap(), "ok 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_forgotten_between_look_up_and_start_is_not_kept() {
    let pool = Arc::new(RunnerPool::new(RunnerConfig { spares: 0, ..config() }).unwrap());
    let gone = key("a", "gone");
    let lease = pool.lease(&gone.tenant);
    pool.forget(&gone);
    let done = pool.invoke_under(&lease, &gone, COUNTER, "1", &REUSED, &Host::default()).await;
    assert_eq!(done.outcome.unwrap(), "1");
    drop(lease);
    assert_eq!(count(&pool, "a", "gone").await.unwrap(), "1");
    // A lease is its tenant's: under another's, nothing is kept.
    let lease = pool.lease(&"b".into());
    let done = pool.invoke_under(&lease, &key("a", "x"), COUNTER, "1", &REUSED, &Host::default()).await;
    assert_eq!(done.outcome.unwrap(), "1");
    assert_eq!(count(&pool, "a", "x").await.unwrap(), "1");
}

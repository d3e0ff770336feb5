//! Crashes: at every commit, in the middle of attempts, at random, and a handover. Whatever happens, each job that was taken in
//! ends with exactly one recorded outcome, which never changes, and no attempt is made that was not recorded first.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use keeper::{Fault, Keeper, keys};
use proptest::prelude::*;
use r3e_jobs::{NewJob, Settings};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::{JobDetails, JobId, JobOutcome, JobState, RetryOn};
use r3e_store::{Expected, Options, Store, StoreError, Witnessing};
use tokio::runtime::Runtime;
use world::{ALICE, BOB, HOST, Life, Outside, eventually, quick, scripted, start};

/// Every job of both tenants.
async fn all(life: &Life) -> BTreeMap<(TenantId, JobId), JobDetails> {
    let mut found = BTreeMap::new();
    for tenant in [ALICE, BOB] {
        let mut after = None;
        loop {
            let page = life.jobs.list(tenant, None, after, 100).await.unwrap();
            for job in page.jobs {
                found.insert((tenant, job.id), life.show(tenant, job.id).await);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    found
}

/// What must hold of jobs when all is settled, given every invocation that was ever made of them.
fn check(jobs: &BTreeMap<(TenantId, JobId), JobDetails>, outside: &Outside) {
    let mut attempted = BTreeSet::new();
    for ((tenant, id), JobDetails { job, outcome }) in jobs {
        assert!(job.state.is_final(), "{job:?}");
        assert_eq!(outcome.is_some(), job.state != JobState::Cancelled, "{job:?}");
        if let Some(JobOutcome::Invocation(invocation)) = outcome {
            assert_eq!(Some(&invocation.id), job.attempts.last().map(|attempt| &attempt.invocation), "{id}");
        }
        for attempt in &job.attempts {
            assert!(attempt.outcome.is_some(), "{job:?}");
            assert!(attempted.insert((*tenant, attempt.invocation.clone())), "one id for two attempts");
        }
        assert!(job.attempts.len() <= job.policy.attempts as usize, "{job:?}");
    }
    let mut made = BTreeSet::new();
    for (tenant, invocation, _) in outside.calls() {
        assert!(made.insert((tenant, invocation.clone())), "one attempt was made twice");
        assert!(attempted.contains(&(tenant, invocation)), "an attempt was made that no job knows of");
    }
}

#[test]
fn at_every_commit_a_crash_loses_nothing_and_changes_no_outcome() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    keeper.remember();
    let runtime = Runtime::new().unwrap();
    let ids = runtime.block_on(async {
        let life = Life::begin(&keeper, &outside).await;
        let mut ids = Vec::new();
        for (number, script) in
            [&["ok"][..], &["crashed", "ok"], &["function_error"], &["unavailable", "crashed", "timeout"]]
                .into_iter()
                .enumerate()
        {
            let webhook = (number % 2 == 0).then(|| format!("https://{HOST}/"));
            let key = Some(number.to_string());
            let new = NewJob { webhook, idempotency_key: key, ..scripted(script) };
            ids.push(life.jobs.enqueue(ALICE, new).await.unwrap().id);
        }
        life.jobs.pause(Duration::from_secs(5)).await;
        let cancelled = life.jobs.enqueue(BOB, scripted(&["ok", "#c"])).await.unwrap().id;
        life.jobs.cancel(BOB, cancelled).await.unwrap();
        life.jobs.resume();
        life.settled().await;
        eventually(|| life.jobs.counts().webhooks_delivered == 2).await;
        ids
    });
    drop(runtime);
    let disks = keeper.history();
    assert!(disks.len() >= 10, "{} commits", disks.len());
    let mut before: BTreeMap<(TenantId, JobId), JobDetails> = BTreeMap::new();
    for disk in disks {
        let (keeper, outside) = (Keeper::holding(disk), Outside::new());
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let store = Store::open(keeper.clone(), keys(1), Options::default()).await.unwrap();
            let still = keeper.gate.write().await;
            let life = Life { jobs: start(&store, &outside, Settings::default()), store };
            // What had ended by this commit is as it will ever be, and no attempt of it is made again.
            let ended: BTreeMap<_, _> =
                all(&life).await.into_iter().filter(|(_, shown)| shown.job.state.is_final()).collect();
            drop(still);
            life.settled().await;
            let now = all(&life).await;
            for (at, shown) in ended.iter().chain(&before) {
                assert_eq!(now[at].outcome, shown.outcome);
                assert_eq!(now[at].job.attempts, shown.job.attempts);
            }
            for ((_, id), shown) in &now {
                assert!(shown.job.state.is_final(), "{id}");
            }
            // Another crash, once all is settled, changes nothing either.
            let again = Life::begin(&keeper, &outside).await;
            again.settled().await;
            for (at, shown) in &now {
                assert_eq!(again.show(at.0, at.1).await.outcome, shown.outcome);
            }
            before.extend(ended);
        });
    }
    assert!(ids.iter().all(|id| before.contains_key(&(ALICE, *id))), "all had ended by the last commit");
}

#[test]
fn an_attempt_under_way_at_a_crash_counts_and_is_made_again() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let die = |script: &'static [&'static str], retry_on: Vec<RetryOn>| {
        let runtime = Runtime::new().unwrap();
        let id = runtime.block_on(async {
            let life = Life::begin(&keeper, &outside).await;
            let mut new = scripted(script);
            new.policy.retry_on = retry_on;
            let event = String::from_utf8(new.event.clone()).unwrap();
            let id = life.jobs.enqueue(ALICE, new).await.unwrap().id;
            eventually(|| outside.calls().iter().any(|(.., text)| *text == event)).await;
            id
        });
        // All tasks end where they are.
        runtime.shutdown_background();
        id
    };
    let retried = die(&["wait", "ok"], vec![RetryOn::Interrupted]);
    let at_most_once = die(&["wait", "ok", "#"], vec![]);
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let life = Life::begin(&keeper, &outside).await;
        life.settled().await;
        let shown = life.show(ALICE, retried).await;
        assert_eq!(shown.job.state, JobState::Succeeded);
        let codes: Vec<_> =
            shown.job.attempts.iter().map(|attempt| attempt.outcome.as_deref().unwrap()).collect();
        // The crash that the other job met may have met its second attempt, too.
        let (last, before) = codes.split_last().unwrap();
        assert!(
            *last == "ok" && !before.is_empty() && before.iter().all(|code| *code == "interrupted"),
            "{codes:?}"
        );
        let shown = life.show(ALICE, at_most_once).await;
        assert_eq!((shown.job.state, shown.job.attempts.len()), (JobState::Dead, 1));
        let Some(JobOutcome::NotRun(error)) = shown.outcome else { panic!("{shown:?}") };
        assert_eq!(error.code, "interrupted");
        check(&all(&life).await, &outside);
    });
}

#[tokio::test]
async fn a_successor_takes_the_queue_over_and_records_the_one_outcome() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let before = Life::begin(&keeper, &outside).await;
    let under_way = before.jobs.enqueue(ALICE, scripted(&["wait", "ok"])).await.unwrap().id;
    eventually(|| outside.calls().len() == 1).await;
    before.jobs.pause(Duration::from_millis(20)).await;
    let waits = before.jobs.enqueue(BOB, scripted(&["ok", "#waits"])).await.unwrap().id;
    let frozen = before.store.freeze().await.unwrap();
    let refused = before.jobs.enqueue(BOB, scripted(&["ok"])).await;
    assert!(matches!(refused, Err(r3e_jobs::JobsError::Store(StoreError::Frozen))));
    // The attempt ends while the state is handed over: its outcome cannot be recorded here.
    outside.gate.send_replace(true);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut expected = Expected { sequence: frozen.sequence, head: frozen.head };
    let witnessing = Witnessing::default();
    let store =
        Store::open_at(keeper.clone(), keys(1), Options::default(), witnessing, &mut expected).await.unwrap();
    let jobs = start(&store, &outside, Settings::default());
    let after = Life { store, jobs };
    after.settled().await;
    let shown = after.show(ALICE, under_way).await;
    let codes: Vec<_> = shown.job.attempts.iter().map(|attempt| attempt.outcome.clone().unwrap()).collect();
    assert_eq!(codes, ["interrupted", "ok"]);
    assert_eq!(after.show(BOB, waits).await.job.state, JobState::Succeeded);
    assert!(before.store.thaw().await.is_err(), "the state is another's");
    let calls = outside.calls().len();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(outside.calls().len(), calls, "the one before begins nothing any more");
    assert_eq!(after.show(ALICE, under_way).await.outcome, shown.outcome);
}

#[tokio::test]
async fn without_a_successor_the_one_before_records_what_was_under_way() {
    let (keeper, outside) = (Keeper::new(), Outside::new());
    let life = Life::begin(&keeper, &outside).await;
    let id = life.jobs.enqueue(ALICE, scripted(&["wait"])).await.unwrap().id;
    eventually(|| outside.calls().len() == 1).await;
    life.jobs.pause(Duration::from_millis(20)).await;
    life.store.freeze().await.unwrap();
    outside.gate.send_replace(true);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(life.show(ALICE, id).await.job.state, JobState::Running);
    life.store.thaw().await.unwrap();
    life.jobs.resume();
    life.settled().await;
    let shown = life.show(ALICE, id).await;
    assert_eq!((shown.job.state, shown.job.attempts.len()), (JobState::Succeeded, 1));
    assert_eq!(outside.calls().len(), 1);
}

/// A step of a random history.
#[derive(Debug, Clone)]
enum Step {
    Enqueue {
        bob: bool,
        script: usize,
        key: Option<u8>,
        webhook: bool,
        at_most_once: bool,
    },
    Cancel(usize),
    Replay(usize),
    /// The next commits meet this, and go through in the end.
    Fault(Vec<Fault>),
    /// Every task ends where it is.
    Crash,
    /// Some time passes.
    Wait(u8),
    Pause,
    Resume,
}

const SCRIPTS: [&[&str]; 7] = [
    &["ok"],
    &["crashed", "ok"],
    &["function_error"],
    &["crashed"],
    &["wait", "ok"],
    &["no_room", "unavailable", "ok"],
    &["wait", "wait", "crashed"],
];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fault = prop_oneof![
        Just(Fault::LostBefore),
        Just(Fault::LostAfter),
        Just(Fault::FalseConflict),
        Just(Fault::Failed)
    ];
    let enqueue = (any::<bool>(), 0..SCRIPTS.len(), prop::option::of(0..4u8), any::<bool>(), any::<bool>())
        .prop_map(|(bob, script, key, webhook, at_most_once)| Step::Enqueue {
            bob,
            script,
            key,
            webhook,
            at_most_once,
        });
    let step = prop_oneof![
        8 => enqueue,
        2 => (0..20usize).prop_map(Step::Cancel),
        1 => (0..20usize).prop_map(Step::Replay),
        2 => prop::collection::vec(fault, 1..3).prop_map(Step::Fault),
        3 => Just(Step::Crash),
        3 => (0..12u8).prop_map(Step::Wait),
        1 => Just(Step::Pause),
        1 => Just(Step::Resume),
    ];
    prop::collection::vec(step, 1..25)
}

/// What was answered, and so must be.
#[derive(Default)]
struct Promised {
    jobs: Vec<(TenantId, JobId)>,
    cancelled: BTreeSet<(TenantId, JobId)>,
    keys: BTreeMap<(TenantId, u8), JobId>,
}

async fn take(life: &Life, keeper: &Arc<Keeper>, promised: &mut Promised, number: usize, step: &Step) {
    match step {
        Step::Enqueue { bob, script, key, webhook, at_most_once } => {
            let tenant = if *bob { BOB } else { ALICE };
            let mark = format!("#{number}");
            // A key's content is its own, so that it can be used again.
            let mark = key.map_or(mark, |key| format!("#key {key}"));
            let script = if key.is_some() { SCRIPTS[1] } else { SCRIPTS[*script] };
            let mut new = scripted(&[script, &[&mark]].concat());
            new.idempotency_key = key.map(|key| key.to_string());
            if key.is_none() {
                new.webhook = webhook.then(|| format!("https://{HOST}/"));
                new.policy = quick(if *at_most_once { 1 } else { 3 });
            }
            // What was not acknowledged may stand or not.
            let Ok(enqueued) = life.jobs.enqueue(tenant, new).await else { return };
            promised.jobs.push((tenant, enqueued.id));
            if let Some(key) = key {
                let first = *promised.keys.entry((tenant, *key)).or_insert(enqueued.id);
                assert_eq!(first, enqueued.id, "one key, two jobs");
            }
        }
        Step::Cancel(at) => {
            let Some((tenant, id)) = promised.jobs.get(*at).copied() else { return };
            if life.jobs.cancel(tenant, id).await.is_ok() {
                promised.cancelled.insert((tenant, id));
            }
        }
        Step::Replay(at) => {
            let Some((tenant, id)) = promised.jobs.get(*at).copied() else { return };
            if let Ok(again) = life.jobs.replay(tenant, id, None).await {
                promised.jobs.push((tenant, again.id));
            }
        }
        Step::Fault(faults) => keeper.fail_next(faults.iter().copied()),
        Step::Wait(ms) => tokio::time::sleep(Duration::from_millis((*ms).into())).await,
        Step::Pause => life.jobs.pause(Duration::ZERO).await,
        Step::Resume => life.jobs.resume(),
        Step::Crash => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_each_job_has_one_outcome(steps in steps()) {
        let (keeper, outside) = (Keeper::new(), Outside::new());
        let mut promised = Promised::default();
        let mut ended: BTreeMap<(TenantId, JobId), JobDetails> = BTreeMap::new();
        for (life, part) in steps.split(|step| matches!(step, Step::Crash)).enumerate() {
            let runtime = Runtime::new().unwrap();
            runtime.block_on(async {
                let now = Life::begin(&keeper, &outside).await;
                for (number, step) in part.iter().enumerate() {
                    take(&now, &keeper, &mut promised, life * 100 + number, step).await;
                }
                // Nothing that was seen to have ended is ever otherwise.
                for (at, shown) in all(&now).await {
                    if shown.job.state.is_final() {
                        ended.entry(at).or_insert(shown);
                    }
                }
            });
            runtime.shutdown_background();
        }
        outside.gate.send_replace(true);
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let life = Life::begin(&keeper, &outside).await;
            life.settled().await;
            let jobs = all(&life).await;
            check(&jobs, &outside);
            for at in &promised.jobs {
                assert!(jobs.contains_key(at), "a job that was acknowledged is lost");
            }
            for at in &promised.cancelled {
                assert_eq!(jobs[at].job.state, JobState::Cancelled);
            }
            for (at, shown) in &ended {
                assert_eq!((&jobs[at].outcome, &jobs[at].job.attempts), (&shown.outcome, &shown.job.attempts));
            }
        });
    }
}

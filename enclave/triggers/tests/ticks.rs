//! Ticks over crashes and faults, against a model: whatever is killed when, a tick has at most one job, and a tick that nothing
//! stood in the way of has one. And what tenants do with triggers, over a keeper in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod living;
#[path = "../../jobs/tests/world/mod.rs"]
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keeper::{Fault, Keeper};
use living::{House, begin, definition};
use proptest::prelude::*;
use r3e_jobs::Jobs;
use r3e_proto::api::jobs::Origin;
use r3e_proto::api::triggers::{Definition, FireOutcome};
use r3e_triggers::{Asked, Outside as _, TriggersError, limits};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use world::{ALICE, BOB, Outside, eventually};

const PERIOD_MS: u64 = 10_000;

fn every_ten_seconds(missed: &str) -> Definition {
    definition(json!({ "function": "f", "cron": { "schedule": "*/10 * * * * *", "missed": missed } }))
}

/// A clock that stands still but for the test, at a whole tick.
fn still() -> Arc<Outside> {
    let outside = Outside::new();
    outside.is_still.store(true, Ordering::SeqCst);
    outside
}

/// The ticks of all jobs, each as often as it has one.
async fn ticks(jobs: &Jobs, outside: &Outside) -> Vec<u64> {
    let mut distinct = BTreeSet::new();
    let mut after = None;
    loop {
        let page = jobs.list(ALICE, None, after, 100).await.unwrap();
        for job in &page.jobs {
            assert_eq!(job.origin, Origin::Trigger("t".into()));
            assert!(distinct.insert(job.event_sha256.clone()), "two jobs of one tick: {job:?}");
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let calls = outside.calls();
    let of = |text: &str| serde_json::from_str::<Value>(text).unwrap()["tick_ms"].as_u64().unwrap();
    let made: BTreeSet<u64> = calls.iter().map(|(_, _, text)| of(text)).collect();
    assert_eq!(made.len(), distinct.len(), "each job is one tick's, and each tick's job was run");
    made.into_iter().collect()
}

#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Crash,
    Fault(Fault),
    Pause(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..25_000u64).prop_map(Step::Pass),
        1 => (100_000..500_000u64).prop_map(Step::Pass),
        3 => Just(Step::Crash),
        2 => prop::sample::select(vec![Fault::LostBefore, Fault::LostAfter, Fault::Failed]).prop_map(Step::Fault),
        1 => any::<bool>().prop_map(Step::Pause),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 12, ..ProptestConfig::default() })]
    #[test]
    fn a_tick_has_at_most_one_job_whatever_is_killed_when(
        steps in prop::collection::vec(step(), 4..10),
        missed in prop::sample::select(vec!["skip", "once"]),
    ) {
        let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
        let begun = outside.now_ms();
        let mut runtime = Runtime::new().unwrap();
        let mut living = runtime.block_on(async {
            let living = begin(&keeper, &outside, &house).await;
            living.triggers.set(ALICE, "t", every_ten_seconds(missed)).await.unwrap();
            living
        });
        let mut is_disturbed = false;
        for step in &steps {
            match step {
                Step::Pass(ms) => {
                    outside.now_ms.fetch_add(*ms, Ordering::SeqCst);
                    // Sometimes what follows comes before it is settled.
                    if ms % 2 == 0 {
                        runtime.block_on(async { tokio::time::sleep(Duration::from_millis(250)).await });
                    }
                }
                Step::Fault(fault) => {
                    is_disturbed = true;
                    keeper.fail_next([*fault]);
                }
                Step::Pause(paused) => {
                    // Where the keeper fails, it may not be.
                    let _ = runtime.block_on(living.triggers.pause(ALICE, "t", *paused));
                }
                Step::Crash => {
                    drop(living);
                    drop(runtime);
                    runtime = Runtime::new().unwrap();
                    living = runtime.block_on(begin(&keeper, &outside, &house));
                }
            }
        }
        runtime.block_on(async {
            let _ = living.triggers.pause(ALICE, "t", false).await;
            // From here on nothing stands in the way: each tick fires.
            if is_disturbed {
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
            let now = outside.now_ms.load(Ordering::SeqCst);
            let last = now / PERIOD_MS * PERIOD_MS;
            for number in 1..=2 {
                outside.now_ms.store(last + number * PERIOD_MS, Ordering::SeqCst);
                let expected = last + number * PERIOD_MS;
                // Commits that the keeper lost are made again after a pause by the clock, which stands.
                for _ in 0..400 {
                    let history = living.triggers.history(ALICE, "t").await.unwrap_or_default();
                    if history.first().is_some_and(|fire| fire.tick_ms == Some(expected)) {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    outside.now_ms.fetch_add(1, Ordering::SeqCst);
                }
            }
            eventually(|| { let counts = living.jobs.counts(); counts.queued + counts.running == 0 }).await;
            let ticks = ticks(&living.jobs, &outside).await;
            let now = outside.now_ms.load(Ordering::SeqCst);
            assert!(ticks.iter().all(|tick| tick % PERIOD_MS == 0 && *tick > begun && *tick <= now), "{ticks:?}");
            for number in 1..=2 {
                assert!(ticks.contains(&(last + number * PERIOD_MS)), "{ticks:?} lacks {}", last + number * PERIOD_MS);
            }
            let fired = living.triggers.show(ALICE, "t").await.unwrap().fired;
            assert_eq!(fired, ticks.len() as u64);
        });
        drop(living);
        drop(runtime);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_missed_is_left_out_or_made_up_for_once() {
    for (missed, expected) in [("skip", 0), ("once", 1)] {
        let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
        let living = begin(&keeper, &outside, &house).await;
        living.triggers.set(ALICE, "t", every_ten_seconds(missed)).await.unwrap();
        drop(living);
        // A day, and not at a tick.
        outside.now_ms.fetch_add(24 * 3_600_000, Ordering::SeqCst);
        let hourly =
            definition(json!({ "function": "f", "cron": { "schedule": "0 * * * *", "missed": missed } }));
        let living = begin(&keeper, &outside, &house).await;
        living.triggers.set(BOB, "hourly", hourly).await.unwrap();
        // The last tick of ten seconds is not late; that of an hour came before the trigger was made.
        eventually(|| living.jobs.counts().enqueued == 1).await;
        drop(living);
        outside.now_ms.fetch_add(24 * 3_600_000 + 1_800_000, Ordering::SeqCst);
        let living = begin(&keeper, &outside, &house).await;
        living.triggers.pause(ALICE, "t", true).await.unwrap();
        for _ in 0..100 {
            if living.triggers.show(BOB, "hourly").await.unwrap().fired == 1 {
                break;
            }
            // What is not to come must not come for a while; what is may take longer.
            if expected == 0 {
                tokio::time::sleep(Duration::from_millis(600)).await;
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let fired = living.triggers.show(BOB, "hourly").await.unwrap().fired;
        assert_eq!(fired, expected, "{missed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_trigger_fires_nothing_and_its_ticks_are_gone() {
    let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
    let mut living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", every_ten_seconds("once")).await.unwrap();
    assert!(living.triggers.pause(ALICE, "t", true).await.unwrap().paused);
    outside.now_ms.fetch_add(100_000, Ordering::SeqCst);
    drop(living);
    living = begin(&keeper, &outside, &house).await;
    assert!(living.triggers.show(ALICE, "t").await.unwrap().paused);
    let fired = living.triggers.fire(ALICE, "t", b"1").await;
    assert!(matches!(fired, Err(TriggersError::Paused)), "{fired:?}");
    living.triggers.pause(ALICE, "t", false).await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(living.jobs.counts().enqueued, 0);
    outside.now_ms.fetch_add(10_000, Ordering::SeqCst);
    eventually(|| living.jobs.counts().enqueued == 1).await;
    living.triggers.delete(ALICE, "t").await.unwrap();
    outside.now_ms.fetch_add(10_000, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(living.jobs.counts().enqueued, 1);
    assert!(matches!(living.triggers.show(ALICE, "t").await, Err(TriggersError::NotFound(_))));
    drop(living);
    let living = begin(&keeper, &outside, &house).await;
    assert!(living.triggers.list(ALICE).await.is_empty());
    assert_eq!(living.store.tampered(), None);
}

fn asked(headers: &[(&str, &str)], body: &[u8]) -> Asked {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Asked {
        method: "POST".into(),
        query: "a=1".into(),
        headers: headers.iter().map(owned).collect(),
        body: body.to_vec(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_lets_through_what_it_names_and_no_more_than_it_takes() {
    let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    let hook = definition(json!({
        "function": "f", "http": { "auth": "none", "headers": ["x-kind"], "per_minute": 18 },
        "filter": "event.encoding != 'json' || event.body.n > 1",
    }));
    let set = living.triggers.set(ALICE, "h", hook).await.unwrap();
    let id = set.hook.unwrap().strip_prefix("/v1/hooks/").unwrap().to_owned();
    assert_eq!(living.triggers.admit(&id).unwrap(), ALICE);
    let json = &[("content-type", "application/json; charset=utf-8"), ("x-kind", "k"), ("cookie", "c")];
    let taken = living.triggers.hook(&id, asked(json, br#"{"n":2.50}"#)).await.unwrap();
    assert!(taken.fired.job.is_some() && taken.outcome.is_none());
    let filtered = living.triggers.hook(&id, asked(json, br#"{"n":1}"#)).await.unwrap();
    assert_eq!(filtered.fired.job, None);
    assert!(living.triggers.hook(&id, asked(json, b"{")).await.is_err());
    let limited = living.triggers.hook(&id, asked(&[], b"\xff")).await;
    assert!(matches!(limited, Err(TriggersError::TooFast)), "{limited:?}");
    eventually(|| outside.calls().len() == 1).await;
    let event: Value = serde_json::from_str(&outside.calls()[0].2).unwrap();
    assert_eq!(
        event,
        json!({ "trigger": "h", "kind": "http", "method": "POST", "query": "a=1", "headers": { "x-kind": "k" },
                "encoding": "json", "body": { "n": 2.5 } })
    );
    assert!(outside.calls()[0].2.contains("2.50"), "numbers are as they came");
    assert!(matches!(living.triggers.admit(&"0".repeat(32)), Err(TriggersError::NoHook)));
    let shown = living.triggers.show(ALICE, "h").await.unwrap();
    assert_eq!((shown.fired, shown.passed.filtered, shown.passed.limited), (1, 1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_who_floods_its_triggers_is_slowed_down_and_no_other_is() {
    let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    let never = definition(json!({ "function": "f", "event": { "topic": "t" }, "filter": "false" }));
    for (tenant, name) in [(ALICE, "one"), (ALICE, "other"), (BOB, "one")] {
        living.triggers.set(tenant, name, never.clone()).await.unwrap();
    }
    let most = usize::try_from(limits::PER_MINUTE_OF_ONE).unwrap();
    let mut taken = 0;
    let flooded = loop {
        match living.triggers.publish(ALICE, "t", b"1", None, 0).await {
            Ok(published) => taken += published.fired.len(),
            Err(error) => break error,
        }
        assert!(taken <= most, "nothing slows it down");
    };
    assert!(matches!(flooded, TriggersError::TooFast), "{flooded:?}");
    assert!(taken >= most / 6, "a burst is taken: {taken}");
    // Whatever nobody waits for costs nothing.
    assert!(living.triggers.publish(ALICE, "nobody", b"1", None, 0).await.unwrap().fired.is_empty());
    assert_eq!(living.triggers.publish(BOB, "t", b"1", None, 0).await.unwrap().fired.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_not_there_believes_nobody() {
    let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    let hook = definition(json!({ "function": "f", "http": { "auth": { "api_key": { "secret": "S" } } } }));
    let set = living.triggers.set(ALICE, "h", hook).await.unwrap();
    let id = set.hook.unwrap().strip_prefix("/v1/hooks/").unwrap().to_owned();
    let refused = living.triggers.hook(&id, asked(&[("x-api-key", "")], b"")).await;
    assert!(matches!(refused, Err(TriggersError::Refused)));
    *house.secret.lock().unwrap() = Some("the key".into());
    let refused = living.triggers.hook(&id, asked(&[("x-api-key", "a key")], b"")).await;
    assert!(matches!(refused, Err(TriggersError::Refused)));
    let taken = living.triggers.hook(&id, asked(&[("x-api-key", "the key")], b"")).await.unwrap();
    assert!(taken.fired.job.is_some());
    assert_eq!(living.triggers.show(ALICE, "h").await.unwrap().passed.refused, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_goes_to_its_topic_and_its_tenant_and_once_for_each_key() {
    let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    let of = |topic: &str| json!({ "function": "f", "event": { "topic": topic } });
    for (tenant, name, topic) in [(ALICE, "a", "t"), (ALICE, "b", "t"), (ALICE, "c", "u"), (BOB, "a", "t")] {
        living.triggers.set(tenant, name, definition(of(topic))).await.unwrap();
    }
    let mut transformed = of("t");
    transformed["transform"] = json!("event.data.n * 2");
    living.triggers.set(ALICE, "b", definition(transformed)).await.unwrap();
    let published = living.triggers.publish(ALICE, "t", br#"{"n":21}"#, Some("k"), 0).await.unwrap();
    let names: Vec<_> = published.fired.iter().map(|one| (one.trigger.as_str(), one.repeated)).collect();
    assert_eq!(names, [("a", false), ("b", false)]);
    let again = living.triggers.publish(ALICE, "t", br#"{"n":22}"#, Some("k"), 0).await.unwrap();
    assert!(again.fired.iter().all(|one| one.repeated));
    assert_eq!(again.fired[0].job, published.fired[0].job);
    eventually(|| outside.calls().len() == 2).await;
    let events: BTreeSet<String> = outside.calls().into_iter().map(|(_, _, text)| text).collect();
    assert!(events.contains("42"), "{events:?}");
    assert!(living.triggers.publish(ALICE, "none", b"1", None, 0).await.unwrap().fired.is_empty());
    let long = vec![b'1'; limits::MAX_BODY_BYTES + 1];
    for (topic, data) in [("t", &b"{"[..]), ("../t", b"1"), ("t", &long)] {
        assert!(living.triggers.publish(ALICE, topic, data, None, 0).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_has_so_many_triggers_and_no_bad_ones() {
    let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    let event = || definition(json!({ "function": "f", "event": { "topic": "t" } }));
    for number in 0..limits::MAX_TRIGGERS_OF_ONE {
        living.triggers.set(ALICE, &format!("t{number}"), event()).await.unwrap();
    }
    let over = living.triggers.set(ALICE, "one-more", event()).await;
    assert!(matches!(over, Err(TriggersError::TooMany(_))), "{over:?}");
    living.triggers.set(ALICE, "t0", event()).await.unwrap();
    living.triggers.set(BOB, "one-more", event()).await.unwrap();
    for wrong in [
        json!({ "function": "nothing", "event": { "topic": "t" } }),
        json!({ "function": "f g", "event": { "topic": "t" } }),
        json!({ "function": "f", "event": { "topic": "a/b" } }),
        json!({ "function": "f", "cron": { "schedule": "* * * * * *" } }),
        json!({ "function": "f", "event": { "topic": "t" }, "filter": "event.matches('a')" }),
        json!({ "function": "f", "event": { "topic": "t" }, "transform": "(" }),
        json!({ "function": "f", "event": { "topic": "t" }, "keep_ms": 1 }),
        json!({ "function": "f", "event": { "topic": "t" }, "declared_by": "a b" }),
        json!({ "function": "f", "http": { "auth": "none", "per_minute": 0 } }),
        json!({ "function": "f", "http": { "auth": "none", "headers": ["X-Kind"] } }),
        json!({ "function": "f", "http": { "auth": { "hmac": { "secret": "S", "scheme": "standard", "tolerance_s": 9999 } } } }),
    ] {
        let refused = living.triggers.set(BOB, "wrong", definition(wrong.clone())).await;
        assert!(refused.is_err(), "{wrong}");
    }
    assert!(living.triggers.set(BOB, "../x", event()).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_has_its_own_triggers_and_touches_no_other() {
    let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    let of = |topic: &str| definition(json!({ "function": "f", "event": { "topic": topic } }));
    let set = async |maker: &str, name: &str, topic: &str| {
        living.triggers.set_own(ALICE, maker, name, of(topic)).await
    };
    assert!(set("f", "own", "t").await.unwrap());
    assert!(!set("f", "own", "t").await.unwrap(), "the same again is the same trigger");
    assert!(!set("f", "own", "u").await.unwrap(), "and may be changed");
    let own = living.triggers.show(ALICE, "own").await.unwrap().definition;
    assert_eq!((own.made_by.as_deref(), own.source), (Some("f"), of("u").source));
    living.triggers.pause(ALICE, "own", true).await.unwrap();
    set("f", "own", "u").await.unwrap();
    let deleted = living.triggers.delete_own(ALICE, "f", "own").await;
    assert!(matches!(deleted, Err(TriggersError::Paused)), "{deleted:?}");
    assert!(
        living.triggers.show(ALICE, "own").await.unwrap().paused,
        "whom its tenant paused it does not resume"
    );

    // Another function's, and the tenant's, also where the tenant only set it anew.
    living.triggers.set(ALICE, "tenants", of("t")).await.unwrap();
    for (maker, name) in [("g", "own"), ("f", "tenants"), ("", "tenants")] {
        let (set, deleted) =
            (set(maker, name, "v").await, living.triggers.delete_own(ALICE, maker, name).await);
        assert!(matches!(set, Err(TriggersError::NotItsOwn(_))), "{maker}, {name}: {set:?}");
        assert!(matches!(deleted, Err(TriggersError::NotItsOwn(_))), "{maker}, {name}: {deleted:?}");
    }
    let shown = living.triggers.show(ALICE, "own").await.unwrap().definition;
    assert_eq!(living.triggers.set(ALICE, "own", shown).await.unwrap().definition.made_by, None);
    assert!(matches!(set("f", "own", "u").await, Err(TriggersError::NotItsOwn(_))));

    for number in 0..limits::MAX_MADE_BY_ONE {
        set("f", &format!("t{number}"), "t").await.unwrap();
    }
    let over = set("f", "one-more", "t").await;
    assert!(matches!(over, Err(TriggersError::TooMany(limits::MAX_MADE_BY_ONE))), "{over:?}");
    assert!(living.triggers.delete_own(ALICE, "f", "t0").await.unwrap());
    assert!(!living.triggers.delete_own(ALICE, "f", "t0").await.unwrap());
    assert!(set("f", "one-more", "t").await.unwrap());
    assert!(set("g", "g", "t").await.unwrap());
    assert!(matches!(set("f", "../x", "t").await, Err(TriggersError::Invalid(_))));

    // All of it is there after a restart, and whose it is.
    drop(living);
    let living = begin(&keeper, &outside, &house).await;
    let made: Vec<_> =
        living.triggers.list(ALICE).await.into_iter().map(|it| it.definition.made_by).collect();
    assert_eq!(made.iter().filter(|it| it.as_deref() == Some("f")).count(), limits::MAX_MADE_BY_ONE);
    assert_eq!(made.iter().filter(|it| it.is_none()).count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_gone_is_on_record_and_its_tick_is_settled() {
    let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", every_ten_seconds("skip")).await.unwrap();
    outside.missing.lock().unwrap().insert("f".into());
    outside.now_ms.fetch_add(10_000, Ordering::SeqCst);
    let mut history = Vec::new();
    for _ in 0..500 {
        history = living.triggers.history(ALICE, "t").await.unwrap();
        if !history.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(
        matches!(&history[0].outcome, FireOutcome::Failed(why) if why.contains("no function")),
        "{history:?}"
    );
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(living.triggers.history(ALICE, "t").await.unwrap().len(), 1);
    let shown = House::default().has_function(ALICE, "f").await;
    assert_eq!(shown, Ok(true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_nobody_confirmed_and_its_next_try_are_one_job() {
    let (keeper, outside, house) = (Keeper::new(), still(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", every_ten_seconds("once")).await.unwrap();
    // No commit gets through, for longer than a writer waits: the first try is followed, and the tick is tried again.
    let shut = keeper.gate.write().await;
    outside.now_ms.fetch_add(PERIOD_MS, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(r3e_store::limits::COMMIT_DEADLINE_MS + 1_000)).await;
    outside.now_ms.fetch_add(2 * limits::RETRY_MS, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(shut);
    eventually(|| living.jobs.counts().succeeded >= 1).await;
    // What would be the second one comes within the pauses of whoever follows the first.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(ticks(&living.jobs, &outside).await.len(), 1);
    assert_eq!(living.jobs.counts().enqueued, 1);
    assert_eq!(living.triggers.history(ALICE, "t").await.unwrap().len(), 1);
}

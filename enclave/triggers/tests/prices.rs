//! Prices over crashes and faults, against a model: each crossing has exactly one job, whatever is killed when. And what tenants do with
//! triggers by prices, over a keeper and a feed in memory.

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
use living::{House, Living, begin, definition};
use proptest::prelude::*;
use r3e_proto::api::jobs::Origin;
use r3e_proto::api::triggers::{Definition, FireOutcome, PriceProgress, Trigger};
use r3e_triggers::TriggersError;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use world::{ALICE, BOB, Outside, eventually};

/// A trigger by a crossing of the one feed.
fn by(crossing: &Value) -> Definition {
    let mut price = json!({ "feed": "neo-usd" });
    price.as_object_mut().unwrap().extend(crossing.as_object().unwrap().clone());
    definition(json!({ "function": "f", "price": price }))
}

fn above(bound: &str) -> Definition {
    by(&json!({ "above": bound }))
}

async fn shown(living: &Living) -> Trigger {
    living.triggers.show(ALICE, "t").await.unwrap()
}

async fn progress(living: &Living) -> PriceProgress {
    shown(living).await.price.unwrap()
}

async fn until<F: Future<Output = bool>>(holds: impl Fn() -> F) {
    for _ in 0..4_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not come to pass");
}

/// Waits until reports up to this one are judged, and every job has ended.
async fn caught_up(living: &Living, sequence: u64) {
    until(|| async { progress(living).await.sequence == sequence }).await;
    until(|| async {
        let counts = living.jobs.counts();
        counts.queued + counts.running == 0
    })
    .await;
}

fn events(outside: &Outside) -> Vec<Value> {
    outside.calls().iter().map(|(_, _, text)| serde_json::from_str(text).unwrap()).collect()
}

/// The sequences of all jobs, each of which has one of its own.
async fn fired(living: &Living, outside: &Outside) -> Vec<u64> {
    let (mut distinct, mut after) = (BTreeSet::new(), None);
    loop {
        let page = living.jobs.list(ALICE, None, after, 100).await.unwrap();
        for job in &page.jobs {
            assert_eq!(job.origin, Origin::Trigger("t".into()));
            assert!(distinct.insert(job.event_sha256.clone()), "two jobs of one report");
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let made: BTreeSet<u64> =
        events(outside).iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert_eq!(made.len(), distinct.len(), "each job is one report's, and each one's job was run");
    made.into_iter().collect()
}

#[derive(Debug, Clone)]
enum Step {
    Publish(Vec<i64>),
    Wait,
    Crash,
    Fault(Fault),
    Down(bool),
    Pause,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => prop::collection::vec(0..200i64, 0..9).prop_map(Step::Publish),
        2 => Just(Step::Wait),
        3 => Just(Step::Crash),
        2 => prop::sample::select(vec![Fault::LostBefore, Fault::LostAfter, Fault::Failed]).prop_map(Step::Fault),
        1 => any::<bool>().prop_map(Step::Down),
        1 => Just(Step::Pause),
    ]
}

/// What fires, by the words of the documentation, over the reports that count.
fn expected(which: usize, reports: &[(u64, i64)]) -> Vec<u64> {
    let (mut was_beyond, mut from, mut sequences) = (false, None, Vec::new());
    for (sequence, answer) in reports {
        let is_beyond = match which {
            0 => *answer > 100,
            1 => *answer < 100,
            _ => {
                let from = from.get_or_insert(*answer);
                let is_change = answer != from && (*answer - *from).abs() * 100 >= 25 * from.abs();
                if is_change {
                    *from = *answer;
                }
                is_change
            }
        };
        if is_beyond && (which == 2 || !was_beyond) {
            sequences.push(*sequence);
        }
        was_beyond = is_beyond;
    }
    sequences
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 12, ..ProptestConfig::default() })]
    #[test]
    fn each_crossing_has_exactly_one_job_whatever_is_killed_when(
        which in 0..3usize, steps in prop::collection::vec(step(), 6..16)) {
        let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
        let crossings = [json!({ "above": "1" }), json!({ "below": "1.000" }), json!({ "change_bps": 2_500 })];
        let mut runtime = Runtime::new().unwrap();
        let mut living = runtime.block_on(async {
            // What was published before is not its business.
            house.feed.publish(150);
            house.feed.publish(50);
            let living = begin(&keeper, &outside, &house).await;
            living.triggers.set(ALICE, "t", by(&crossings[which])).await.unwrap();
            living
        });
        let (mut last, mut reports) = (2, Vec::new());
        for step in &steps {
            match step {
                Step::Publish(answers) => {
                    for answer in answers {
                        last = house.feed.publish(*answer);
                        reports.push((last, *answer));
                        // Sometimes what follows comes while it is judged.
                        if answer % 7 == 0 {
                            runtime.block_on(async { tokio::time::sleep(Duration::from_millis(10)).await });
                        }
                    }
                }
                Step::Wait => runtime.block_on(async { tokio::time::sleep(Duration::from_millis(200)).await }),
                Step::Fault(fault) => keeper.fail_next([*fault]),
                Step::Down(is_down) => house.feed.is_down.store(*is_down, Ordering::SeqCst),
                Step::Crash => {
                    drop(living);
                    drop(runtime);
                    runtime = Runtime::new().unwrap();
                    living = runtime.block_on(begin(&keeper, &outside, &house));
                }
                // What was judged stands over a pause; what comes in it is left out.
                Step::Pause => {
                    house.feed.is_down.store(false, Ordering::SeqCst);
                    let comes = runtime.block_on(async {
                        caught_up(&living, last).await;
                        until(|| async { living.triggers.pause(ALICE, "t", true).await.is_ok() }).await;
                        let comes = [10, 190, 100].map(|answer| house.feed.publish(answer));
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        until(|| async { living.triggers.pause(ALICE, "t", false).await.is_ok() }).await;
                        comes
                    });
                    last = comes[2];
                }
            }
        }
        runtime.block_on(async {
            house.feed.is_down.store(false, Ordering::SeqCst);
            caught_up(&living, last).await;
            let expected = expected(which, &reports);
            assert_eq!(fired(&living, &outside).await, expected);
            let shown = shown(&living).await;
            assert_eq!((shown.fired, shown.price.unwrap().missed), (expected.len() as u64, 0));
        });
        drop(living);
        drop(runtime);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_says_what_was_published_in_decimal_text() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", by(&json!({ "change_bps": 500 }))).await.unwrap();
    house.feed.publish(4_773);
    caught_up(&living, 1).await;
    assert_eq!(progress(&living).await.reference.unwrap(), "47.73");
    house.feed.publish(5_012);
    caught_up(&living, 2).await;
    let expected = json!({
        "trigger": "t", "kind": "price", "feed": "neo-usd", "sequence": 2, "answer": "50.12", "reference": "47.73",
        "confidence": "0.03", "observed_at_s": 1_002, "valid_until_s": 2_002,
    });
    assert_eq!(events(&outside), [expected]);
    let told = progress(&living).await;
    assert_eq!((told.reference.as_deref(), told.armed), (Some("50.12"), None));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_while_nothing_is_published_and_the_end_ends_it() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", above("1")).await.unwrap();
    house.feed.publish(200);
    caught_up(&living, 1).await;
    let reads = || house.feed.reads.load(Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = reads();
    outside.now_ms.fetch_add(100_000_000, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(reads(), before);
    // The same again, and over the bound still.
    house.feed.publish(201);
    caught_up(&living, 2).await;
    assert!(reads() <= before + 2);
    assert_eq!(fired(&living, &outside).await, [1]);
    assert_eq!(progress(&living).await.armed, Some(false));
    drop(living);
    eventually(|| Arc::strong_count(&house) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_deleted_and_made_again_goes_on() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    let other = definition(json!({ "function": "f", "price": { "feed": "other", "above": "1" } }));
    let refused = living.triggers.set(ALICE, "t", other).await;
    assert!(matches!(&refused, Err(TriggersError::Invalid(why)) if why.contains("other")), "{refused:?}");
    living.triggers.set(ALICE, "t", above("1")).await.unwrap();
    house.feed.publish(200);
    caught_up(&living, 1).await;
    house.feed.delete();
    until(|| async { progress(&living).await.trouble == Some("there is no feed \"neo-usd\"".into()) }).await;
    assert!(living.triggers.set(ALICE, "t", above("2")).await.is_err());
    house.feed.make();
    until(|| async { progress(&living).await.trouble.is_none() }).await;
    house.feed.publish(200);
    house.feed.publish(100);
    house.feed.publish(200);
    caught_up(&living, 4).await;
    assert_eq!(fired(&living, &outside).await, [1, 4], "it was over the bound before");
    assert_eq!(progress(&living).await.missed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_no_more_is_counted() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let mut living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", above("1")).await.unwrap();
    drop(living);
    for answer in [200, 50, 200, 50, 200] {
        house.feed.publish(answer);
    }
    house.feed.forget_all_but(2);
    living = begin(&keeper, &outside, &house).await;
    caught_up(&living, 5).await;
    assert_eq!(fired(&living, &outside).await, [5]);
    assert_eq!(progress(&living).await.missed, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_leaves_out_what_passes_and_another_condition_begins_anew() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let mut living = begin(&keeper, &outside, &house).await;
    let filtered = Definition { filter: Some("event.sequence != 3".into()), ..above("1") };
    living.triggers.set(ALICE, "t", filtered).await.unwrap();
    for answer in [200, 50, 200, 200] {
        house.feed.publish(answer);
    }
    caught_up(&living, 4).await;
    assert_eq!(shown(&living).await.passed.filtered, 1);
    // A filter that is changed does not judge again what was judged.
    living.triggers.set(ALICE, "t", above("1")).await.unwrap();
    house.feed.publish(200);
    caught_up(&living, 5).await;

    living.triggers.pause(ALICE, "t", true).await.unwrap();
    house.feed.publish(50);
    drop(living);
    living = begin(&keeper, &outside, &house).await;
    house.feed.publish(200);
    tokio::time::sleep(Duration::from_millis(200)).await;
    living.triggers.pause(ALICE, "t", false).await.unwrap();
    house.feed.publish(200);
    caught_up(&living, 8).await;
    assert_eq!(fired(&living, &outside).await, [1], "it was over the bound, and no report said otherwise");

    living.triggers.set(ALICE, "t", above("1.5")).await.unwrap();
    caught_up(&living, 8).await;
    house.feed.publish(200);
    caught_up(&living, 9).await;
    assert_eq!(fired(&living, &outside).await, [1, 9]);
    living.triggers.delete(ALICE, "t").await.unwrap();
    let reads = house.feed.reads.load(Ordering::SeqCst);
    house.feed.publish(50);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(house.feed.reads.load(Ordering::SeqCst) <= reads + 1, "it is asked no more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_gone_a_tenant_that_is_suspended_and_a_defect_lose_nothing() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", above("1")).await.unwrap();
    outside.missing.lock().unwrap().insert("f".into());
    house.feed.publish(200);
    caught_up(&living, 1).await;
    let history = living.triggers.history(ALICE, "t").await.unwrap();
    assert!(matches!(&history[0].outcome, FireOutcome::Failed(why) if why.contains("\"f\"")), "{history:?}");
    outside.missing.lock().unwrap().clear();

    *house.is_suspended.lock().unwrap() = true;
    house.feed.publish(50);
    house.feed.publish(200);
    until(|| async { progress(&living).await.trouble.is_some_and(|why| why.contains("suspended")) }).await;
    *house.is_suspended.lock().unwrap() = false;
    caught_up(&living, 3).await;

    house.panics.store(true, Ordering::SeqCst);
    house.feed.publish(50);
    house.feed.publish(200);
    until(|| async {
        outside.now_ms.fetch_add(1_000, Ordering::SeqCst);
        progress(&living).await.sequence == 5
    })
    .await;
    caught_up(&living, 5).await;
    assert_eq!(fired(&living, &outside).await, [3, 5]);
    // Another tenant's trigger is another one.
    living.triggers.set(BOB, "t", above("1")).await.unwrap();
    house.feed.publish(200);
    eventually(|| outside.calls().iter().any(|(tenant, ..)| *tenant == BOB)).await;
}

/// The commit of a job is given up, and comes through all the same, while the report is being judged again.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_comes_through_late_is_not_made_again() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", above("1")).await.unwrap();
    let gate = keeper.gate.write().await;
    house.feed.publish(200);
    house.feed.publish(50);
    house.feed.publish(201);
    until(|| async { progress(&living).await.trouble.is_some() }).await;
    // Judged again, and its job offered again behind the first one.
    tokio::time::sleep(Duration::from_secs(3)).await;
    drop(gate);
    caught_up(&living, 3).await;
    assert_eq!(fired(&living, &outside).await, [1, 3]);
    assert_eq!(shown(&living).await.fired, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_fire_nothing_cost_few_commits_and_few_are_judged_again() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let mut living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", above("1")).await.unwrap();
    let before = living.store.sequence();
    for answer in 0..300 {
        house.feed.publish(answer % 100);
    }
    caught_up(&living, 300).await;
    let commits = living.store.sequence() - before;
    assert!((1..=3).contains(&commits), "{commits}");
    drop(living);
    let reads = house.feed.reads.swap(0, Ordering::SeqCst);
    assert!(reads >= 100, "{reads}");
    living = begin(&keeper, &outside, &house).await;
    house.feed.publish(101);
    caught_up(&living, 301).await;
    assert!(house.feed.reads.load(Ordering::SeqCst) < 60);
    assert_eq!(fired(&living, &outside).await, [301]);
}

//! Chains over crashes and faults, against a model: each event has exactly one job, whatever is killed when. And what tenants do with
//! triggers by chains, over a keeper and a chain in memory.

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
use r3e_proto::api::triggers::{Definition, FireOutcome};
use r3e_triggers::{TriggersError, limits};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use world::{ALICE, BOB, Outside, eventually};

fn following() -> Definition {
    definition(json!({ "function": "f", "chain": { "network": "eip155:1" } }))
}

fn mine(house: &House, numbers: impl IntoIterator<Item = u64>) {
    house.chain.lock().unwrap().mine(numbers);
}

/// Waits, while the appliance's clock goes on.
async fn until<F: Future<Output = bool>>(outside: &Outside, holds: impl Fn() -> F) {
    for _ in 0..2_000 {
        if holds().await {
            return;
        }
        outside.now_ms.fetch_add(50, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not come to pass");
}

/// Waits until the chain was read up to here and every job has ended.
async fn caught_up(living: &Living, outside: &Outside, blocks: u64) {
    until(outside, || async {
        let shown = living.triggers.show(ALICE, "t").await;
        shown.is_ok_and(|shown| shown.chain.unwrap().next_block == Some(blocks))
    })
    .await;
    until(outside, || async {
        let counts = living.jobs.counts();
        counts.queued + counts.running == 0
    })
    .await;
}

/// The numbers of all jobs, each of which has one of its own.
async fn numbers(living: &Living, outside: &Outside) -> Vec<u64> {
    let (mut distinct, mut after, mut count) = (BTreeSet::new(), None, 0);
    loop {
        let page = living.jobs.list(ALICE, None, after, 100).await.unwrap();
        for job in &page.jobs {
            assert_eq!(job.origin, Origin::Trigger("t".into()));
            assert!(distinct.insert(job.event_sha256.clone()), "two jobs of one event");
            count += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let of = |text: &str| serde_json::from_str::<Value>(text).unwrap()["number"].as_u64().unwrap();
    let made: BTreeSet<u64> = outside.calls().iter().map(|(_, _, text)| of(text)).collect();
    assert_eq!(made.len(), count, "each job is one event's, and each event's job was run");
    made.into_iter().collect()
}

#[derive(Debug, Clone)]
enum Step {
    Mine(u64),
    Wait,
    Crash,
    Fault(Fault),
    Down(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..7u64).prop_map(Step::Mine),
        2 => Just(Step::Wait),
        3 => Just(Step::Crash),
        2 => prop::sample::select(vec![Fault::LostBefore, Fault::LostAfter, Fault::Failed]).prop_map(Step::Fault),
        1 => any::<bool>().prop_map(Step::Down),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 12, ..ProptestConfig::default() })]
    #[test]
    fn each_event_has_exactly_one_job_whatever_is_killed_when(steps in prop::collection::vec(step(), 6..16)) {
        let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
        outside.is_still.store(true, Ordering::SeqCst);
        mine(&house, [1_000_000]);
        let mut runtime = Runtime::new().unwrap();
        let mut living = runtime.block_on(async {
            let living = begin(&keeper, &outside, &house).await;
            living.triggers.set(ALICE, "t", following()).await.unwrap();
            caught_up(&living, &outside, 1).await;
            living
        });
        let (mut next, mut blocks) = (0, 1);
        for step in &steps {
            match step {
                Step::Mine(count) => {
                    mine(&house, next..next + count);
                    (next, blocks) = (next + count, blocks + 1);
                    // Sometimes what follows comes while it is read.
                    if count % 2 == 0 {
                        outside.now_ms.fetch_add(5, Ordering::SeqCst);
                        runtime.block_on(async { tokio::time::sleep(Duration::from_millis(count * 40)).await });
                    }
                }
                Step::Wait => {
                    outside.now_ms.fetch_add(5_000, Ordering::SeqCst);
                    runtime.block_on(async { tokio::time::sleep(Duration::from_millis(250)).await });
                }
                Step::Fault(fault) => keeper.fail_next([*fault]),
                Step::Down(is_down) => house.chain.lock().unwrap().is_down = *is_down,
                Step::Crash => {
                    drop(living);
                    drop(runtime);
                    runtime = Runtime::new().unwrap();
                    living = runtime.block_on(begin(&keeper, &outside, &house));
                }
            }
        }
        runtime.block_on(async {
            house.chain.lock().unwrap().is_down = false;
            caught_up(&living, &outside, blocks).await;
            assert_eq!(numbers(&living, &outside).await, (0..next).collect::<Vec<_>>());
            let shown = living.triggers.show(ALICE, "t").await.unwrap();
            assert_eq!(shown.fired, next);
            assert_eq!(shown.chain.unwrap().stopped, None);
            // That nobody answered is told until somebody does, which is asked for even where nothing is new.
            until(&outside, || async {
                living.triggers.show(ALICE, "t").await.unwrap().chain.unwrap().trouble.is_none()
            })
            .await;
        });
        drop(living);
        drop(runtime);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_begins_where_its_trigger_says_and_a_pause_leaves_out_what_passes() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    for number in 0..5 {
        mine(&house, [number]);
    }
    let mut living = begin(&keeper, &outside, &house).await;
    let from = json!({ "function": "f", "chain": { "network": "eip155:1", "from_block": 3 }, "filter": "event.number != 4" });
    living.triggers.set(ALICE, "t", definition(from.clone())).await.unwrap();
    caught_up(&living, &outside, 5).await;
    assert_eq!(numbers(&living, &outside).await, [3]);
    assert_eq!(living.triggers.show(ALICE, "t").await.unwrap().passed.filtered, 1);
    // The same definition goes on where it is.
    living.triggers.set(ALICE, "t", definition(from.clone())).await.unwrap();
    mine(&house, [5]);
    caught_up(&living, &outside, 6).await;

    living.triggers.pause(ALICE, "t", true).await.unwrap();
    mine(&house, [6]);
    drop(living);
    living = begin(&keeper, &outside, &house).await;
    mine(&house, [7]);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let resumed = living.triggers.pause(ALICE, "t", false).await.unwrap();
    assert_eq!(resumed.chain.unwrap().next_block, None);
    caught_up(&living, &outside, 8).await;
    mine(&house, [8]);
    caught_up(&living, &outside, 9).await;
    assert_eq!(numbers(&living, &outside).await, [3, 5, 8]);

    // Another source begins anew.
    let from = json!({ "function": "f", "chain": { "network": "eip155:1", "from_block": 6 } });
    living.triggers.set(ALICE, "t", definition(from)).await.unwrap();
    until(&outside, || async { living.triggers.show(ALICE, "t").await.unwrap().fired == 6 }).await;
    caught_up(&living, &outside, 9).await;
    let history = living.triggers.history(ALICE, "t").await.unwrap();
    assert!(history.iter().all(|fire| matches!(fire.outcome, FireOutcome::Job(_))));
    let kinds = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let first = kinds(&outside.calls()[0].2);
    assert_eq!(first, json!({ "trigger": "t", "kind": "chain", "key": "k3", "number": 3 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_chain_became_another_one_it_stops_or_goes_on_as_it_was_told() {
    for follow in [false, true] {
        let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
        let mut living = begin(&keeper, &outside, &house).await;
        let how = if follow { "follow" } else { "stop" };
        let chain = json!({ "network": "eip155:1", "reorganised": how });
        let set = definition(json!({ "function": "f", "chain": chain }));
        living.triggers.set(ALICE, "t", set).await.unwrap();
        caught_up(&living, &outside, 0).await;
        for number in 0..4 {
            mine(&house, [number]);
        }
        caught_up(&living, &outside, 4).await;
        house.chain.lock().unwrap().forget(2);
        for number in 12..15 {
            mine(&house, [number]);
        }
        if follow {
            caught_up(&living, &outside, 5).await;
            assert_eq!(numbers(&living, &outside).await, [0, 1, 2, 3, 12, 13, 14]);
            let history = living.triggers.history(ALICE, "t").await.unwrap();
            assert!(history.iter().any(|fire| fire.outcome == FireOutcome::Failed("reorganised".into())));
            continue;
        }
        let stopped = async |living: &Living| {
            let shown = living.triggers.show(ALICE, "t").await.unwrap();
            shown.chain.unwrap().stopped == Some("reorganised".into())
        };
        until(&outside, || stopped(&living)).await;
        drop(living);
        living = begin(&keeper, &outside, &house).await;
        assert!(stopped(&living).await, "it stays so over a restart");
        let reads = house.chain.lock().unwrap().reads;
        outside.now_ms.fetch_add(1_000_000, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(house.chain.lock().unwrap().reads <= reads + 1, "it is left alone");
        living.triggers.pause(ALICE, "t", false).await.unwrap();
        caught_up(&living, &outside, 5).await;
        mine(&house, [20]);
        caught_up(&living, &outside, 6).await;
        assert_eq!(numbers(&living, &outside).await, [0, 1, 2, 3, 20]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_gone_and_nodes_that_are_silent_are_on_record() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", following()).await.unwrap();
    caught_up(&living, &outside, 0).await;
    house.chain.lock().unwrap().is_down = true;
    let trouble = async || living.triggers.show(ALICE, "t").await.unwrap().chain.unwrap().trouble;
    until(&outside, || async { trouble().await == Some("nobody answers".into()) }).await;
    // Tried again more and more seldom.
    let reads = house.chain.lock().unwrap().reads;
    for _ in 0..100 {
        outside.now_ms.fetch_add(600, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let tried = house.chain.lock().unwrap().reads - reads;
    assert!((1..=7).contains(&tried), "{tried} times in a minute");
    house.chain.lock().unwrap().is_down = false;
    outside.missing.lock().unwrap().insert("f".into());
    mine(&house, [0]);
    caught_up(&living, &outside, 1).await;
    assert_eq!(trouble().await, None);
    let history = living.triggers.history(ALICE, "t").await.unwrap();
    assert!(matches!(&history[0].outcome, FireOutcome::Failed(why) if why.contains("\"f\"")), "{history:?}");
    outside.missing.lock().unwrap().clear();
    mine(&house, [1]);
    caught_up(&living, &outside, 2).await;
    assert_eq!(numbers(&living, &outside).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_follows_only_so_many_chains_and_none_that_there_is_not() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    let other = definition(json!({ "function": "f", "chain": { "network": "eip155:2" } }));
    let refused = living.triggers.set(ALICE, "t", other).await;
    assert!(matches!(&refused, Err(TriggersError::Invalid(why)) if why == "no eip155:2"), "{refused:?}");
    for number in 0..limits::MAX_CHAINS_OF_ONE {
        living.triggers.set(ALICE, &format!("t{number}"), following()).await.unwrap();
    }
    let refused = living.triggers.set(ALICE, "one-more", following()).await;
    assert!(matches!(refused, Err(TriggersError::TooMany(limits::MAX_CHAINS_OF_ONE))), "{refused:?}");
    // Nor by changing what it is, while what is one stays one.
    let event = definition(json!({ "function": "f", "event": { "topic": "t" } }));
    living.triggers.set(ALICE, "one-more", event.clone()).await.unwrap();
    assert!(living.triggers.set(ALICE, "one-more", following()).await.is_err());
    living.triggers.set(ALICE, "t0", following()).await.unwrap();
    living.triggers.set(ALICE, "t0", event).await.unwrap();
    living.triggers.set(ALICE, "one-more", following()).await.unwrap();
    living.triggers.set(BOB, "t", following()).await.unwrap();
    eventually(|| house.chain.lock().unwrap().reads > 0).await;
}

/// The commit of a job is given up, and comes through all the same, while the event is being read again.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_comes_through_late_is_not_made_again() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", following()).await.unwrap();
    caught_up(&living, &outside, 0).await;
    let gate = keeper.gate.write().await;
    mine(&house, [0, 1, 2]);
    let troubled = async || living.triggers.show(ALICE, "t").await.unwrap().chain.unwrap().trouble.is_some();
    for _ in 0..1_000 {
        outside.now_ms.fetch_add(20, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        if troubled().await {
            break;
        }
    }
    assert!(troubled().await, "it is given up");
    // Looked at again, and its job offered again behind the first one.
    for _ in 0..150 {
        outside.now_ms.fetch_add(20, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(gate);
    caught_up(&living, &outside, 1).await;
    assert_eq!(numbers(&living, &outside).await, [0, 1, 2]);
    assert_eq!(living.triggers.show(ALICE, "t").await.unwrap().fired, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_beside_its_source_moves_it_nowhere() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    mine(&house, [0]);
    mine(&house, [1]);
    let chain = |more: Value| {
        let mut chain = json!({ "network": "eip155:1", "from_block": 0, "contract": "0xAB", "event": "E()" });
        chain.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        definition(json!({ "function": "f", "chain": chain }))
    };
    // Paused before it began, it begins where it was told to all the same.
    living.triggers.set(ALICE, "t", following()).await.unwrap();
    living.triggers.pause(ALICE, "t", true).await.unwrap();
    living.triggers.set(ALICE, "t", chain(json!({}))).await.unwrap();
    living.triggers.pause(ALICE, "t", false).await.unwrap();
    caught_up(&living, &outside, 2).await;
    assert_eq!(numbers(&living, &outside).await, [0, 1]);
    for (blocks, more) in (3..).zip([
        json!({ "confirmations": 3 }),
        json!({ "confirmations": 3, "contract": "0xab" }),
        json!({ "reorganised": "follow", "contract": "0xab" }),
    ]) {
        living.triggers.set(ALICE, "t", chain(more)).await.unwrap();
        mine(&house, []);
        caught_up(&living, &outside, blocks).await;
    }
    assert_eq!(living.triggers.show(ALICE, "t").await.unwrap().fired, 2);

    // Stopped, and then told to go on all the same.
    living.triggers.set(ALICE, "t", chain(json!({}))).await.unwrap();
    house.chain.lock().unwrap().forget(2);
    mine(&house, [7]);
    mine(&house, []);
    until(&outside, || async {
        living.triggers.show(ALICE, "t").await.unwrap().chain.unwrap().stopped.is_some()
    })
    .await;
    living.triggers.set(ALICE, "t", chain(json!({ "reorganised": "follow" }))).await.unwrap();
    until(&outside, || async { living.triggers.show(ALICE, "t").await.unwrap().fired == 3 }).await;
    assert_eq!(living.triggers.show(ALICE, "t").await.unwrap().chain.unwrap().stopped, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_tenant_misses_nothing() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    living.triggers.set(ALICE, "t", following()).await.unwrap();
    caught_up(&living, &outside, 0).await;
    *house.is_suspended.lock().unwrap() = true;
    mine(&house, [0]);
    until(&outside, || async {
        let trouble = living.triggers.show(ALICE, "t").await.unwrap().chain.unwrap().trouble;
        trouble.is_some_and(|why| why.contains("suspended"))
    })
    .await;
    *house.is_suspended.lock().unwrap() = false;
    caught_up(&living, &outside, 1).await;
    assert_eq!(numbers(&living, &outside).await, [0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_that_panics_ends_no_trigger() {
    let (keeper, outside, house) = (Keeper::new(), Outside::new(), Arc::new(House::default()));
    let living = begin(&keeper, &outside, &house).await;
    mine(&house, [1_000_000]);
    living.triggers.set(ALICE, "t", following()).await.unwrap();
    caught_up(&living, &outside, 1).await;
    house.panics.store(true, Ordering::SeqCst);
    until(&outside, || async { !house.panics.load(Ordering::SeqCst) }).await;
    mine(&house, [0]);
    caught_up(&living, &outside, 2).await;
    assert_eq!(numbers(&living, &outside).await, [0]);
}

//! Sequences over crashes, rivals and faults, against a model: none is signed twice with different content, and none is left out, whatever
//! is killed when.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod world;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keeper::{Fault, Keeper};
use proptest::prelude::*;
use r3e_feeds::Which;
use r3e_proto::report::FeedId;
use serde_json::json;
use tokio::runtime::Runtime;
use world::{ALICE, INTERVAL_MS, Living, World, feed};

#[derive(Debug, Clone)]
enum Step {
    /// The price moves, and some rounds pass.
    Move(u64),
    Crash,
    /// Another process begins, while the one before goes on.
    Rival,
    Fault(Fault),
    /// Commits hang, and go on later.
    Hang,
    Delete,
    Redefine,
}

fn step() -> impl Strategy<Value = Step> {
    let faults = vec![Fault::LostBefore, Fault::LostAfter, Fault::Failed];
    prop_oneof![
        6 => (0..60_u64).prop_map(Step::Move),
        2 => Just(Step::Crash),
        1 => Just(Step::Rival),
        3 => prop::sample::select(faults).prop_map(Step::Fault),
        1 => Just(Step::Hang),
        1 => Just(Step::Delete),
        1 => Just(Step::Redefine),
    ]
}

/// Every report that is kept, each of which is the one that was signed under its sequence.
async fn checked(living: &Living, world: &World) -> u64 {
    let page = living.feeds.history(ALICE, "f", None, 128).await.unwrap();
    let sequences: Vec<u64> = page.reports.iter().map(|report| report.sequence).collect();
    assert!(sequences.windows(2).all(|pair| pair[0] == pair[1] + 1), "none is left out: {sequences:?}");
    let id = FeedId::named("f").unwrap();
    for report in &page.reports {
        let signed = living.feeds.report(ALICE, "f", Which::Sequence(report.sequence)).await.unwrap();
        assert_eq!(signed.report, *report);
        assert_eq!(world.signed.lock().unwrap()[&(ALICE, id.0, report.sequence)], report.encode());
    }
    assert!(!world.is_broken.load(Ordering::SeqCst), "a sequence was signed with two contents");
    sequences.first().copied().unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 6, ..ProptestConfig::default() })]
    #[test]
    fn no_sequence_is_signed_twice_with_different_content(steps in prop::collection::vec(step(), 6..14)) {
        let (keeper, world) = (Keeper::new(), World::new());
        let mut runtime = Runtime::new().unwrap();
        let mut living = runtime.block_on(async {
            let living = Living::begin(&keeper, &world).await;
            living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
            world.until(|| async { living.sequence("f").await == 1 }).await;
            living
        });
        let mut rivals = Vec::new();
        let mut price = 100_000;
        for step in &steps {
            match step {
                Step::Move(by) => {
                    price += by;
                    world.all_say(price);
                    world.pass(INTERVAL_MS);
                    // Sometimes what comes next comes within the round.
                    let pause = Duration::from_millis(if by % 3 == 0 { 10 } else { 220 });
                    runtime.block_on(async { tokio::time::sleep(pause).await });
                }
                Step::Crash => {
                    rivals.clear();
                    drop(living);
                    drop(runtime);
                    runtime = Runtime::new().unwrap();
                    living = runtime.block_on(Living::begin(&keeper, &world));
                }
                Step::Rival => {
                    let next = runtime.block_on(Living::begin(&keeper, &world));
                    rivals.push(std::mem::replace(&mut living, next));
                }
                Step::Fault(fault) => keeper.fail_next([*fault]),
                Step::Hang => runtime.block_on(async {
                    let gate = keeper.gate.write().await;
                    price += 50;
                    world.all_say(price);
                    world.pass(INTERVAL_MS);
                    tokio::time::sleep(Duration::from_millis(250)).await;
                    drop(gate);
                }),
                Step::Delete => runtime.block_on(async {
                    // What fails is made up for by the next step.
                    drop(living.feeds.delete(ALICE, "f").await);
                    drop(living.feeds.set(ALICE, "f", feed(&json!({}))).await);
                }),
                Step::Redefine => runtime.block_on(async {
                    drop(living.feeds.set(ALICE, "f", feed(&json!({ "policy": {
                        "decimals": 2, "deviation_bps": 1, "max_jump_bps": 5_001,
                    } }))).await);
                }),
            }
        }
        runtime.block_on(async {
            rivals.clear();
            if living.feeds.show(ALICE, "f").await.is_err() {
                living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
            }
            let before = checked(&living, &world).await;
            world.all_say(price + 200);
            world.until(|| async { living.sequence("f").await > before }).await;
            world.until(|| async {
                living.shown("f").await.latest.unwrap().answer == i128::from(price + 200) * 100
            })
            .await;
            assert!(checked(&living, &world).await > before);
            // Over deletions, too, no sequence that was signed is still to come.
            let last = living.sequence("f").await;
            let signed = world.signed.lock().unwrap();
            assert!(signed.keys().all(|(_, _, sequence)| *sequence <= last), "{:?}", signed.keys());
        });
        drop(living);
        drop(runtime);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_feed_leaves_its_sequence_behind() {
    let (keeper, world) = (Keeper::new(), World::new());
    let mut living = Living::begin(&keeper, &world).await;
    living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
    for sequence in 1..=3 {
        world.all_say(100_000 + 100 * sequence);
        world.until(|| async { living.sequence("f").await >= sequence }).await;
    }
    let last = living.sequence("f").await;
    living.feeds.delete(ALICE, "f").await.unwrap();
    assert!(living.feeds.show(ALICE, "f").await.is_err());
    assert!(living.feeds.report(ALICE, "f", Which::Latest).await.is_err());
    drop(living);
    living = Living::begin(&keeper, &world).await;
    let (appears, made) =
        tokio::join!(living.feeds.appears(ALICE, "f"), living.feeds.set(ALICE, "f", feed(&json!({}))));
    let ((), made) = (appears, made.unwrap());
    assert_eq!((made.sequence, made.latest), (last, None), "its reports are gone, and its sequence is not");
    world.until(|| async { living.sequence("f").await > 0 }).await;
    assert_eq!(living.sequence("f").await, last + 1);
    let behind = living.feeds.behind(ALICE, "f", 1).await.unwrap();
    assert_eq!(behind.first().unwrap().sequence, last + 1, "those of the deleted one are gone");
    assert!(!world.is_broken.load(Ordering::SeqCst));
    // One that never published leaves nothing, and is of no account.
    world.is_suspended.store(true, Ordering::SeqCst);
    living.feeds.set(ALICE, "g", feed(&json!({}))).await.unwrap();
    living.feeds.delete(ALICE, "g").await.unwrap();
    assert_eq!(living.feeds.set(ALICE, "g", feed(&json!({}))).await.unwrap().sequence, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_nobody_confirmed_is_found_again_as_it_stands() {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = Living::begin(&keeper, &world).await;
    living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
    world.until(|| async { living.sequence("f").await == 1 }).await;
    let gate = keeper.gate.write().await;
    world.all_say(101_000);
    world.pass(INTERVAL_MS);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.signed.lock().unwrap().len(), 1, "nothing is signed before it stands");
    assert_eq!(living.sequence("f").await, 1);
    drop(gate);
    world.until(|| async { living.sequence("f").await == 2 }).await;
    checked(&living, &world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ring_keeps_a_thousand_reports_and_pages_through_them() {
    let (keeper, world) = (Keeper::new(), Arc::clone(&World::new()));
    let living = Living::begin(&keeper, &world).await;
    living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
    let (mut price, told) = (100_000, living.feeds.follow(ALICE, "f").unwrap());
    let rounds = 40;
    for sequence in 1..=rounds {
        world.until(|| async { *told.borrow() >= sequence }).await;
        price += 100;
        world.all_say(price);
    }
    let last = living.sequence("f").await;
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = living.feeds.history(ALICE, "f", before, 7).await.unwrap();
        seen.extend(page.reports.iter().map(|report| report.sequence));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen, (1..=seen[0]).rev().collect::<Vec<_>>());
    assert!(seen[0] >= last.min(rounds));
    // The same forwards, a page at a time.
    let (mut at, mut behind) = (0, Vec::new());
    while let Some(report) = living.feeds.behind(ALICE, "f", at).await.unwrap().last() {
        at = report.sequence;
        behind.push(at);
    }
    assert_eq!(behind, [32, at], "a page ends where its stretch does");
    let from = living.feeds.behind(ALICE, "f", 30).await.unwrap();
    assert_eq!(from.iter().map(|report| report.sequence).collect::<Vec<_>>(), [31, 32]);
    assert!(living.feeds.behind(ALICE, "f", u64::MAX).await.unwrap().is_empty());
    // At a time: the latest that was there.
    let of = |which| living.feeds.report(ALICE, "f", which);
    let fifth = of(Which::Sequence(5)).await.unwrap().report;
    let at = of(Which::At(fifth.observed_at_s)).await.unwrap().report;
    assert!(at.observed_at_s == fifth.observed_at_s && at.sequence >= 5);
    assert!(of(Which::At(fifth.observed_at_s - 60)).await.is_err());
    assert!(of(Which::Sequence(last + 100)).await.is_err());
}

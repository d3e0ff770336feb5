//! Rounds as tenants meet them: venues that lie, freeze, say nothing or nonsense; what is shared, and what is kept apart.

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod world;

use std::sync::atomic::Ordering;
use std::time::Duration;

use keeper::Keeper;
use r3e_feeds::{FeedsError, Which, limits};
use r3e_proto::api::feeds::RoundOutcome;
use serde_json::json;
use world::{ALICE, BOB, Living, Manner, World, feed};

#[tokio::test(flavor = "multi_thread")]
async fn a_minority_of_any_kind_does_not_keep_a_feed_from_publishing() {
    let (keeper, world) = (Keeper::new(), World::new());
    world.behaves(0, Manner::Price(900_000));
    world.behaves(1, Manner::Panics);
    let living = Living::begin(&keeper, &world).await;
    living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
    world.until(|| async { living.sequence("f").await == 1 }).await;
    let shown = living.shown("f").await;
    let round = shown.last_round.unwrap();
    let fates: Vec<&str> = round.sources.iter().map(|source| source.fate.as_str()).collect();
    assert_eq!(fates, ["outlier", "unreachable", "counted", "counted", "counted", "counted", "counted"]);
    let latest = shown.latest.unwrap();
    assert_eq!((latest.answer, latest.decimals, latest.sources), (10_000_000, 2, 5));
    assert_eq!(latest.config_digest, shown.config_digest.0);
    assert_eq!(round.sources[0].price.as_deref(), Some("900000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_quorum_nothing_is_published_and_the_round_says_why() {
    let (keeper, world) = (Keeper::new(), World::new());
    let nonsense = ["<html>", r#"{"p":"NaN","t":1}"#, r#"{"p":"-1","t":1}"#];
    for (at, text) in nonsense.iter().enumerate() {
        world.behaves(at, Manner::Says((*text).to_owned()));
    }
    let living = Living::begin(&keeper, &world).await;
    living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
    world.until(|| async { living.shown("f").await.rounds.nothing > 0 }).await;
    let shown = living.shown("f").await;
    let round = shown.last_round.unwrap();
    assert_eq!((round.outcome, shown.latest, shown.sequence), (RoundOutcome::Nothing, None, 0));
    assert_eq!(round.reason.unwrap(), "4 of 7 sources count, and 5 are needed: 2 of 3");
    assert!(round.sources[..3].iter().all(|source| source.fate == "unreadable"), "{:?}", round.sources);
    assert!(matches!(living.feeds.report(ALICE, "f", Which::Latest).await, Err(FeedsError::NoReport(_))));
    assert!(world.signed.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_delays_nobody_elses_feed() {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = Living::begin(&keeper, &world).await;
    // Bob's venues say nothing; there are more questions to them than one tenant has places.
    for at in 0..7 {
        world.behaves(at, Manner::Silent);
    }
    for number in 0..10 {
        let timeout_ms = 9_000 + number;
        let set = feed(&json!({ "timeout_ms": timeout_ms }));
        living.feeds.set(BOB, &format!("silent{number}"), set).await.unwrap();
    }
    world.until(|| async { world.asked.load(Ordering::SeqCst) >= limits::FETCHES_OF_ONE }).await;
    world.all_say(100_000);
    living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
    let next = living.feeds.next(ALICE, "f", 0, Duration::from_secs(5)).await.unwrap();
    assert_eq!(next.report.unwrap().report.sequence, 1);
    assert!(world.asked.load(Ordering::SeqCst) < limits::FETCHES_OF_ONE + 30, "Bob has no more places");
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_that_ask_the_same_at_the_same_time_share_the_answer() {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = Living::begin(&keeper, &world).await;
    world.is_suspended.store(true, Ordering::SeqCst);
    for number in 0..20 {
        living.feeds.set(ALICE, &format!("f{number}"), feed(&json!({}))).await.unwrap();
    }
    world.until(|| async { living.shown("f19").await.rounds.failed > 0 }).await;
    let failed = living.shown("f0").await.last_round.unwrap();
    assert_eq!(failed.reason.as_deref(), Some("the tenant is suspended"));
    assert_eq!(world.asked.load(Ordering::SeqCst), 0);
    world.is_suspended.store(false, Ordering::SeqCst);
    world
        .until(|| async {
            let feeds = living.feeds.list(ALICE).await;
            feeds.iter().all(|feed| feed.latest.is_some())
        })
        .await;
    let rounds: u64 =
        living.feeds.list(ALICE).await.iter().map(|feed| feed.rounds.published + feed.rounds.quiet).sum();
    let asked = world.asked.load(Ordering::SeqCst) as u64;
    assert!(asked < rounds * 7, "{asked} fetches for {rounds} rounds of 7 sources");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_feed_asks_nobody_and_keeps_its_reports() {
    let (keeper, world) = (Keeper::new(), World::new());
    let mut living = Living::begin(&keeper, &world).await;
    living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
    world.until(|| async { living.sequence("f").await == 1 }).await;
    let paused = living.feeds.pause(ALICE, "f", true).await.unwrap();
    assert!(paused.paused && paused.latest.is_some());
    drop(living);
    living = Living::begin(&keeper, &world).await;
    let asked = world.asked.load(Ordering::SeqCst);
    world.all_say(110_000);
    world.pass(10_000);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.asked.load(Ordering::SeqCst), asked);
    assert_eq!(living.feeds.report(ALICE, "f", Which::Latest).await.unwrap().report.sequence, 1);
    living.feeds.pause(ALICE, "f", false).await.unwrap();
    world.until(|| async { living.sequence("f").await == 2 }).await;
    assert_eq!(living.shown("f").await.latest.unwrap().answer, 11_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_its_tenants_and_the_latest_report_of_a_public_one_is_everybodys() {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = Living::begin(&keeper, &world).await;
    living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
    world.until(|| async { living.sequence("f").await == 1 }).await;
    let absent = |error: FeedsError| matches!(error, FeedsError::NotFound(_));
    assert!(absent(living.feeds.show(BOB, "f").await.unwrap_err()));
    assert!(absent(living.feeds.delete(BOB, "f").await.unwrap_err()));
    assert!(absent(living.feeds.report(BOB, "f", Which::Latest).await.unwrap_err()));
    assert!(absent(living.feeds.public_report(ALICE, "f").await.unwrap_err()));
    assert!(!living.feeds.has_public(ALICE));
    let other = json!({ "public": true, "targets": [] });
    let changed = living.feeds.set(ALICE, "f", feed(&other)).await.unwrap();
    assert!(changed.public && changed.latest.is_some());
    let read = living.feeds.public_report(ALICE, "f").await.unwrap();
    assert_eq!((read.report.sequence, read.signatures.len(), read.tenant), (1, 0, ALICE));
    assert!(living.feeds.has_public(ALICE) && !living.feeds.has_public(BOB));
    world.is_suspended.store(true, Ordering::SeqCst);
    assert!(absent(living.feeds.public_report(ALICE, "f").await.unwrap_err()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_is_refused() {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = Living::begin(&keeper, &world).await;
    let refused = async |name: &str, set| match living.feeds.set(ALICE, name, set).await {
        Err(FeedsError::Invalid(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(refused("a/b", feed(&json!({}))).await.contains("name"));
    assert!(refused(&"a".repeat(33), feed(&json!({}))).await.contains("32"));
    let mut local = feed(&json!({}));
    local.sources[0]["url"] = json!("https://localhost/{pair}");
    assert!(refused("f", local).await.contains("cannot be asked: not public"));
    world.is_suspended.store(true, Ordering::SeqCst);
    living.feeds.set(ALICE, "f", feed(&json!({}))).await.unwrap();
    assert!(refused("f", feed(&json!({ "pair": "ETH/USD" }))).await.contains("this feed is of BTC/USD"));
    for number in 1..limits::MAX_FEEDS_OF_ONE {
        living.feeds.set(ALICE, &format!("f{number}"), feed(&json!({}))).await.unwrap();
    }
    let full = living.feeds.set(ALICE, "one-more", feed(&json!({}))).await;
    assert!(matches!(full, Err(FeedsError::TooMany { max: limits::MAX_FEEDS_OF_ONE, .. })), "{full:?}");
    living.feeds.set(BOB, "f", feed(&json!({}))).await.unwrap();
    // Nobody waits for more than there is room for.
    let waits =
        (0..=limits::WAITING_OF_ONE).map(|_| living.feeds.next(ALICE, "f", 0, Duration::from_millis(200)));
    let mut waiting: Vec<_> = waits.map(Box::pin).collect();
    let mut refused = 0;
    std::future::poll_fn(|context| {
        for wait in &mut waiting {
            if let std::task::Poll::Ready(Err(FeedsError::TooMany { .. })) = wait.as_mut().poll(context) {
                refused += 1;
            }
        }
        std::task::Poll::Ready(())
    })
    .await;
    assert_eq!(refused, 1);
}

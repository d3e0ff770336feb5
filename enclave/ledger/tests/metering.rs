//! What is counted, in which month, what a quota refuses, and what the parent's store can do to it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod world;

use std::sync::atomic::Ordering;
use std::time::Duration;

use keeper::{Fault, others_run};
use r3e_ledger::limits::{FLUSH_INVOCATIONS, MAX_UNWRITTEN_INVOCATIONS, USAGE_MONTHS};
use r3e_ledger::{NotAdmitted, Options};
use r3e_proto::api::billing::{Metered, Month, Quota};
use r3e_proto::api::functions::Usage;
use r3e_store::{Namespace, Write};
use world::{ALICE, BOB, DECEMBER_MS, NOVEMBER_MS, World, on_request, used};

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

async fn total(world: &World, of: &str) -> Metered {
    world.ledger.usage(ALICE, Some(month(of))).await.unwrap().total
}

#[tokio::test]
async fn everything_is_counted_by_function() {
    let mut world = World::under("{}", on_request()).await;
    world.invoke(ALICE, "f", 3).await;
    world.admit(ALICE, "f").await.unwrap().settle(&used(4), true);
    world.invoke(ALICE, "g", 1).await;
    world.invoke(BOB, "f", 100).await;
    for _ in 0..2 {
        let usage = world.ledger.usage(ALICE, None).await.unwrap();
        assert_eq!(usage.month, month("2026-11"));
        let f = Metered {
            invocations: 2,
            failures: 1,
            cpu_us: 7_000,
            wall_us: 41_000,
            // 16 MiB for 20.5 ms, twice.
            memory_mib_ms: 2 * 328,
            bytes_out: 14,
            host_calls: 2,
            storage_byte_s: 0,
        };
        assert_eq!(usage.functions["f"], f);
        assert_eq!((usage.functions["g"].cpu_us, usage.total.invocations), (1_000, 3));
        assert_eq!(usage.functions.len(), 2);
        // Before it is written, after, and in the next life.
        world.ledger.flush().await.unwrap();
        world.crash().await;
    }
}

#[tokio::test]
async fn memory_is_rounded_up_to_a_mib_and_millisecond() {
    let world = World::under("{}", on_request()).await;
    let short = Usage { wall_us: 1, ..used(0) };
    world.admit(ALICE, "f").await.unwrap().settle(&short, false);
    assert_eq!(total(&world, "2026-11").await.memory_mib_ms, 1);
}

#[tokio::test]
async fn an_invocation_belongs_to_the_month_that_it_began_in() {
    let mut world = World::under("{}", on_request()).await;
    world.at(DECEMBER_MS - 1);
    let november = world.admit(ALICE, "f").await.unwrap();
    world.at(DECEMBER_MS);
    let december = world.admit(ALICE, "f").await.unwrap();
    november.settle(&used(1), false);
    december.settle(&used(2), false);
    world.ledger.flush().await.unwrap();
    world.crash().await;
    assert_eq!(total(&world, "2026-11").await.cpu_us, 1_000);
    assert_eq!(total(&world, "2026-12").await.cpu_us, 2_000);
    assert_eq!(total(&world, "2027-01").await, Metered::default());
}

#[tokio::test]
async fn a_clock_that_jumps_back_opens_no_month_again() {
    let mut world = World::under(r#"{"quota": {"invocations": 1}}"#, on_request()).await;
    world.at(DECEMBER_MS);
    world.invoke(ALICE, "f", 1).await;
    world.ledger.flush().await.unwrap();
    for _ in 0..2 {
        world.at(NOVEMBER_MS);
        assert!(matches!(world.admit(ALICE, "f").await, Err(NotAdmitted::Quota { .. })), "still December");
        assert_eq!(world.ledger.usage(ALICE, None).await.unwrap().month, month("2026-12"));
        // What the ledger has seen outlives the process.
        world.crash().await;
    }
    // A jump ahead begins a month, and charges none of those between.
    world.at(DECEMBER_MS + 400 * 24 * 3_600_000);
    world.invoke(ALICE, "f", 1).await;
    assert_eq!(total(&world, "2028-01").await.invocations, 1);
    assert_eq!(total(&world, "2027-06").await.invocations, 0);
    world.at(u64::MAX);
    assert!(world.admit(ALICE, "f").await.is_ok(), "the last month there is");
}

#[tokio::test]
async fn a_quota_is_never_passed_and_says_what_to_do() {
    let mut world = World::under(r#"{"quota": {"invocations": 3, "cpu_us": 25000}}"#, on_request()).await;
    let first = world.admit(ALICE, "f").await.unwrap();
    let _second = world.admit(ALICE, "f").await.unwrap();
    // Two of 10 ms each run: a third could be 5 ms over.
    let refused = world.admit(ALICE, "f").await.unwrap_err();
    let retry_after_s = (DECEMBER_MS - NOVEMBER_MS) / 1_000;
    assert_eq!(refused, NotAdmitted::Quota { what: "cpu_us", limit: 25_000, plan: None, retry_after_s });
    for word in ["25000 cpu_us a month", "lower the function's limits", "raise the quota", "next month"] {
        assert!(refused.to_string().contains(word), "{refused}");
    }
    first.settle(&used(1), false);
    assert!(world.admit(ALICE, "f").await.is_ok());
    world.ledger.flush().await.unwrap();
    world.crash().await;
    world.invoke(ALICE, "f", 0).await;
    world.invoke(ALICE, "f", 0).await;
    assert!(matches!(world.admit(ALICE, "f").await, Err(NotAdmitted::Quota { what: "invocations", .. })));
    assert!(world.admit(BOB, "f").await.is_ok(), "each tenant has its own");
    world.at(DECEMBER_MS);
    assert!(world.admit(ALICE, "f").await.is_ok());
}

#[tokio::test]
async fn the_operators_quota_goes_before_the_configurations() {
    let mut world = World::under(r#"{"quota": {"invocations": 1}}"#, on_request()).await;
    let more = Quota { invocations: Some(3), ..Quota::default() };
    assert_eq!(world.ledger.set_quota(ALICE, Some(more)).await.unwrap(), more);
    for _ in 0..3 {
        world.invoke(ALICE, "f", 0).await;
    }
    assert!(world.admit(ALICE, "f").await.is_err());
    world.ledger.flush().await.unwrap();
    world.crash().await;
    assert!(world.admit(ALICE, "f").await.is_err());
    assert_eq!(world.ledger.usage(ALICE, None).await.unwrap().quota, more);
    // An empty one limits nothing; none is the configuration's again.
    world.ledger.set_quota(ALICE, Some(Quota::default())).await.unwrap();
    world.invoke(ALICE, "f", 0).await;
    world.ledger.set_quota(ALICE, None).await.unwrap();
    assert!(world.admit(ALICE, "f").await.is_err());
}

#[tokio::test]
async fn an_answer_that_is_lost_doubles_nothing() {
    for faults in [
        vec![Fault::LostAfter],
        vec![Fault::LostBefore],
        vec![Fault::Failed, Fault::LostBefore, Fault::LostAfter],
        vec![Fault::FalseConflict, Fault::LostAfter],
    ] {
        let mut world = World::under("{}", on_request()).await;
        world.invoke(ALICE, "f", 1).await;
        world.ledger.flush().await.unwrap();
        world.invoke(ALICE, "f", 1).await;
        world.keeper.fail_next(faults.clone());
        world.ledger.flush().await.unwrap();
        assert_eq!(total(&world, "2026-11").await.invocations, 2, "{faults:?}");
        world.crash().await;
        assert_eq!(total(&world, "2026-11").await.invocations, 2, "{faults:?}");
    }
}

#[tokio::test]
async fn what_happens_while_a_commit_is_under_way_is_in_the_next_one() {
    let mut world = World::under("{}", on_request()).await;
    world.invoke(ALICE, "f", 1).await;
    world.ledger.flush().await.unwrap();
    let keeper = world.keeper.clone();
    let gate = keeper.gate.write().await;
    world.invoke(ALICE, "f", 1).await;
    let ledger = world.ledger.clone();
    let flushing = tokio::spawn(async move { ledger.flush().await });
    others_run().await;
    world.invoke(ALICE, "f", 1).await;
    assert_eq!(total(&world, "2026-11").await.invocations, 3, "one written, one under way, one pending");
    drop(gate);
    flushing.await.unwrap().unwrap();
    assert_eq!(total(&world, "2026-11").await.invocations, 3);
    world.crash().await;
    assert_eq!(total(&world, "2026-11").await.invocations, 2, "what was pending is lost, and nothing else");
}

#[tokio::test]
async fn it_is_written_by_itself_after_a_time_and_after_so_many() {
    let often = Options { flush_interval: Duration::from_millis(5), ..Options::default() };
    for (options, count) in [(often, 3), (on_request(), FLUSH_INVOCATIONS)] {
        let mut world = World::under("{}", options).await;
        for _ in 0..count {
            world.invoke(ALICE, "f", 0).await;
        }
        // A test that waits in vain hangs.
        while world.ledger.books().await.unwrap().sequence == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Part of it may have come in time for the first write.
        world.crash().await;
        assert!(total(&world, "2026-11").await.invocations > 0);
    }
    // Who does nothing writes nothing.
    let idle = World::under("{}", often).await;
    idle.ledger.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(idle.ledger.books().await.unwrap().sequence, 0);
}

#[tokio::test]
async fn what_a_crash_can_lose_has_an_end() {
    let world = World::under("{}", on_request()).await;
    world.invoke(ALICE, "f", 0).await;
    let keeper = world.keeper.clone();
    let gate = keeper.gate.write().await;
    let refused = loop {
        match world.admit(ALICE, "f").await {
            Ok(admission) => admission.settle(&used(0), false),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, NotAdmitted::Unavailable(_)), "{refused:?}");
    let counted = total(&world, "2026-11").await.invocations;
    assert_eq!(counted, MAX_UNWRITTEN_INVOCATIONS);
    drop(gate);
    world.ledger.flush().await.unwrap();
    assert!(world.admit(ALICE, "f").await.is_ok());
    assert_eq!(total(&world, "2026-11").await.invocations, counted);
}

#[tokio::test]
async fn storage_is_counted_by_function_bytes_and_time() {
    let mut world = World::under("{}", on_request()).await;
    let space = |label| Namespace::of_tenant(label, &ALICE.to_string()).unwrap();
    let put = |label, key: &str, bytes: usize| Write::put(&space(label), key, vec![7; bytes]);
    let mut writes = vec![put("function-sources", "f/00", 96), put("function-values", "g/a", 97)];
    // More than one look at the store's index gives.
    writes.extend((0..900).map(|n| put("function-values", &format!("g/{n:03}"), 95)));
    world.store.batch(writes).await.unwrap();
    let more = (0..900).map(|n| put("function-values", &format!("h/{n:03}"), 95)).collect();
    world.store.batch(more).await.unwrap();
    world.ledger.measure_storage(ALICE, Duration::from_secs(10)).await.unwrap();
    world.ledger.flush().await.unwrap();
    world.crash().await;
    let usage = world.ledger.usage(ALICE, None).await.unwrap();
    let stored = |function: &str| usage.functions[function].storage_byte_s;
    assert_eq!((stored("f"), stored("g"), stored("h")), (1_000, 901_000, 900_000));
    assert_eq!(usage.total.invocations, 0);
}

#[tokio::test]
async fn sums_stop_at_the_largest_number() {
    let mut world = World::under("{}", on_request()).await;
    let most = Usage {
        cpu_us: u64::MAX,
        wall_us: u64::MAX,
        peak_memory_bytes: u64::MAX,
        host_calls: u64::MAX,
        bytes_out: u64::MAX,
    };
    for _ in 0..2 {
        world.admit(ALICE, "f").await.unwrap().settle(&most, false);
        world.ledger.flush().await.unwrap();
    }
    world.crash().await;
    let total = total(&world, "2026-11").await;
    assert_eq!((total.cpu_us, total.wall_us, total.invocations), (u64::MAX, u64::MAX, 2));
    assert!(world.admit(ALICE, "f").await.is_ok(), "without a quota nothing is refused");
    let quota = Quota { cpu_us: Some(u64::MAX - 1), ..Quota::default() };
    world.ledger.set_quota(ALICE, Some(quota)).await.unwrap();
    assert!(world.admit(ALICE, "f").await.is_err());
}

#[tokio::test]
async fn old_months_go() {
    let mut world = World::under("{}", on_request()).await;
    for passed in 0..=USAGE_MONTHS {
        world.at(month("2026-11").plus(passed).begins_ms());
        world.invoke(ALICE, "f", 0).await;
        world.ledger.flush().await.unwrap();
    }
    world.crash().await;
    assert_eq!(total(&world, "2026-11").await.invocations, 0);
    assert_eq!(total(&world, "2026-12").await.invocations, 1);
}

#[tokio::test]
async fn two_that_write_one_ledger_are_found_out() {
    let world = World::new().await;
    world.deposit(ALICE, 1_000, "d1").await;
    let head = Namespace::of_appliance("ledger").unwrap();
    let standing = world.store.get(&head, "head").await.unwrap().unwrap();
    world.store.put(&head, "head", standing.value).await.unwrap();
    world.invoke(ALICE, "f", 0).await;
    assert!(world.ledger.flush().await.is_err());
    while world.ledger.balance(ALICE).await.is_ok() {
        others_run().await;
    }
    assert!(
        matches!(world.admit(ALICE, "f").await, Err(NotAdmitted::Unavailable(why)) if why.contains("another process"))
    );
    assert!(world.keeper.commits.load(Ordering::SeqCst) > 0);
}

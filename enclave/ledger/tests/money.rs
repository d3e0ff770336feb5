//! Plans and balances as a tenant and the operator meet them, across restarts and months.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod world;

use std::time::Duration;

use r3e_ledger::{LedgerError, NotAdmitted};
use r3e_proto::api::billing::EntryKind;
use r3e_store::Namespace;
use world::{ALICE, BOB, DECEMBER_MS, NOVEMBER_MS, PLANS, World, amount, used};

#[tokio::test]
async fn an_invocation_is_charged_what_it_used_and_no_more() {
    let world = World::new().await;
    world.deposit(ALICE, 1_000, "d1").await;
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    let admission = world.admit(ALICE, "f").await.unwrap();
    // 10 for it, 10 for the most that it may use of the processor.
    assert_eq!(world.money(ALICE).await, (980, 0));
    admission.settle(&used(3), false);
    assert_eq!(world.balance(ALICE).await.used, amount(13));
    assert_eq!(world.money(ALICE).await, (987, 0));
    // One that never ran costs nothing.
    drop(world.admit(ALICE, "f").await.unwrap());
    assert_eq!(world.money(ALICE).await, (987, 0));
    // One that was stopped late is charged its limit, and metered as it was.
    world.admit(ALICE, "f").await.unwrap().settle(&used(500), true);
    assert_eq!(world.money(ALICE).await, (967, 0));
    let usage = world.ledger.usage(ALICE, None).await.unwrap();
    assert_eq!((usage.total.invocations, usage.total.failures, usage.total.cpu_us), (2, 1, 503_000));
    // The withdrawal of all that is left posts what was used.
    world.withdraw(ALICE, 967, "w1").await.unwrap();
    assert_eq!(world.money(ALICE).await, (0, 33));
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn a_balance_that_does_not_cover_the_most_it_may_cost_lets_nothing_in() {
    let world = World::new().await;
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    let refused = world.admit(ALICE, "f").await.unwrap_err();
    assert_eq!(refused, NotAdmitted::Balance { needed: amount(20), available: amount(0) });
    assert!(refused.to_string().contains("deposit the difference"), "{refused}");
    world.deposit(ALICE, 39, "d1").await;
    let first = world.admit(ALICE, "f").await.unwrap();
    assert!(matches!(world.admit(ALICE, "f").await, Err(NotAdmitted::Balance { .. })), "19 are left");
    // What is set aside for what runs is nobody's to take out.
    let refused = world.withdraw(ALICE, 20, "w1").await.unwrap_err();
    assert!(matches!(refused, LedgerError::Insufficient { available, .. } if available == amount(19)));
    first.settle(&used(0), false);
    world.admit(ALICE, "f").await.unwrap().settle(&used(0), false);
    assert!(matches!(world.admit(ALICE, "f").await, Err(NotAdmitted::Balance { .. })), "19 are left again");
    world.withdraw(ALICE, 19, "w1").await.unwrap();
    assert_eq!(world.money(ALICE).await, (0, 20));
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn a_transfer_is_recorded_once_for_its_reference() {
    let mut world = World::new().await;
    let first = world.deposit(ALICE, 100, "0xabc").await;
    assert!(!first.repeated);
    for _ in 0..2 {
        let again = world.deposit(ALICE, 100, "0xabc").await;
        assert_eq!((again.entry, again.repeated), (first.entry, true));
        for (tenant, units) in [(ALICE, 101), (BOB, 100)] {
            let refused = world.try_deposit(tenant, units, "0xabc").await.unwrap_err();
            assert!(matches!(refused, LedgerError::ReferenceTaken(_)), "{refused}");
        }
        world.crash().await;
    }
    // A withdrawal's references are apart, and repeating one takes nothing.
    world.withdraw(ALICE, 60, "0xabc").await.unwrap();
    assert!(world.withdraw(ALICE, 60, "0xabc").await.unwrap().repeated);
    assert_eq!(world.money(ALICE).await, (40, 0));
    // Two at once, too.
    let (one, other) = tokio::join!(world.deposit(ALICE, 5, "twice"), world.deposit(ALICE, 5, "twice"));
    assert_eq!(one.entry, other.entry);
    assert_ne!(one.repeated, other.repeated);
    assert_eq!(world.money(ALICE).await, (45, 0));
    for (units, reference) in [(0, "z"), (1, ""), (1, "a b"), (1, "ä"), (1, "a\n"), (1, &"x".repeat(129))] {
        assert!(world.try_deposit(ALICE, units, reference).await.is_err(), "{reference}");
    }
    let over = world.try_deposit(ALICE, r3e_proto::limits::MAX_AMOUNT, "over").await.unwrap_err();
    assert!(matches!(over, LedgerError::Amount));
    world.audit(&[ALICE, BOB]).await;
}

#[tokio::test]
async fn a_crash_loses_what_was_not_written_and_gives_back_what_was_set_aside() {
    let mut world = World::new().await;
    world.deposit(ALICE, 1_000, "d1").await;
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    world.invoke(ALICE, "f", 3).await;
    world.ledger.flush().await.unwrap();
    // Never written: one that ended, and one that runs.
    world.invoke(ALICE, "f", 5).await;
    let _running = world.admit(ALICE, "f").await.unwrap();
    world.crash().await;
    assert_eq!(world.money(ALICE).await, (987, 13), "the first is charged, the others are not");
    assert_eq!(world.balance(ALICE).await.reserved, amount(0));
    let last = world.entries(ALICE).await.pop().unwrap();
    assert_eq!(last.kind, EntryKind::Recover);
    assert_eq!(world.ledger.usage(ALICE, None).await.unwrap().total.invocations, 1);
    // Nothing is recovered twice.
    for _ in 0..2 {
        let before = world.entries(ALICE).await.len();
        world.crash().await;
        assert_eq!(world.entries(ALICE).await.len(), before);
    }
    world.invoke(ALICE, "f", 1).await;
    assert_eq!(world.money(ALICE).await.0, 976);
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn a_month_has_a_fee_an_allowance_and_what_is_beyond() {
    let mut world = World::new().await;
    assert!(matches!(
        world.ledger.set_plan(ALICE, "month").await,
        Err(LedgerError::Insufficient { needed, .. }) if needed == amount(100)
    ));
    assert_eq!(world.balance(ALICE).await.plan, "none", "nothing changed");
    world.deposit(ALICE, 250, "d1").await;
    world.ledger.set_plan(ALICE, "month").await.unwrap();
    assert_eq!(world.money(ALICE).await, (150, 100));
    // The same plan again is no second fee.
    world.ledger.set_plan(ALICE, "month").await.unwrap();
    for _ in 0..5 {
        world.invoke(ALICE, "f", 9).await;
    }
    assert_eq!(world.money(ALICE).await.0, 130, "three are in the allowance, two cost 10 each");
    world.ledger.flush().await.unwrap();
    world.crash().await;
    assert_eq!(world.money(ALICE).await, (130, 120));
    world.invoke(ALICE, "f", 9).await;
    assert_eq!(world.money(ALICE).await.0, 120, "the allowance is not given twice in a month");
    // The last moment of the month, and the first of the next.
    world.at(DECEMBER_MS - 1);
    let last = world.admit(ALICE, "f").await.unwrap();
    world.at(DECEMBER_MS);
    world.invoke(ALICE, "f", 9).await;
    last.settle(&used(9), false);
    // 10 for the one that began in November; the fee for December, and nothing beyond it.
    assert_eq!(world.money(ALICE).await.0, 10);
    world.ledger.flush().await.unwrap();
    assert_eq!(world.money(ALICE).await, (10, 240));
    let month = |text: &str| Some(text.parse().unwrap());
    assert_eq!(world.ledger.usage(ALICE, month("2026-11")).await.unwrap().total.invocations, 7);
    assert_eq!(world.ledger.usage(ALICE, month("2026-12")).await.unwrap().total.invocations, 1);
    // January's fee is not there: nobody is let in until it is.
    world.at(DECEMBER_MS + 40 * 24 * 3_600_000);
    let refused = world.admit(ALICE, "f").await.unwrap_err();
    assert_eq!(refused, NotAdmitted::Balance { needed: amount(100), available: amount(10) });
    world.deposit(ALICE, 90, "d2").await;
    world.invoke(ALICE, "f", 9).await;
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn a_reserved_term_is_paid_once_and_ends_at_its_allowance() {
    let mut world = World::new().await;
    world.deposit(ALICE, 600, "d1").await;
    world.ledger.set_plan(ALICE, "term").await.unwrap();
    assert_eq!(world.money(ALICE).await, (100, 500));
    for month in 0..3u64 {
        world.at(NOVEMBER_MS + month * 31 * 24 * 3_600_000);
        world.invoke(ALICE, "f", 1).await;
        world.ledger.flush().await.unwrap();
        world.crash().await;
        world.invoke(ALICE, "f", 1).await;
        let refused = world.admit(ALICE, "f").await.unwrap_err();
        let of_plan = matches!(&refused, NotAdmitted::Quota { what: "invocations", limit: 2, plan: Some(plan), .. } if plan == "term");
        assert!(of_plan, "{refused:?}");
        assert!(refused.to_string().contains("assign another plan"), "{refused}");
        assert_eq!(world.money(ALICE).await, (100, 500));
        world.ledger.flush().await.unwrap();
    }
    // The next term is another fee.
    world.at(NOVEMBER_MS + 3 * 31 * 24 * 3_600_000);
    assert!(
        matches!(world.admit(ALICE, "f").await, Err(NotAdmitted::Balance { needed, .. }) if needed == amount(500))
    );
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn a_plan_is_changed_while_something_runs_under_the_one_before() {
    let world = World::new().await;
    world.deposit(ALICE, 1_000, "d1").await;
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    let running = world.admit(ALICE, "f").await.unwrap();
    world.ledger.set_plan(ALICE, "month").await.unwrap();
    world.invoke(ALICE, "f", 1).await;
    running.settle(&used(4), false);
    world.ledger.set_plan(ALICE, "none").await.unwrap();
    world.invoke(ALICE, "f", 1).await;
    world.ledger.flush().await.unwrap();
    // 14 under the plan that it began under, the fee of the other one, and nothing under none.
    assert_eq!(world.money(ALICE).await, (886, 114));
    assert_eq!(world.balance(ALICE).await.reserved, amount(0));
    assert!(matches!(world.ledger.set_plan(ALICE, "other").await, Err(LedgerError::NoSuchPlan(_))));
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn plans_that_run_at_once_are_few() {
    let world = World::new().await;
    world.deposit(ALICE, 10_000, "d1").await;
    let mut running = Vec::new();
    let refused = loop {
        assert!(running.len() < 20);
        let plan = if running.len() % 2 == 0 { "payg" } else { "month" };
        match world.ledger.set_plan(ALICE, plan).await {
            Ok(_) => running.push(world.admit(ALICE, "f").await.unwrap()),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, LedgerError::PlanInUse), "{refused}");
    running.clear();
    world.ledger.flush().await.unwrap();
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn another_configuration_changes_prices_and_never_the_currency() {
    let mut world = World::new().await;
    world.deposit(ALICE, 1_000, "d1").await;
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    world.invoke(ALICE, "f", 0).await;
    world.ledger.flush().await.unwrap();
    // What was used before costs what it did.
    world.crash_under(&PLANS.replace("10000000, \"cpu_us\"", "90000000, \"cpu_us\"")).await;
    assert_eq!(world.money(ALICE).await, (990, 10));
    world.invoke(ALICE, "f", 0).await;
    assert_eq!(world.money(ALICE).await.0, 900);
    world.ledger.flush().await.unwrap();
    // A plan that is gone lets nobody in, until the operator assigns another one.
    world.crash_under(&PLANS.replace("\"payg\"", "\"paygo\"")).await;
    assert_eq!(world.admit(ALICE, "f").await.unwrap_err(), NotAdmitted::NoSuchPlan("payg".into()));
    world.ledger.set_plan(ALICE, "paygo").await.unwrap();
    world.invoke(ALICE, "f", 0).await;
    world.audit(&[ALICE]).await;
    for other in
        [PLANS.replace("GAS", "NEO"), PLANS.replace("\"decimals\": 8", "\"decimals\": 9"), "{}".into()]
    {
        world.crash_under(&other).await;
        let refused = world.ledger.balance(ALICE).await.unwrap_err();
        assert!(
            matches!(&refused, LedgerError::Closed(why) if why.contains("GAS of 8 decimals")),
            "{refused}"
        );
        assert!(matches!(world.admit(BOB, "f").await, Err(NotAdmitted::Unavailable(_))));
    }
}

#[tokio::test]
async fn money_needs_a_currency() {
    let world = World::under("{}", world::on_request()).await;
    assert!(matches!(world.try_deposit(ALICE, 1, "d").await, Err(LedgerError::NoCurrency)));
    assert!(matches!(world.withdraw(ALICE, 1, "w").await, Err(LedgerError::NoCurrency)));
    assert!(world.balance(ALICE).await.currency.is_none());
}

#[tokio::test]
async fn nobody_pays_for_another() {
    let world = World::new().await;
    world.deposit(ALICE, 1_000, "d1").await;
    for tenant in [ALICE, BOB] {
        world.ledger.set_plan(tenant, "payg").await.unwrap();
    }
    assert!(matches!(world.admit(BOB, "f").await, Err(NotAdmitted::Balance { .. })));
    world.invoke(ALICE, "f", 0).await;
    world.ledger.flush().await.unwrap();
    assert!(world.entries(BOB).await.is_empty());
    assert_eq!(world.ledger.usage(BOB, None).await.unwrap().total.invocations, 0);
    assert_eq!(world.money(BOB).await.0, 0);
}

#[tokio::test]
async fn what_was_used_is_posted_after_its_time_and_the_rest_is_released() {
    let world = World::new().await;
    world.deposit(ALICE, 1_000, "d1").await;
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    world.invoke(ALICE, "f", 0).await;
    world.ledger.flush().await.unwrap();
    let kinds = async || world.entries(ALICE).await.iter().map(|entry| entry.kind).collect::<Vec<_>>();
    assert_eq!(kinds().await, [EntryKind::Deposit, EntryKind::Reserve]);
    world.at(NOVEMBER_MS + 3_600_000);
    world.ledger.flush().await.unwrap();
    assert_eq!(kinds().await, [EntryKind::Deposit, EntryKind::Reserve, EntryKind::Settle]);
    assert_eq!(world.balance(ALICE).await.available, amount(990));
    // Who rests leaves no more entries.
    world.at(NOVEMBER_MS + 9 * 3_600_000);
    world.ledger.flush().await.unwrap();
    assert_eq!(kinds().await.len(), 3);
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn books_that_do_not_sum_to_zero_let_nobody_in() {
    let mut world = World::new().await;
    world.deposit(ALICE, 1_000, "d1").await;
    let accounts = Namespace::of_appliance("ledger-accounts").unwrap();
    let record = world.store.get(&accounts, &ALICE.to_string()).await.unwrap().unwrap();
    let text = String::from_utf8(record.value.as_bytes().to_vec()).unwrap();
    let richer = text.replacen("\"available\":\"1000\"", "\"available\":\"1001\"", 1);
    assert_ne!(text, richer);
    world.store.put(&accounts, &ALICE.to_string(), richer.into_bytes()).await.unwrap();
    world.crash().await;
    let refused = world.ledger.balance(ALICE).await.unwrap_err();
    assert!(matches!(&refused, LedgerError::Closed(why) if why.contains("sum to zero")), "{refused}");
    assert!(matches!(world.admit(BOB, "f").await, Err(NotAdmitted::Unavailable(_))));
    assert!(world.try_deposit(BOB, 1, "d2").await.is_err());
}

#[tokio::test]
async fn the_default_plan_is_everybodys_who_has_no_other() {
    let plans = PLANS.replacen("\"decimals\": 8,", "\"decimals\": 8, \"default_plan\": \"payg\",", 1);
    let mut world = World::under(&plans, world::on_request()).await;
    assert_eq!(world.balance(ALICE).await.plan, "payg");
    assert!(matches!(world.admit(ALICE, "f").await, Err(NotAdmitted::Balance { .. })));
    world.deposit(ALICE, 100, "d1").await;
    world.invoke(ALICE, "f", 0).await;
    world.ledger.set_plan(ALICE, "none").await.unwrap();
    world.invoke(ALICE, "f", 0).await;
    world.ledger.flush().await.unwrap();
    world.crash().await;
    assert_eq!((world.balance(ALICE).await.plan.as_str(), world.money(ALICE).await), ("none", (90, 10)));
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn storage_that_is_not_covered_is_paid_before_anything_else_and_never_below_zero() {
    let plans = PLANS.replacen("\"cpu_us\": 1000", "\"cpu_us\": 1000, \"storage_mib_s\": 1000000", 1);
    let world = World::under(&plans, world::on_request()).await;
    world.deposit(ALICE, 100, "d1").await;
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    let space = Namespace::of_tenant("function-values", &ALICE.to_string()).unwrap();
    world.store.put(&space, "f/k", vec![7; 1024 * 1024]).await.unwrap();
    world.invoke(ALICE, "f", 0).await;
    // A MiB for 150 seconds is 150, and there are 90.
    world.ledger.measure_storage(ALICE, Duration::from_secs(150)).await.unwrap();
    assert_eq!(world.money(ALICE).await.0, 0);
    assert!(matches!(world.admit(ALICE, "f").await, Err(NotAdmitted::Balance { .. })));
    world.ledger.flush().await.unwrap();
    world.audit(&[ALICE]).await;
    // 60 are owed: they are paid out of what comes in, and then there is room for one that may cost 20.
    world.deposit(ALICE, 79, "d2").await;
    assert!(matches!(world.admit(ALICE, "f").await, Err(NotAdmitted::Balance { .. })));
    world.deposit(ALICE, 1, "d3").await;
    world.invoke(ALICE, "f", 10).await;
    assert_eq!(world.money(ALICE).await.0, 0);
    // A month later nothing is owed any more.
    world.ledger.measure_storage(ALICE, Duration::from_secs(1_000)).await.unwrap();
    world.at(DECEMBER_MS);
    world.deposit(ALICE, 20, "d4").await;
    world.invoke(ALICE, "f", 0).await;
    assert_eq!(world.money(ALICE).await.0, 10);
    world.audit(&[ALICE]).await;
}

#[tokio::test]
async fn months_that_end_within_a_unit_are_closed() {
    // Each invocation costs 0.3.
    let plans =
        PLANS.replacen("{\"invocations\": 10000000, \"cpu_us\": 1000}", "{\"invocations\": 300000}", 1);
    assert_ne!(plans, PLANS);
    let world = World::under(&plans, world::on_request()).await;
    world.deposit(ALICE, 1_000, "d1").await;
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    // More months than may be open at once.
    for month in 0..24u64 {
        world.at(NOVEMBER_MS + month * 31 * 24 * 3_600_000);
        for _ in 0..4 {
            world.invoke(ALICE, "f", 0).await;
        }
        world.ledger.flush().await.unwrap();
    }
    world.ledger.set_plan(ALICE, "none").await.unwrap();
    world.ledger.flush().await.unwrap();
    // 1.2 each month, rounded down.
    assert_eq!(world.money(ALICE).await, (976, 24));
    assert_eq!(world.balance(ALICE).await.reserved, amount(0));
    world.audit(&[ALICE]).await;
}

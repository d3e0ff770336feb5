//! Every history of admissions, settlements, transfers, months, lost answers and crashes keeps the books, and many at once
//! keep them, too.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod world;

use std::sync::Arc;

use keeper::Fault;
use proptest::prelude::*;
use r3e_ledger::{Admission, LedgerError, NotAdmitted};
use r3e_proto::api::billing::EntryKind;
use r3e_proto::api::identity::TenantId;
use tokio::runtime::Builder;
use world::{ALICE, BOB, PLANS, World, used};

#[derive(Debug, Clone)]
enum Step {
    Deposit(bool, u128, u8),
    Withdraw(bool, u128, u8),
    Plan(bool, u8),
    Admit(bool),
    /// One of those that run ends, with so many milliseconds.
    Settle(usize, u64),
    /// One of those that run never ran.
    Release(usize),
    Flush,
    /// Time passes, in hours.
    Wait(u64),
    Fault(Fault),
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let fault = prop_oneof![
        Just(Fault::LostBefore),
        Just(Fault::LostAfter),
        Just(Fault::FalseConflict),
        Just(Fault::Failed)
    ];
    prop_oneof![
        3 => (any::<bool>(), 1..600u128, 0..12u8).prop_map(|(who, by, name)| Step::Deposit(who, by, name)),
        2 => (any::<bool>(), 1..400u128, 0..12u8).prop_map(|(who, by, name)| Step::Withdraw(who, by, name)),
        2 => (any::<bool>(), 0..4u8).prop_map(|(who, plan)| Step::Plan(who, plan)),
        6 => any::<bool>().prop_map(Step::Admit),
        5 => (any::<usize>(), 0..30u64).prop_map(|(which, cpu_ms)| Step::Settle(which, cpu_ms)),
        1 => any::<usize>().prop_map(Step::Release),
        2 => Just(Step::Flush),
        2 => (1..400u64).prop_map(Step::Wait),
        1 => fault.prop_map(Step::Fault),
        1 => Just(Step::Crash),
    ]
}

fn who(alice: bool) -> TenantId {
    if alice { ALICE } else { BOB }
}

/// What the world outside believes: what it paid in, and what it was paid.
#[derive(Debug, Default)]
struct Outside {
    deposited: u128,
    withdrawn: u128,
}

async fn play(steps: Vec<Step>) {
    // A millisecond of the processor is no whole number of units.
    let plans = PLANS.replace("\"cpu_us\": 1000", "\"cpu_us\": 1337");
    let mut world = World::under(&plans, world::on_request()).await;
    let mut now_ms = world::NOVEMBER_MS;
    let mut outside = Outside::default();
    let mut running: Vec<Admission> = Vec::new();
    for step in steps {
        match step {
            Step::Deposit(alice, units, name) => {
                match world.try_deposit(who(alice), units, &format!("d{name}")).await {
                    Ok(recorded) => outside.deposited += if recorded.repeated { 0 } else { units },
                    Err(LedgerError::ReferenceTaken(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Withdraw(alice, units, name) => {
                let before = world.balance(who(alice)).await.spendable.units();
                match world.withdraw(who(alice), units, &format!("w{name}")).await {
                    Ok(recorded) if recorded.repeated => {}
                    Ok(_) => {
                        assert!(units <= before, "{units} of {before} went out");
                        outside.withdrawn += units;
                    }
                    Err(LedgerError::ReferenceTaken(_)) => {}
                    Err(LedgerError::Insufficient { .. }) => assert!(units > before, "{units} of {before}"),
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Plan(alice, plan) => {
                let plan = ["none", "payg", "month", "term"][usize::from(plan)];
                match world.ledger.set_plan(who(alice), plan).await {
                    Ok(_) | Err(LedgerError::Insufficient { .. } | LedgerError::PlanInUse) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Step::Admit(alice) => match world.admit(who(alice), "f").await {
                Ok(admission) => running.push(admission),
                Err(NotAdmitted::Balance { .. } | NotAdmitted::Quota { .. }) => {}
                Err(NotAdmitted::Unavailable(why)) => {
                    assert!(why.contains("runs under the plans before"), "{why}");
                }
                Err(error) => panic!("{error}"),
            },
            Step::Settle(which, cpu_ms) if !running.is_empty() => {
                let which = which % running.len();
                running.swap_remove(which).settle(&used(cpu_ms), false);
            }
            Step::Release(which) if !running.is_empty() => drop(running.swap_remove(which % running.len())),
            Step::Settle(..) | Step::Release(_) => {}
            Step::Flush => world.ledger.flush().await.unwrap(),
            Step::Wait(hours) => {
                now_ms += hours * 3_600_000;
                world.at(now_ms);
            }
            Step::Fault(fault) => world.keeper.fail_next([fault]),
            Step::Crash => {
                world.crash().await;
                running.clear();
                for tenant in [ALICE, BOB] {
                    let balance = world.balance(tenant).await;
                    assert_eq!(balance.reserved.units(), 0, "a life before holds something");
                }
            }
        }
        world.audit(&[ALICE, BOB]).await;
        let books = world.ledger.books().await.unwrap();
        assert_eq!(
            (books.deposited.units(), books.withdrawn.units()),
            (outside.deposited, outside.withdrawn)
        );
    }
    // In the end everything that is left can be taken out, and no more.
    running.clear();
    for tenant in [ALICE, BOB] {
        world.ledger.flush().await.unwrap();
        world.ledger.set_plan(tenant, "none").await.unwrap();
        world.ledger.flush().await.unwrap();
        assert_eq!(world.balance(tenant).await.reserved.units(), 0, "something stays set aside");
        let left = world.balance(tenant).await.spendable.units();
        let more = world.withdraw(tenant, left + 1, &format!("more {tenant}").replace(' ', "-")).await;
        assert!(matches!(more, Err(LedgerError::Insufficient { .. })));
        if left > 0 {
            world.withdraw(tenant, left, &format!("all-{tenant}")).await.unwrap();
        }
    }
    let books = world.ledger.books().await.unwrap();
    assert_eq!(books.tenants.units() + books.reservations.units(), 0, "{books:?}");
    world.audit(&[ALICE, BOB]).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_books(steps in prop::collection::vec(step(), 1..50)) {
        Builder::new_current_thread().enable_time().build().unwrap().block_on(play(steps));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_spend_no_more_than_there_is() {
    let world = Arc::new(World::new().await);
    // Room for 100 invocations that use all that they may.
    world.deposit(ALICE, 2_000, "d").await;
    world.ledger.set_plan(ALICE, "payg").await.unwrap();
    let one = |number: u64| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let mut admitted = 0;
            for turn in 0..40 {
                match world.admit(ALICE, "f").await {
                    Ok(admission) => {
                        tokio::task::yield_now().await;
                        admission.settle(&used(10), false);
                        admitted += 1;
                    }
                    Err(NotAdmitted::Balance { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
                if turn % 10 == 0 {
                    // Those who move money at the same time find no gap.
                    drop(world.withdraw(ALICE, 10, &format!("w{number}-{turn}")).await);
                    world.ledger.flush().await.unwrap();
                }
            }
            admitted
        })
    };
    let mut admitted = 0u128;
    for task in (0..16).map(one).collect::<Vec<_>>() {
        admitted += task.await.unwrap();
    }
    world.ledger.flush().await.unwrap();
    let books = world.ledger.books().await.unwrap();
    let withdrawn = books.withdrawn.units();
    assert_eq!(world.money(ALICE).await.0, 2_000 - withdrawn - 20 * admitted);
    assert!(world.money(ALICE).await.0 < 20, "nothing was refused that there was room for: {books:?}");
    world.audit(&[ALICE]).await;
    let entries = world.entries(ALICE).await;
    let out = entries.iter().filter(|entry| entry.kind == EntryKind::Withdrawal).count() as u128;
    assert_eq!(out * 10, withdrawn);
}

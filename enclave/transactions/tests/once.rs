//! Transactions over crashes, reorganisations, nodes that lose and refuse, and keys that are used elsewhere, against a model: each is done
//! at most once, what is said of it at its end is what the chain has, and none is left standing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;
mod world;

use std::sync::Arc;
use std::time::Duration;

use keeper::{Fault, Keeper};
use proptest::prelude::*;
use r3e_proto::api::transactions::{Call, Kind, Outcome, Reason, Stage, Transaction};
use r3e_proto::api::wallets::{EvmAddress, Wei};
use r3e_transactions::limits::MAX_ENDED_BRIEF;
use r3e_transactions::{Asker, NotSigned, Submission, TransactionsError};
use tokio::runtime::Runtime;
use world::{ALICE, BUMP_AFTER_MS, CONFIRMATIONS, LIFE_MS, Living, World, submission};

#[derive(Debug, Clone)]
enum Step {
    Submit,
    Mine(u8),
    /// The last blocks are replaced; what was in them is forgotten, or waits again.
    Reorganise(usize, bool),
    Foreign,
    BaseFee(u128),
    Lose(usize),
    Refuse(&'static str),
    Deny {
        may_pass: bool,
    },
    /// The node forgets what waits.
    Forget,
    Cancel(prop::sample::Index),
    Pass(u64),
    Silence,
    Crash,
    /// Another process begins, while the one before goes on.
    Rival,
    Fault(Fault),
}

fn step() -> impl Strategy<Value = Step> {
    let faults = vec![Fault::LostBefore, Fault::LostAfter, Fault::Failed];
    let words = vec![
        "nonce too high",
        "txpool is full",
        "transaction underpriced",
        "insufficient funds",
        "intrinsic gas too low",
    ];
    prop_oneof![
        8 => Just(Step::Submit),
        5 => (1..4_u8).prop_map(Step::Mine),
        3 => (1..=CONFIRMATIONS, any::<bool>()).prop_map(|(depth, forgets)| Step::Reorganise(depth, forgets)),
        1 => Just(Step::Foreign),
        2 => (50..3_000_u128).prop_map(Step::BaseFee),
        2 => (1..4_usize).prop_map(Step::Lose),
        2 => prop::sample::select(words).prop_map(Step::Refuse),
        1 => any::<bool>().prop_map(|may_pass| Step::Deny { may_pass }),
        1 => Just(Step::Forget),
        2 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        3 => (0..2 * BUMP_AFTER_MS).prop_map(Step::Pass),
        1 => Just(Step::Silence),
        2 => Just(Step::Crash),
        1 => Just(Step::Rival),
        3 => prop::sample::select(faults).prop_map(Step::Fault),
    ]
}

/// What is said of a transaction that has ended is what the chain has.
fn is_true(shown: &Transaction, world: &World) {
    let effects = if shown.name.starts_with("gap-") {
        // The lane's own do nothing, and are known by what was signed.
        let mut hashes: Vec<_> = shown.attempts.iter().map(|attempt| attempt.hash).collect();
        hashes.retain(|hash| world.ledger().has(*hash));
        hashes
    } else {
        world.ledger().effects(&shown.name)
    };
    match shown.outcome.as_ref().unwrap() {
        Outcome::Included(inclusion) => assert_eq!(effects, [inclusion.hash], "{shown:?}"),
        Outcome::Displaced => {
            assert_eq!(effects, [], "{shown:?}");
            let nonce = shown.nonce.unwrap();
            assert!(world.ledger().is_foreign(nonce), "two of ours had one nonce: {shown:?}");
        }
        _ => assert_eq!(effects, [], "{shown:?}"),
    }
    for attempt in &shown.attempts {
        assert!(attempt.fees.tip.0 <= attempt.fees.max.0, "{shown:?}");
        let gas = if attempt.kind == Kind::Call { shown.call.gas_limit } else { 21_000 };
        assert!(attempt.fees.max.0 * u128::from(gas) <= shown.call.fee_limit.0, "{shown:?}");
    }
}

/// Whatever a node was ever given, the store knows of.
fn is_known(all: &[Transaction], world: &World) {
    let known = |hash| all.iter().any(|shown| shown.attempts.iter().any(|attempt| attempt.hash == hash));
    let ledger = world.ledger();
    let unknown: Vec<_> = ledger.given.iter().filter(|(hash, _)| !known(**hash)).collect();
    assert!(unknown.is_empty(), "{unknown:?} were given away before they were written down");
}

async fn all(living: &Living) -> Vec<Transaction> {
    let mut all = Vec::new();
    for name in living.transactions.names(ALICE, None, 1_000).unwrap() {
        all.push(living.shown(&name).await);
    }
    all
}

/// Lets the chain go on until everything has ended.
async fn ends(living: &Living, world: &World) -> Vec<Transaction> {
    for _ in 0..1_500 {
        let all = all(living).await;
        if all.iter().all(|shown| shown.stage == Stage::Ended) {
            return all;
        }
        world.pass(2_000);
        world.ledger().mine();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    panic!("something does not end: {:?}", all(living).await);
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(12)).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 8, ..ProptestConfig::default() })]
    #[test]
    fn each_is_done_at_most_once_and_said_to_be_what_it_is(steps in prop::collection::vec(step(), 8..40)) {
        let (keeper, world) = (Keeper::new(), World::new());
        let mut runtime = Runtime::new().unwrap();
        let mut living = runtime.block_on(Living::begin(&keeper, &world));
        let (mut rivals, mut made) = (Vec::new(), Vec::new());
        for step in &steps {
            match step {
                Step::Submit => {
                    let id = format!("t{}", made.len());
                    let asked = submission(&id, &world);
                    made.push(asked.clone());
                    // Where it is not known, it is asked again at the end.
                    drop(runtime.block_on(living.transactions.submit(ALICE, asked)));
                }
                Step::Mine(blocks) => (0..*blocks).for_each(|_| world.ledger().mine()),
                Step::Reorganise(depth, forgets) => world.ledger().reorganise(*depth, *forgets),
                Step::Foreign => world.ledger().foreign(),
                Step::BaseFee(base_fee) => world.ledger().base_fee = *base_fee,
                Step::Lose(sent) => world.ledger().lost = *sent,
                Step::Refuse(words) => world.ledger().refuses.push(words),
                Step::Deny { may_pass } => world.denials.lock().unwrap().push(NotSigned {
                    code: "fee_over_limit".to_owned(),
                    message: "no".to_owned(),
                    may_pass: *may_pass,
                }),
                Step::Forget => world.ledger().pool.clear(),
                Step::Cancel(which) => if !made.is_empty() {
                    let id = &which.get(&made).id;
                    drop(runtime.block_on(living.transactions.cancel(ALICE, id)));
                }
                Step::Pass(ms) => world.pass(*ms),
                Step::Silence => {
                    let is_silent = !world.ledger().is_silent;
                    world.ledger().is_silent = is_silent;
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
            }
            runtime.block_on(a_moment());
        }
        rivals.clear();
        drop(living);
        let (living, all) = runtime.block_on(async {
            a_moment().await;
            let living = Living::begin(&keeper, &world).await;
            {
                let mut ledger = world.ledger();
                (ledger.is_silent, ledger.base_fee) = (false, 100);
                ledger.refuses.clear();
            }
            for asked in made {
                loop {
                    match living.transactions.submit(ALICE, asked.clone()).await {
                        Err(TransactionsError::Store(_)) => a_moment().await,
                        // What was never written down may be too late by now.
                        Ok(_) | Err(TransactionsError::Invalid(_)) => break,
                        Err(error) => panic!("{error}"),
                    }
                }
            }
            let all = ends(&living, &world).await;
            (living, all)
        });
        for shown in &all {
            is_true(shown, &world);
        }
        is_known(&all, &world);
        drop(living);
        drop(runtime);
    }
}

/// A world in which nothing goes wrong, and a transaction in it.
async fn begun() -> (Arc<Keeper>, Arc<World>, Living) {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = Living::begin(&keeper, &world).await;
    living.transactions.submit(ALICE, submission("t", &world)).await.unwrap();
    (keeper, world, living)
}

/// The same of one that may not be there yet.
async fn until_there(living: &Living, id: &str, holds: impl Fn(&Transaction) -> bool) {
    for _ in 0..2_000 {
        if living.transactions.show(ALICE, id).await.is_ok_and(|shown| holds(&shown)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not come to pass: {:?}", living.transactions.show(ALICE, id).await);
}

async fn until(living: &Living, id: &str, holds: impl Fn(&Transaction) -> bool) -> Transaction {
    for _ in 0..2_000 {
        let shown = living.shown(id).await;
        if holds(&shown) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not come to pass: {:?}", living.shown(id).await);
}

fn is_pooled(world: &World, kind: Kind) -> bool {
    let expected: &[u8] = if kind == Kind::Call { b"t" } else { b"" };
    world.ledger().pool.get(&0).is_some_and(|signed| signed.transaction.data.0 == expected)
}

/// A unit of gas costs so much from here on, and nobody works by what it cost before.
async fn costs(world: &World, base_fee: u128) {
    world.ledger().base_fee = base_fee;
    let before = world.ledger().views;
    for _ in 0..2_000 {
        // The first of them may have begun before, and what is done by it ends before the second.
        if world.ledger().views >= before + 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("nobody looks");
}

async fn until_pooled(world: &World, kind: Kind) {
    for _ in 0..2_000 {
        if is_pooled(world, kind) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the node is not given it");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_when_it_is_final_and_not_before() {
    let (_keeper, world, living) = begun().await;
    until_pooled(&world, Kind::Call).await;
    for _ in 0..=CONFIRMATIONS {
        assert_ne!(living.shown("t").await.stage, Stage::Ended);
        world.ledger().mine();
        a_moment().await;
    }
    let shown = until(&living, "t", |shown| shown.stage == Stage::Ended).await;
    assert!(matches!(shown.outcome, Some(Outcome::Included(_))), "{shown:?}");
    assert_eq!((shown.nonce, shown.attempts.len()), (Some(0), 1));
    // Its name means the same, for ever.
    let again =
        living.transactions.submit(ALICE, Submission { call: shown.call.clone(), ..submission("t", &world) });
    assert_eq!(again.await.unwrap().stage, Stage::Ended);
    let mut changed = submission("t", &world);
    changed.call.value = Wei(1);
    assert!(matches!(living.transactions.submit(ALICE, changed).await, Err(TransactionsError::Exists(_))));
    assert_eq!(world.ledger().effects("t").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_is_not_withdrawn() {
    let (_keeper, world, living) = begun().await;
    until_pooled(&world, Kind::Call).await;
    let shown = living.transactions.withdraw(ALICE, "t").await.unwrap();
    assert_eq!((shown.stage, shown.abandoned, shown.outcome), (Stage::Pending, None, None));
    // Nothing is signed for one whose limit the chain is over.
    world.ledger().base_fee = 1_000_000;
    living.transactions.submit(ALICE, submission("u", &world)).await.unwrap();
    until(&living, "u", |shown| shown.trouble.as_ref().is_some_and(|why| why.contains("fee_limit"))).await;
    let shown = living.transactions.withdraw(ALICE, "u").await.unwrap();
    assert_eq!(shown.outcome, Some(Outcome::Abandoned(Reason::Cancelled)));
    let again = living.transactions.withdraw(ALICE, "u").await.unwrap();
    assert_eq!(again.outcome, shown.outcome);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_brief_one_makes_way_for_the_next() {
    let (_keeper, world, living) = begun().await;
    let names: Vec<String> = (0..=MAX_ENDED_BRIEF).map(|number| format!("brief-{number}")).collect();
    for some in names.chunks(60) {
        for name in some {
            let brief = Submission { is_brief: true, ..submission(name, &world) };
            living.transactions.submit(ALICE, brief).await.unwrap();
        }
        for name in some {
            while living.shown(name).await.stage != Stage::Ended {
                world.ledger().mine();
                a_moment().await;
            }
            assert_eq!(world.ledger().effects(name).len(), 1);
        }
    }
    let gone = living.transactions.show(ALICE, &names[0]).await;
    assert!(matches!(gone, Err(TransactionsError::NotFound(_))), "{gone:?}");
    assert_eq!(living.shown(names.last().unwrap()).await.stage, Stage::Ended);
    assert_eq!(living.shown("t").await.stage, Stage::Ended, "one that is to be remembered is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_too_long_offers_more_up_to_its_limit() {
    let (_keeper, world, living) = begun().await;
    until_pooled(&world, Kind::Call).await;
    costs(&world, 800).await;
    let before = living.shown("t").await.attempts.len();
    world.pass(BUMP_AFTER_MS);
    let shown = until(&living, "t", |shown| shown.attempts.len() > before).await;
    let fees = |shown: &Transaction| -> Vec<u128> {
        shown.attempts.iter().map(|attempt| attempt.fees.max.0).collect()
    };
    assert_eq!(
        fees(&shown),
        [210, 1_610],
        "as much as the last block's gas asks for, and not a tenth more alone"
    );
    // Above what it may cost, less what giving it up may take, it stays where it is.
    costs(&world, 5_000).await;
    for _ in 0..4 {
        world.pass(BUMP_AFTER_MS);
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    assert_eq!(fees(&living.shown("t").await), [210, 1_610, 1_800]);
    // Its time is over: nothing takes its place, for the same money at the most and a fifth of the gas.
    world.pass(LIFE_MS);
    until_pooled(&world, Kind::Noop).await;
    (0..=CONFIRMATIONS).for_each(|_| world.ledger().mine());
    let shown = until(&living, "t", |shown| shown.stage == Stage::Ended).await;
    assert_eq!(shown.outcome, Some(Outcome::Abandoned(Reason::Expired)));
    assert_eq!(world.ledger().effects("t"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_reorganised_away_is_sent_again() {
    let (_keeper, world, living) = begun().await;
    until_pooled(&world, Kind::Call).await;
    (0..CONFIRMATIONS).for_each(|_| world.ledger().mine());
    let shown = until(&living, "t", |shown| shown.stage == Stage::Included).await;
    world.ledger().reorganise(CONFIRMATIONS, true);
    until(&living, "t", |shown| shown.stage == Stage::Pending).await;
    until_pooled(&world, Kind::Call).await;
    (0..=CONFIRMATIONS).for_each(|_| world.ledger().mine());
    let ended = until(&living, "t", |shown| shown.stage == Stage::Ended).await;
    assert_eq!(ended.attempts, shown.attempts, "the same bytes");
    assert_eq!(world.ledger().effects("t").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_was_taken_elsewhere_ends_it_undone() {
    let (_keeper, world, living) = begun().await;
    until_pooled(&world, Kind::Call).await;
    world.ledger().foreign();
    (0..CONFIRMATIONS).for_each(|_| world.ledger().mine());
    let shown = until(&living, "t", |shown| shown.stage == Stage::Ended).await;
    assert_eq!(shown.outcome, Some(Outcome::Displaced));
    // The next one goes on behind it.
    living.transactions.submit(ALICE, submission("u", &world)).await.unwrap();
    assert_eq!(until(&living, "u", |shown| shown.nonce.is_some()).await.nonce, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nonce_that_may_yet_come_back_ends_nothing() {
    let (_keeper, world, living) = begun().await;
    until_pooled(&world, Kind::Call).await;
    world.ledger().foreign();
    (1..CONFIRMATIONS).for_each(|_| world.ledger().mine());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(living.shown("t").await.stage, Stage::Pending);
    // What took it is gone with its block, and forgotten.
    world.ledger().reorganise(CONFIRMATIONS, true);
    world.pass(BUMP_AFTER_MS);
    until_pooled(&world, Kind::Call).await;
    (0..=CONFIRMATIONS).for_each(|_| world.ledger().mine());
    let shown = until(&living, "t", |shown| shown.stage == Stage::Ended).await;
    assert!(matches!(shown.outcome, Some(Outcome::Included(_))), "{shown:?}");
    is_true(&shown, &world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_below_what_is_out_is_filled() {
    let (keeper, world) = (Keeper::new(), World::new());
    world.ledger().foreign();
    let living = Living::begin(&keeper, &world).await;
    // As many as are out at a time, above what was signed elsewhere.
    for number in 0..16 {
        living.transactions.submit(ALICE, submission(&format!("g{number}"), &world)).await.unwrap();
    }
    until(&living, "g15", |shown| shown.nonce == Some(16)).await;
    // And that is gone, and forgotten.
    world.ledger().reorganise(1, true);
    for shown in ends(&living, &world).await {
        assert!(matches!(shown.outcome, Some(Outcome::Included(_))), "{shown:?}");
        is_true(&shown, &world);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_through_later_is_gone_on_with() {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = Living::begin(&keeper, &world).await;
    keeper.fail_next([Fault::LostAfter]);
    // Whoever asked is not told, and asks again.
    let _unknown = living.transactions.submit(ALICE, submission("t", &world)).await;
    living.transactions.submit(ALICE, submission("t", &world)).await.unwrap();
    until_pooled(&world, Kind::Call).await;
    // One whose asker left while its commit was under way: on a busy machine, it takes a while to get there.
    for patience_ms in [50, 500, 5_000] {
        let gate = keeper.gate.write().await;
        let asked = living.transactions.submit(ALICE, submission("u", &world));
        drop(tokio::time::timeout(Duration::from_millis(patience_ms), asked).await);
        drop(gate);
        tokio::time::sleep(Duration::from_secs(1)).await;
        if living.transactions.show(ALICE, "u").await.is_ok() {
            break;
        }
    }
    until_there(&living, "u", |shown| shown.nonce == Some(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_no_nonce_drives_out_nothing_that_was_done() {
    let (_keeper, world, living) = begun().await;
    until_pooled(&world, Kind::Call).await;
    (0..=CONFIRMATIONS).for_each(|_| world.ledger().mine());
    until(&living, "t", |shown| shown.stage == Stage::Ended).await;
    for number in 0..100 {
        let denied =
            NotSigned { code: "recipient_not_allowed".into(), message: "no".into(), may_pass: false };
        world.denials.lock().unwrap().push(denied);
        let id = format!("r{number}");
        living.transactions.submit(ALICE, submission(&id, &world)).await.unwrap();
        until(&living, &id, |shown| shown.stage == Stage::Ended).await;
    }
    assert!(matches!(living.shown("t").await.outcome, Some(Outcome::Included(_))));
    let names = living.transactions.names(ALICE, None, 1_000).unwrap();
    assert_eq!(names.len(), 1 + r3e_transactions::limits::MAX_ENDED_UNSIGNED);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_asked_for_in_vain_is_remembered_as_long_as_its_keys_hold() {
    let (_keeper, world, living) = begun().await;
    until_pooled(&world, Kind::Call).await;
    (0..=CONFIRMATIONS).for_each(|_| world.ledger().mine());
    until(&living, "t", |shown| shown.stage == Stage::Ended).await;
    let refuse = |words: &str| {
        let denied = NotSigned { code: words.into(), message: "no".into(), may_pass: false };
        world.denials.lock().unwrap().push(denied);
    };
    refuse("function_not_allowed");
    let asker = Asker::Function(format!("payer@{}", "aa".repeat(32)));
    let by_function = Submission { asker: asker.clone(), ..submission("x-1", &world) };
    living.transactions.submit(ALICE, by_function.clone()).await.unwrap();
    until(&living, "x-1", |shown| shown.stage == Stage::Ended).await;
    for number in 0..=r3e_transactions::limits::MAX_ENDED_UNSIGNED {
        refuse("recipient_not_allowed");
        let id = format!("r{number}");
        living.transactions.submit(ALICE, submission(&id, &world)).await.unwrap();
        until(&living, &id, |shown| shown.stage == Stage::Ended).await;
    }
    let gone = living.transactions.show(ALICE, "r0").await;
    assert!(matches!(gone, Err(TransactionsError::NotFound(_))), "{gone:?}");
    // Asked for again, it is what it was, though it would be signed now.
    let again = living.transactions.submit(ALICE, by_function).await.unwrap();
    assert!(matches!(again.outcome, Some(Outcome::Refused { .. })), "{again:?}");
    assert_eq!(again.function, Some(format!("payer@{}", "aa".repeat(32))));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_fills_the_appliance_with_what_is_never_sent() {
    let (keeper, world) = (Keeper::new(), World::new());
    world.ledger().is_silent = true;
    let living = Living::begin(&keeper, &world).await;
    for account in 0.. {
        // From an account of its own each.
        let mut asked = submission(&format!("t{account}"), &world);
        asked.account = EvmAddress([account; 20]);
        asked.call.data.0 = vec![0; 50_000];
        let taken = living.transactions.submit(ALICE, asked).await;
        if let Err(refused) = taken {
            assert!(matches!(refused, TransactionsError::TooMany { .. }), "{refused}");
            assert_eq!(account, 83, "some 4 MiB");
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn those_of_one_account_have_one_nonce_each() {
    let (_keeper, world, living) = begun().await;
    for number in 0..6 {
        let asked = submission(&format!("n{number}"), &world);
        living.transactions.submit(ALICE, asked).await.unwrap();
    }
    let last = until(&living, "n5", |shown| shown.nonce.is_some()).await;
    assert_eq!(last.nonce, Some(6));
    for shown in ends(&living, &world).await {
        assert!(matches!(shown.outcome, Some(Outcome::Included(_))), "{shown:?}");
        is_true(&shown, &world);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gate_refuses_takes_no_nonce() {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = Living::begin(&keeper, &world).await;
    let denied = NotSigned { code: "recipient_not_allowed".into(), message: "no".into(), may_pass: false };
    world.denials.lock().unwrap().push(denied);
    living.transactions.submit(ALICE, submission("t", &world)).await.unwrap();
    let shown = until(&living, "t", |shown| shown.stage == Stage::Ended).await;
    assert!(
        matches!(&shown.outcome, Some(Outcome::Refused { code, .. }) if code == "recipient_not_allowed"),
        "{shown:?}"
    );
    living.transactions.submit(ALICE, submission("u", &world)).await.unwrap();
    assert_eq!(until(&living, "u", |shown| shown.nonce.is_some()).await.nonce, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_node_takes_gives_its_nonce_back_by_doing_nothing() {
    let (keeper, world) = (Keeper::new(), World::new());
    world.ledger().refuses.push("intrinsic gas too low");
    let living = Living::begin(&keeper, &world).await;
    living.transactions.submit(ALICE, submission("t", &world)).await.unwrap();
    until_pooled(&world, Kind::Noop).await;
    (0..=CONFIRMATIONS).for_each(|_| world.ledger().mine());
    let shown = until(&living, "t", |shown| shown.stage == Stage::Ended).await;
    assert!(matches!(shown.outcome, Some(Outcome::Abandoned(Reason::NotTaken(_)))), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_submissions_are_refused_and_leave_nothing() {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = Living::begin(&keeper, &world).await;
    let mut wrong =
        vec![submission("", &world), submission(&"x".repeat(65), &world), submission("a/b", &world)];
    let with = |change: fn(&mut Call)| {
        let mut asked = submission("t", &world);
        change(&mut asked.call);
        asked
    };
    wrong.push(with(|call| call.gas_limit = 20_999));
    wrong.push(with(|call| call.gas_limit = u64::MAX));
    wrong.push(with(|call| call.fee_limit = Wei(1)));
    wrong.push(with(|call| call.data.0 = vec![0; 50_001]));
    wrong.push(with(|call| (call.to, call.data.0) = (None, Vec::new())));
    wrong.push(Submission { deadline_ms: 0, ..submission("t", &world) });
    wrong.push(Submission { deadline_ms: u64::MAX, ..submission("t", &world) });
    for asked in wrong {
        let refused = living.transactions.submit(ALICE, asked).await;
        assert!(matches!(refused, Err(TransactionsError::Invalid(_))), "{refused:?}");
    }
    let elsewhere = Submission { chain_id: 1, ..submission("t", &world) };
    assert!(matches!(living.transactions.submit(ALICE, elsewhere).await, Err(TransactionsError::NoChain(1))));
    assert!(matches!(living.transactions.cancel(ALICE, "t").await, Err(TransactionsError::NotFound(_))));
    assert_eq!(living.transactions.names(ALICE, None, 10).unwrap(), [""; 0]);
    assert!(world.ledger().given.is_empty());
}

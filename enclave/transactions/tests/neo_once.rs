//! Transactions on Neo N3 over crashes, nodes that lose, refuse and say nothing, and two lives at a time, against a model: each is done at most
//! once, what is said of it at its end is what the chain has, and none is left standing.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails, and says where")]

#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use keeper::{Fault, Keeper};
use proptest::prelude::*;
use r3e_neo::{Hash160, Hash256};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::neo_transactions::{NeoCall, NeoInclusion, SentNeoTransaction};
use r3e_proto::api::transactions::{Outcome, Reason, Stage};
use r3e_proto::api::wallets::{
    Hash32, HexBytes, NeoAccount, NeoArgument, NeoScope, NeoTransaction, Payload, Wei, keccak256,
};
use r3e_proto::wallet::neo_account;
use r3e_store::Store;
use r3e_transactions::limits::{PRICED_AT_ONCE, REFUSED_FOR};
use r3e_transactions::{
    Asker, BoxFuture, By, Chains, Found, NeoChain, NeoSubmission, NeoTransactions, NotSigned, Pace, Ran,
    Signer, TransactionsError, TransactionsParts,
};
use tokio::runtime::Runtime;

const ALICE: TenantId = TenantId([1; 16]);
const MAGIC: u32 = 42;
const KEY: [u8; 33] = [2; 33];
const LIFE_MS: u64 = 120_000;
const FEE_LIMIT: u128 = 1_000_000;

/// The chain and its node.
struct Ledger {
    /// Of each block, what it has: the hashes, and which of them failed.
    blocks: Vec<Vec<(Hash256, bool)>>,
    pool: BTreeMap<Hash256, NeoTransaction>,
    /// All that was ever given to the node.
    given: BTreeMap<Hash256, NeoTransaction>,
    /// So many are lost on their way.
    lost: usize,
    /// What running one takes.
    gas: u64,
    /// What the account has.
    balance: u128,
    is_silent: bool,
    contract: Contract,
    /// How often it was tried.
    trials: u64,
    /// What blocks have from here on, fails.
    fails: bool,
}

/// What a contract makes of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Contract {
    Does,
    GivesFalse,
    Refuses,
}

impl Ledger {
    fn height(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }

    fn mine(&mut self) {
        let (next, fails) = (self.height() + 1, self.fails);
        let pool = std::mem::take(&mut self.pool);
        let may = |of: &NeoTransaction| u64::from(of.valid_until_block) >= next;
        self.blocks.push(pool.iter().filter(|(_, it)| may(it)).map(|(hash, _)| (*hash, fails)).collect());
    }

    fn find(&self, hash: Hash256) -> Option<NeoInclusion> {
        let of = |(height, block): (usize, &Vec<(Hash256, bool)>)| {
            let (_, fails) = block.iter().find(|(there, _)| *there == hash)?;
            Some(NeoInclusion { height: height as u64, succeeded: !fails })
        };
        self.blocks.iter().enumerate().find_map(of)
    }

    /// What blocks have of what a transaction of this name does.
    fn effects(&self, id: &str) -> Vec<Hash256> {
        let all = self.blocks.iter().flatten().map(|(hash, _)| *hash);
        all.filter(|hash| self.given[hash].arguments == [NeoArgument::Text(id.to_owned())]).collect()
    }
}

/// All the world outside.
struct World {
    now_ms: AtomicU64,
    ledger: Mutex<Ledger>,
    denials: Mutex<Vec<NotSigned>>,
}

impl World {
    fn new() -> Arc<Self> {
        let ledger = Ledger {
            blocks: vec![Vec::new()],
            pool: BTreeMap::new(),
            given: BTreeMap::new(),
            lost: 0,
            gas: 1_000,
            balance: 10 * FEE_LIMIT,
            is_silent: false,
            contract: Contract::Does,
            trials: 0,
            fails: false,
        };
        let now_ms = AtomicU64::new(1_700_000_000_000);
        Arc::new(Self { now_ms, ledger: Mutex::new(ledger), denials: Mutex::default() })
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    fn now(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

fn signed(transaction: &NeoTransaction) -> (Hash256, HexBytes) {
    let bytes = serde_json::to_vec(transaction).unwrap();
    (Hash256(keccak256(&[&bytes])), HexBytes(bytes))
}

/// The one network.
struct Node(Arc<World>);

impl Node {
    /// What the node says, if it says anything.
    async fn says<T>(&self, with: impl FnOnce(&mut Ledger) -> T) -> Result<T, String> {
        tokio::task::yield_now().await;
        let mut ledger = self.0.ledger();
        if ledger.is_silent { Err("silence".to_owned()) } else { Ok(with(&mut ledger)) }
    }
}

impl Chains<dyn NeoChain> for Node {
    fn chain(&self, magic: u64) -> Option<Arc<dyn NeoChain>> {
        (magic == u64::from(MAGIC)).then(|| Arc::new(Self(Arc::clone(&self.0))) as Arc<dyn NeoChain>)
    }
}

impl NeoChain for Node {
    fn pause(&self) -> Duration {
        Duration::from_millis(4)
    }

    fn pace(&self) -> BoxFuture<'_, Result<Pace, String>> {
        let block_time = Duration::from_secs(15);
        Box::pin(self.says(move |ledger| Pace { height: ledger.height(), block_time, max_blocks: 5_760 }))
    }

    fn trial<'a>(
        &'a self,
        _: &'a [u8],
        payer: NeoAccount,
        _: NeoScope,
    ) -> BoxFuture<'a, Result<Ran, String>> {
        assert_eq!(payer, NeoAccount(neo_account(&KEY)));
        Box::pin(self.says(|ledger| {
            ledger.trials += 1;
            Ran {
                gas_consumed: ledger.gas,
                refusal: (ledger.contract == Contract::Refuses).then(|| "its contract refuses it".to_owned()),
                gives_false: ledger.contract == Contract::GivesFalse,
            }
        }))
    }

    fn network_fee<'a>(&'a self, _: &'a [u8]) -> BoxFuture<'a, Result<u64, String>> {
        Box::pin(self.says(|_| 100))
    }

    fn gas_of(&self, _: NeoAccount) -> BoxFuture<'_, Result<u128, String>> {
        Box::pin(self.says(|ledger| ledger.balance))
    }

    fn find(&self, hash: Hash256, last_block: u32) -> BoxFuture<'_, Result<Found, String>> {
        Box::pin(self.says(move |ledger| Found {
            hash,
            inclusion: ledger.find(hash),
            is_beyond: ledger.height() > last_block.into(),
        }))
    }

    fn send<'a>(&'a self, bytes: &'a HexBytes) -> BoxFuture<'a, Option<String>> {
        let transaction: NeoTransaction = serde_json::from_slice(&bytes.0).unwrap();
        Box::pin(async move {
            let taken = self.says(|ledger| {
                let (hash, _) = signed(&transaction);
                ledger.given.insert(hash, transaction.clone());
                if ledger.lost > 0 {
                    ledger.lost -= 1;
                } else if u64::from(transaction.valid_until_block) <= ledger.height() {
                    return Err("its last block is over".to_owned());
                } else if ledger.find(hash).is_none() {
                    ledger.pool.insert(hash, transaction.clone());
                }
                Ok(())
            });
            taken.await.and_then(|taken| taken).err()
        })
    }
}

impl Signer for World {
    fn sign<'a>(
        &'a self,
        tenant: TenantId,
        by: By<'a>,
        account: String,
        payload: Payload,
    ) -> BoxFuture<'a, Result<(Hash32, HexBytes), NotSigned>> {
        assert_eq!((tenant, by.wallet, account), (ALICE, "w", NeoAccount(neo_account(&KEY)).to_string()));
        let Payload::NeoTransaction(transaction) = payload else { panic!("something else is to be signed") };
        assert!(transaction.fee() <= Wei(FEE_LIMIT), "{transaction:?}");
        Box::pin(async move {
            tokio::task::yield_now().await;
            if let Some(denied) = self.denials.lock().unwrap().pop() {
                return Err(denied);
            }
            let (mut hash, bytes) = signed(&transaction);
            hash.0.reverse();
            Ok((Hash32(hash.0), bytes))
        })
    }
}

/// One life of the appliance.
async fn begin(keeper: &Arc<Keeper>, world: &Arc<World>) -> NeoTransactions {
    loop {
        let Ok(store) = Store::open(keeper.clone(), keeper::keys(1), keeper::busy()).await else { continue };
        let clock = Arc::clone(world);
        let parts = TransactionsParts {
            store,
            now_ms: Arc::new(move || clock.now()),
            chains: Arc::new(Node(Arc::clone(world))) as Arc<dyn Chains<dyn NeoChain>>,
            signer: Arc::clone(world) as Arc<dyn Signer>,
        };
        if let Ok(transactions) = NeoTransactions::start(parts) {
            return transactions;
        }
    }
}

/// A call that is known by its name again.
fn submission(id: &str, world: &World) -> NeoSubmission {
    NeoSubmission {
        id: id.to_owned(),
        wallet: "w".to_owned(),
        asker: Asker::Tenant,
        public_key: KEY,
        magic: MAGIC,
        call: NeoCall {
            contract: Hash160([8; 20]),
            method: "pay".to_owned(),
            arguments: vec![NeoArgument::Text(id.to_owned())],
            scope: NeoScope::CalledByEntry,
            fee_limit: Wei(FEE_LIMIT),
        },
        deadline_ms: world.now() + LIFE_MS,
    }
}

#[derive(Debug, Clone)]
enum Step {
    Submit,
    Mine(u8),
    Lose(usize),
    /// The contract refuses, or does no more.
    Contract(Contract),
    Fail(bool),
    Gas(u64),
    Balance(u128),
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
    prop_oneof![
        8 => Just(Step::Submit),
        5 => (1..6_u8).prop_map(Step::Mine),
        2 => (1..4_usize).prop_map(Step::Lose),
        2 => prop::sample::select(vec![Contract::Does, Contract::Refuses]).prop_map(Step::Contract),
        1 => any::<bool>().prop_map(Step::Fail),
        1 => (100..2_000_000_u64).prop_map(Step::Gas),
        1 => (0..2 * FEE_LIMIT).prop_map(Step::Balance),
        1 => any::<bool>().prop_map(|may_pass| Step::Deny { may_pass }),
        1 => Just(Step::Forget),
        2 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        3 => (0..40_000_u64).prop_map(Step::Pass),
        1 => Just(Step::Silence),
        2 => Just(Step::Crash),
        1 => Just(Step::Rival),
        3 => prop::sample::select(faults).prop_map(Step::Fault),
    ]
}

/// What is said of a transaction that has ended is what the chain has.
fn is_true(shown: &SentNeoTransaction, world: &World) {
    let effects = world.ledger().effects(&shown.name);
    match shown.outcome.as_ref().unwrap() {
        Outcome::Included(inclusion) => {
            let hash = shown.signed.as_ref().unwrap().hash;
            assert_eq!(effects, [hash], "{shown:?}");
            assert_eq!(world.ledger().find(hash), Some(*inclusion), "{shown:?}");
        }
        _ => assert_eq!(effects, [], "{shown:?}"),
    }
}

/// Whatever a node was ever given, the store knows of.
fn is_known(all: &[SentNeoTransaction], world: &World) {
    let known =
        |hash| all.iter().any(|shown| shown.signed.as_ref().is_some_and(|signed| signed.hash == hash));
    let ledger = world.ledger();
    let unknown: Vec<_> = ledger.given.iter().filter(|(hash, _)| !known(**hash)).collect();
    assert!(unknown.is_empty(), "{unknown:?} were given away before they were written down");
}

/// Lets the chain go on until everything has ended.
async fn ends(living: &NeoTransactions, world: &World) -> Vec<SentNeoTransaction> {
    for _ in 0..1_500 {
        let mut all = Vec::new();
        for name in living.names(ALICE, None, 1_000).unwrap() {
            all.push(living.show(ALICE, &name).await.unwrap());
        }
        if all.iter().all(|shown| shown.stage == Stage::Ended) {
            return all;
        }
        world.pass(2_000);
        world.ledger().mine();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    panic!("something does not end");
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(12)).await;
}

/// Asks for it until it is known whether it is there.
async fn asked(living: &NeoTransactions, asked: &NeoSubmission) {
    loop {
        match living.submit(ALICE, asked.clone()).await {
            Err(TransactionsError::Store(_)) => a_moment().await,
            // What was never written down may be too late by now.
            Ok(_) | Err(TransactionsError::Invalid(_)) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

fn turn(world: &World, step: &Step) {
    let mut ledger = world.ledger();
    match step {
        Step::Mine(blocks) => (0..*blocks).for_each(|_| ledger.mine()),
        Step::Lose(sent) => ledger.lost = *sent,
        Step::Contract(contract) => ledger.contract = *contract,
        Step::Fail(fails) => ledger.fails = *fails,
        Step::Gas(gas) => ledger.gas = *gas,
        Step::Balance(balance) => ledger.balance = *balance,
        Step::Deny { may_pass } => world.denials.lock().unwrap().push(NotSigned {
            code: "fee_over_limit".to_owned(),
            message: "no".to_owned(),
            may_pass: *may_pass,
        }),
        Step::Forget => ledger.pool.clear(),
        Step::Pass(ms) => world.pass(*ms),
        Step::Silence => ledger.is_silent = !ledger.is_silent,
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 8, ..ProptestConfig::default() })]
    #[test]
    fn each_is_done_at_most_once_and_said_to_be_what_it_is(steps in prop::collection::vec(step(), 8..40)) {
        let (keeper, world) = (Keeper::new(), World::new());
        let mut runtime = Runtime::new().unwrap();
        let mut living = runtime.block_on(begin(&keeper, &world));
        let (mut rivals, mut made) = (Vec::new(), Vec::new());
        for step in &steps {
            match step {
                Step::Submit => {
                    let submission = submission(&format!("t{}", made.len()), &world);
                    made.push(submission.clone());
                    // Where it is not known, it is asked again at the end.
                    drop(runtime.block_on(living.submit(ALICE, submission)));
                }
                Step::Cancel(which) => if !made.is_empty() {
                    let id = &which.get(&made).id;
                    drop(runtime.block_on(living.cancel(ALICE, id)));
                }
                Step::Crash => {
                    rivals.clear();
                    drop(living);
                    drop(runtime);
                    runtime = Runtime::new().unwrap();
                    living = runtime.block_on(begin(&keeper, &world));
                }
                Step::Rival => {
                    let next = runtime.block_on(begin(&keeper, &world));
                    rivals.push(std::mem::replace(&mut living, next));
                }
                Step::Fault(fault) => keeper.fail_next([*fault]),
                outside => turn(&world, outside),
            }
            runtime.block_on(a_moment());
        }
        rivals.clear();
        drop(living);
        let (living, all) = runtime.block_on(async {
            a_moment().await;
            let living = begin(&keeper, &world).await;
            {
                let mut ledger = world.ledger();
                (ledger.is_silent, ledger.contract, ledger.gas, ledger.balance) = (false, Contract::Does, 1_000, 10 * FEE_LIMIT);
            }
            for submission in &made {
                asked(&living, submission).await;
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
async fn begun() -> (Arc<Keeper>, Arc<World>, NeoTransactions) {
    let (keeper, world) = (Keeper::new(), World::new());
    let living = begin(&keeper, &world).await;
    (keeper, world, living)
}

async fn until(
    living: &NeoTransactions,
    id: &str,
    holds: impl Fn(&SentNeoTransaction) -> bool,
) -> SentNeoTransaction {
    for _ in 0..2_000 {
        let shown = living.show(ALICE, id).await.unwrap();
        if holds(&shown) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it does not come to pass: {:?}", living.show(ALICE, id).await);
}

#[tokio::test]
async fn it_is_signed_once_for_what_it_costs_and_ends_in_its_block() {
    let (_keeper, world, living) = begun().await;
    living.submit(ALICE, submission("t", &world)).await.unwrap();
    let pending = until(&living, "t", |it| it.stage == Stage::Pending).await;
    let signed = pending.signed.unwrap();
    // A thousandth more than running it took, and eight blocks of a quarter of a minute.
    assert_eq!((signed.system_fee, signed.network_fee, signed.valid_until_block), (Wei(1_001), Wei(100), 8));
    world.ledger().mine();
    let ended = until(&living, "t", |it| it.stage == Stage::Ended).await;
    let inclusion = NeoInclusion { height: 1, succeeded: true };
    assert_eq!(ended.outcome, Some(Outcome::Included(inclusion)));
    // Asked for again, it is the one that there is; the name means nothing else.
    assert_eq!(living.submit(ALICE, submission("t", &world)).await.unwrap(), ended);
    let mut other = submission("t", &world);
    other.call.method = "take".to_owned();
    assert!(matches!(living.submit(ALICE, other).await, Err(TransactionsError::Exists(_))));
    assert_eq!(world.ledger().given.len(), 1);
}

#[tokio::test]
async fn what_nodes_lose_is_given_to_them_again_and_never_signed_anew() {
    let (keeper, world, living) = begun().await;
    world.ledger().lost = usize::MAX;
    living.submit(ALICE, submission("t", &world)).await.unwrap();
    until(&living, "t", |it| it.stage == Stage::Pending).await;
    drop(living);
    // What is signed has its price, whatever the same would cost by now.
    (world.ledger().lost, world.ledger().gas) = (0, 5_000);
    let living = begin(&keeper, &world).await;
    for _ in 0..2_000 {
        if !world.ledger().pool.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.ledger().mine();
    let ended = until(&living, "t", |it| it.stage == Stage::Ended).await;
    assert!(matches!(ended.outcome, Some(Outcome::Included(_))), "{ended:?}");
    assert_eq!(world.ledger().given.len(), 1, "one thing was ever signed");
}

#[tokio::test]
async fn what_no_block_had_in_its_time_is_over_and_not_before() {
    let (_keeper, world, living) = begun().await;
    world.ledger().lost = usize::MAX;
    living.submit(ALICE, submission("t", &world)).await.unwrap();
    let last = until(&living, "t", |it| it.signed.is_some()).await.signed.unwrap().valid_until_block;
    living.cancel(ALICE, "t").await.unwrap();
    world.pass(2 * LIFE_MS);
    while world.ledger().height() < last.into() {
        world.ledger().mine();
    }
    // The last block that may have it is there; whether all nodes have that, is not known yet.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let shown = living.show(ALICE, "t").await.unwrap();
    assert_eq!((shown.stage, shown.abandoned), (Stage::Pending, Some(Reason::Cancelled)));
    world.ledger().mine();
    let ended = until(&living, "t", |it| it.stage == Stage::Ended).await;
    assert_eq!(ended.outcome, Some(Outcome::Abandoned(Reason::Cancelled)));
}

#[tokio::test]
async fn what_its_contract_refuses_for_a_minute_is_given_up_unsigned() {
    let (_keeper, world, living) = begun().await;
    world.ledger().contract = Contract::Refuses;
    living.submit(ALICE, submission("t", &world)).await.unwrap();
    until(&living, "t", |it| it.trouble.is_some()).await;
    // What is not refused the whole time goes on.
    living.submit(ALICE, submission("u", &world)).await.unwrap();
    until(&living, "u", |it| it.trouble.is_some()).await;
    living.cancel(ALICE, "t").await.unwrap();
    world.pass(u64::try_from(REFUSED_FOR.as_millis()).unwrap());
    let ended = until(&living, "u", |it| it.stage == Stage::Ended).await;
    let Some(Outcome::Abandoned(Reason::Reverts(why))) = ended.outcome else { panic!("{ended:?}") };
    assert!(why.contains("refuses"), "{why}");
    let cancelled = living.show(ALICE, "t").await.unwrap();
    assert_eq!(cancelled.outcome, Some(Outcome::Abandoned(Reason::Cancelled)));
    assert!(world.ledger().given.is_empty());
}

#[tokio::test]
async fn it_waits_for_its_price_and_for_its_money() {
    let (_keeper, world, living) = begun().await;
    (world.ledger().gas, world.ledger().balance) = (2_000_000, 0);
    living.submit(ALICE, submission("t", &world)).await.unwrap();
    let says = |word: &'static str| {
        move |it: &SentNeoTransaction| it.trouble.as_ref().is_some_and(|why| why.contains(word))
    };
    until(&living, "t", says("fee_limit")).await;
    world.ledger().gas = 1_000;
    until(&living, "t", says("has 0")).await;
    assert!(world.ledger().given.is_empty());
    world.ledger().balance = FEE_LIMIT;
    until(&living, "t", |it| it.stage == Stage::Pending).await;
}

#[tokio::test]
async fn what_an_account_has_is_not_spent_twice() {
    let (_keeper, world, living) = begun().await;
    // Enough for one of two.
    world.ledger().balance = 1_500;
    living.submit(ALICE, submission("t", &world)).await.unwrap();
    living.submit(ALICE, submission("u", &world)).await.unwrap();
    let mut all = Vec::new();
    for _ in 0..2_000 {
        all = vec![living.show(ALICE, "t").await.unwrap(), living.show(ALICE, "u").await.unwrap()];
        if all.iter().any(|it| it.signed.is_some()) && all.iter().any(|it| it.trouble.is_some()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let waits: Vec<_> = all.iter().filter(|it| it.signed.is_none()).collect();
    let [waits] = waits.as_slice() else { panic!("{all:?}") };
    assert!(waits.trouble.as_ref().unwrap().contains("beside what others of its take"), "{waits:?}");
    // What the first takes is gone with its block, and the other has what it takes by then.
    (world.ledger().balance, world.ledger().lost) = (1_500, 0);
    world.ledger().mine();
    for name in ["t", "u"] {
        until(&living, name, |it| it.signed.is_some()).await;
    }
}

#[tokio::test]
async fn what_cannot_be_signed_holds_up_nothing_else() {
    let (_keeper, world, living) = begun().await;
    for number in 0..2 * PRICED_AT_ONCE {
        let mut poor = submission(&format!("a{number:02}"), &world);
        poor.call.fee_limit = Wei(1);
        living.submit(ALICE, poor).await.unwrap();
    }
    living.submit(ALICE, submission("z", &world)).await.unwrap();
    until(&living, "z", |it| it.stage == Stage::Pending).await;
    assert_eq!(world.ledger().given.len(), 1);
}

#[tokio::test]
async fn a_method_that_gives_false_does_nothing_where_that_is_what_it_says() {
    let (_keeper, world, living) = begun().await;
    world.ledger().contract = Contract::GivesFalse;
    let mut transfer = submission("t", &world);
    transfer.call.method = "transfer".to_owned();
    living.submit(ALICE, transfer).await.unwrap();
    let waits = until(&living, "t", |it| it.trouble.is_some()).await;
    assert!(waits.trouble.unwrap().contains("does nothing"));
    living.submit(ALICE, submission("u", &world)).await.unwrap();
    until(&living, "u", |it| it.stage == Stage::Pending).await;
}

#[tokio::test]
async fn a_deadline_comes_whatever_nodes_say() {
    let (_keeper, world, living) = begun().await;
    world.ledger().is_silent = true;
    living.submit(ALICE, submission("t", &world)).await.unwrap();
    let held_up = until(&living, "t", |it| it.trouble.is_some()).await;
    assert_eq!((held_up.stage, held_up.trouble.as_deref()), (Stage::Waiting, Some("silence")));
    world.pass(LIFE_MS);
    let ended = until(&living, "t", |it| it.stage == Stage::Ended).await;
    assert_eq!(ended.outcome, Some(Outcome::Abandoned(Reason::Expired)));
    // One that is too near for a block is not signed either.
    world.ledger().is_silent = false;
    living
        .submit(ALICE, NeoSubmission { deadline_ms: world.now() + 60_000, ..submission("u", &world) })
        .await
        .unwrap();
    until(&living, "u", |it| it.signed.is_some()).await;
    world.ledger().contract = Contract::Refuses;
    let near = NeoSubmission { deadline_ms: world.now() + 60_000, ..submission("v", &world) };
    living.submit(ALICE, near).await.unwrap();
    until(&living, "v", |it| it.trouble.is_some()).await;
    world.pass(20_000);
    // The first of them may be of a look that began before.
    let before = world.ledger().trials;
    while world.ledger().trials < before + 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    world.ledger().contract = Contract::Does;
    until(&living, "v", |it| it.trouble.as_ref().is_some_and(|why| why.contains("too near"))).await;
    assert_eq!(world.ledger().given.len(), 1);
}

#[tokio::test]
async fn bad_submissions_are_refused_and_leave_nothing() {
    let (_keeper, world, living) = begun().await;
    let good = submission("t", &world);
    let call = |with: fn(&mut NeoCall)| {
        let mut call = good.call.clone();
        with(&mut call);
        NeoSubmission { call, ..good.clone() }
    };
    for (bad, word) in [
        (NeoSubmission { id: "a/b".into(), ..good.clone() }, "name"),
        (NeoSubmission { deadline_ms: world.now() + 59_999, ..good.clone() }, "deadline"),
        (NeoSubmission { deadline_ms: world.now() + 86_400_001, ..good.clone() }, "deadline"),
        (call(|it| it.fee_limit = Wei(0)), "fee_limit"),
        (call(|it| it.method = "m".repeat(65)), "method"),
        (call(|it| it.arguments = vec![NeoArgument::Null; 33]), "arguments"),
        (call(|it| it.arguments = vec![NeoArgument::Bytes(HexBytes(vec![0; 70_000]))]), "call"),
    ] {
        match living.submit(ALICE, bad).await {
            Err(TransactionsError::Invalid(why)) => assert!(why.contains(word), "{why}"),
            other => panic!("{word}: {other:?}"),
        }
    }
    let elsewhere = NeoSubmission { magic: 7, ..good };
    assert!(matches!(living.submit(ALICE, elsewhere).await, Err(TransactionsError::NoChain(7))));
    assert!(living.names(ALICE, None, 10).unwrap().is_empty());
}

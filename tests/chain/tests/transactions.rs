//! Transactions on anvil: from a call to a block that is final, through gas that becomes dearer, reorganisations and deadlines.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "../../../enclave/store/tests/keeper/mod.rs"]
mod keeper;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keeper::Keeper;
use r3e_chain::evm::{EvmAddress, Hash32, HexBytes, Wei};
use r3e_chain::rpc::Quorum;
use r3e_chain_under_test::{Account, Anvil, HttpNodes};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::{Call, Kind, Outcome, Reason, Stage, Transaction};
use r3e_proto::api::wallets::Payload;
use r3e_store::Store;
use r3e_transactions::{
    Asker, BoxFuture, By, Chain, Chains, EvmChain, NotSigned, Refusal, Rules, Signer, Submission,
    Transactions, TransactionsParts, refusal,
};
use serde_json::{Value, json};

const ALICE: TenantId = TenantId([1; 16]);
const RULES: Rules = Rules { confirmations: 3, bump_after_ms: 12_000 };
const PAUSE: Duration = Duration::from_millis(20);
const TO: EvmAddress = EvmAddress([8; 20]);

/// A chain of one node, and a key that signs everything.
struct World {
    anvil: Anvil,
    account: Account,
    /// What the appliance's clock is ahead.
    ahead_ms: AtomicU64,
    signed: Mutex<Vec<Hash32>>,
}

impl World {
    async fn start(chain: u64) -> Arc<Self> {
        let anvil = Anvil::start_as(chain).await.unwrap();
        let account = Account::number(0, chain).unwrap();
        Arc::new(Self { anvil, account, ahead_ms: AtomicU64::new(0), signed: Mutex::default() })
    }

    fn now_ms(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(now.as_millis()).unwrap() + self.ahead_ms.load(Ordering::SeqCst)
    }

    async fn ask(&self, method: &str, parameters: Value) -> Value {
        HttpNodes::new(&[self.anvil.port()]).ask(method, parameters).await.unwrap()
    }

    /// What the chain has sent to the recipient of all.
    async fn received(&self) -> Value {
        self.ask("eth_getBalance", json!([TO, "latest"])).await
    }

    async fn in_pool(&self, hash: Hash32) -> bool {
        self.ask("eth_getTransactionByHash", json!([hash])).await["blockNumber"].is_null()
            && !self.ask("eth_getTransactionByHash", json!([hash])).await.is_null()
    }
}

/// The world, as an appliance has it.
struct Outside(Arc<World>);

impl Chains<dyn Chain> for Outside {
    fn chain(&self, chain_id: u64) -> Option<Arc<dyn Chain>> {
        let nodes = Quorum::new(HttpNodes::new(&[self.0.anvil.port()]), 1, 1).unwrap();
        (chain_id == self.0.anvil.chain())
            .then(|| Arc::new(EvmChain::new(nodes, chain_id, RULES, PAUSE)) as Arc<dyn Chain>)
    }
}

impl Signer for Outside {
    fn sign<'a>(
        &'a self,
        _: TenantId,
        _: By<'a>,
        account: String,
        payload: Payload,
    ) -> BoxFuture<'a, Result<(Hash32, HexBytes), NotSigned>> {
        assert_eq!(account, self.0.account.address.to_string());
        let Payload::EvmTransaction(transaction) = payload else { panic!("something else is to be signed") };
        Box::pin(async move {
            let signed = self.0.account.sign(&transaction).unwrap();
            self.0.signed.lock().unwrap().push(signed.0);
            Ok(signed)
        })
    }
}

async fn begin(keeper: &Arc<Keeper>, world: &Arc<World>) -> Transactions {
    let store = Store::open(keeper.clone(), keeper::keys(1), keeper::busy()).await.unwrap();
    let clock = Arc::clone(world);
    let outside = Arc::new(Outside(Arc::clone(world)));
    Transactions::start(TransactionsParts {
        store,
        now_ms: Arc::new(move || clock.now_ms()),
        chains: outside.clone(),
        signer: outside,
    })
    .unwrap()
}

fn one_wei(id: &str, world: &World) -> Submission {
    Submission {
        id: id.to_owned(),
        wallet: "w".to_owned(),
        asker: Asker::Tenant,
        account: world.account.address,
        chain_id: world.anvil.chain(),
        call: Call {
            to: Some(TO),
            value: Wei(1),
            data: HexBytes::default(),
            gas_limit: 60_000,
            // 100 gwei a unit.
            fee_limit: Wei(60_000 * 100_000_000_000),
        },
        deadline_ms: world.now_ms() + 600_000,
        is_brief: false,
    }
}

async fn until(transactions: &Transactions, id: &str, holds: impl Fn(&Transaction) -> bool) -> Transaction {
    for _ in 0..1_000 {
        let shown = transactions.show(ALICE, id).await.unwrap();
        if holds(&shown) {
            return shown;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("it does not come to pass: {:?}", transactions.show(ALICE, id).await);
}

async fn until_pooled(world: &World, transactions: &Transactions, id: &str, kind: Kind) -> Hash32 {
    for _ in 0..1_000 {
        let shown = transactions.show(ALICE, id).await.unwrap();
        if let Some(last) = shown.attempts.last().filter(|last| last.kind == kind)
            && world.in_pool(last.hash).await
        {
            return last.hash;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("the node has it not: {:?}", transactions.show(ALICE, id).await);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn calls_are_done_once_each_over_a_restart() {
    for chain in [1, 31_337, 138] {
        let (keeper, world) = (Keeper::new(), World::start(chain).await);
        let mut transactions = begin(&keeper, &world).await;
        for number in 0..5 {
            transactions.submit(ALICE, one_wei(&format!("t{number}"), &world)).await.unwrap();
        }
        until_pooled(&world, &transactions, "t4", Kind::Call).await;
        drop(transactions);
        transactions = begin(&keeper, &world).await;
        world.anvil.mine(1 + 3).await.unwrap();
        for number in 0..5 {
            let id = format!("t{number}");
            let shown = until(&transactions, &id, |shown| shown.stage == Stage::Ended).await;
            let Some(Outcome::Included(included)) = shown.outcome else { panic!("{shown:?}") };
            assert_eq!((included.height, included.succeeded, included.gas_used), (1, true, 21_000));
            assert_eq!((shown.nonce, shown.attempts.len()), (Some(number), 1));
        }
        assert_eq!(world.received().await, "0x5");
        assert_eq!(world.signed.lock().unwrap().len(), 5);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn dearer_gas_is_met_and_a_reorganisation_undone() {
    let (keeper, world) = (Keeper::new(), World::start(31_337).await);
    let transactions = begin(&keeper, &world).await;
    transactions.submit(ALICE, one_wei("t", &world)).await.unwrap();
    let first = until_pooled(&world, &transactions, "t", Kind::Call).await;
    // A block that is too dear for it.
    world.ask("anvil_setNextBlockBaseFeePerGas", json!(["0xba43b7400"])).await;
    world.anvil.mine(1).await.unwrap();
    assert_eq!(world.received().await, "0x0");
    world.ahead_ms.fetch_add(RULES.bump_after_ms, Ordering::SeqCst);
    until(&transactions, "t", |shown| shown.attempts.len() == 2).await;
    let second = until_pooled(&world, &transactions, "t", Kind::Call).await;
    assert_ne!(first, second);
    world.anvil.mine(2).await.unwrap();
    let shown = until(&transactions, "t", |shown| shown.stage == Stage::Included).await;
    assert_eq!(shown.included.unwrap().hash, second);
    // Its block is gone, and the node forgot it.
    world.ask("anvil_reorg", json!([2, []])).await;
    world.ask("anvil_dropAllTransactions", json!([])).await;
    until(&transactions, "t", |shown| shown.stage == Stage::Pending).await;
    world.ahead_ms.fetch_add(RULES.bump_after_ms, Ordering::SeqCst);
    until_pooled(&world, &transactions, "t", Kind::Call).await;
    world.anvil.mine(1 + 3).await.unwrap();
    let shown = until(&transactions, "t", |shown| shown.stage == Stage::Ended).await;
    assert!(matches!(shown.outcome, Some(Outcome::Included(_))), "{shown:?}");
    assert_eq!(world.received().await, "0x1");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn what_is_given_up_frees_its_nonce() {
    let (keeper, world) = (Keeper::new(), World::start(31_337).await);
    let transactions = begin(&keeper, &world).await;
    for id in ["t", "u"] {
        transactions.submit(ALICE, one_wei(id, &world)).await.unwrap();
        until_pooled(&world, &transactions, id, Kind::Call).await;
    }
    transactions.cancel(ALICE, "t").await.unwrap();
    until_pooled(&world, &transactions, "t", Kind::Noop).await;
    world.anvil.mine(1 + 3).await.unwrap();
    let shown = until(&transactions, "t", |shown| shown.stage == Stage::Ended).await;
    assert_eq!(shown.outcome, Some(Outcome::Abandoned(Reason::Cancelled)));
    // The one behind it was not held up.
    let other = until(&transactions, "u", |shown| shown.stage == Stage::Ended).await;
    assert!(matches!(other.outcome, Some(Outcome::Included(_))), "{other:?}");
    assert_eq!(world.received().await, "0x1");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs anvil: R3E_TEST_CHAINS, see tests/chain/setup"]
async fn the_words_of_a_real_node_are_known() {
    let (keeper, world) = (Keeper::new(), World::start(31_337).await);
    let transactions = begin(&keeper, &world).await;
    // More than the account has: it waits for money, with the reason.
    let mut poor = one_wei("poor", &world);
    poor.call.value = Wei(u128::MAX / 2);
    transactions.submit(ALICE, poor).await.unwrap();
    let shown = until(&transactions, "poor", |shown| shown.trouble.is_some()).await;
    let why = shown.trouble.unwrap();
    assert_eq!(refusal(&why), Refusal::Funds, "{why}");
    // Given up, it does nothing, which the account can pay for.
    transactions.cancel(ALICE, "poor").await.unwrap();
    until_pooled(&world, &transactions, "poor", Kind::Noop).await;
    world.anvil.mine(1 + 3).await.unwrap();
    let shown = until(&transactions, "poor", |shown| shown.stage == Stage::Ended).await;
    assert_eq!(shown.outcome, Some(Outcome::Abandoned(Reason::Cancelled)));
    assert_eq!(world.received().await, "0x0");
}

//! A chain with one node and one account, which does as it is told, and transactions over a keeper in memory. Both outlive each life of
//! the appliance.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::{Call, Fees, Transaction};
use r3e_proto::api::wallets::{EvmAddress, EvmTransaction, Fee, Hash32, HexBytes, Payload, Wei, keccak256};
use r3e_store::Store;
use r3e_transactions::{
    Asker, BoxFuture, By, Chain, Chains, NotSigned, Receipt, Rules, Sent, Signer, Submission, Transactions,
    TransactionsParts, View, refusal,
};

use crate::keeper::{self, Keeper};

pub(crate) const ALICE: TenantId = TenantId([1; 16]);
pub(crate) const ACCOUNT: EvmAddress = EvmAddress([7; 20]);
pub(crate) const CHAIN: u64 = 138;
pub(crate) const CONFIRMATIONS: usize = 3;
pub(crate) const BUMP_AFTER_MS: u64 = 10_000;
pub(crate) const LIFE_MS: u64 = 120_000;
const TIP: u128 = 10;
const TRANSACTIONS_OF_A_BLOCK: usize = 4;

/// The chain and its node.
#[derive(Default)]
pub(crate) struct Ledger {
    pub(crate) blocks: Vec<Block>,
    pub(crate) pool: BTreeMap<u64, Signed>,
    pub(crate) base_fee: u128,
    /// So many transactions are lost on their way to the node.
    pub(crate) lost: usize,
    /// What the node answers next, instead of taking a transaction.
    pub(crate) refuses: Vec<&'static str>,
    /// The node answers nothing.
    pub(crate) is_silent: bool,
    /// How often the account was looked at.
    pub(crate) views: u64,
    /// All that was ever given to the node.
    pub(crate) given: BTreeMap<Hash32, EvmTransaction>,
    made: u64,
}

#[derive(Clone)]
pub(crate) struct Block {
    pub(crate) hash: Hash32,
    pub(crate) transactions: Vec<Signed>,
}

#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) hash: Hash32,
    pub(crate) transaction: EvmTransaction,
}

impl Signed {
    fn of(transaction: &EvmTransaction) -> (Self, HexBytes) {
        let bytes = serde_json::to_vec(transaction).unwrap();
        let hash = Hash32(keccak256(&[&bytes]));
        (Self { hash, transaction: transaction.clone() }, HexBytes(bytes))
    }

    fn fees(&self) -> (u128, u128) {
        match self.transaction.fee {
            Fee::Eip1559 { max_fee_per_gas, max_priority_fee_per_gas } => {
                (max_fee_per_gas.0, max_priority_fee_per_gas.0)
            }
            Fee::Legacy { gas_price } => (gas_price.0, gas_price.0),
        }
    }
}

impl Ledger {
    pub(crate) fn count(&self, height: usize) -> u64 {
        let blocks = self.blocks.iter().take(height + 1);
        blocks.map(|block| block.transactions.len() as u64).sum()
    }

    pub(crate) fn mine(&mut self) {
        let mut count = self.count(self.blocks.len());
        let mut transactions = Vec::new();
        while transactions.len() < TRANSACTIONS_OF_A_BLOCK {
            let pays = |signed: &&Signed| signed.fees().0 >= self.base_fee;
            let Some(next) = self.pool.get(&count).filter(pays).cloned() else { break };
            transactions.push(next);
            count += 1;
        }
        self.pool.retain(|nonce, _| *nonce >= count);
        self.append(transactions);
    }

    fn append(&mut self, transactions: Vec<Signed>) {
        self.made += 1;
        self.blocks.push(Block { hash: Hash32(keccak256(&[&self.made.to_be_bytes()])), transactions });
    }

    /// The last blocks are replaced by empty ones. What was in them waits again, or is forgotten.
    pub(crate) fn reorganise(&mut self, depth: usize, forgets: bool) {
        let depth = depth.min(self.blocks.len().saturating_sub(1));
        let gone = self.blocks.split_off(self.blocks.len() - depth);
        for signed in gone.into_iter().flat_map(|block| block.transactions).filter(|_| !forgets) {
            self.pool.entry(signed.transaction.nonce).or_insert(signed);
        }
        (0..=depth).for_each(|_| self.append(Vec::new()));
    }

    /// The same key signed something elsewhere, which is in the next block.
    pub(crate) fn foreign(&mut self) {
        let nonce = self.count(self.blocks.len());
        let transaction = EvmTransaction {
            chain_id: CHAIN,
            nonce,
            to: Some(EvmAddress([9; 20])),
            value: Wei(self.made.into()),
            data: HexBytes(b"foreign".to_vec()),
            gas_limit: 21_000,
            fee: Fee::Legacy { gas_price: Wei(1) },
            access_list: Vec::new(),
        };
        let (signed, _) = Signed::of(&transaction);
        self.pool.remove(&nonce);
        self.append(vec![signed]);
    }

    /// As geth answers.
    fn take(&mut self, transaction: &EvmTransaction) -> Result<(), &'static str> {
        let (signed, _) = Signed::of(transaction);
        self.given.insert(signed.hash, transaction.clone());
        if let Some(words) = self.refuses.pop() {
            return Err(words);
        }
        if self.lost > 0 {
            self.lost -= 1;
            return Ok(());
        }
        if transaction.nonce < self.count(self.blocks.len()) {
            return Err("nonce too low");
        }
        if let Some(there) = self.pool.get(&transaction.nonce) {
            if there.hash == signed.hash {
                return Err("already known");
            }
            let (before, now) = (there.fees(), signed.fees());
            if now.0 * 10 < before.0 * 11 || now.1 * 10 < before.1 * 11 {
                return Err("replacement transaction underpriced");
            }
        }
        self.pool.insert(transaction.nonce, signed);
        Ok(())
    }

    /// Whether the chain has something under this nonce that was signed elsewhere.
    pub(crate) fn is_foreign(&self, nonce: u64) -> bool {
        let mut all = self.blocks.iter().flat_map(|block| &block.transactions);
        all.any(|signed| signed.transaction.nonce == nonce && signed.transaction.data.0 == b"foreign")
    }

    /// Whether the chain has it.
    pub(crate) fn has(&self, hash: Hash32) -> bool {
        self.blocks.iter().flat_map(|block| &block.transactions).any(|signed| signed.hash == hash)
    }

    /// How often the chain has what a transaction of this name does.
    pub(crate) fn effects(&self, id: &str) -> Vec<Hash32> {
        let all = self.blocks.iter().flat_map(|block| &block.transactions);
        all.filter(|signed| signed.transaction.data.0 == id.as_bytes()).map(|signed| signed.hash).collect()
    }
}

/// All the world outside.
pub(crate) struct World {
    pub(crate) now_ms: AtomicU64,
    ledger: Mutex<Ledger>,
    /// How the wallet answers next, instead of signing.
    pub(crate) denials: Mutex<Vec<NotSigned>>,
    /// Sequence numbers of calls, by name, that were submitted.
    pub(crate) submitted: Mutex<BTreeSet<String>>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let mut ledger = Ledger { base_fee: 100, ..Ledger::default() };
        ledger.append(Vec::new());
        Arc::new(Self {
            now_ms: AtomicU64::new(1_700_000_000_000),
            ledger: Mutex::new(ledger),
            denials: Mutex::default(),
            submitted: Mutex::default(),
        })
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap()
    }

    pub(crate) fn pass(&self, ms: u64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }
}

/// One chain of them.
pub(crate) struct Node(pub(crate) Arc<World>);

impl Chains<dyn Chain> for Node {
    fn chain(&self, chain_id: u64) -> Option<Arc<dyn Chain>> {
        (chain_id == CHAIN).then(|| Arc::new(Self(Arc::clone(&self.0))) as Arc<dyn Chain>)
    }
}

impl Chain for Node {
    fn rules(&self) -> Rules {
        Rules { confirmations: CONFIRMATIONS as u64, bump_after_ms: BUMP_AFTER_MS }
    }

    fn pause(&self) -> Duration {
        Duration::from_millis(4)
    }

    fn view(&self, account: EvmAddress) -> BoxFuture<'_, Result<View, String>> {
        assert!(account == ACCOUNT || self.0.ledger().is_silent);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let mut ledger = self.0.ledger();
            if ledger.is_silent {
                return Err("silence".to_owned());
            }
            ledger.views += 1;
            let height = ledger.blocks.len() - 1;
            let fees = Fees { max: Wei(2 * ledger.base_fee + TIP), tip: Wei(TIP) };
            Ok(View {
                height: height as u64,
                block: ledger.blocks[height].hash,
                count: ledger.count(height),
                final_count: height.checked_sub(CONFIRMATIONS).map_or(0, |height| ledger.count(height)),
                base_fee: Wei(ledger.base_fee),
                fees,
            })
        })
    }

    fn receipt(&self, hash: Hash32, view: View) -> BoxFuture<'_, Result<Option<Receipt>, String>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let ledger = self.0.ledger();
            let of = |(height, block): (usize, &Block)| {
                block.transactions.iter().any(|signed| signed.hash == hash).then_some(Receipt {
                    hash,
                    height: height as u64,
                    block: block.hash,
                    succeeded: true,
                    gas_used: 21_000,
                })
            };
            let at = usize::try_from(view.height).unwrap();
            if ledger.blocks.get(at).is_none_or(|block| block.hash != view.block) {
                return Err("the block is not there any more".to_owned());
            }
            Ok(ledger.blocks.iter().take(at + 1).enumerate().find_map(of))
        })
    }

    fn send<'a>(&'a self, bytes: &'a HexBytes) -> BoxFuture<'a, Sent> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let transaction: EvmTransaction = serde_json::from_slice(&bytes.0).unwrap();
            match self.0.ledger().take(&transaction) {
                Ok(()) | Err("already known") => Sent::Taken,
                Err(words) => Sent::Refused(refusal(words), words.to_owned()),
            }
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
        assert_eq!((tenant, by.wallet, account), (ALICE, "w", ACCOUNT.to_string()));
        let Payload::EvmTransaction(transaction) = payload else { panic!("something else is to be signed") };
        Box::pin(async move {
            tokio::task::yield_now().await;
            if let Some(denied) = self.denials.lock().unwrap().pop() {
                return Err(denied);
            }
            let (signed, bytes) = Signed::of(&transaction);
            Ok((signed.hash, bytes))
        })
    }
}

/// One life of the appliance.
pub(crate) struct Living {
    pub(crate) transactions: Transactions,
    store: Store,
}

impl Living {
    /// Boots, again and again where the keeper does not answer.
    pub(crate) async fn begin(keeper: &Arc<Keeper>, world: &Arc<World>) -> Self {
        loop {
            let Ok(store) = Store::open(keeper.clone(), keeper::keys(1), keeper::busy()).await else {
                continue;
            };
            let clock = Arc::clone(world);
            let parts = TransactionsParts {
                store: store.clone(),
                now_ms: Arc::new(move || clock.now()),
                chains: Arc::new(Node(Arc::clone(world))),
                signer: Arc::clone(world) as Arc<dyn Signer>,
            };
            if let Ok(transactions) = Transactions::start(parts) {
                return Self { transactions, store };
            }
        }
    }

    pub(crate) async fn shown(&self, id: &str) -> Transaction {
        self.transactions.show(ALICE, id).await.unwrap()
    }
}

/// A call that is known by its name again.
pub(crate) fn submission(id: &str, world: &World) -> Submission {
    Submission {
        id: id.to_owned(),
        wallet: "w".to_owned(),
        asker: Asker::Tenant,
        account: ACCOUNT,
        chain_id: CHAIN,
        call: Call {
            to: Some(EvmAddress([8; 20])),
            value: Wei(0),
            data: HexBytes(id.as_bytes().to_vec()),
            gas_limit: 100_000,
            fee_limit: Wei(100_000 * 2_000),
        },
        deadline_ms: world.now() + LIFE_MS,
        is_brief: false,
    }
}

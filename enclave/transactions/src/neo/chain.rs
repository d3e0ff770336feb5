//! A network of Neo N3, as its nodes agree on it.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use r3e_chain::neo::{self as chain, NeoCalls};
use r3e_chain::rpc::{Quorum, QuorumError, RpcError, Transport};
use r3e_chain::watch::{Network, NetworkError, Watch};
use r3e_neo::Hash256;
use r3e_proto::api::neo_transactions::NeoInclusion;
use r3e_proto::api::wallets::{HexBytes, NeoAccount, NeoScope};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep};

use crate::limits::{NEO_PATIENCE, PACE_HOLDS};
use crate::outside::BoxFuture;

/// The longest that a network may set (`MaxMillisecondsPerBlock`), and the shortest that is believed.
const BLOCK_MS: RangeInclusive<u64> = 100..=30_000;

/// Why nodes refuse a transaction (neo-project's `RpcError`).
const REFUSALS: [(i64, &str); 9] = [
    (-500, "it does not verify"),
    (-502, "they have no room"),
    (-504, "its network fee is too low"),
    (-505, "the network's policy forbids it"),
    (-506, "its script is none"),
    (-508, "its signature does not hold"),
    (-509, "it is too long"),
    (-510, "its last block is over, or too far ahead"),
    (-511, "the wallet's account has too little GAS"),
];

/// A network, as enough of its nodes agree on it. Each gives an error in words.
pub trait NeoChain: Send + Sync + 'static {
    /// Between two looks at it.
    fn pause(&self) -> Duration;

    /// How far the network is, and how fast.
    fn pace(&self) -> BoxFuture<'_, Result<Pace, String>>;

    /// What running a script would come to in the next block, in the name of `payer`.
    fn trial<'a>(
        &'a self,
        script: &'a [u8],
        payer: NeoAccount,
        scope: NeoScope,
    ) -> BoxFuture<'a, Result<Ran, String>>;

    /// What carrying a transaction of this size costs, in 10^-8 GAS.
    fn network_fee<'a>(&'a self, transaction: &'a [u8]) -> BoxFuture<'a, Result<u64, String>>;

    /// What an account has of GAS, in 10^-8.
    fn gas_of(&self, account: NeoAccount) -> BoxFuture<'_, Result<u128, String>>;

    /// Where the chain has a transaction, and whether it is beyond `last_block`.
    fn find(&self, hash: Hash256, last_block: u32) -> BoxFuture<'_, Result<Found, String>>;

    /// Gives a signed transaction to every node. Gives what holds it up where none takes it.
    fn send<'a>(&'a self, bytes: &'a HexBytes) -> BoxFuture<'a, Option<String>>;
}

/// How far a network is, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A height that enough nodes have reached.
    pub height: u64,
    /// Between two blocks.
    pub block_time: Duration,
    /// How many blocks ahead the last one of a transaction may be.
    pub max_blocks: u64,
}

/// What a trial came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// What it takes, in 10^-8 GAS.
    pub gas_consumed: u64,
    /// Why it would do nothing, in words; none where it would do something.
    pub refusal: Option<String>,
    /// Whether it leaves a single "false".
    pub gives_false: bool,
}

/// A transaction that was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// It.
    pub hash: Hash256,
    /// Where it is.
    pub inclusion: Option<NeoInclusion>,
    /// Whether none that comes can have it any more.
    pub is_beyond: bool,
}

/// A network by its nodes.
pub struct NeoNodes<T> {
    nodes: Quorum<T>,
    magic: u32,
    pause: Duration,
    /// The nodes were asked which network they are of, and it is this one.
    is_right: OnceCell<()>,
    /// How it makes its blocks, and when that was asked.
    pace: Mutex<Option<(Instant, chain::Pace)>>,
    /// The highest that enough nodes have reached.
    highest: AtomicU64,
    /// Of all tenants' transactions, so many at a time.
    turns: Semaphore,
}

/// A turn at a network's nodes: for a few questions, and not for waiting.
pub struct NeoTurn<'a, T> {
    /// What they are asked.
    pub calls: NeoCalls<'a, T>,
    _permit: SemaphorePermit<'a>,
}

impl<T: Transport> NeoNodes<T> {
    /// The network of this magic number, whose `nodes` are asked every `pause`, so many things `at_once`.
    pub fn new(nodes: Quorum<T>, magic: u32, pause: Duration, at_once: usize) -> Self {
        let (is_right, pace, highest) = (OnceCell::new(), Mutex::default(), AtomicU64::new(0));
        Self { nodes, magic, pause, is_right, pace, highest, turns: Semaphore::new(at_once) }
    }

    /// Its contracts, when it is one's turn and its nodes have said that they are of this network.
    ///
    /// # Errors
    /// In words.
    pub async fn turn(&self) -> Result<NeoTurn<'_, T>, String> {
        let permit = self.turns.acquire().await.map_err(|_| "the appliance stops".to_owned())?;
        let watch = Watch::blocks(Network::NeoN3(self.magic));
        let checked = self.is_right.get_or_try_init(|| watch.check_network(&self.nodes)).await;
        checked.map_err(|error| match error {
            NetworkError::Nodes(error) => in_words(&error),
            error => {
                tracing::error!(%error, "[[chain]] names nodes of another network");
                error.to_string()
            }
        })?;
        Ok(NeoTurn { calls: NeoCalls::new(&self.nodes), _permit: permit })
    }

    /// Where nodes do not agree, what they said before.
    async fn pace_of(&self, calls: &NeoCalls<'_, T>) -> Result<chain::Pace, QuorumError> {
        let known = *self.pace.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, pace)) = known
            && at.elapsed() < PACE_HOLDS
        {
            return Ok(pace);
        }
        match (calls.pace().await, known) {
            (Ok(pace), _) => {
                *self.pace.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), pace));
                Ok(pace)
            }
            (Err(_), Some((_, pace))) => Ok(pace),
            (Err(error), None) => Err(error),
        }
    }
}

impl<T: Transport + 'static> NeoChain for NeoNodes<T> {
    fn pause(&self) -> Duration {
        self.pause
    }

    fn pace(&self) -> BoxFuture<'_, Result<Pace, String>> {
        Box::pin(async move {
            let turn = self.turn().await?;
            let pace = self.pace_of(&turn.calls).await.map_err(|error| in_words(&error))?;
            Ok(Pace {
                height: {
                    let height =
                        turn.calls.height(sleep(NEO_PATIENCE)).await.map_err(|error| in_words(&error))?;
                    // Two of those that answer may lag; what was agreed on before stays.
                    self.highest.fetch_max(height, Ordering::Relaxed).max(height)
                },
                block_time: Duration::from_millis(pace.block_ms.clamp(*BLOCK_MS.start(), *BLOCK_MS.end())),
                max_blocks: pace.max_blocks,
            })
        })
    }

    fn trial<'a>(
        &'a self,
        script: &'a [u8],
        payer: NeoAccount,
        scope: NeoScope,
    ) -> BoxFuture<'a, Result<Ran, String>> {
        Box::pin(async move {
            let turn = self.turn().await?;
            let scopes = match scope {
                NeoScope::None => "None",
                NeoScope::CalledByEntry => "CalledByEntry",
            };
            let trial = turn.calls.trial(script, payer.0, scopes).await.map_err(|error| in_words(&error))?;
            let refusal = trial.fault.map(|fault| format!("its contract refuses it; one node says: {fault}"));
            Ok(Ran { gas_consumed: trial.gas_consumed, refusal, gives_false: trial.gives_false })
        })
    }

    fn network_fee<'a>(&'a self, transaction: &'a [u8]) -> BoxFuture<'a, Result<u64, String>> {
        Box::pin(async move {
            let turn = self.turn().await?;
            turn.calls.network_fee(transaction).await.map_err(|error| in_words(&error))
        })
    }

    fn gas_of(&self, account: NeoAccount) -> BoxFuture<'_, Result<u128, String>> {
        Box::pin(async move {
            let turn = self.turn().await?;
            turn.calls.gas_of(account.0).await.map_err(|error| in_words(&error))
        })
    }

    fn find(&self, hash: Hash256, last_block: u32) -> BoxFuture<'_, Result<Found, String>> {
        Box::pin(async move {
            let turn = self.turn().await?;
            let found = turn.calls.find(hash, last_block.into()).await.map_err(|error| in_words(&error))?;
            let inclusion = found.at.map(|(height, halted)| NeoInclusion { height, succeeded: halted });
            Ok(Found { hash, inclusion, is_beyond: found.is_beyond })
        })
    }

    fn send<'a>(&'a self, bytes: &'a HexBytes) -> BoxFuture<'a, Option<String>> {
        Box::pin(async move {
            match self.turn().await {
                Ok(turn) => refused_by(&turn.calls.send(&bytes.0, sleep(NEO_PATIENCE)).await),
                Err(why) => Some(why),
            }
        })
    }
}

/// What holds a transaction up that no node has taken; none where one has. Nodes' own words go to the log: they may have something of their URLs.
pub fn refused_by(said: &[Result<(), RpcError>]) -> Option<String> {
    if said.iter().any(Result::is_ok) {
        return None;
    }
    tracing::debug!(?said, "no node takes a transaction");
    let code = said.iter().find_map(|one| match one {
        Err(RpcError::Node { code, .. }) => Some(*code),
        _ => None,
    });
    let Some(code) = code else { return Some("no node takes it, or says why".to_owned()) };
    let why = REFUSALS.iter().find(|(known, _)| *known == code).map_or("for another reason", |(_, why)| *why);
    Some(format!("no node takes it: {why} ({code})"))
}

/// What is said to a tenant of nodes that do not agree. Their own words go to the operator's log: they may have something of their URLs.
pub fn in_words(error: &QuorumError) -> String {
    tracing::debug!(%error, "a network's nodes do not agree");
    match error {
        QuorumError::Disagreement { method, needed, .. } => {
            format!("{needed} of the network's nodes must give the same answer to {method}, and do not")
        }
        error => error.to_string(),
    }
}

//! What drives a lane: looks at the chain, writes down what became of what is out, signs what is wanted, and gives it to nodes, in this
//! order. Whatever it is killed between, the next life goes on from what is written down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use r3e_proto::api::wallets::{Hash32, HexBytes};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::error::TransactionsError;
use crate::lane::{Answers, Rules, View};
use crate::limits::{MAX_ATTEMPTS, MAX_OUT, PAUSE_AFTER_TROUBLE, SEND_AGAIN};
use crate::outside::Chain;
use crate::spaces::{Address, Standing};
use crate::transactions::Inner;

/// One lane in memory.
pub(crate) struct Worker {
    pub(crate) address: Address,
    chain: Arc<dyn Chain>,
    /// Held by whoever changes it. Nobody asks a node meanwhile.
    pub(crate) standing: tokio::sync::Mutex<Standing>,
    pub(crate) wake: Notify,
    memory: Mutex<Memory>,
}

/// What is of this life alone.
#[derive(Default)]
struct Memory {
    /// The highest block that was looked at.
    height: u64,
    /// When nodes were last given what.
    sent: HashMap<Hash32, Instant>,
    /// What holds all of it up.
    trouble: Option<String>,
}

/// Why a look was broken off.
enum Broken {
    /// The chain's nodes, in words.
    Nodes(String),
    Own(TransactionsError),
}

impl From<TransactionsError> for Broken {
    fn from(error: TransactionsError) -> Self {
        Self::Own(error)
    }
}

impl Worker {
    pub(crate) fn new(address: Address, chain: Arc<dyn Chain>) -> Arc<Self> {
        let (standing, wake, memory) = <_>::default();
        Arc::new(Self { address, chain, standing, wake, memory })
    }

    /// What holds all of its transactions up.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.memory(|memory| memory.trouble.clone())
    }

    fn memory<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        with(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Looks as long as something is open, until the appliance stops.
pub(crate) async fn keep_going(inner: Arc<Inner>, worker: Arc<Worker>) {
    let mut closed = inner.closed.subscribe();
    loop {
        // Apart, so that a fault in one look does not end the lane.
        let looking = tokio::spawn({
            let (inner, worker) = (Arc::clone(&inner), Arc::clone(&worker));
            async move { look(&inner, &worker).await }
        });
        let (pause, trouble) = match looking.await {
            Ok(Ok(true)) => (Some(worker.chain.pause()), None),
            Ok(Ok(false)) => (None, None),
            Ok(Err(Broken::Nodes(why))) => (Some(worker.chain.pause()), Some(why)),
            Ok(Err(Broken::Own(error))) => (Some(PAUSE_AFTER_TROUBLE), Some(error.to_string())),
            Err(error) => {
                tracing::error!(%error, "a look at a lane of transactions broke");
                let why = "the look broke by a fault of the appliance".to_owned();
                (Some(worker.chain.pause()), Some(why))
            }
        };
        worker.memory(|memory| memory.trouble = trouble);
        let paused = async {
            match pause {
                Some(pause) => sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            () = worker.wake.notified() => {}
            () = paused => {}
        }
    }
}

/// One look. Whether anything is open after it.
async fn look(inner: &Inner, worker: &Worker) -> Result<bool, Broken> {
    let (chain, address) = (&worker.chain, &worker.address);
    {
        let mut standing = worker.standing.lock().await;
        standing.refresh(&inner.store, address).await?;
        if standing.lane.is_idle() {
            return Ok(false);
        }
    }
    let rules = chain.rules();
    let view = chain.view(address.place.account).await.map_err(Broken::Nodes)?;
    // A block that is older than one before would show what is in the chain as if it were not.
    let highest = worker.memory(|memory| {
        memory.height = memory.height.max(view.height);
        memory.height
    });
    if highest > view.height {
        return Err(Broken::Nodes("the chain's nodes are behind what they said before".to_owned()));
    }
    let asked = worker.standing.lock().await.lane.asks(&view, &rules);
    let mut answers = Answers::new();
    for hash in asked.into_iter().flat_map(|hashes| hashes.into_iter().take(MAX_ATTEMPTS)) {
        answers.insert(hash, chain.receipt(hash, view.height).await.map_err(Broken::Nodes)?);
    }
    let (to_send, is_open) = settle(inner, worker, (&view, &rules), &answers).await?;
    for (hash, bytes) in to_send {
        let said = chain.send(&bytes).await;
        let mut standing = worker.standing.lock().await;
        standing.refresh(&inner.store, address).await?;
        if let Some(index) = standing.lane.told(hash, &said) {
            standing.commit(&inner.store, address, &[index], false).await?;
        }
        worker.memory(|memory| memory.sent.insert(hash, Instant::now()));
    }
    Ok(is_open)
}

/// Writes down what the chain says, and signs what is wanted. Gives what nodes are to have, and whether anything is open.
async fn settle(
    inner: &Inner,
    worker: &Worker,
    (view, rules): (&View, &Rules),
    answers: &Answers,
) -> Result<(Vec<(Hash32, HexBytes)>, bool), Broken> {
    let (store, address) = (&inner.store, &worker.address);
    let mut standing = worker.standing.lock().await;
    standing.refresh(store, address).await?;
    let changed = standing.lane.learns(view, rules, answers, inner.now_ms());
    if !changed.is_empty() {
        standing.commit(store, address, &changed, false).await?;
    }
    // Each of those that are out may be replaced, and each place be taken.
    for _ in 0..2 * MAX_OUT {
        let Some(wanted) = standing.lane.wants(view, rules, inner.now_ms()) else { break };
        let wallet =
            standing.lane.entries.get(wanted.index).map(|entry| entry.wallet.clone()).unwrap_or_default();
        let account = address.place.account;
        let signed = inner.signer.sign(address.tenant, &wallet, account, &wanted.transaction).await;
        let is_another = match signed {
            Ok((hash, bytes)) => {
                standing.lane.signed(&wanted, hash, bytes, inner.now_ms());
                true
            }
            Err(why) => standing.lane.not_signed(&wanted, why, inner.now_ms()),
        };
        if is_another {
            standing.commit(store, address, &[wanted.index], false).await?;
        }
    }
    let mut to_send = standing.lane.to_send(view);
    worker.memory(|memory| {
        memory.sent.retain(|_, at| at.elapsed() < SEND_AGAIN);
        to_send.retain(|(hash, _)| !memory.sent.contains_key(hash));
    });
    Ok((to_send, !standing.lane.is_idle()))
}

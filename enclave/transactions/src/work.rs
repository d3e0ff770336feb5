//! What drives a lane: looks at the chain, writes down what became of what is out, signs what is wanted, and gives it to nodes, in this
//! order. Whatever it is killed between, the next life goes on from what is written down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use r3e_proto::api::transactions::Kind;
use r3e_proto::api::wallets::{Hash32, HexBytes};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::error::TransactionsError;
use crate::lane::{Answers, Rules, View};
use crate::limits::{FILL_AGAIN, MAX_OUT, PAUSE_AFTER_TROUBLE, SEND_AGAIN, UNCERTAIN};
use crate::outside::{Asker, By, Chain, Sent};
use crate::spaces::{Address, Moment, Standing};
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
    /// Open transactions, and the bytes of their calls.
    load: (usize, usize),
    /// Until then, a commit may come through of which nobody knows.
    uncertain_until: Option<Instant>,
    /// When a gap was last filled.
    filled: Option<Instant>,
}

/// Wakes the lane, unless it is forgotten: whoever began a commit may not be there any more at its end.
struct WakeOnDrop<'a>(&'a Notify);

impl Drop for WakeOnDrop<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
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

    /// How many of its transactions are open, and the bytes of their calls.
    pub(crate) fn load(&self) -> (usize, usize) {
        self.memory(|memory| memory.load)
    }

    /// Writes entries down, and takes note of what is open.
    ///
    /// # Errors
    /// The store's: it is not known what stands, for a while.
    pub(crate) async fn commit(
        &self,
        inner: &Inner,
        standing: &mut Standing,
        changed: &[usize],
        height: u64,
    ) -> Result<(), TransactionsError> {
        let moment = Moment { now_ms: inner.now_ms(), height };
        // Also where this future is dropped: what was under way may come through later.
        self.memory(|memory| memory.uncertain_until = Some(Instant::now() + UNCERTAIN));
        let waking = WakeOnDrop(&self.wake);
        standing.commit(&inner.store, &self.address, changed, moment).await?;
        self.memory(|memory| memory.uncertain_until = None);
        self.notes(standing);
        std::mem::forget(waking);
        Ok(())
    }

    /// Whether a commit may yet come through of which nobody knows.
    fn is_uncertain(&self) -> bool {
        self.memory(|memory| memory.uncertain_until.is_some_and(|until| Instant::now() < until))
    }

    fn may_fill(&self) -> bool {
        self.memory(|memory| memory.filled.is_none_or(|at| at.elapsed() >= FILL_AGAIN))
    }

    fn notes(&self, standing: &Standing) {
        let open = standing.lane.entries.iter().filter(|entry| entry.is_open());
        let load = open.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.call.data.0.len()));
        self.memory(|memory| memory.load = load);
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

/// One look. Whether another is needed after it.
async fn look(inner: &Inner, worker: &Arc<Worker>) -> Result<bool, Broken> {
    let (chain, address) = (&worker.chain, &worker.address);
    let least_height = {
        let mut standing = worker.standing.lock().await;
        let is_uncertain = worker.is_uncertain();
        if is_uncertain {
            standing.doubt();
        }
        standing.refresh(&inner.store, address).await?;
        worker.notes(&standing);
        if standing.lane.is_idle() {
            return Ok(is_uncertain);
        }
        standing.height()
    };
    let rules = chain.rules();
    let view = chain.view(address.place.account).await.map_err(Broken::Nodes)?;
    // A block that is older than one before would show what is in the chain as if it were not.
    let highest = worker.memory(|memory| {
        memory.height = memory.height.max(view.height).max(least_height);
        memory.height
    });
    if highest > view.height {
        return Err(Broken::Nodes("the chain's nodes are behind what they said before".to_owned()));
    }
    let (answers, trouble) = answers(worker, &view, &rules).await;
    let (to_send, is_open) = settle(inner, worker, (&view, &rules), &answers).await?;
    send(inner, worker, (to_send, view.height)).await?;
    trouble.map_or(Ok(is_open), |why| Err(Broken::Nodes(why)))
}

/// What became of what may be in a block by now. Where nodes do not agree on one, the others go on without it.
async fn answers(worker: &Worker, view: &View, rules: &Rules) -> (Answers, Option<String>) {
    let asked = worker.standing.lock().await.lane.asks(view, rules);
    let (mut answers, mut trouble) = (Answers::new(), None);
    for hashes in asked {
        for hash in hashes {
            match worker.chain.receipt(hash, *view).await {
                Ok(answer) => {
                    let is_found = answer.is_some();
                    answers.insert(hash, answer);
                    if is_found {
                        break;
                    }
                }
                Err(why) => trouble = Some(why),
            }
        }
    }
    (answers, trouble)
}

/// Gives nodes what they are to have, all of it at once: one node that is slow makes nothing wait for it twice.
async fn send(
    inner: &Inner,
    worker: &Arc<Worker>,
    (to_send, height): (Vec<(Hash32, HexBytes)>, u64),
) -> Result<(), Broken> {
    let mut sending = JoinSet::new();
    for (hash, bytes) in to_send {
        if *inner.closed.borrow() {
            break;
        }
        worker.memory(|memory| memory.sent.insert(hash, Instant::now()));
        let chain = Arc::clone(&worker.chain);
        sending.spawn(async move { (hash, chain.send(&bytes).await) });
    }
    while let Some(sent) = sending.join_next().await {
        let Ok((hash, said)) = sent else { continue };
        if said != Sent::Taken {
            // At the next look again.
            worker.memory(|memory| memory.sent.remove(&hash));
        }
        let mut standing = worker.standing.lock().await;
        standing.refresh(&inner.store, &worker.address).await?;
        if let Some(index) = standing.lane.told(hash, &said) {
            worker.commit(inner, &mut standing, &[index], height).await?;
        }
    }
    Ok(())
}

/// Writes down what the chain says, and signs what is wanted. Gives what nodes are to have, and whether anything is open.
async fn settle(
    inner: &Inner,
    worker: &Worker,
    (view, rules): (&View, &Rules),
    answers: &Answers,
) -> Result<(Vec<(Hash32, HexBytes)>, bool), Broken> {
    let address = &worker.address;
    let mut standing = worker.standing.lock().await;
    standing.refresh(&inner.store, address).await?;
    loop {
        let changed = standing.lane.learns(view, rules, answers, inner.now_ms());
        if changed.is_empty() {
            break;
        }
        // What was reorganised away, nodes may not have any more.
        let gone = changed.iter().filter_map(|index| standing.lane.entries.get(*index)?.pending()?.last());
        let gone: Vec<Hash32> = gone.map(|attempt| attempt.hash).collect();
        worker.memory(|memory| memory.sent.retain(|hash, _| !gone.contains(hash)));
        worker.commit(inner, &mut standing, &changed, view.height).await?;
    }
    if let Some(filler) = worker.may_fill().then(|| standing.lane.filler(view, inner.now_ms())).flatten() {
        standing.lane.entries.push(filler);
        let index = standing.lane.entries.len() - 1;
        worker.commit(inner, &mut standing, &[index], view.height).await?;
        worker.memory(|memory| memory.filled = Some(Instant::now()));
    }
    // Each of those that are out may be replaced, and each place be taken.
    for _ in 0..2 * MAX_OUT {
        if *inner.closed.borrow() {
            break;
        }
        let Some(wanted) = standing.lane.wants(view, rules, inner.now_ms()) else { break };
        let Some(entry) = standing.lane.entries.get(wanted.index) else { break };
        // Whoever asked for it: to give it up is the tenant's own.
        let asker = if wanted.kind == Kind::Call { &entry.asker } else { &Asker::Tenant };
        let by = By { wallet: &entry.wallet, asker };
        let account = address.place.account;
        let signed = inner.signer.sign(address.tenant, by, account, &wanted.transaction).await;
        let is_another = match signed {
            Ok((hash, bytes)) => {
                standing.lane.signed(&wanted, hash, bytes, inner.now_ms());
                true
            }
            Err(why) => standing.lane.not_signed(&wanted, why, inner.now_ms()),
        };
        if is_another {
            worker.commit(inner, &mut standing, &[wanted.index], view.height).await?;
        }
    }
    let mut to_send = standing.lane.to_send(view);
    worker.memory(|memory| {
        memory.sent.retain(|_, at| at.elapsed() < SEND_AGAIN);
        to_send.retain(|(hash, _)| !memory.sent.contains_key(hash));
    });
    Ok((to_send, !standing.lane.is_idle()))
}

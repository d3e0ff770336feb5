//! What drives the transactions of an account on a chain: it looks, as its family does, as long as something is open. Whatever it is
//! killed between, the next life goes on from what is written down.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use r3e_proto::api::wallets::{Hash32, HexBytes};
use tokio::sync::{MutexGuard, Notify, Semaphore};
use tokio::time::{Instant, sleep};

use crate::book::Inner;
use crate::error::TransactionsError;
use crate::family::{Family, Record};
use crate::limits::{PAUSE_AFTER_TROUBLE, UNCERTAIN};
use crate::spaces::{Address, Moment, Standing};

/// One lane in memory.
pub(crate) struct Worker<F: Family> {
    pub(crate) address: Address<F::Place>,
    pub(crate) chain: Arc<F::Chain>,
    /// Held by whoever changes it. Nobody asks a node meanwhile.
    pub(crate) standing: tokio::sync::Mutex<Standing<F>>,
    pub(crate) wake: Notify,
    /// The tenant's share of what the chain's nodes are asked at a time.
    pub(crate) turns: Arc<Semaphore>,
    memory: Mutex<Memory>,
}

/// What is of this life alone.
#[derive(Default)]
pub(crate) struct Memory {
    /// The highest block that was looked at.
    pub(crate) height: u64,
    /// When nodes were last given what.
    pub(crate) sent: HashMap<Hash32, Instant>,
    /// What holds all of it up.
    trouble: Option<String>,
    /// Open transactions, and the bytes of their calls.
    load: (usize, usize),
    /// Until then, a commit may come through of which nobody knows.
    uncertain_until: Option<Instant>,
    /// When a gap was last filled.
    pub(crate) filled: Option<Instant>,
}

/// Wakes the lane, unless it is forgotten: whoever began a commit may not be there any more at its end.
struct WakeOnDrop<'a>(&'a Notify);

impl Drop for WakeOnDrop<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Why a look was broken off.
pub(crate) enum Broken {
    /// The chain's nodes, in words.
    Nodes(String),
    Own(TransactionsError),
}

impl From<TransactionsError> for Broken {
    fn from(error: TransactionsError) -> Self {
        Self::Own(error)
    }
}

impl<F: Family> Worker<F> {
    pub(crate) fn new(address: Address<F::Place>, chain: Arc<F::Chain>, turns: Arc<Semaphore>) -> Arc<Self> {
        let (standing, wake, memory) = (tokio::sync::Mutex::default(), Notify::new(), Mutex::default());
        Arc::new(Self { address, chain, standing, wake, turns, memory })
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
        inner: &Inner<F>,
        standing: &mut Standing<F>,
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

    /// What stands, by now; and whether that is all.
    pub(crate) async fn refreshed(
        &self,
        inner: &Inner<F>,
    ) -> Result<(MutexGuard<'_, Standing<F>>, bool), TransactionsError> {
        let mut standing = self.standing.lock().await;
        let is_uncertain = self.is_uncertain();
        if is_uncertain {
            standing.doubt();
        }
        standing.refresh(&inner.store, &self.address).await?;
        self.notes(&standing);
        Ok((standing, !is_uncertain))
    }

    /// Leaves out what nodes were given a moment ago.
    pub(crate) fn leave_out_sent(&self, to_send: &mut Vec<(Hash32, HexBytes)>, again: Duration) {
        self.memory(|memory| {
            memory.sent.retain(|_, at| at.elapsed() < again);
            to_send.retain(|(hash, _)| !memory.sent.contains_key(hash));
        });
    }

    fn notes(&self, standing: &Standing<F>) {
        let open = standing.lane.entries.iter().filter(|entry| entry.is_open());
        let load = open.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.bytes()));
        self.memory(|memory| memory.load = load);
    }

    pub(crate) fn memory<T>(&self, with: impl FnOnce(&mut Memory) -> T) -> T {
        with(&mut self.memory.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Looks as long as something is open, until the appliance stops.
pub(crate) async fn keep_going<F: Family>(inner: Arc<Inner<F>>, worker: Arc<Worker<F>>) {
    let mut closed = inner.closed.subscribe();
    loop {
        // Apart, so that a fault in one look does not end the lane.
        let looking = tokio::spawn({
            let (inner, worker) = (Arc::clone(&inner), Arc::clone(&worker));
            async move { F::look(&inner, &worker).await }
        });
        let (pause, trouble) = match looking.await {
            Ok(Ok(true)) => (Some(F::pause(&worker.chain)), None),
            Ok(Ok(false)) => (None, None),
            Ok(Err(Broken::Nodes(why))) => (Some(F::pause(&worker.chain)), Some(why)),
            Ok(Err(Broken::Own(error))) => (Some(PAUSE_AFTER_TROUBLE), Some(error.to_string())),
            Err(error) => {
                tracing::error!(%error, "a look at a lane of transactions broke");
                let why = "the look broke by a fault of the appliance".to_owned();
                (Some(F::pause(&worker.chain)), Some(why))
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

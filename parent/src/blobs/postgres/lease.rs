//! The lease as a parent knows it: whether it may write, who may otherwise, and the order to take it over.
//!
//! What is known here can be late: it keeps a parent from asking in vain, and its enclave from starting. What keeps it
//! from writing is the lock of every transaction, in `store`.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::blobs::StoreError;
use crate::limits::STORE_OPERATION_TIMEOUT_MS;

/// The lease as everybody in this process sees it. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    state: Arc<watch::Sender<LeaseState>>,
    holder: Arc<str>,
    orders: mpsc::Sender<Order>,
    /// Somebody has seen that the lease is gone.
    doubted: Arc<Notify>,
    /// How often another parent was seen to have held it.
    others: Arc<watch::Sender<u64>>,
}

/// What is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LeaseState {
    /// This parent holds it.
    Held { epoch: i64, until: Instant },
    /// It does not: by name, who does, where that is known to be another parent.
    Standby { holder: Option<String>, trouble: Option<String> },
}

/// What came of a takeover: the epoch that it began, or why there was none, in words.
pub(crate) type TakeOver = Result<i64, String>;

/// What the task is asked for.
#[derive(Debug)]
pub(super) enum Order {
    TakeOver(oneshot::Sender<TakeOver>),
    Release(oneshot::Sender<()>),
}

impl Lease {
    /// Of the parent `holder`, which does not hold it yet; and what the task shall do.
    pub(super) fn new(holder: String) -> (Self, mpsc::Receiver<Order>) {
        let (orders, waiting) = mpsc::channel(1);
        let state = Arc::new(watch::Sender::new(LeaseState::Standby { holder: None, trouble: None }));
        let others = Arc::new(watch::Sender::new(0));
        (Self { state, holder: holder.into(), orders, doubted: Arc::default(), others }, waiting)
    }

    /// Who this parent is.
    pub(super) fn holder(&self) -> &str {
        &self.holder
    }

    /// The epoch at which this parent may ask for the lock now.
    pub(super) fn epoch(&self) -> Result<i64, StoreError> {
        match &*self.state.borrow() {
            LeaseState::Held { epoch, until } if Instant::now() < *until => Ok(*epoch),
            LeaseState::Held { .. } => Err(StoreError::Fenced),
            LeaseState::Standby { holder, .. } => {
                let holder = holder.clone().unwrap_or_else(|| "no parent that is known".into());
                Err(StoreError::Standby { holder })
            }
        }
    }

    /// The row says that `epoch` is over.
    pub(super) fn is_over(&self, epoch: i64) {
        self.state.send_if_modified(|state| {
            let ours = matches!(state, LeaseState::Held { epoch: held, .. } if *held == epoch);
            if ours {
                *state = LeaseState::Standby { holder: None, trouble: None };
            }
            ours
        });
        self.doubted.notify_one();
    }

    /// Waits until somebody has seen that it is gone.
    pub(super) async fn doubted(&self) {
        self.doubted.notified().await;
    }

    /// Waits until one that is held runs out; for ever, if none is.
    pub(super) async fn run_out(&self) {
        match self.until() {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    }

    /// Changes what is known; whether that was news.
    pub(super) fn set(&self, state: LeaseState) -> bool {
        self.state.send_if_modified(|standing| {
            let news = *standing != state;
            *standing = state;
            news
        })
    }

    /// What was last known, whether or not it has run out.
    pub(super) fn last_known(&self) -> LeaseState {
        self.state.borrow().clone()
    }

    fn until(&self) -> Option<Instant> {
        match &*self.state.borrow() {
            LeaseState::Held { until, .. } => Some(*until),
            LeaseState::Standby { .. } => None,
        }
    }

    /// As it is now.
    pub(crate) fn state(&self) -> LeaseState {
        let state = self.state.borrow().clone();
        match state {
            LeaseState::Held { until, .. } if Instant::now() >= until => {
                LeaseState::Standby { holder: None, trouble: Some("it was not renewed in time".into()) }
            }
            state => state,
        }
    }

    /// Whether this parent holds it now. From the moment at which it ran out unrenewed, another may hold it, and write, without
    /// this one knowing: what this one's enclave has in memory may be old.
    pub(crate) fn is_held(&self) -> bool {
        is_held(&self.state.borrow())
    }

    /// Waits until this parent holds it.
    pub(crate) async fn held(&self) {
        // The sender lives as long as we do.
        let _ = self.state.subscribe().wait_for(is_held).await;
    }

    /// Waits until this parent does not hold it, be it that the time is over.
    pub(crate) async fn ceased(&self) {
        let mut state = self.state.subscribe();
        loop {
            let until = match &*state.borrow_and_update() {
                LeaseState::Held { until, .. } => *until,
                LeaseState::Standby { .. } => return,
            };
            tokio::select! {
                () = sleep_until(until) => if !self.is_held() { return },
                // It was renewed, or lost.
                _ = state.changed() => {}
            }
        }
    }

    /// Waits until another parent is known to hold it, or to have held it since: what an enclave has in memory is old then. A
    /// lease that merely ran out ends no enclave, but keeps clients from it ([`Self::ceased`]): whether anybody else has
    /// written is not known until it is taken again.
    pub(crate) async fn taken(&self) {
        let taken = |state: &LeaseState| matches!(state, LeaseState::Standby { holder: Some(_), .. });
        let (mut state, mut others) = (self.state.subscribe(), self.others.subscribe());
        tokio::select! {
            _ = state.wait_for(taken) => {}
            _ = others.changed() => {}
        }
    }

    /// Another parent holds it, or held it since this one did.
    pub(super) fn another_held_it(&self) {
        self.others.send_modify(|times| *times += 1);
    }

    /// Takes it, whoever holds it: the epoch that begins.
    pub(crate) async fn take_over(&self) -> TakeOver {
        let (answer, answered) = oneshot::channel();
        let gone = || "the parent is stopping".to_owned();
        self.orders.send(Order::TakeOver(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Gives it back, so that a standby need not wait. Nothing may be written by this process any more.
    pub(crate) async fn release(&self) {
        let (answer, answered) = oneshot::channel();
        if self.orders.send(Order::Release(answer)).await.is_ok() {
            // Where it cannot be given back, it runs out.
            let _ = timeout(Duration::from_millis(STORE_OPERATION_TIMEOUT_MS), answered).await;
        }
    }
}

fn is_held(state: &LeaseState) -> bool {
    matches!(state, LeaseState::Held { until, .. } if Instant::now() < *until)
}

//! Where clients' connections lead: the enclave that serves. An upgrade leads new ones to another, and lets those there
//! are end at the old one.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use r3e_proto::host::CHANNEL_PORT;
use r3e_transport::{ParentTransport, Stream, TransportError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;

use crate::launch::State;
use crate::relay::{Ended, Moved, relay};

/// The enclave that serves, whichever it is now.
#[derive(Debug)]
pub(crate) struct Targets(RwLock<Arc<Target>>);

/// An enclave that connections lead to.
#[derive(Debug)]
pub(crate) struct Target {
    transport: ParentTransport,
    /// What is known of it, where this process starts it.
    state: Option<Arc<State>>,
    /// Connections that lead there now.
    open: watch::Sender<usize>,
    cut: watch::Sender<bool>,
}

impl Targets {
    /// Leads to `first`.
    pub(crate) fn new(first: Target) -> Self {
        Self(RwLock::new(Arc::new(first)))
    }

    /// The enclave that serves.
    pub(crate) fn current(&self) -> Arc<Target> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Leads new connections to `next`: the target until now.
    pub(crate) fn switch(&self, next: Target) -> Arc<Target> {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *current, Arc::new(next))
    }
}

impl Target {
    /// The enclave behind `transport`.
    pub(crate) fn new(transport: ParentTransport, state: Option<Arc<State>>) -> Self {
        Self { transport, state, open: watch::Sender::new(0), cut: watch::Sender::new(false) }
    }

    /// The way to it.
    pub(crate) fn transport(&self) -> &ParentTransport {
        &self.transport
    }

    /// What is known of it, where this process starts it.
    pub(crate) fn state(&self) -> Option<&Arc<State>> {
        self.state.as_ref()
    }

    /// Connects to its port for clients.
    pub(crate) async fn dial(&self) -> Result<Stream, TransportError> {
        self.transport.dial_enclave(CHANNEL_PORT).await
    }

    /// Moves bytes between `from` and the connection `enclave` that [`Self::dial`] made, until both have finished, or it is
    /// cut.
    pub(crate) async fn carry<A>(
        &self,
        from: &mut A,
        enclave: &mut Stream,
        idle: Duration,
        moved: Moved<'_>,
    ) -> Ended
    where
        A: AsyncRead + AsyncWrite + Unpin,
    {
        self.open.send_modify(|open| *open += 1);
        let _leaves = Leaves(self);
        let mut cut = self.cut.subscribe();
        tokio::select! {
            biased;
            ended = relay(from, enclave, idle, moved) => ended,
            // The sender is this target's own.
            _ = cut.wait_for(|cut| *cut) => Ended::Cut,
        }
    }

    /// How many connections lead there.
    pub(crate) fn open(&self) -> usize {
        *self.open.borrow()
    }

    /// Waits until none does.
    pub(crate) async fn drained(&self) {
        // The sender is this target's own.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }

    /// Ends those that are left, and all to come.
    pub(crate) fn cut(&self) {
        self.cut.send_replace(true);
    }
}

/// Counts a connection out, however it ends.
struct Leaves<'a>(&'a Target);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

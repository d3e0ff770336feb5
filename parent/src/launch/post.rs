//! One place for an enclave with its supervisor: a handle to start it, to change what is done when it ends, and to end it.

use std::sync::Arc;

use r3e_transport::Endpoint;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::error;

use super::error::LaunchError;
use super::state::State;
use super::supervisor::{Afterwards, Done, Supervisor};
use super::{Launch, Restart};
use crate::blobs::postgres::Lease;
use crate::counters::Count;

/// A supervised enclave. Dropped, the enclave is ended in the background.
#[derive(Debug)]
pub(crate) struct Post {
    state: Arc<State>,
    afterwards: Arc<Afterwards>,
    stopping: watch::Sender<bool>,
    ended: watch::Receiver<Option<Arc<LaunchError>>>,
    supervising: JoinHandle<()>,
}

/// Tells why an enclave has ended for good.
#[derive(Debug, Clone)]
pub(crate) struct End(watch::Receiver<Option<Arc<LaunchError>>>);

impl Post {
    /// Starts the enclave of `launch` at `endpoint`; its heartbeats come to `beats`.
    pub(crate) fn start(
        launch: Launch,
        endpoint: Endpoint,
        state: Arc<State>,
        beats: Arc<Count>,
        lease: Option<Lease>,
    ) -> Self {
        let afterwards = Arc::new(Afterwards::new(launch.restart));
        let (stopping, stopped) = watch::channel(false);
        let (ending, ended) = watch::channel(None);
        let shared = Arc::clone(&state);
        let supervisor = Supervisor {
            launch,
            endpoint,
            beats,
            state: shared,
            lease,
            afterwards: Arc::clone(&afterwards),
            stopping: stopped,
        };
        let supervising = tokio::spawn(async move {
            if let Done::Ended(why) = supervisor.run().await {
                ending.send_replace(Some(Arc::new(why)));
            }
        });
        Self { state, afterwards, stopping, ended, supervising }
    }

    /// What is known of it.
    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// From now on, this is done when it ends. False where it has ended for good before.
    pub(crate) fn restart(&self, restart: Restart) -> bool {
        self.afterwards.set(restart)
    }

    /// Tells of its end.
    pub(crate) fn end(&self) -> End {
        End(self.ended.clone())
    }

    /// Ends it.
    pub(crate) async fn stop(self) {
        // The receiver is gone where it has ended for good.
        let _ = self.stopping.send(true);
        if let Err(failure) = self.supervising.await {
            error!(%failure, "the supervisor failed");
        }
    }
}

impl End {
    /// Waits until the enclave has ended by itself, and is not started again; for ever, where it is ended by
    /// [`Post::stop`].
    pub(crate) async fn wait(&mut self) -> Arc<LaunchError> {
        match self.0.wait_for(Option::is_some).await.map(|why| why.clone()) {
            Ok(Some(why)) => why,
            // Stopped, and so no end of its own.
            _ => std::future::pending().await,
        }
    }
}

//! Accepts the enclave's connections to one of the parent's ports, for ever. Knows nothing of what is served.

use std::sync::Arc;
use std::time::Duration;

use r3e_transport::{Listener, ParentTransport, Stream, TransportError};
use tokio::sync::Semaphore;
use tokio::time::sleep;
use tracing::{info, warn};

use crate::limits::LISTEN_RETRY_MS;

/// One of the parent's ports.
#[derive(Debug)]
pub(crate) struct Service {
    name: &'static str,
    port: u32,
    transport: ParentTransport,
    listener: Listener,
}

impl Service {
    /// Opens the port.
    pub(crate) async fn open(
        name: &'static str,
        transport: &ParentTransport,
        port: u32,
    ) -> Result<Self, TransportError> {
        let listener = transport.listen(port).await?;
        Ok(Self { name, port, transport: transport.clone(), listener })
    }

    /// Serves each connection in a task of its own, at most `max_connections` at once; the next one waits in the
    /// kernel's queue. A listener that fails is opened again. Never returns.
    pub(crate) async fn run<H, F>(mut self, max_connections: usize, handler: H)
    where
        H: Fn(Stream) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        // Aborted with this task, which owns it.
        let mut connections = tokio::task::JoinSet::new();
        let places = Arc::new(Semaphore::new(max_connections));
        // The semaphore is never closed.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            while connections.try_join_next().is_some() {}
            match self.listener.accept().await {
                Ok(stream) => {
                    let served = handler(stream);
                    connections.spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    warn!(service = self.name, %error, "the listener failed");
                    self.listener = self.reopened().await;
                    info!(service = self.name, "listening again");
                }
            }
        }
    }

    async fn reopened(&self) -> Listener {
        loop {
            sleep(Duration::from_millis(LISTEN_RETRY_MS)).await;
            match self.transport.listen(self.port).await {
                Ok(listener) => return listener,
                Err(error) => warn!(service = self.name, %error, "cannot listen"),
            }
        }
    }
}

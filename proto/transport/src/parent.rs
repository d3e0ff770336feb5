//! The parent's side of the seam.

use std::sync::Arc;

use crate::endpoint::Endpoint;
use crate::error::TransportError;
use crate::listener::Listener;
use crate::stream::Stream;
use crate::vsock_ports::VsockPorts;
use crate::{unix, vsock};

/// The parent's side: it listens for one enclave and dials it. One for each enclave; those of one parent are made from
/// the first by [`Self::beside`], since enclaves share a machine's vsock ports.
#[derive(Debug, Clone)]
pub struct ParentTransport {
    endpoint: Endpoint,
    /// Of all enclaves of this parent.
    ports: Arc<VsockPorts>,
}

impl ParentTransport {
    /// For the enclave at `endpoint`; nothing is opened yet.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, ports: Arc::default() }
    }

    /// For another enclave of the same parent, at the same time. On a port that both listen on, each gets the
    /// connections of its own enclave.
    #[must_use]
    pub fn beside(&self, endpoint: Endpoint) -> Self {
        Self { endpoint, ports: Arc::clone(&self.ports) }
    }

    /// The enclave this transport is for.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Listens for the enclave on `port`; over unix sockets at `PATH_port`, a stale one replaced, permissions 0600.
    ///
    /// # Errors
    /// [`TransportError::InUse`], [`TransportError::NotASocket`] or [`TransportError::Listen`].
    pub async fn listen(&self, port: u32) -> Result<Listener, TransportError> {
        match &self.endpoint {
            Endpoint::Vsock { cid } => Listener::vsock_of(&self.ports, *cid, port),
            Endpoint::Unix { path } => Listener::at_path(&Endpoint::parent_socket(path, port)).await,
        }
    }

    /// Connects to the enclave's `port`, within [`DIAL_TIMEOUT_MS`](crate::limits::DIAL_TIMEOUT_MS).
    ///
    /// # Errors
    /// [`TransportError::Refused`] while nothing in the enclave listens there; [`TransportError::Dial`],
    /// [`TransportError::DialTimedOut`] or [`TransportError::Answer`].
    pub async fn dial_enclave(&self, port: u32) -> Result<Stream, TransportError> {
        match &self.endpoint {
            Endpoint::Vsock { cid } => vsock::dial(*cid, port).await,
            Endpoint::Unix { path } => unix::dial_port(path, port).await,
        }
    }
}

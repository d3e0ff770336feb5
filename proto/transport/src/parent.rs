//! The parent's side of the seam.

use crate::endpoint::Endpoint;
use crate::error::TransportError;
use crate::listener::Listener;
use crate::stream::Stream;
use crate::{unix, vsock};

/// The parent's side: it listens for the one enclave and dials it.
#[derive(Debug, Clone)]
pub struct ParentTransport {
    endpoint: Endpoint,
}

impl ParentTransport {
    /// For the enclave at `endpoint`; nothing is opened yet.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
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
            Endpoint::Vsock { cid } => Listener::vsock(Some(*cid), port),
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

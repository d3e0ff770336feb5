//! The enclave's side of the seam.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::endpoint::Endpoint;
use crate::error::TransportError;
use crate::listener::Listener;
use crate::stream::Stream;
use crate::unix::demux::Demux;
use crate::{unix, vsock};

/// The enclave's side: it listens for the parent and dials the parent. Clones share their sockets.
#[derive(Debug, Clone)]
pub struct EnclaveTransport(Side);

#[derive(Debug, Clone)]
enum Side {
    Vsock { cid: u32 },
    // The one socket is bound by the first `listen`, and closed with the last listener and transport.
    Unix { path: PathBuf, demux: Arc<Mutex<Option<Arc<Demux>>>> },
}

impl EnclaveTransport {
    /// Over `endpoint`; nothing is opened yet. On hardware that is [`Endpoint::nitro_parent`].
    pub fn new(endpoint: Endpoint) -> Self {
        Self(match endpoint {
            Endpoint::Vsock { cid } => Side::Vsock { cid },
            Endpoint::Unix { path } => Side::Unix { path, demux: Arc::default() },
        })
    }

    /// Listens for the parent on `port`.
    ///
    /// Over unix sockets every port shares the one socket, which the first call binds: a stale one is replaced, its
    /// permissions are 0600. A connection that names a port without a listener is closed.
    ///
    /// # Errors
    /// [`TransportError::InUse`], [`TransportError::NotASocket`] or [`TransportError::Listen`].
    pub async fn listen(&self, port: u32) -> Result<Listener, TransportError> {
        match &self.0 {
            // Whoever reaches an enclave is its parent, by 3 on hardware and by 2 in QEMU; the number proves nothing.
            Side::Vsock { .. } => Listener::vsock(port),
            Side::Unix { path, demux } => {
                let mut shared = demux.lock().await;
                let open = match &*shared {
                    Some(open) => Arc::clone(open),
                    None => Arc::clone(shared.insert(Arc::new(Demux::bind(path).await?))),
                };
                let queue = open.open(port)?;
                Ok(Listener::shared(format!("port {port} of {}", path.display()), queue))
            }
        }
    }

    /// Connects to the parent's `port`, within [`DIAL_TIMEOUT_MS`](crate::limits::DIAL_TIMEOUT_MS).
    ///
    /// # Errors
    /// [`TransportError::Dial`] or [`TransportError::DialTimedOut`].
    pub async fn dial_parent(&self, port: u32) -> Result<Stream, TransportError> {
        match &self.0 {
            Side::Vsock { cid } => vsock::dial(*cid, port).await,
            Side::Unix { path, .. } => unix::dial(&Endpoint::parent_socket(path, port)).await,
        }
    }
}

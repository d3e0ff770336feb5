//! The one thing that this crate needs of the outside: a POST.

use std::future::Future;
use std::pin::Pin;

/// What comes back from a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// HTTP's status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
}

/// Why nothing came back. The code names the reason and nothing else: a node's URL may hold a secret, so no error has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no answer came: {code}")]
pub struct TransportError {
    /// A short name of the reason, which never changes.
    pub code: &'static str,
}

/// A POST that is under way.
pub type Post<'a> = Pin<Box<dyn Future<Output = Result<Posted, TransportError>> + Send + 'a>>;

/// Sends bytes to nodes, which it knows by their index.
pub trait Transport: Send + Sync {
    /// Sends `body` (JSON) to the node `endpoint`, and gives the answer whatever its status. It ends within a time of the
    /// implementation's own, and fails where the body is over `max_bytes`.
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_>;
}

impl<T: Transport + ?Sized> Transport for &T {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        (**self).post(endpoint, body, max_bytes)
    }
}

impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    fn post(&self, endpoint: usize, body: Vec<u8>, max_bytes: usize) -> Post<'_> {
        (**self).post(endpoint, body, max_bytes)
    }
}

//! What can go wrong between parent and enclave, and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a listener or a connection did not come about.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The socket could not be made or bound.
    #[error("cannot listen on {endpoint}: {source}")]
    Listen {
        /// What was to be bound.
        endpoint: String,
        /// The system's reason.
        source: io::Error,
    },
    /// Something that is not a socket stands at the path; it is left as it was.
    #[error("{} is not a socket: move it away, or choose another path", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// Another process, or this one, listens there.
    #[error("{endpoint} is in use: stop what listens there, or choose another")]
    InUse {
        /// What was to be bound.
        endpoint: String,
    },
    /// The connection was not made.
    #[error("cannot connect to {endpoint}: {source}")]
    Dial {
        /// What was dialled.
        endpoint: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The other side did not answer in time.
    #[error("{endpoint} did not answer within {} ms", crate::limits::DIAL_TIMEOUT_MS)]
    DialTimedOut {
        /// What was dialled.
        endpoint: String,
    },
    /// The enclave is there, and nothing in it listens on the port.
    #[error("{endpoint} takes no connections now: is the enclave still starting?")]
    Refused {
        /// What was dialled.
        endpoint: String,
    },
    /// What answered does not follow the hybrid-vsock convention.
    #[error("{endpoint} answered CONNECT with something other than `OK <number>`")]
    Answer {
        /// What was dialled.
        endpoint: String,
    },
    /// A connection could not be accepted, and waiting would not help.
    #[error("cannot accept on {endpoint}: {source}")]
    Accept {
        /// The listener's address.
        endpoint: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The socket that this listener shares has stopped.
    #[error("{endpoint} no longer accepts: listen again")]
    Stopped {
        /// The listener's address.
        endpoint: String,
    },
}

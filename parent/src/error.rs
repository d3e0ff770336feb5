//! Why the parent does not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use r3e_transport::TransportError;
use thiserror::Error;

use crate::blobs::StoreOpenError;
use crate::blobs::postgres::PostgresError;

/// Why the parent did not start. Once it runs, it meets failures by logging them and going on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ParentError {
    /// The data folder cannot be used.
    #[error("cannot use the data folder {}: {source}", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another parent uses the data folder.
    #[error("{} is held by another r3e-parent: stop it, or choose another --data", path.display())]
    Held {
        /// The folder.
        path: PathBuf,
    },
    /// The store in the data folder cannot be opened.
    #[error("cannot open the blob store in {}: {source}", path.display())]
    Store {
        /// The store's folder.
        path: PathBuf,
        /// Why.
        source: StoreOpenError,
    },
    /// The store in PostgreSQL cannot be used.
    #[error("cannot use the store in PostgreSQL")]
    Postgres(#[from] PostgresError),
    /// The enclave's configuration cannot be read.
    #[error("cannot read the configuration {}: {source}", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The enclave's configuration has a size that no enclave takes.
    #[error("the configuration {} must have 1 to {max_bytes} bytes", path.display())]
    ConfigurationSize {
        /// The file.
        path: PathBuf,
        /// The most bytes it may have.
        max_bytes: usize,
    },
    /// The public address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A port towards the enclave, or the admin socket, cannot be listened on.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The limit on descriptors leaves no room for connections.
    #[error(
        "the limit of {limit} open files leaves none for connections: raise it (ulimit -n, LimitNOFILE=)"
    )]
    Descriptors {
        /// The hard limit.
        limit: u64,
    },
    /// The system refused a thread.
    #[error("cannot start a thread for the blob store: {0}")]
    Thread(io::Error),
}

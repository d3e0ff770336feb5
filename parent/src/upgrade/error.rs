//! Why a successor does not serve. Before it took over, the enclave that served goes on.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use r3e_transport::{EndpointError, TransportError};
use thiserror::Error;

use crate::ParentError;
use crate::finding::Finding;
use crate::launch::LaunchError;

/// Why an upgrade was not done. Before the successor took over, the enclave that served is left as it was, and the successor is ended
/// where it was started; afterwards the successor is kept.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// One at a time.
    #[error("another upgrade is under way")]
    Busy,
    /// What is asked for does not fit how the parent runs.
    #[error("{0}")]
    Usage(&'static str),
    /// The successor's endpoint is none.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The successor's endpoint is that of the enclave which serves.
    #[error("{endpoint} is the enclave that serves: its successor needs another")]
    SameEndpoint {
        /// The endpoint.
        endpoint: String,
    },
    /// The manifest cannot be read.
    #[error("cannot read the release manifest {}: {source}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The manifest has a size that no enclave takes.
    #[error("the release manifest {} must have 1 to {max_bytes} bytes", path.display())]
    ManifestSize {
        /// The file.
        path: PathBuf,
        /// The most bytes it may have.
        max_bytes: usize,
    },
    /// The successor's configuration cannot be used.
    #[error(transparent)]
    Configuration(ParentError),
    /// Image or machine would keep the successor from running beside the enclave that serves.
    #[error("the successor cannot be started beside the enclave that serves:\n{}", crate::finding::in_words(.0).trim_end())]
    Preflight(Vec<Finding>),
    /// The ports towards the successor cannot be opened.
    #[error(transparent)]
    Ports(#[from] TransportError),
    /// The successor said that it does not come to serve.
    #[error("the successor does not take over: {0}")]
    Failed(String),
    /// The successor ended before it served.
    #[error("the successor ended before it served: {0}")]
    Ended(Arc<LaunchError>),
    /// The successor was not heard of in time.
    #[error("the successor did not serve within {ms} ms; it {last}")]
    Late {
        /// The limit.
        ms: u64,
        /// What was known of it last.
        last: &'static str,
    },
    /// Whoever ordered it has left.
    #[error("the upgrade was cancelled before the successor took over")]
    Cancelled,
    /// The parent was asked to stop.
    #[error("the parent was asked to stop before the successor served")]
    Stopping,
}

impl UpgradeError {
    /// A stable name, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "upgrade_under_way",
            Self::Usage(_) | Self::Endpoint(_) | Self::SameEndpoint { .. } => "upgrade_usage",
            Self::Manifest { .. } | Self::ManifestSize { .. } => "manifest",
            Self::Configuration(_) => "configuration",
            Self::Preflight(_) => "preflight",
            Self::Ports(_) => "enclave_port",
            Self::Failed(_) => "successor_failed",
            Self::Ended(_) => "successor_ended",
            Self::Late { .. } => "successor_late",
            Self::Cancelled => "upgrade_cancelled",
            Self::Stopping => "parent_stopping",
        }
    }
}

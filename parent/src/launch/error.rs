//! Why there is no enclave.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use super::nitro_cli::NitroCliError;
use crate::ParentError;
use crate::finding::Finding;

/// Why an appliance did not start. Nothing keeps running then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApplianceError {
    /// The preflight found what would keep it from serving.
    #[error("the appliance cannot start on this machine:\n{}", crate::finding::in_words(.0).trim_end())]
    Preflight(Vec<Finding>),
    /// The parent did not start.
    #[error(transparent)]
    Parent(#[from] ParentError),
    /// A fault of this program's.
    #[error("looking at the image failed: {0}")]
    Panicked(tokio::task::JoinError),
}

/// Why an enclave did not start, or did not stop.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// A program that is not there.
    #[error("{program} is not in {searched}")]
    Missing {
        /// The program.
        program: String,
        /// The folders.
        searched: String,
    },
    /// The image is no longer one that may be started.
    #[error("{0}")]
    Image(String),
    /// `nitro-cli` did not do it.
    #[error(transparent)]
    NitroCli(#[from] NitroCliError),
    /// `nitro-cli` started another enclave than was asked for.
    #[error("nitro-cli started the enclave with CID {found}, and CID {asked} was asked for")]
    OtherCid {
        /// Asked for.
        asked: u32,
        /// Started.
        found: u64,
    },
    /// The enclave is still there.
    #[error("nitro-cli says that it did not terminate the enclave {id}")]
    NotTerminated {
        /// Its id.
        id: String,
    },
    /// A program could not be started or watched.
    #[error("cannot run {}: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A socket of an earlier run cannot be removed.
    #[error("cannot remove {}: {source}", path.display())]
    Stale {
        /// The socket.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The process that serves QEMU's vsock did not open its socket.
    #[error("vhost-device-vsock did not open {} in time; it said: {said}", path.display())]
    VsockDevice {
        /// The socket.
        path: PathBuf,
        /// Its last words.
        said: String,
    },
    /// An emulated enclave is reached over unix sockets alone.
    #[error("QEMU needs the parent's endpoint to be unix:PATH, and it is {endpoint}")]
    Endpoint {
        /// The endpoint.
        endpoint: String,
    },
    /// The enclave did not come up.
    #[error("no heartbeat came within {ms} ms: the enclave did not boot{console}")]
    NoHeartbeat {
        /// The limit.
        ms: u64,
        /// What its console said, where there is one.
        console: String,
    },
    /// It was up, or coming up, and is no more.
    #[error("{0}")]
    Ended(String),
}

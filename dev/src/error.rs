//! What can go wrong.

use std::io;
use std::path::PathBuf;

use r3e_client::project::ProjectError;
use thiserror::Error;

/// Why a command ended.
#[derive(Debug, Error)]
pub(crate) enum DevError {
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A file has more than it may.
    #[error("{path} has more than {max_bytes} bytes")]
    TooLarge { path: PathBuf, max_bytes: u64 },
    /// A file is not what it must be.
    #[error("{path}: {what}")]
    Malformed { path: PathBuf, what: String },
    /// There are no tests.
    #[error("{0} holds no *.test.toml: see r3e-dev test --help for what one looks like")]
    NoTests(PathBuf),
    /// The folder is no function.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The function is not one that an appliance would take.
    #[error("{0}")]
    Refused(String),
    /// A program is missing.
    #[error("there is no program {0}: install it beside r3e-dev, or name its folder by --programs")]
    NoProgram(PathBuf),
    /// This machine cannot do it.
    #[error("functions cannot be run on this machine")]
    Machine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The port cannot be had.
    #[error("nothing can listen at {address}: choose another address by --listen")]
    Listen {
        address: std::net::SocketAddr,
        #[source]
        source: io::Error,
    },
}

impl DevError {
    /// As `--help` tells them.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoProgram(_) | Self::Machine(_) => 3,
            _ => 2,
        }
    }

    /// Whatever stands in the way of running functions at all.
    pub(crate) fn machine(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Machine(source.into())
    }
}

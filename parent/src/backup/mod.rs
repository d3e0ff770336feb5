//! Backups of the sealed records: everything that the store keeps at one moment, in one file, and back again.
//!
//! The parent can read none of it, and nothing here makes a backup more than what the store is: an old state that is put
//! back is a rolled-back state, which enclaves and clients are there to notice.
//!
//! `format` is the file, `save` writes one, `restore` puts one back.

pub mod format;
mod restore;
mod save;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use format::{Encoder, Entry, FormatError, Reader};
pub use restore::restore;
pub use save::save;
pub(crate) use save::write_backup;

use crate::admin::StatusError;
use crate::blobs::postgres::PostgresError;
use crate::error::ParentError;
use crate::settings::StoreSettings;

/// Whose records.
#[derive(Debug, Clone)]
pub struct Place {
    /// The data folder; of a store in PostgreSQL, none is needed.
    pub data: Option<PathBuf>,
    /// The store.
    pub store: StoreSettings,
}

/// What a backup holds, found by reading it to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// When it was made, in seconds since 1970.
    pub made_unix_seconds: u64,
    /// Records in it.
    pub records: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the head, if there is one: the state that it is.
    pub head: Option<[u8; 32]>,
    /// Whether there is a slot.
    pub has_slot: bool,
    /// The SHA-256 that the file ends with.
    pub checksum: [u8; 32],
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Records so far.
    pub records: u64,
    /// Bytes so far.
    pub bytes: u64,
}

/// Why there is no backup, or why it was not put back.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The file cannot be written or read.
    #[error("cannot use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The file is no backup, or a damaged one.
    #[error("{} is refused", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: FormatError,
    },
    /// Where the store is was not said.
    #[error("say whose records: --data DIR, or --store postgres://…")]
    NoPlace,
    /// The data folder, or the store in it.
    #[error(transparent)]
    Parent(#[from] ParentError),
    /// The store failed; in words.
    #[error("the store failed: {0}")]
    Store(String),
    /// The database.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// The parent that runs was asked, and did not give its records.
    #[error(transparent)]
    Running(#[from] StatusError),
    /// An earlier restore did not end.
    #[error(
        "an earlier restore left {path:?}, which may be the newest copy of a store: look at it, with `r3e-parent backup` on a \
         folder where it is called `blobs`, then move it away or remove it"
    )]
    Leftover {
        /// The folder.
        path: PathBuf,
    },
    /// There is something already.
    #[error("the store holds records already: they are replaced only with --replace")]
    NotEmpty,
    /// A parent serves the store.
    #[error(
        "{holder} holds the store's lease: stop it first, since its enclave must not see its records change"
    )]
    Served {
        /// What it calls itself.
        holder: String,
    },
}

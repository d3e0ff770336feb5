//! The store in a PostgreSQL database, for more than one machine: at any time one parent holds its lease, and writes.
//!
//! | module | what |
//! |---|---|
//! | [`address`] | where the database is, and when TLS may be left out |
//! | [`connect`] | one session, and whether the server can be relied on |
//! | [`schema`] | the tables |
//! | [`lease`] | who may write, as this parent knows it |
//! | [`tenure`] | the lease held, renewed, waited for, taken over |
//! | [`store`] | heads, records and the slot |
//! | [`snapshot`] | one moment of them, for a backup |
//! | [`restoring`] | a backup put back |
//!
//! Why a parent that was thought dead cannot write: every transaction that writes begins by locking the one row of
//! `r3e.store`, where holder and epoch must still be its own; each takeover raises the epoch in the same row. Why an
//! outcome that was lost comes to light: the commit is sent only under that lock, and a new session begins by taking it,
//! so it sees whatever an older one did.

mod address;
mod connect;
mod holder;
mod lease;
mod restoring;
mod schema;
mod snapshot;
mod store;
mod tenure;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

pub use address::{AddressError, PostgresAddress};
pub(crate) use connect::Connector;
pub(crate) use lease::{Lease, LeaseState};
pub(crate) use restoring::Restoring;
pub(crate) use snapshot::Moment;
pub(crate) use store::Postgres;
pub(crate) use tenure::LeaseTask;

use crate::limits::{DEFAULT_LEASE_MS, STORE_OPERATION_TIMEOUT_MS};

/// What the operator says of a store in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// Where it is, and the user.
    pub address: PostgresAddress,
    /// PEM certificates that sign the server's; none for those of the public web.
    pub ca: Option<PathBuf>,
    /// A file with the password alone.
    pub password_file: Option<PathBuf>,
    /// How long the lease lasts without being renewed: how long a standby waits after the holder has died.
    pub lease_ms: u32,
}

impl PostgresSettings {
    /// With the default for all but the address.
    pub fn new(address: PostgresAddress) -> Self {
        Self { address, ca: None, password_file: None, lease_ms: DEFAULT_LEASE_MS }
    }
}

/// Why a database is not used, or did not do it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The file with the password cannot be read.
    #[error("cannot read the password in {}", path.display())]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The certificates cannot be used.
    #[error("cannot use the certificates in {}: {reason}", path.display())]
    Ca {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS: {reason}")]
    Tls {
        /// The library's reason.
        reason: String,
    },
    /// No connection, or no TLS over it.
    #[error("cannot connect to the database at {server}")]
    Dial {
        /// The server.
        server: String,
        /// The reason.
        source: io::Error,
    },
    /// The server's answer, or the session's end.
    #[error("the database failed")]
    Session(#[from] tokio_postgres::Error),
    /// No answer; the session is given up.
    #[error("the database did not answer within {STORE_OPERATION_TIMEOUT_MS} ms")]
    TimedOut,
    /// What the server calls committed may be gone after a crash.
    #[error(
        "the database is not durable ({setting}): a crash of its machine could lose what it has acknowledged"
    )]
    NotDurable {
        /// What is wrong.
        setting: &'static str,
    },
    /// A replica, or a server that only reads.
    #[error("the database server takes no writes: it is a replica, or read-only")]
    ReadOnly,
    /// A server without what we need.
    #[error("the database server is of version {version}, and must be 12 or newer")]
    TooOld {
        /// As `server_version_num` says it.
        version: i32,
    },
    /// Tables of another version of this program.
    #[error(
        "the tables are of version {found}, and this r3e-parent knows {known}: use the release that made them"
    )]
    Schema {
        /// In the database.
        found: i32,
        /// In this program.
        known: i32,
    },
    /// What cannot be by our own statements: the tables were changed by another hand.
    #[error("the database is not as this program leaves it: {what}")]
    Unexpected {
        /// What was found.
        what: &'static str,
    },
    /// The process cannot keep who it is.
    #[error("cannot keep this parent's identity in {}", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

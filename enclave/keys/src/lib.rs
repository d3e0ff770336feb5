//! The keys of an appliance: one 32-byte root secret, how it comes into memory, and all that is derived from it.
//!
//! ```text
//! UnlockProvider --unlock--> RootSecret --derive(KeyPath)--> seal key, blind key, report key, oracle's keys, keys for random numbers,
//!                                                      witness and anchor key, wallets
//! ```
//!
//! This crate knows nothing of the NSM (entropy and documents are handed in), of storage (the parent's slot is handed in),
//! of HTTP, or of who is a tenant: [`wallet`] judges by the policies and requests that it is given.
//! Nothing here can be printed: no secret type has `Debug` of its content, and no error carries key material.

#![forbid(unsafe_code)]

mod anchor;
mod error;
pub mod kms;
pub mod limits;
mod oracle;
mod path;
pub mod quorum;
mod random;
mod report;
mod root;
mod scalar;
mod unlock;
pub mod wallet;
mod witness;

pub use anchor::AnchorKey;
pub use error::{BoxError, KeyError};
pub use oracle::{OracleKeys, OracleSignature};
pub use path::KeyPath;
pub use random::RandomKey;
pub use report::ReportKey;
pub use root::RootSecret;
pub use unlock::{
    AdoptFuture, Clock, Documents, Entropy, Ephemeral, Slot, SlotFuture, SlotWritten, UnlockFuture,
    UnlockProvider,
};
pub use witness::WitnessKey;

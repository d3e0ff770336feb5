//! Sealed state. The enclave has no disk: it hands sealed records to its parent, and trusts nothing that comes back.
//!
//! ```text
//! Store --batch--> committer --sealed records + new head--> BlobStore (the parent) --fsync--> Committed
//!   ^                                                                                            |
//!   +------------------------- visible and acknowledged only now <-----------------------------+
//! ```
//!
//! - [`Namespace`] and a key address a record; the parent sees an HMAC of both, a size, and a count of writes.
//! - `seal`: each record and each head under a key of its own.
//! - `trie`: one digest over all records, updated in O(log n).
//! - `boot`: reads everything once, and compares it with the head.
//! - `commit`: one task merges what waits into one round trip, and settles what a lost connection left unknown.
//!
//! Any sign that the parent kept or answered something else than what was committed closes the store for good
//! ([`Tampered`]). One thing cannot be seen from inside: a whole older state, head and records together, offered at
//! boot. [`Store::sequence`] and [`Store::head_digest`] are there for a witness that remembers.
//!
//! This crate knows nothing of what its records mean, of tenants' rights, or of clients.

#![forbid(unsafe_code)]

mod blobs;
mod boot;
mod cache;
mod commit;
mod error;
mod head;
mod index;
pub mod limits;
mod name;
mod parent;
mod plan;
mod record;
mod seal;
mod settle;
mod store;
mod trie;
mod write;

pub use blobs::{BlobError, BlobFuture, BlobStore, CommitAnswer, LinkError, Page};
pub use error::{StoreError, Tampered};
pub use index::Listed;
pub use name::Namespace;
pub use parent::ParentBlobs;
pub use record::{Record, Value};
pub use seal::StoreKeys;
pub use store::{Options, Store};
pub use trie::{EMPTY_ROOT, Trie};
pub use write::{Committed, Write};

//! Sealed state. The enclave has no disk: it hands sealed records to its parent, and trusts nothing that comes back.
//!
//! ```text
//! Store --batch--> committer --sealed records + new head--> BlobStore (the parent) --fsync--> Committed
//!   ^                                                                                            |
//!   +------------------------- visible and acknowledged only now <-----------------------------+
//! ```
//!
//! - [`Namespace`] and a key address a record; the parent sees an HMAC of both, a size, and a count of writes.
//! - `seal`: a tree of keys with epochs; each record, head and note is sealed under a key of its own.
//! - `trie`, `proof`: one digest over all records, updated in O(log n), and proofs of single records against it.
//! - `commit`: one task merges what waits into one round trip, builds the next one meanwhile, and settles what a lost
//!   connection left unknown. Each commit notes what it changed, beside the records themselves.
//! - `upkeep`: checkpoints, so that those notes stay few; `reseal`: a new epoch takes over the records of the one before.
//! - `load`, `boot`: read the checkpoint and the notes since, and compare them with the head. A value is read and compared
//!   when it is asked for; `audit` does so for all of them.
//!
//! Any sign that the parent kept or answered something else than what was committed closes the store for good
//! ([`Tampered`]). One thing cannot be seen from inside: a whole older state, head and records together, offered at
//! boot. A [`Witness`] that remembers [`Store::sequence`] and [`Store::head_digest`] tells it; see `witness`.
//!
//! This crate knows nothing of what its records mean, of tenants' rights, or of clients.

#![forbid(unsafe_code)]

mod audit;
mod blobs;
mod boot;
mod cache;
mod carry;
mod commit;
mod error;
mod freeze;
mod head;
mod in_force;
mod index;
pub mod limits;
mod load;
mod name;
mod notes;
mod offer;
mod parent;
mod plan;
mod proof;
mod read;
mod record;
mod reseal;
mod seal;
mod settle;
mod store;
mod summary;
mod trie;
mod upkeep;
mod watch;
mod witness;
mod write;

pub use audit::Audit;
pub use blobs::{BlobError, BlobFuture, BlobStore, CommitAnswer, LinkError, Page};
pub use boot::Expected;
pub use commit::Frozen;
pub use error::{StoreError, Tampered};
pub use in_force::notes_in_force;
pub use index::Listed;
pub use name::Namespace;
pub use parent::ParentBlobs;
pub use proof::{Proof, ProofError, Proven};
pub use record::{Record, Value};
pub use seal::StoreKeys;
pub use store::{Options, Store};
pub use summary::Summary;
pub use trie::{Digest, EMPTY_ROOT, Trie};
pub use witness::{
    Anchored, Knows, OvertakenFuture, Restore, Restored, Witness, WitnessError, WitnessFuture, Witnessed,
    Witnessing,
};
pub use write::{Committed, Write};

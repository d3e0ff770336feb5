//! The blob store's protocol: the enclave asks, the parent keeps.
//!
//! The parent sees blinded names and sealed bytes. A commit is one batch and one new head, applied whole or not at
//! all, durable before it is answered, and only if the head that stands is the one the enclave expects.

use ciborium::Value;
use r3e_cbor::MapReader;

use super::frame::{FrameError, decode_body, int_map};
use crate::limits::{BLOB_NAME_BYTES, MAX_BLOB_BYTES, MAX_COMMIT_RECORDS, MAX_HEAD_BYTES, MAX_LIST_RECORDS};

/// A record's blinded name: an HMAC, so that the parent learns nothing from it.
pub type BlobName = [u8; BLOB_NAME_BYTES];
/// SHA-256 of a head, as the parent keeps it.
pub type HeadDigest = [u8; 32];

/// What the enclave asks. `id` is echoed, so that requests may be pipelined on one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Chosen by the enclave, echoed by the parent.
    pub id: u64,
    /// The operation.
    pub operation: Operation,
}

/// An operation on the parent's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The head that stands, if any.
    Head,
    /// One record.
    Read {
        /// Its blinded name.
        name: BlobName,
    },
    /// Records in the order of their names, after `after`; the parent answers with as many as fit its limits.
    List {
        /// The last name of the page before, or none for the first page.
        after: Option<BlobName>,
    },
    /// One batch and the head that goes with it.
    Commit(Commit),
}

/// A batch: applied whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// SHA-256 of the head this commit follows, none for the first.
    pub expected: Option<HeadDigest>,
    /// The new head.
    pub head: Vec<u8>,
    /// Records to write, over what stands under the name.
    pub puts: Vec<(BlobName, Vec<u8>)>,
    /// Records to drop.
    pub deletes: Vec<BlobName>,
}

/// What the parent answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The request's `id`.
    pub id: u64,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The outcome of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// To `Head`.
    Head(Option<Vec<u8>>),
    /// To `Read`.
    Read(Option<Vec<u8>>),
    /// To `List`: a page in name order; `more` says whether another follows.
    List {
        /// Names and records.
        records: Vec<(BlobName, Vec<u8>)>,
        /// Whether a page follows.
        more: bool,
    },
    /// To `Commit`: durable.
    Committed,
    /// To `Commit`: another head stands; nothing was written.
    Conflict,
    /// The store failed; nothing is known of the operation's effect. The text is the parent's, for the log.
    Failed(String),
}

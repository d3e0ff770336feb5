//! What a store of sealed records is: records, one head, one slot. Knows nothing of where they are kept.
//!
//! One task uses a store, one request after the other. What is applied may be answered only after [`Store::finish`],
//! which makes it durable; so what waits together shares one sync, or one transaction.

use std::collections::HashSet;
use std::future::{Future, ready};
use std::pin::Pin;

use r3e_proto::host::blob::{BlobName, Commit, HeadDigest};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::journal::JournalError;
use super::postgres::PostgresError;

/// What a store answers, boxed so that the store can be a trait object.
pub(crate) type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A store, embedded or remote.
pub(crate) trait Store: Send {
    /// The head that stands.
    fn head(&mut self) -> StoreFuture<'_, Option<Vec<u8>>>;

    /// One record.
    fn read(&mut self, name: BlobName) -> StoreFuture<'_, Option<Vec<u8>>>;

    /// The records after `after`, as many as fit one answer.
    fn list(&mut self, after: Option<BlobName>) -> StoreFuture<'_, Page>;

    /// Applies a commit whole, if the head it follows is the one that stands.
    fn apply(&mut self, commit: Commit) -> StoreFuture<'_, Applied>;

    /// The slot's value.
    fn slot(&mut self) -> StoreFuture<'_, Option<Vec<u8>>>;

    /// Writes the slot, if the value that stands has the digest `expected`.
    fn write_slot(&mut self, expected: Option<HeadDigest>, value: Vec<u8>) -> StoreFuture<'_, Applied>;

    /// Makes durable what was applied since the last call, and tells whether that was anything. After an error it is
    /// unknown whether any of it stands.
    fn finish(&mut self) -> StoreFuture<'_, bool>;

    /// Does what no answer waits for, after the answers were given.
    fn rest(&mut self) -> StoreFuture<'_, ()> {
        at_once(Ok(()))
    }

    /// Everything as it stands now, to be read while others write.
    fn snapshot(&mut self) -> StoreFuture<'_, Box<dyn Snapshot>>;

    /// Whether the store refuses everything until the parent is started again.
    fn is_stopped(&self) -> bool {
        false
    }

    /// Bytes on this machine's disk, where the store lies there, as of some moment lately.
    fn disk_bytes(&self) -> Option<u64> {
        None
    }
}

/// One moment of a store.
pub(crate) trait Snapshot: Send {
    /// Its head.
    fn head(&mut self) -> StoreFuture<'_, Option<Vec<u8>>>;

    /// Its slot.
    fn slot(&mut self) -> StoreFuture<'_, Option<Vec<u8>>>;

    /// Its records after `after`, as many as fit one answer.
    fn page(&mut self, after: Option<BlobName>) -> StoreFuture<'_, Page>;
}

/// Why the store did not do it.
#[derive(Debug, Error)]
pub(crate) enum StoreError {
    /// The embedded engine or the disk below it.
    #[error("the engine failed: {0}")]
    Engine(#[from] fjall::Error),
    /// The journal before the engine.
    #[error("the journal of commits failed: {0}")]
    Journal(#[from] JournalError),
    /// A write failed before.
    #[error("a write failed earlier: restart r3e-parent once the disk is well")]
    Stopped,
    /// A commit that names a record twice has no one meaning.
    #[error("the commit names a record twice")]
    Twice,
    /// A record whose name is no name: not written by this program.
    #[error("the store holds a record that is not ours")]
    Foreign,
    /// The database, or the way to it.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// Another parent holds the lease, or none does yet.
    #[error("this parent is on standby: {holder} holds the lease")]
    Standby {
        /// What the holder calls itself.
        holder: String,
    },
    /// The lease was taken, or ran out, before the request was done; nothing of the request stands.
    #[error("this parent has lost its lease: nothing was written")]
    Fenced,
    /// The transaction of this request was given up after a failure of another one in it.
    #[error("the transaction was given up: an earlier request in it failed")]
    GivenUp,
}

impl StoreError {
    /// Whether the request alone is at fault, so that those beside it go on.
    pub(super) fn is_of_the_request(&self) -> bool {
        matches!(self, Self::Twice)
    }

    /// Whether the lease is why.
    pub(super) fn is_of_the_lease(&self) -> bool {
        matches!(self, Self::Standby { .. } | Self::Fenced)
    }
}

/// What a commit, or a write of the slot, came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It stands, once it is durable.
    Written,
    /// Another head, or another value, stands; nothing was written.
    Conflict,
}

/// A page of records, in the order of their names.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) records: Vec<(BlobName, Vec<u8>)>,
    pub(crate) more: bool,
}

/// What a commit calls the head it follows, and a write of the slot the value it goes over.
pub(crate) fn digest(value: &[u8]) -> HeadDigest {
    Sha256::digest(value).into()
}

/// Refuses a commit that names a record twice.
pub(super) fn each_name_once(commit: &Commit) -> Result<(), StoreError> {
    let mut names = HashSet::with_capacity(commit.puts.len() + commit.deletes.len());
    let mut all = commit.puts.iter().map(|(name, _)| name).chain(&commit.deletes);
    if all.all(|name| names.insert(*name)) { Ok(()) } else { Err(StoreError::Twice) }
}

/// An answer that is there already.
pub(super) fn at_once<'a, T: Send + 'a>(answer: Result<T, StoreError>) -> StoreFuture<'a, T> {
    Box::pin(ready(answer))
}

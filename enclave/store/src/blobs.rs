//! What the store asks of whoever keeps its blobs. The keeper is never trusted: see [`crate::ParentBlobs`].

use std::{future::Future, pin::Pin, sync::Arc};

use r3e_proto::{
    WireError,
    host::blob::{BlobName, Commit},
};
use r3e_transport::{TransportError, frame::FrameError};

/// What a keeper answers, boxed so that the trait can be a trait object.
pub type BlobFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BlobError>> + Send + 'a>>;

/// A keeper of blobs: the parent, or a stand-in for it in a test. Every call may be made again after any error.
pub trait BlobStore: Send + Sync {
    /// The head that stands, if any. It must be durable already: the store may take it as the proof of a commit
    /// whose answer was lost.
    fn head(&self) -> BlobFuture<'_, Option<Vec<u8>>>;

    /// The record under `name`, if any.
    fn read(&self, name: BlobName) -> BlobFuture<'_, Option<Vec<u8>>>;

    /// Records by rising name, after `after`.
    fn list(&self, after: Option<BlobName>) -> BlobFuture<'_, Page>;

    /// Applies a batch, whole or not at all, if the head that stands is the expected one. After any error the
    /// outcome is unknown.
    fn commit<'a>(&'a self, commit: &'a Commit) -> BlobFuture<'a, CommitAnswer>;
}

/// One answer to [`BlobStore::list`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Names and sealed records.
    pub records: Vec<(BlobName, Vec<u8>)>,
    /// Whether a page follows.
    pub more: bool,
}

/// The answer to [`BlobStore::commit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitAnswer {
    /// Applied, and durable.
    Committed,
    /// Another head stands; nothing was applied.
    Conflict,
}

/// Why the keeper gave no answer that can be used. All of these may pass.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BlobError {
    /// There was no connection, or it ended before the answer came.
    #[error("no connection to the parent")]
    Lost(#[source] Arc<LinkError>),
    /// No answer came in time.
    #[error("the parent did not answer within {timeout_ms} ms")]
    TimedOut {
        /// The time it was given.
        timeout_ms: u64,
    },
    /// The parent says that its store failed.
    #[error("the parent's store failed: {message}")]
    Failed {
        /// The parent's words, for the log.
        message: String,
    },
    /// Too many requests wait already.
    #[error("too many requests to the parent wait already")]
    Busy,
}

/// Why a connection to the parent was not made, or was given up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It could not be made.
    #[error("the parent takes no connection")]
    Dial(#[source] TransportError),
    /// The stream ended, or did not carry whole frames.
    #[error("the parent's frames ended or are broken")]
    Frame(#[from] FrameError),
    /// A frame did not carry a message of the protocol.
    #[error("the parent's message is malformed")]
    Message(#[from] WireError),
    /// An answer that belongs to no question, or to another kind of question.
    #[error("the parent broke the protocol: {rule}")]
    Protocol {
        /// The rule that was broken.
        rule: &'static str,
    },
    /// A question was left without an answer for too long.
    #[error("the parent left a question without an answer for {timeout_ms} ms")]
    Stalled {
        /// The time it was given.
        timeout_ms: u64,
    },
}

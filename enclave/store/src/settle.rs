//! Brings one commit to a known end. A connection that is lost after the commit was sent leaves its outcome open;
//! the head that stands afterwards tells: the attempted one, the one before, or somebody else's.

use std::time::Duration;

use r3e_proto::host::blob::Commit;
use tokio::time::sleep;

use crate::{
    blobs::{BlobError, BlobStore, CommitAnswer},
    error::Tampered,
    head::Head,
    limits::{BACKOFF_FIRST_MS, BACKOFF_MOST_MS},
    seal::StoreKeys,
    trie::{Digest, digest_of},
};

/// How a commit ended.
#[derive(Debug)]
pub(crate) enum Settled {
    /// It stands.
    Committed,
    /// It does not, and neither does the head it was to follow: this one does.
    Overtaken(Option<Vec<u8>>),
    /// Nobody waits any more; the outcome is unknown.
    GivenUp(Option<BlobError>),
}

/// Offers `commit`, whose head has the digest `attempted`, until its outcome is known. After each failure
/// `give_up` is asked, with the count of failures so far.
pub(crate) async fn settle(
    blobs: &dyn BlobStore,
    commit: &Commit,
    attempted: &Digest,
    give_up: impl Fn(usize) -> bool,
) -> Settled {
    let mut failures = 0;
    let mut send = true;
    loop {
        let mut cause = None;
        if send {
            match blobs.commit(commit).await {
                Ok(CommitAnswer::Committed) => return Settled::Committed,
                // A conflict may be our own first try, whose answer was lost.
                Ok(CommitAnswer::Conflict) => {}
                Err(error) => cause = Some(error),
            }
        }
        match blobs.head().await {
            Ok(found) => {
                let standing = found.as_deref().map(digest_of);
                if standing == Some(*attempted) {
                    return Settled::Committed;
                }
                if standing != commit.expected {
                    return Settled::Overtaken(found);
                }
                send = true;
            }
            // Until the head is known, the commit must not be sent again.
            Err(error) => (cause, send) = (Some(error), false),
        }
        failures += 1;
        if give_up(failures) {
            return Settled::GivenUp(cause);
        }
        sleep(backoff(failures)).await;
    }
}

/// What the parent did, if `found` stands where the head of `committed` should.
pub(crate) fn classify(keys: &StoreKeys, found: Option<&[u8]>, committed: u64) -> Tampered {
    let Some(blob) = found else { return Tampered::HeadMissing };
    match Head::open(keys, blob) {
        None => Tampered::HeadForeign,
        Some(head) if head.sequence < committed => {
            Tampered::HeadRolledBack { found: head.sequence, committed }
        }
        Some(head) => Tampered::HeadForked { found: head.sequence, committed },
    }
}

/// The pause after a number of failures in a row: doubling, up to the limit.
pub(crate) fn backoff(failures: usize) -> Duration {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    Duration::from_millis((BACKOFF_FIRST_MS << doublings).min(BACKOFF_MOST_MS))
}

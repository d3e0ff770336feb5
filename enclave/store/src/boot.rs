//! Brings up the state that the parent keeps: the index, verified against the head, and no value.
//!
//! A boot ends with a commit of its own that changes no record. A commit of an earlier process that is still on its
//! way then finds another head than it expects, so it can no longer change what was just read; and another enclave
//! with the same root secret notices on its next commit that it is not alone.

use r3e_proto::host::blob::Commit;

use crate::{
    blobs::BlobStore,
    error::{StoreError, Tampered},
    head::{Head, SealedHead},
    index::Index,
    limits::{MAX_BOOT_ATTEMPTS, MAX_BOOT_COMMIT_TRIES},
    load::{LoadError, Loaded, load},
    name::Kind,
    seal::StoreKeys,
    settle::{Settled, classify, settle},
    trie::{Digest, Trie, digest_of},
    upkeep::Upkeep,
    witness::{Guard, Passed},
};

/// The state, verified.
pub(crate) struct Booted {
    /// With its head, which this boot committed.
    pub(crate) index: Index,
    pub(crate) trie: Trie,
    pub(crate) upkeep: Upkeep,
}

/// The one state that may be opened: the last one that another enclave of the same root secret committed before it handed
/// it over. It moves on with what the opening commits, so that an opening that failed half way can be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Its sequence.
    pub sequence: u64,
    /// SHA-256 of its sealed head.
    pub head: Digest,
}

impl Expected {
    fn check(&self, head: Option<&[u8]>) -> Result<(), StoreError> {
        let stands = head.map(digest_of) == Some(self.head);
        if stands { Ok(()) } else { Err(StoreError::OtherHead { sequence: self.sequence }) }
    }
}

/// Reads and verifies the index: of the state that is expected, or else of whatever stands.
///
/// # Errors
/// [`StoreError::Unavailable`], [`StoreError::Unwitnessed`], to be tried again; [`StoreError::Tampered`];
/// [`StoreError::OtherHead`].
pub(crate) async fn boot(
    blobs: &dyn BlobStore,
    keys: &StoreKeys,
    guard: &Guard,
    mut expected: Option<&mut Expected>,
) -> Result<Booted, StoreError> {
    let mut finding = Tampered::HeadForked { found: 0, committed: 0 };
    for _ in 0..MAX_BOOT_ATTEMPTS {
        let head = blobs.head().await.map_err(StoreError::Unavailable)?;
        if let Some(expected) = &expected {
            expected.check(head.as_deref())?;
        }
        match load(blobs, keys, head.as_deref()).await {
            Ok(mut loaded) => {
                let epochs = loaded.head.epochs;
                keys.hold(epochs.oldest..=epochs.current)?;
                let passed = guard.judge(&loaded.head, head.as_deref().map(digest_of), &loaded.index).await?;
                if let Some(standing) = passed.record {
                    guard.record(standing).await?;
                }
                let (sealed, commit) = fence(keys, loaded.head, head.as_deref(), passed)?;
                // Of an expected state there is one opening: its outcome must be known before anything else is tried.
                let once = expected.is_some();
                let tries_used_up = |failures| !once && failures >= MAX_BOOT_COMMIT_TRIES;
                match settle(blobs, &commit, &sealed.digest, tries_used_up).await {
                    Settled::Committed => {
                        if let Some(expected) = &mut expected {
                            **expected = Expected { sequence: sealed.head.sequence, head: sealed.digest };
                        }
                        guard.record(sealed.witnessed()).await?;
                        loaded.upkeep.count(0);
                        loaded.index.head = Some(sealed);
                        let Loaded { index, trie, upkeep, .. } = loaded;
                        return Ok(Booted { index, trie, upkeep });
                    }
                    Settled::Overtaken(found) => {
                        finding = classify(keys, found.as_deref(), sealed.head.sequence);
                    }
                    Settled::GivenUp(cause) => {
                        return Err(cause.map_or(StoreError::Unconfirmed, StoreError::Unavailable));
                    }
                }
            }
            Err(LoadError::Blobs(error)) => return Err(StoreError::Unavailable(error)),
            Err(LoadError::Tampered(found)) => {
                // A commit of the process before this one may have come between two pages.
                if blobs.head().await.map_err(StoreError::Unavailable)? == head {
                    return Err(StoreError::Tampered(found));
                }
                finding = found;
            }
        }
    }
    Err(StoreError::Tampered(finding))
}

/// A commit that follows `blob` and changes no record. Like every commit it has its notes, which are empty.
fn fence(
    keys: &StoreKeys,
    standing: Head,
    blob: Option<&[u8]>,
    Passed { sequence, restored, .. }: Passed,
) -> Result<(SealedHead, Commit), StoreError> {
    let expected = blob.map(digest_of);
    let mut next = Head { sequence, previous: expected.unwrap_or_default(), restored, ..standing };
    next.epochs.sealings += 2;
    let notes = keys.seal_notes(Kind::Tail, next.number(), &[])?;
    let sealed = next.seal(keys)?;
    let commit = Commit { expected, head: sealed.blob.clone(), puts: vec![notes], deletes: Vec::new() };
    Ok((sealed, commit))
}

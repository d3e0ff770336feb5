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
    trie::{Trie, digest_of},
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

/// Reads and verifies the index.
///
/// # Errors
/// [`StoreError::Unavailable`], [`StoreError::Unwitnessed`], to be tried again; [`StoreError::Tampered`].
pub(crate) async fn boot(
    blobs: &dyn BlobStore,
    keys: &StoreKeys,
    guard: &Guard,
) -> Result<Booted, StoreError> {
    let mut finding = Tampered::HeadForked { found: 0, committed: 0 };
    for _ in 0..MAX_BOOT_ATTEMPTS {
        let head = blobs.head().await.map_err(StoreError::Unavailable)?;
        match load(blobs, keys, head.as_deref()).await {
            Ok(mut loaded) => {
                let epochs = loaded.head.epochs;
                keys.hold(epochs.oldest..=epochs.current)?;
                let passed = guard.judge(&loaded.head, head.as_deref().map(digest_of)).await?;
                if let Some(standing) = passed.record {
                    guard.record(standing).await?;
                }
                let (sealed, commit) = fence(keys, loaded.head, head.as_deref(), passed)?;
                let tries_used_up = |failures| failures >= MAX_BOOT_COMMIT_TRIES;
                match settle(blobs, &commit, &sealed.digest, tries_used_up).await {
                    Settled::Committed => {
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

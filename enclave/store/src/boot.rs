//! Reads the whole state once, and compares it with the head. Nothing of it is used unless all of it agrees.
//!
//! A boot ends with a commit of its own that changes no record. A commit of an earlier process that is still on its
//! way then finds another head than it expects, so it can no longer change what was just read; and another enclave
//! with the same root secret notices on its next commit that it is not alone.

use r3e_proto::host::blob::{BlobName, Commit};

use crate::{
    blobs::{BlobError, BlobStore},
    error::{StoreError, Tampered},
    head::{Head, SealedHead},
    index::{Entry, Index},
    limits::{MAX_BOOT_ATTEMPTS, MAX_BOOT_COMMIT_TRIES},
    seal::StoreKeys,
    settle::{Settled, classify, settle},
    trie::{Digest, Trie, digest_of},
};

/// The state, verified.
pub(crate) struct Booted {
    /// With its head, which this boot committed.
    pub(crate) index: Index,
    pub(crate) trie: Trie,
}

/// Reads and verifies everything.
///
/// # Errors
/// [`StoreError::Unavailable`], to be tried again; [`StoreError::Tampered`].
pub(crate) async fn boot(blobs: &dyn BlobStore, keys: &StoreKeys) -> Result<Booted, StoreError> {
    let mut finding = Tampered::HeadForked { found: 0, committed: 0 };
    for _ in 0..MAX_BOOT_ATTEMPTS {
        let head = blobs.head().await.map_err(StoreError::Unavailable)?;
        match load(blobs, keys, head.as_deref()).await {
            Ok((mut index, mut trie, standing)) => {
                let (sealed, commit) = fence(keys, standing, head.as_deref(), trie.root())?;
                let tries_used_up = |failures| failures >= MAX_BOOT_COMMIT_TRIES;
                match settle(blobs, &commit, &sealed.digest, tries_used_up).await {
                    Settled::Committed => {
                        index.head = Some(sealed);
                        return Ok(Booted { index, trie });
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

enum LoadError {
    Blobs(BlobError),
    Tampered(Tampered),
}

impl From<Tampered> for LoadError {
    fn from(found: Tampered) -> Self {
        Self::Tampered(found)
    }
}

/// Everything under the head `blob`, verified against it.
async fn load(
    blobs: &dyn BlobStore,
    keys: &StoreKeys,
    blob: Option<&[u8]>,
) -> Result<(Index, Trie, Head), LoadError> {
    let head = match blob {
        None => Head::NONE,
        Some(blob) => Head::open(keys, blob).ok_or(Tampered::HeadForeign)?,
    };
    let mut state =
        Loading { keys, head, has_head: blob.is_some(), index: Index::default(), trie: Trie::default() };
    let mut last = None;
    loop {
        let page = blobs.list(last).await.map_err(LoadError::Blobs)?;
        for (name, record) in &page.records {
            state.add(last.as_ref(), name, record)?;
            last = Some(*name);
        }
        match (page.more, page.records.is_empty()) {
            (false, _) => break,
            (true, true) => return Err(Tampered::ListUnordered.into()),
            (true, false) => tokio::task::yield_now().await,
        }
    }
    Ok(state.finish()?)
}

struct Loading<'a> {
    keys: &'a StoreKeys,
    head: Head,
    has_head: bool,
    index: Index,
    trie: Trie,
}

impl Loading<'_> {
    fn add(&mut self, last: Option<&BlobName>, name: &BlobName, blob: &[u8]) -> Result<(), Tampered> {
        if !self.has_head {
            return Err(Tampered::HeadMissing);
        }
        if last.is_some_and(|last| name <= last) {
            let twice = self.trie.get(name).is_some();
            return Err(if twice { Tampered::RecordDuplicated } else { Tampered::ListUnordered });
        }
        let (version, opened) = self.keys.open_record(name, blob)?;
        if version > self.head.writes {
            return Err(Tampered::HeadOlderThanRecord);
        }
        if self.trie.len() as u64 >= self.head.records {
            return Err(Tampered::RecordExtra);
        }
        let digest = digest_of(blob);
        let entry = Entry { name: *name, digest, version, bytes: opened.value.len() };
        self.trie.insert(*name, digest);
        self.index.insert(opened.namespace, opened.key, entry);
        Ok(())
    }

    fn finish(mut self) -> Result<(Index, Trie, Head), Tampered> {
        if (self.trie.len() as u64) < self.head.records {
            return Err(Tampered::RecordMissing);
        }
        if self.trie.root() != self.head.root {
            return Err(Tampered::RecordOlder);
        }
        Ok((self.index, self.trie, self.head))
    }
}

/// A commit that follows `blob` and changes no record.
fn fence(
    keys: &StoreKeys,
    standing: Head,
    blob: Option<&[u8]>,
    root: Digest,
) -> Result<(SealedHead, Commit), StoreError> {
    let expected = blob.map(digest_of);
    let next =
        Head { sequence: standing.sequence + 1, previous: expected.unwrap_or_default(), root, ..standing };
    let sealed = next.seal(keys)?;
    let commit = Commit { expected, head: sealed.blob.clone(), puts: Vec::new(), deletes: Vec::new() };
    Ok((sealed, commit))
}

//! Reads the index that a head names, and compares it with the head: the pages of its checkpoint, then the notes of the
//! commits since. No record is read; a value is checked when it is asked for.
//!
//! What vouches for what was read:
//!
//! - The seal: pages and notes were written by this store, each under its own number.
//! - The root: the map that they make has the root of the head. A page or a note of another history, an older one, would
//!   have to lead to the same digest for every record; then it leads to the same records, since a digest stands for one
//!   sealed record, with its address, version and size. So neither pages nor notes are named in the head by their digest.
//!
//! A listing is asked for ranges of numbers, so whatever else the parent keeps, or invents, is never met.

use crate::{
    blobs::{BlobError, BlobStore},
    error::Tampered,
    head::Head,
    index::Index,
    name::Kind,
    notes::replay,
    seal::StoreKeys,
    trie::Trie,
    upkeep::Upkeep,
};

/// The state as the head says it is.
pub(crate) struct Loaded {
    /// Without a head.
    pub(crate) index: Index,
    pub(crate) trie: Trie,
    pub(crate) upkeep: Upkeep,
    pub(crate) head: Head,
}

/// Why it could not be read.
pub(crate) enum LoadError {
    Blobs(BlobError),
    Tampered(Tampered),
}

impl From<Tampered> for LoadError {
    fn from(found: Tampered) -> Self {
        Self::Tampered(found)
    }
}

impl From<BlobError> for LoadError {
    fn from(error: BlobError) -> Self {
        Self::Blobs(error)
    }
}

/// The index under the head `blob`, verified against it.
pub(crate) async fn load(
    blobs: &dyn BlobStore,
    keys: &StoreKeys,
    blob: Option<&[u8]>,
) -> Result<Loaded, LoadError> {
    let Some(blob) = blob else { return nothing(blobs).await };
    let head = Head::open(keys, blob).ok_or(Tampered::HeadForeign)?;
    // A note of the commit after this head is there only if the head was rolled back without it.
    let later = head.number() + 1;
    if let Some(notes) = blobs.read(keys.numbered(Kind::Tail, later)).await?
        && keys.open_notes(Kind::Tail, later, &notes).is_some()
    {
        return Err(Tampered::HeadOlderThanRecord.into());
    }
    let mut state = Loading { keys, index: Index::default(), read: 0 };
    let (pages, tail) = (head.pages, head.tail);
    state.range(blobs, Kind::Page, pages.first, pages.end).await?;
    state.read = 0;
    state.range(blobs, Kind::Tail, tail.from, head.number() + 1).await?;
    let Loading { index, read, .. } = state;
    let mut trie = Trie::of(index.digests());
    if trie.len() as u64 != head.records || trie.root() != head.root {
        return Err(Tampered::IndexOlder.into());
    }
    Ok(Loaded { index, trie, upkeep: Upkeep::new(read), head })
}

/// A store without a head is new, unless there is something in it.
async fn nothing(blobs: &dyn BlobStore) -> Result<Loaded, LoadError> {
    let page = blobs.list(None).await?;
    if page.more || !page.records.is_empty() {
        return Err(Tampered::HeadMissing.into());
    }
    Ok(Loaded { index: Index::default(), trie: Trie::default(), upkeep: Upkeep::new(0), head: Head::NONE })
}

struct Loading<'a> {
    keys: &'a StoreKeys,
    index: Index,
    /// Sealed notes, and notes in them.
    read: u64,
}

impl Loading<'_> {
    /// Replays what is numbered from `next` to before `end`, in order.
    async fn range(
        &mut self,
        blobs: &dyn BlobStore,
        kind: Kind,
        mut next: u64,
        end: u64,
    ) -> Result<(), LoadError> {
        let missing = match kind {
            Kind::Page => Tampered::CheckpointMissing,
            Kind::Tail => Tampered::TailMissing,
        };
        while next < end {
            // Numbers begin at 1.
            let after = self.keys.numbered(kind, next - 1);
            let page = blobs.list(Some(after)).await?;
            if !page.records.is_sorted_by(|(one, _), (other, _)| one < other)
                || page.records.first().is_some_and(|(first, _)| *first <= after)
                || (page.more && page.records.is_empty())
            {
                return Err(Tampered::ListUnordered.into());
            }
            for (name, blob) in &page.records {
                if next == end {
                    break;
                }
                if *name != self.keys.numbered(kind, next) {
                    return Err(missing.into());
                }
                self.replay(kind, next, blob)?;
                next += 1;
            }
            if next < end && !page.more {
                return Err(missing.into());
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn replay(&mut self, kind: Kind, number: u64, blob: &[u8]) -> Result<(), Tampered> {
        let Self { keys, index, read } = self;
        let changed = match kind {
            Kind::Page => Tampered::CheckpointChanged,
            Kind::Tail => Tampered::TailChanged,
        };
        let notes = keys.open_notes(kind, number, blob).ok_or(changed)?;
        *read += 1;
        let apply = |namespace: &crate::Namespace, key: &str, entry| {
            *read += 1;
            match entry {
                Some(entry) => index.insert(namespace, key, entry),
                None => index.remove(namespace, key),
            }
        };
        replay(&notes, keys, apply).ok_or(changed)
    }
}

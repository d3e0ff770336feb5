//! The store on this machine's disk, by the embedded engine fjall: one keyspace for records, one for the head and the
//! slot.
//!
//! Nothing written here is durable before [`Embedded::sync`], and nothing may be answered before. After a failed write
//! or sync the store refuses everything: the kernel may have dropped what it could not write and forgotten the error,
//! so only a new start, which reads what the disk has, knows what stands.

use std::ops::Bound;
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use r3e_proto::host::blob::{BlobName, Commit, HeadDigest};
use r3e_proto::limits::{MAX_LIST_BYTES, MAX_LIST_RECORDS};

use super::keep::{Applied, Page, Snapshot, Store, StoreError, StoreFuture, at_once, digest, each_name_once};
use crate::limits::{MAX_OPEN_STORE_FILES, STORE_CACHE_BYTES};

/// The head's key in the keyspace of single values.
const HEAD: &str = "head";
/// The slot's, beside it.
const SLOT: &str = "slot";

/// The store's files.
pub(crate) struct Embedded {
    database: Database,
    records: Keyspace,
    singles: Keyspace,
    head: Option<Vec<u8>>,
    unsynced: bool,
    stopped: bool,
}

impl Embedded {
    /// Opens the store in the folder `path`, or makes it. Blocks while an earlier journal is read.
    pub(crate) fn open(path: &Path) -> Result<Self, fjall::Error> {
        // Sealed bytes do not compress.
        let database = Database::builder(path)
            .cache_size(STORE_CACHE_BYTES)
            .max_cached_files(Some(MAX_OPEN_STORE_FILES))
            .journal_compression(fjall::CompressionType::None)
            .open()?;
        let options = || {
            let plain = fjall::config::CompressionPolicy::all(fjall::CompressionType::None);
            KeyspaceCreateOptions::default().data_block_compression_policy(plain)
        };
        let records = database.keyspace("records", options)?;
        let singles = database.keyspace("head", options)?;
        let head = singles.get(HEAD)?.map(|head| head.to_vec());
        // What an earlier run left in the kernel's hands is made durable before anything is built on it.
        database.persist(PersistMode::SyncAll)?;
        Ok(Self { database, records, singles, head, unsynced: false, stopped: false })
    }

    /// The head that stands.
    pub(crate) fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.standing()?;
        Ok(self.head.clone())
    }

    /// One record.
    pub(super) fn read(&self, name: &BlobName) -> Result<Option<Vec<u8>>, StoreError> {
        self.standing()?;
        Ok(self.records.get(name)?.map(|record| record.to_vec()))
    }

    /// The records after `after`, as many as fit one answer.
    pub(crate) fn list(&self, after: Option<&BlobName>) -> Result<Page, StoreError> {
        self.standing()?;
        page_of(self.records.range::<&BlobName, _>(behind(after)))
    }

    /// Writes a commit as one batch, if the head it follows is the one that stands.
    pub(crate) fn apply(&mut self, commit: Commit) -> Result<Applied, StoreError> {
        self.standing()?;
        if commit.expected != self.head.as_deref().map(digest) {
            return Ok(Applied::Conflict);
        }
        each_name_once(&commit)?;
        let mut batch = self.database.batch();
        for (name, record) in commit.puts {
            batch.insert(&self.records, name, record);
        }
        for name in commit.deletes {
            batch.remove(&self.records, name);
        }
        batch.insert(&self.singles, HEAD, commit.head.clone());
        batch.commit().inspect_err(|_| self.stopped = true)?;
        (self.head, self.unsynced) = (Some(commit.head), true);
        Ok(Applied::Written)
    }

    /// The slot's value.
    pub(crate) fn slot(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.standing()?;
        Ok(self.singles.get(SLOT)?.map(|value| value.to_vec()))
    }

    /// Writes the slot, if the value that stands is the expected one.
    pub(crate) fn write_slot(
        &mut self,
        expected: Option<HeadDigest>,
        value: Vec<u8>,
    ) -> Result<Applied, StoreError> {
        if expected != Embedded::slot(self)?.as_deref().map(digest) {
            return Ok(Applied::Conflict);
        }
        self.singles.insert(SLOT, value).inspect_err(|_| self.stopped = true)?;
        self.unsynced = true;
        Ok(Applied::Written)
    }

    /// Makes durable what was applied; whether that was anything.
    pub(crate) fn sync(&mut self) -> Result<bool, StoreError> {
        if !std::mem::take(&mut self.unsynced) {
            return Ok(false);
        }
        self.standing()?;
        self.database.persist(PersistMode::SyncAll).inspect_err(|_| self.stopped = true)?;
        Ok(true)
    }

    /// Writes records of a backup into a store that nobody uses yet.
    pub(crate) fn fill(&mut self, records: Vec<(BlobName, Vec<u8>)>) -> Result<(), StoreError> {
        let mut batch = self.database.batch();
        for (name, record) in records {
            batch.insert(&self.records, name, record);
        }
        Ok(batch.commit()?)
    }

    /// Ends what [`Self::fill`] began: after this the store is durable, and is what the backup was.
    pub(crate) fn complete(
        &mut self,
        head: Option<Vec<u8>>,
        slot: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        let mut batch = self.database.batch();
        self.head.clone_from(&head);
        for (key, value) in [(HEAD, head), (SLOT, slot)] {
            if let Some(value) = value {
                batch.insert(&self.singles, key, value);
            }
        }
        batch.commit()?;
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }

    fn standing(&self) -> Result<(), StoreError> {
        if self.stopped { Err(StoreError::Stopped) } else { Ok(()) }
    }
}

impl Store for Embedded {
    fn head(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
        at_once(Embedded::head(self))
    }

    fn read(&mut self, name: BlobName) -> StoreFuture<'_, Option<Vec<u8>>> {
        at_once(Embedded::read(self, &name))
    }

    fn list(&mut self, after: Option<BlobName>) -> StoreFuture<'_, Page> {
        at_once(Embedded::list(self, after.as_ref()))
    }

    fn apply(&mut self, commit: Commit) -> StoreFuture<'_, Applied> {
        at_once(Embedded::apply(self, commit))
    }

    fn slot(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
        at_once(Embedded::slot(self))
    }

    fn write_slot(&mut self, expected: Option<HeadDigest>, value: Vec<u8>) -> StoreFuture<'_, Applied> {
        at_once(Embedded::write_slot(self, expected, value))
    }

    fn finish(&mut self) -> StoreFuture<'_, bool> {
        at_once(self.sync())
    }

    fn snapshot(&mut self) -> StoreFuture<'_, Box<dyn Snapshot>> {
        let moment = self.standing().map(|()| Moment {
            snapshot: self.database.snapshot(),
            records: self.records.clone(),
            singles: self.singles.clone(),
        });
        at_once(moment.map(|moment| Box::new(moment) as Box<dyn Snapshot>))
    }

    fn is_stopped(&self) -> bool {
        self.stopped
    }

    fn disk_bytes(&self) -> Option<u64> {
        self.database.disk_space().ok()
    }
}

/// A moment of the store: the engine keeps what stood then for as long as this lives.
struct Moment {
    snapshot: fjall::Snapshot,
    records: Keyspace,
    singles: Keyspace,
}

impl Moment {
    fn single(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.snapshot.get(&self.singles, key)?.map(|value| value.to_vec()))
    }
}

impl Snapshot for Moment {
    fn head(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
        at_once(self.single(HEAD))
    }

    fn slot(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
        at_once(self.single(SLOT))
    }

    fn page(&mut self, after: Option<BlobName>) -> StoreFuture<'_, Page> {
        at_once(page_of(self.snapshot.range::<&BlobName, _>(&self.records, behind(after.as_ref()))))
    }
}

/// All names after `after`.
fn behind(after: Option<&BlobName>) -> (Bound<&BlobName>, Bound<&BlobName>) {
    (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded)
}

/// The first records of `entries`, as many as fit one answer, and at least one.
fn page_of(entries: fjall::Iter) -> Result<Page, StoreError> {
    let mut page = Page { records: Vec::new(), more: false };
    let mut bytes = 0;
    for entry in entries {
        let (name, record) = entry.into_inner()?;
        bytes += record.len();
        let full = page.records.len() == MAX_LIST_RECORDS || bytes > MAX_LIST_BYTES;
        if full && !page.records.is_empty() {
            page.more = true;
            break;
        }
        let name = name.as_ref().try_into().map_err(|_| StoreError::Foreign)?;
        page.records.push((name, record.to_vec()));
    }
    Ok(page)
}

#[cfg(test)]
mod tests;

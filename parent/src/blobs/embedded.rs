//! The store on this machine's disk, by the embedded engine fjall: one keyspace for records, one for the head and the
//! slot; and before it a [`Journal`] of commits.
//!
//! A commit is durable when the journal is. Only then the engine takes it, and makes it durable in its own time, at the
//! latest before the journal begins a file anew. So the engine is never ahead of the journal; after a crash it takes from
//! there what it is behind. To write again what it has already changes nothing: a commit says what stands after it, not
//! what is to be done.
//!
//! Nothing written here is durable before [`Embedded::sync`], and nothing may be answered before. After a failed write
//! or sync the store refuses everything: the kernel may have dropped what it could not write and forgotten the error,
//! so only a new start, which reads what the disk has, knows what stands.

use std::mem;
use std::ops::Bound;
use std::path::Path;
use std::time::{Duration, Instant};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use r3e_proto::host::blob::{BlobName, Commit, HeadDigest};
use r3e_proto::limits::{MAX_LIST_BYTES, MAX_LIST_RECORDS};
use thiserror::Error;

use super::journal::{Journal, JournalError};
use super::keep::{Applied, Page, Snapshot, Store, StoreError, StoreFuture, at_once, digest, each_name_once};
use crate::limits::{DISK_LOOK_MS, MAX_OPEN_STORE_FILES, STORE_CACHE_BYTES};

/// The head's key in the keyspace of single values.
const HEAD: &str = "head";
/// The slot's, beside it.
const SLOT: &str = "slot";

/// Why the embedded store cannot be opened.
#[derive(Debug, Error)]
pub enum StoreOpenError {
    /// The engine, or the disk below it.
    #[error(transparent)]
    Engine(#[from] fjall::Error),
    /// The journal before it.
    #[error("the journal of commits: {0}")]
    Journal(#[from] JournalError),
    /// The journal's commits do not lead to the engine's state.
    #[error(
        "the journal of commits belongs to another state: put all of the folder's files back as they were together"
    )]
    Apart,
}

/// The store's files.
pub(crate) struct Embedded {
    database: Database,
    records: Keyspace,
    singles: Keyspace,
    journal: Journal,
    /// Commits in the journal that the engine does not have yet.
    ahead: Vec<Commit>,
    head: Option<Vec<u8>>,
    /// Whether the journal has something to be synced, and whether the slot has.
    unsynced: bool,
    slot_unsynced: bool,
    stopped: bool,
    /// What the files take, and when that was looked at.
    disk: Option<(Instant, u64)>,
}

impl Embedded {
    /// Opens the store in the folder `path`, or makes it. Blocks while an earlier journal is read.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreOpenError> {
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
        let (journal, ahead) = Journal::open(path)?;
        let standing = head.as_deref().map(digest);
        let leads_on =
            |commit: &Commit| commit.expected == standing || Some(digest(&commit.head)) == standing;
        if !ahead.is_empty() && !ahead.iter().any(leads_on) {
            return Err(StoreOpenError::Apart);
        }
        let head = ahead.last().map(|commit| commit.head.clone()).or(head);
        let (unsynced, slot_unsynced, stopped) = (false, false, false);
        let mut store = Self {
            database,
            records,
            singles,
            journal,
            ahead,
            head,
            unsynced,
            slot_unsynced,
            stopped,
            disk: None,
        };
        store.catch_up()?;
        // What an earlier run left in the kernel's hands is made durable before anything is built on it.
        store.database.persist(PersistMode::SyncAll)?;
        store.journal.clear()?;
        Ok(store)
    }

    /// The head that stands.
    pub(crate) fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.standing()?;
        Ok(self.head.clone())
    }

    /// One record.
    pub(super) fn read(&mut self, name: &BlobName) -> Result<Option<Vec<u8>>, StoreError> {
        self.settle()?;
        Ok(self.records.get(name)?.map(|record| record.to_vec()))
    }

    /// The records after `after`, as many as fit one answer.
    pub(crate) fn list(&mut self, after: Option<&BlobName>) -> Result<Page, StoreError> {
        self.settle()?;
        page_of(self.records.range::<&BlobName, _>(behind(after)))
    }

    /// Takes a commit, if the head it follows is the one that stands.
    pub(crate) fn apply(&mut self, commit: Commit) -> Result<Applied, StoreError> {
        self.standing()?;
        if commit.expected != self.head.as_deref().map(digest) {
            return Ok(Applied::Conflict);
        }
        each_name_once(&commit)?;
        self.journal.append(&commit);
        (self.head, self.unsynced) = (Some(commit.head.clone()), true);
        self.ahead.push(commit);
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
        self.slot_unsynced = true;
        Ok(Applied::Written)
    }

    /// Makes durable what was applied; whether that was anything.
    pub(crate) fn sync(&mut self) -> Result<bool, StoreError> {
        let (commits, slot) = (mem::take(&mut self.unsynced), mem::take(&mut self.slot_unsynced));
        if commits {
            self.standing()?;
            self.journal.sync().inspect_err(|_| self.stopped = true)?;
        }
        if slot {
            self.standing()?;
            self.database.persist(PersistMode::SyncAll).inspect_err(|_| self.stopped = true)?;
        }
        Ok(commits || slot)
    }

    /// Gives the engine the commits that are durable, and begins the journal's other file once this one is full. Nobody
    /// waits for it.
    pub(super) fn rest(&mut self) -> Result<(), StoreError> {
        self.settle()?;
        if self.journal.is_full() {
            self.database.persist(PersistMode::SyncAll).inspect_err(|_| self.stopped = true)?;
            self.journal.turn();
        }
        let now = Instant::now();
        let looked_at = self.disk.map(|(at, _)| at);
        if looked_at.is_none_or(|at| now.duration_since(at) >= Duration::from_millis(DISK_LOOK_MS)) {
            self.disk = self.database.disk_space().ok().map(|bytes| (now, bytes + self.journal.bytes()));
        }
        Ok(())
    }

    /// Brings the engine to where the journal is.
    fn settle(&mut self) -> Result<(), StoreError> {
        self.standing()?;
        if self.unsynced {
            let synced = self.sync();
            // Those who wait for these commits still ask whether they are durable, and must hear it if they are not.
            self.unsynced = true;
            synced?;
        }
        Ok(self.catch_up().inspect_err(|_| self.stopped = true)?)
    }

    /// Writes each commit that the engine lacks as one batch.
    fn catch_up(&mut self) -> Result<(), fjall::Error> {
        for commit in mem::take(&mut self.ahead) {
            let mut batch = self.database.batch();
            for (name, record) in commit.puts {
                batch.insert(&self.records, name, record);
            }
            for name in commit.deletes {
                batch.remove(&self.records, name);
            }
            batch.insert(&self.singles, HEAD, commit.head);
            batch.commit()?;
        }
        Ok(())
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

    fn rest(&mut self) -> StoreFuture<'_, ()> {
        at_once(Embedded::rest(self))
    }

    fn snapshot(&mut self) -> StoreFuture<'_, Box<dyn Snapshot>> {
        let moment = self.settle().map(|()| Moment {
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
        self.disk.map(|(_, bytes)| bytes)
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

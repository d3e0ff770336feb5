//! The records and the head on disk, by the embedded engine fjall: one keyspace for records, one for the head and
//! the slot.
//!
//! Used by one thread. Nothing written here is durable before [`Store::sync`], and nothing may be answered before.
//! After a failed write or sync the store refuses everything: the kernel may have dropped what it could not write and
//! forgotten the error, so only a new start, which reads what the disk has, knows what stands.

use std::collections::HashSet;
use std::ops::Bound;
use std::path::Path;

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use r3e_proto::host::blob::{BlobName, Commit, HeadDigest};
use r3e_proto::limits::{MAX_LIST_BYTES, MAX_LIST_RECORDS};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::limits::{MAX_OPEN_STORE_FILES, STORE_CACHE_BYTES};

/// The head's key in the keyspace of single values.
const HEAD: &str = "head";
/// The slot's, beside it.
const SLOT: &str = "slot";

/// The store's files.
pub(super) struct Store {
    database: Database,
    records: fjall::Keyspace,
    heads: fjall::Keyspace,
    head: Option<Vec<u8>>,
    stopped: bool,
}

/// Why the store did not do it.
#[derive(Debug, Error)]
pub(super) enum StoreError {
    /// The engine or the disk below it.
    #[error("the engine failed: {0}")]
    Engine(#[from] fjall::Error),
    /// A write failed before.
    #[error("a write failed earlier: restart r3e-parent once the disk is well")]
    Stopped,
    /// A commit that names a record twice has no one meaning.
    #[error("the commit names a record twice")]
    Twice,
    /// A record whose name is no name: not written by this program.
    #[error("the store holds a record that is not ours")]
    Foreign,
}

/// What a commit came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Applied {
    /// It stands, once synced.
    Written,
    /// Another head stands; nothing was written.
    Conflict,
}

/// A page of records, in the order of their names.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) records: Vec<(BlobName, Vec<u8>)>,
    pub(super) more: bool,
}

impl Store {
    /// Opens the store in the folder `path`, or makes it.
    pub(super) fn open(path: &Path) -> Result<Self, fjall::Error> {
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
        let heads = database.keyspace("head", options)?;
        let head = heads.get(HEAD)?.map(|head| head.to_vec());
        // What an earlier run left in the kernel's hands is made durable before anything is built on it.
        database.persist(PersistMode::SyncAll)?;
        Ok(Self { database, records, heads, head, stopped: false })
    }

    /// The head that stands.
    pub(super) fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.standing()?;
        Ok(self.head.clone())
    }

    /// One record.
    pub(super) fn read(&self, name: &BlobName) -> Result<Option<Vec<u8>>, StoreError> {
        self.standing()?;
        Ok(self.records.get(name)?.map(|record| record.to_vec()))
    }

    /// The records after `after`, as many as fit one answer.
    pub(super) fn list(&self, after: Option<&BlobName>) -> Result<Page, StoreError> {
        self.standing()?;
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut page = Page { records: Vec::new(), more: false };
        let mut bytes = 0;
        for entry in self.records.range::<&BlobName, _>((from, Bound::Unbounded)) {
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

    /// Writes a commit as one batch, if the head it follows is the one that stands.
    pub(super) fn apply(&mut self, commit: Commit) -> Result<Applied, StoreError> {
        self.standing()?;
        if commit.expected != self.head.as_deref().map(digest) {
            return Ok(Applied::Conflict);
        }
        let mut names = HashSet::new();
        if !commit.puts.iter().map(|(name, _)| name).chain(&commit.deletes).all(|name| names.insert(*name)) {
            return Err(StoreError::Twice);
        }
        let mut batch = self.database.batch();
        for (name, record) in commit.puts {
            batch.insert(&self.records, name, record);
        }
        for name in commit.deletes {
            batch.remove(&self.records, name);
        }
        batch.insert(&self.heads, HEAD, commit.head.clone());
        batch.commit().inspect_err(|_| self.stopped = true)?;
        self.head = Some(commit.head);
        Ok(Applied::Written)
    }

    /// The slot's value.
    pub(super) fn slot(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.standing()?;
        Ok(self.heads.get(SLOT)?.map(|value| value.to_vec()))
    }

    /// Writes the slot, if the value that stands is the expected one.
    pub(super) fn write_slot(
        &mut self,
        expected: Option<HeadDigest>,
        value: Vec<u8>,
    ) -> Result<Applied, StoreError> {
        if expected != self.slot()?.as_deref().map(digest) {
            return Ok(Applied::Conflict);
        }
        self.heads.insert(SLOT, value).inspect_err(|_| self.stopped = true)?;
        Ok(Applied::Written)
    }

    /// Makes durable what was applied.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        self.standing()?;
        self.database.persist(PersistMode::SyncAll).inspect_err(|_| self.stopped = true)?;
        Ok(())
    }

    /// Whether a failed write has stopped the store.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// Bytes on disk.
    pub(super) fn disk_bytes(&self) -> u64 {
        self.database.disk_space().unwrap_or(0)
    }

    fn standing(&self) -> Result<(), StoreError> {
        if self.stopped { Err(StoreError::Stopped) } else { Ok(()) }
    }
}

/// What a commit calls the head it follows, and a write of the slot the value it goes over.
fn digest(head: &[u8]) -> HeadDigest {
    Sha256::digest(head).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;
    use r3e_proto::limits::MAX_BLOB_BYTES;

    use super::*;

    fn name(n: u16) -> BlobName {
        let mut name = [0; 32];
        name[..2].copy_from_slice(&n.to_be_bytes());
        name
    }

    fn commit(expected: Option<&[u8]>, head: &[u8]) -> Commit {
        Commit { expected: expected.map(digest), head: head.to_vec(), puts: Vec::new(), deletes: Vec::new() }
    }

    fn all(store: &Store) -> Vec<(BlobName, Vec<u8>)> {
        let mut records = Vec::new();
        loop {
            let page = store.list(records.last().map(|(name, _)| name)).unwrap();
            records.extend(page.records);
            if !page.more {
                return records;
            }
        }
    }

    #[test]
    fn only_the_commit_that_follows_the_head_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        assert_eq!(store.head().unwrap(), None);
        let put = |mut commit: Commit| {
            commit.puts.push((name(1), commit.head.clone()));
            commit
        };
        assert_eq!(store.apply(put(commit(Some(b""), b"x"))).unwrap(), Applied::Conflict);
        assert_eq!(store.apply(put(commit(None, b"one"))).unwrap(), Applied::Written);
        for wrong in [None, Some(&b"two"[..]), Some(b"on"), Some(b"")] {
            assert_eq!(store.apply(put(commit(wrong, b"x"))).unwrap(), Applied::Conflict);
            assert_eq!(store.read(&name(1)).unwrap().unwrap(), b"one");
            assert_eq!(store.head().unwrap().unwrap(), b"one");
        }
        assert_eq!(store.apply(put(commit(Some(b"one"), b"two"))).unwrap(), Applied::Written);
        assert_eq!(store.apply(put(commit(Some(b"one"), b"three"))).unwrap(), Applied::Conflict);
        assert_eq!(store.read(&name(1)).unwrap().unwrap(), b"two");
    }

    #[test]
    fn a_name_twice_in_one_commit_is_refused_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let mut twice = commit(None, b"h");
        twice.puts = vec![(name(1), vec![1]), (name(2), vec![2]), (name(1), vec![3])];
        assert!(matches!(store.apply(twice), Err(StoreError::Twice)));
        let mut both = commit(None, b"h");
        both.puts = vec![(name(1), vec![1])];
        both.deletes = vec![name(1)];
        assert!(matches!(store.apply(both), Err(StoreError::Twice)));
        assert!(all(&store).is_empty());
        assert_eq!(store.head().unwrap(), None);
        assert!(!store.is_stopped(), "a bad commit is the enclave's fault, not the disk's");
    }

    #[test]
    fn pages_keep_to_both_limits() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        let mut many = commit(None, b"1");
        many.puts = (0..MAX_LIST_RECORDS).map(|n| (name(n.try_into().unwrap()), vec![1])).collect();
        store.apply(many).unwrap();
        let page = store.list(None).unwrap();
        assert_eq!((page.records.len(), page.more), (MAX_LIST_RECORDS, false));
        let mut one_more = commit(Some(b"1"), b"2");
        one_more.puts = vec![(name(u16::MAX), vec![1])];
        store.apply(one_more).unwrap();
        let page = store.list(None).unwrap();
        assert_eq!((page.records.len(), page.more), (MAX_LIST_RECORDS, true));
        let rest = store.list(page.records.last().map(|(name, _)| name)).unwrap();
        assert_eq!((rest.records.len(), rest.more), (1, false));

        let large = tempfile::tempdir().unwrap();
        let mut store = Store::open(large.path()).unwrap();
        let mut three = commit(None, b"1");
        three.puts = (0..3).map(|n| (name(n), vec![0; MAX_BLOB_BYTES])).collect();
        store.apply(three).unwrap();
        let page = store.list(None).unwrap();
        assert_eq!((page.records.len(), page.more), (MAX_LIST_BYTES / MAX_BLOB_BYTES, true));
        assert_eq!(all(&store).len(), 3);
    }

    #[test]
    fn the_slot_is_written_over_the_value_that_stands_and_over_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        assert_eq!(store.slot().unwrap(), None);
        assert_eq!(store.write_slot(Some(digest(b"")), b"x".to_vec()).unwrap(), Applied::Conflict);
        assert_eq!(store.write_slot(None, b"one".to_vec()).unwrap(), Applied::Written);
        assert_eq!(store.write_slot(None, b"x".to_vec()).unwrap(), Applied::Conflict);
        assert_eq!(store.write_slot(Some(digest(b"one")), b"two".to_vec()).unwrap(), Applied::Written);
        assert_eq!(store.write_slot(Some(digest(b"one")), b"x".to_vec()).unwrap(), Applied::Conflict);
        // A commit leaves it as it is, and it leaves the head and the records as they are.
        let mut first = commit(None, b"head");
        first.puts = vec![(name(1), vec![1])];
        assert_eq!(store.apply(first).unwrap(), Applied::Written);
        assert_eq!(store.write_slot(Some(digest(b"two")), Vec::new()).unwrap(), Applied::Written);
        store.sync().unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.slot().unwrap(), Some(Vec::new()));
        assert_eq!(store.head().unwrap(), Some(b"head".to_vec()));
        assert_eq!(all(&store), [(name(1), vec![1])]);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Commit { puts: BTreeMap<u16, Vec<u8>>, deletes: Vec<u16>, follows: bool },
        Reopen,
    }

    fn step() -> impl Strategy<Value = Step> {
        let puts = prop::collection::btree_map(0_u16..40, vec(any::<u8>(), 0..200), 0..12);
        let commits = (puts, vec(0_u16..40, 0..6), prop::bool::weighted(0.8));
        prop_oneof![
            12 => commits.prop_map(|(puts, deletes, follows)| Step::Commit { puts, deletes, follows }),
            1 => Just(Step::Reopen),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn the_store_holds_what_its_commits_say(steps in vec(step(), 1..30)) {
            let folder = tempfile::tempdir().unwrap();
            let mut store = Store::open(folder.path()).unwrap();
            let mut model = BTreeMap::new();
            let mut head: Option<Vec<u8>> = None;
            for (turn, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Reopen => {
                        drop(store);
                        store = Store::open(folder.path()).unwrap();
                    }
                    Step::Commit { puts, mut deletes, follows } => {
                        deletes.retain(|n| !puts.contains_key(n));
                        deletes.sort_unstable();
                        deletes.dedup();
                        let expected = if follows { head.clone() } else { Some(b"another".to_vec()) };
                        let mut next = commit(expected.as_deref(), &turn.to_be_bytes());
                        next.puts = puts.iter().map(|(n, record)| (name(*n), record.clone())).collect();
                        next.deletes = deletes.iter().map(|n| name(*n)).collect();
                        let applied = store.apply(next).unwrap();
                        prop_assert_eq!(applied == Applied::Written, follows);
                        if follows {
                            head = Some(turn.to_be_bytes().to_vec());
                            model.extend(puts.into_iter().map(|(n, record)| (name(n), record)));
                            model.retain(|name, _| !deletes.iter().any(|n| self::name(*n) == *name));
                        }
                        store.sync().unwrap();
                    }
                }
                prop_assert_eq!(store.head().unwrap(), head.clone());
                prop_assert_eq!(all(&store), model.clone().into_iter().collect::<Vec<_>>());
            }
        }
    }
}

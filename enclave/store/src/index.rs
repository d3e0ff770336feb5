//! What the enclave keeps in memory of each record: where it is, and what its blob must be.

use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
};

use r3e_proto::host::blob::BlobName;

use crate::{
    head::SealedHead,
    name::Namespace,
    trie::{Digest, EMPTY_ROOT},
};

/// One record of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key in the namespace.
    pub key: String,
    /// Its version.
    pub version: u64,
    /// The size of its value, in bytes.
    pub bytes: usize,
}

/// What is known of a record without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: BlobName,
    /// SHA-256 of the sealed blob.
    pub(crate) digest: Digest,
    pub(crate) version: u64,
    /// The epoch that it is sealed in.
    pub(crate) epoch: u32,
    /// The size of the value.
    pub(crate) bytes: u32,
}

/// A record's address, after which a walk over the index goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) namespace: Namespace,
    pub(crate) key: String,
}

/// The committed state.
#[derive(Debug, Default)]
pub(crate) struct Index {
    spaces: BTreeMap<Namespace, BTreeMap<String, Entry>>,
    records: usize,
    /// How many records each epoch holds; no epoch holds none.
    epochs: BTreeMap<u32, usize>,
    /// Names that the commit under way changes: the parent may answer with either blob.
    pub(crate) pending: HashSet<BlobName>,
    /// What a boot would read beside the checkpoint: commits in the tail, and changes in them.
    pub(crate) tail: u64,
    /// Whether the store has work of its own to do.
    pub(crate) at_work: bool,
    /// The head that stands; none before the first commit.
    pub(crate) head: Option<SealedHead>,
}

impl Index {
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.head.as_ref().map_or(0, |head| head.head.sequence)
    }

    pub(crate) fn head_digest(&self) -> Digest {
        self.head.as_ref().map_or(EMPTY_ROOT, |head| head.digest)
    }

    pub(crate) fn get(&self, namespace: &Namespace, key: &str) -> Option<Entry> {
        self.spaces.get(namespace)?.get(key).copied()
    }

    pub(crate) fn insert(&mut self, namespace: &Namespace, key: &str, entry: Entry) {
        // Looked up by reference first: most writes are to namespaces that are there.
        let standing = if let Some(space) = self.spaces.get_mut(namespace) {
            space.insert(key.to_owned(), entry)
        } else {
            self.spaces.insert(namespace.clone(), BTreeMap::from([(key.to_owned(), entry)]));
            None
        };
        *self.epochs.entry(entry.epoch).or_default() += 1;
        match standing {
            None => self.records += 1,
            Some(standing) => self.leave(standing.epoch),
        }
    }

    pub(crate) fn remove(&mut self, namespace: &Namespace, key: &str) {
        let Some(space) = self.spaces.get_mut(namespace) else { return };
        let removed = space.remove(key);
        if space.is_empty() {
            self.spaces.remove(namespace);
        }
        if let Some(removed) = removed {
            self.records -= 1;
            self.leave(removed.epoch);
        }
    }

    fn leave(&mut self, epoch: u32) {
        if let Some(count) = self.epochs.get_mut(&epoch) {
            *count -= 1;
            if *count == 0 {
                self.epochs.remove(&epoch);
            }
        }
    }

    /// Records of epochs before `epoch`.
    pub(crate) fn older_than(&self, epoch: u32) -> usize {
        self.epochs.range(..epoch).map(|(_, count)| count).sum()
    }

    /// The blinded names of all records, and the digests of what is kept under them.
    pub(crate) fn digests(&self) -> Vec<(BlobName, Digest)> {
        self.walk(None).map(|(_, _, entry)| (entry.name, entry.digest)).collect()
    }

    /// All records that follow `after`, by namespace and key.
    pub(crate) fn walk(&self, after: Option<&Cursor>) -> impl Iterator<Item = (&Namespace, &str, &Entry)> {
        let from = after.map_or(Bound::Unbounded, |after| Bound::Included(&after.namespace));
        self.spaces.range((from, Bound::Unbounded)).flat_map(move |(namespace, space)| {
            let start = match after {
                Some(after) if after.namespace == *namespace => Bound::Excluded(after.key.as_str()),
                _ => Bound::Unbounded,
            };
            space
                .range::<str, _>((start, Bound::Unbounded))
                .map(move |(key, entry)| (namespace, key.as_str(), entry))
        })
    }

    /// Records whose keys start with `prefix`, after `after`, by rising key, at most `limit`.
    pub(crate) fn scan(
        &self,
        namespace: &Namespace,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Listed> {
        let Some(space) = self.spaces.get(namespace) else { return Vec::new() };
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        space
            .range::<str, _>((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit)
            .map(|(key, entry)| Listed {
                key: key.clone(),
                version: entry.version,
                bytes: usize::try_from(entry.bytes).unwrap_or(usize::MAX),
            })
            .collect()
    }
}

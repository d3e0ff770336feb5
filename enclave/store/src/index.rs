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
    pub(crate) bytes: usize,
}

/// The committed state.
#[derive(Debug, Default)]
pub(crate) struct Index {
    spaces: BTreeMap<Namespace, BTreeMap<String, Entry>>,
    records: usize,
    /// Names that the commit under way changes: the parent may answer with either blob.
    pub(crate) pending: HashSet<BlobName>,
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

    pub(crate) fn insert(&mut self, namespace: Namespace, key: String, entry: Entry) {
        if self.spaces.entry(namespace).or_default().insert(key, entry).is_none() {
            self.records += 1;
        }
    }

    pub(crate) fn remove(&mut self, namespace: &Namespace, key: &str) {
        let Some(space) = self.spaces.get_mut(namespace) else { return };
        if space.remove(key).is_some() {
            self.records -= 1;
        }
        if space.is_empty() {
            self.spaces.remove(namespace);
        }
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
            .map(|(key, entry)| Listed { key: key.clone(), version: entry.version, bytes: entry.bytes })
            .collect()
    }
}

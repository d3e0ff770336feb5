//! What a parent keeps. Its owner can read it and rewrite it at will, while no store is open on it: here through the
//! parent's own protocol, which does as it is told.

use std::collections::BTreeMap;

use r3e_proto::host::blob::{BlobName, Commit};
use r3e_store::{BlobStore, CommitAnswer, ParentBlobs};
use sha2::{Digest, Sha256};

/// Head and records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The head; a store that was opened once has one.
    pub head: Vec<u8>,
    /// Everything else.
    pub records: BTreeMap<BlobName, Vec<u8>>,
}

impl Disk {
    /// All that the parent keeps.
    pub async fn read(blobs: &ParentBlobs) -> Self {
        let head = blobs.head().await.unwrap().unwrap();
        let mut records = BTreeMap::new();
        loop {
            let page = blobs.list(records.last_key_value().map(|(name, _)| *name)).await.unwrap();
            records.extend(page.records);
            if !page.more {
                return Self { head, records };
            }
        }
    }

    /// Makes it all that the parent keeps.
    pub async fn write(&self, blobs: &ParentBlobs) {
        let now = Self::read(blobs).await;
        let puts = self.records.iter().filter(|(name, blob)| now.records.get(*name) != Some(blob));
        let gone = now.records.keys().filter(|name| !self.records.contains_key(*name));
        let commit = Commit {
            expected: Some(Sha256::digest(&now.head).into()),
            head: self.head.clone(),
            puts: puts.map(|(name, blob)| (*name, blob.clone())).collect(),
            deletes: gone.copied().collect(),
        };
        assert_eq!(blobs.commit(&commit).await.unwrap(), CommitAnswer::Committed);
    }

    /// The names of what users of the store wrote. Those of the store's own notes end in a number, which is small.
    pub fn written(&self) -> Vec<BlobName> {
        self.records.keys().copied().filter(|name| !is_note(name)).collect()
    }

    /// The names of the pages of checkpoints and of the notes of commits.
    pub fn notes(&self) -> Vec<BlobName> {
        self.records.keys().copied().filter(is_note).collect()
    }
}

fn is_note(name: &BlobName) -> bool {
    name[24..28] == [0; 4]
}

//! Reads: from memory where the value is there, otherwise from the parent, compared with what was committed.

use std::time::Duration;

use tokio::time::timeout;

use crate::{
    error::{StoreError, Tampered},
    index::{Entry, Index},
    limits::MAX_READ_RETRIES,
    name::Namespace,
    record::{Record, Value},
    store::Shared,
    trie::digest_of,
};

/// How a record stands, compared with what a reader saw before.
enum Standing {
    Unchanged,
    Changed,
    /// A commit of it is under way.
    Changing,
}

impl Index {
    fn standing(&self, namespace: &Namespace, key: &str, seen: &Entry) -> Standing {
        if self.get(namespace, key) != Some(*seen) {
            Standing::Changed
        } else if self.pending.contains(&seen.name) {
            Standing::Changing
        } else {
            Standing::Unchanged
        }
    }
}

impl Shared {
    /// The record under `key`; its value is in memory afterwards, as far as there is room.
    pub(crate) async fn get(&self, namespace: &Namespace, key: &str) -> Result<Option<Record>, StoreError> {
        self.current()?;
        let Some(entry) = self.index().get(namespace, key) else { return Ok(None) };
        if let Some(value) = self.cache().get(&entry.name, entry.version) {
            return Ok(Some(Record { value, version: entry.version }));
        }
        let found = self.fetch(namespace, key).await?;
        // The parent may take its time.
        self.current()?;
        if let Some(record) = &found {
            self.cache().put(entry.name, record.version, record.value.clone());
        }
        Ok(found)
    }

    /// The record under `key`, read from the parent whether its value is in memory or not, which stays as it is.
    pub(crate) async fn fetch(&self, namespace: &Namespace, key: &str) -> Result<Option<Record>, StoreError> {
        for _ in 0..MAX_READ_RETRIES {
            self.intact()?;
            let mut commits = self.commits.subscribe();
            let Some(entry) = self.index().get(namespace, key) else { return Ok(None) };
            let blob = self.blobs.read(entry.name).await.map_err(StoreError::Unavailable)?;
            match self.verified(&entry, blob.as_deref()) {
                Ok(value) => return Ok(Some(Record { value, version: entry.version })),
                // Not the blob that stood when the read began. A commit may have replaced it meanwhile, or be
                // about to; otherwise it is the parent's doing.
                Err(found) => {
                    // Apart from the match: the index must not stay locked while this waits.
                    let standing = self.index().standing(namespace, key, &entry);
                    match standing {
                        Standing::Changed => {}
                        Standing::Changing => {
                            // The sender lives in `self`: it cannot end before us.
                            let settled = commits.changed();
                            let deadline = Duration::from_millis(self.options.commit_deadline_ms);
                            let _ = timeout(deadline, settled).await.map_err(|_| StoreError::Busy)?;
                        }
                        Standing::Unchanged => return Err(self.condemn(found).into()),
                    }
                }
            }
        }
        Err(StoreError::Busy)
    }

    /// The value in `blob`, if it is exactly the blob that was committed; otherwise what is wrong with it.
    fn verified(&self, entry: &Entry, blob: Option<&[u8]>) -> Result<Value, Tampered> {
        let blob = blob.ok_or(Tampered::RecordMissing)?;
        let (version, opened) = self.keys.open_record(&entry.name, blob)?;
        if digest_of(blob) == entry.digest {
            return Ok(opened.value);
        }
        Err(if version > entry.version { Tampered::HeadOlderThanRecord } else { Tampered::RecordOlder })
    }
}

//! Reads every record and compares it with what was committed. A boot does not, so that its cost does not grow with the
//! values; a record that the parent changed or dropped is found when it is asked for, or here.

use tokio::task::JoinSet;

use crate::{
    error::{StoreError, Tampered},
    index::Cursor,
    limits::MAX_AUDIT_READS,
    store::Store,
    trie::Trie,
};

/// What an audit read; all of it is as it was committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Audit {
    /// Records that were read.
    pub records: u64,
    /// Bytes of their values.
    pub bytes: u64,
}

impl Store {
    /// Reads every record from the parent, none from memory, and compares it with what was committed; then the map of
    /// all of them with the head. Writers go on meanwhile: a record that is written during the audit is read as it was
    /// before or as it is after, and one that is deleted may be left out.
    ///
    /// # Errors
    /// [`StoreError::Tampered`]: says what was found, and has closed the store. [`StoreError::Unavailable`],
    /// [`StoreError::Busy`]: the audit came to no end; try again.
    pub async fn audit(&self) -> Result<Audit, StoreError> {
        let mut audit = Audit::default();
        let mut after = None;
        loop {
            let part: Vec<Cursor> = {
                let index = self.shared.index();
                let next = index.walk(after.as_ref()).take(MAX_AUDIT_READS);
                next.map(|(namespace, key, _)| Cursor { namespace: namespace.clone(), key: key.to_owned() })
                    .collect()
            };
            let Some(last) = part.last().cloned() else { break };
            after = Some(last);
            let mut reads = JoinSet::new();
            for Cursor { namespace, key } in part {
                let shared = self.shared.clone();
                reads.spawn(async move { shared.fetch(&namespace, &key).await });
            }
            while let Some(read) = reads.join_next().await {
                // A read does not panic, and is not cancelled while this waits.
                if let Some(record) = read.map_err(|_| StoreError::Closed)?? {
                    audit.records += 1;
                    audit.bytes += record.value.len() as u64;
                }
            }
        }
        self.check_root()?;
        Ok(audit)
    }

    /// Makes the root over all records anew.
    fn check_root(&self) -> Result<(), StoreError> {
        let (digests, committed) = {
            let index = self.shared.index();
            // A store that is open has a head.
            let Some(head) = &index.head else { return Err(StoreError::Closed) };
            (index.digests(), head.head)
        };
        let mut trie = Trie::of(digests);
        if trie.root() != committed.root || trie.len() as u64 != committed.records {
            return Err(self.shared.condemn(Tampered::IndexOlder).into());
        }
        Ok(())
    }
}

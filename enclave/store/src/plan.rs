//! A group of batches on their way into one commit. Batches are admitted in order, each whole or not at all; the
//! conditions of a batch see what was admitted before it. Knows nothing of sealing or of the parent.

use std::collections::HashMap;

use r3e_proto::host::blob::BlobName;

use crate::{
    error::StoreError,
    index::Index,
    limits::{MAX_BATCH_WRITES, MAX_COMMIT_BYTES},
    name::Namespace,
    record::Value,
    seal::StoreKeys,
    write::{Condition, Write},
};

/// What will stand after the commit, for each name it touches.
#[derive(Debug)]
pub(crate) struct Planned {
    pub(crate) namespace: Namespace,
    pub(crate) key: String,
    /// The version and the value, or none for a deletion.
    pub(crate) after: Option<(u64, Value)>,
    /// Whether a record stands there before the commit.
    pub(crate) stood: bool,
    /// Whether it is the value that stood, sealed again.
    pub(crate) resealed: bool,
}

impl Planned {
    /// The version that will stand.
    fn version(&self) -> Option<u64> {
        self.after.as_ref().map(|(version, _)| *version)
    }

    /// How many records the change adds: 1, 0 or -1.
    fn added(&self) -> isize {
        isize::from(self.after.is_some()) - isize::from(self.stood)
    }
}

/// What a group is planned on: the state that stands, and over it the commit that is under way, if there is one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ground<'a> {
    pub(crate) index: &'a Index,
    /// Its changes: either they stand before this group is offered, or nobody is.
    pub(crate) under_way: Option<&'a HashMap<BlobName, Planned>>,
}

impl Ground<'_> {
    fn change(&self, name: &BlobName) -> Option<&Planned> {
        self.under_way?.get(name)
    }

    fn version(&self, name: &BlobName, write: &Write) -> Option<u64> {
        self.change(name).map_or_else(
            || self.index.get(&write.namespace, &write.key).map(|entry| entry.version),
            Planned::version,
        )
    }

    fn records(&self) -> usize {
        let added = self.under_way.into_iter().flat_map(HashMap::values).map(Planned::added).sum();
        self.index.records().saturating_add_signed(added)
    }
}

/// The group.
#[derive(Debug)]
pub(crate) struct Plan {
    changes: HashMap<BlobName, Planned>,
    writes: u64,
    /// Records that the changes add, less those they remove.
    added: isize,
    /// Upper bounds of what the commit will carry.
    records_bound: usize,
    bytes_bound: usize,
    /// Whether a new epoch begins with this commit.
    pub(crate) rotates: bool,
}

impl Plan {
    /// An empty group; `writes` is the version of the last write so far.
    pub(crate) fn new(writes: u64) -> Self {
        Self { changes: HashMap::new(), writes, added: 0, records_bound: 0, bytes_bound: 0, rotates: false }
    }

    /// Whether a batch of so many writes and sealed bytes still fits.
    pub(crate) fn fits(&self, writes: usize, bytes: usize) -> bool {
        self.records_bound + writes <= MAX_BATCH_WRITES && self.bytes_bound + bytes <= MAX_COMMIT_BYTES
    }

    /// Whether the commit would change nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.rotates
    }

    /// The changes, and the version of the last write among them.
    pub(crate) fn into_changes(self) -> (HashMap<BlobName, Planned>, u64) {
        (self.changes, self.writes)
    }

    /// Admits a batch whole: the version of each of its writes.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] or [`StoreError::Full`]: nothing of the batch is admitted.
    pub(crate) fn admit(
        &mut self,
        ground: Ground<'_>,
        keys: &StoreKeys,
        batch: Vec<Write>,
        max_records: usize,
    ) -> Result<Vec<Option<u64>>, StoreError> {
        let (count, bytes) = (batch.len(), batch.iter().map(Write::cost_bytes).sum::<usize>());
        let mut staged: HashMap<BlobName, Planned> = HashMap::new();
        let mut versions = Vec::with_capacity(count);
        let mut writes = self.writes;
        for (position, write) in batch.into_iter().enumerate() {
            let name = keys.blinded(&write.namespace, &write.key);
            let before = ground.version(&name, &write);
            let planned = staged.get(&name).or_else(|| self.changes.get(&name));
            let current = planned.map_or(before, Planned::version);
            // Of a record that was written meanwhile, nothing is left to be sealed again.
            if let Condition::Reseal(version) = write.condition
                && (current != Some(version) || planned.is_some() || ground.change(&name).is_some())
            {
                versions.push(None);
                continue;
            }
            let holds = match write.condition {
                Condition::Always | Condition::Reseal(_) => true,
                Condition::Absent => current.is_none(),
                Condition::Version(version) => current == Some(version),
            };
            if !holds {
                return Err(StoreError::Conflict { index: position, current });
            }
            let resealed = matches!(write.condition, Condition::Reseal(_));
            let after = write.value.map(|value| match write.condition {
                Condition::Reseal(version) => (version, value),
                Condition::Always | Condition::Absent | Condition::Version(_) => {
                    writes += 1;
                    (writes, value)
                }
            });
            versions.push(after.as_ref().map(|(version, _)| *version));
            // A deletion of what neither stands nor is planned has no effect.
            if after.is_some() || current.is_some() {
                let (namespace, key, stood) = (write.namespace, write.key, before.is_some());
                staged.insert(name, Planned { namespace, key, after, stood, resealed });
            }
        }
        let before: isize = staged.keys().filter_map(|name| self.changes.get(name)).map(Planned::added).sum();
        let added = staged.values().map(Planned::added).sum::<isize>() - before;
        // A batch that adds nothing is welcome in a full store too.
        if added > 0 && ground.records().saturating_add_signed(self.added + added) > max_records {
            return Err(StoreError::Full { limit: max_records });
        }
        self.added += added;
        self.changes.extend(staged);
        self.writes = writes;
        self.records_bound += count;
        self.bytes_bound += bytes;
        Ok(versions)
    }
}

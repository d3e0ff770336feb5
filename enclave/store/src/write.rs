//! What callers ask to be written, and what they learn of it.

use crate::{
    error::StoreError,
    index::Cursor,
    limits::{MAX_BATCH_WRITES, MAX_COMMIT_BYTES, MAX_VALUE_BYTES},
    name::{Namespace, checked_key},
    record::Value,
    seal::sealed_len,
};

/// One write of a batch.
#[derive(Debug, Clone)]
pub struct Write {
    pub(crate) namespace: Namespace,
    pub(crate) key: String,
    /// None deletes.
    pub(crate) value: Option<Value>,
    pub(crate) condition: Condition,
}

/// What must hold when the write's turn comes, after the writes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Always,
    Absent,
    Version(u64),
    /// The value is the one of this version: it is sealed again, and stays that version.
    Reseal(u64),
}

/// A batch that is durable and visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The sequence of the head it is part of.
    pub sequence: u64,
    /// For each write of the batch, in order, the version it gave its record; none for a deletion.
    pub versions: Vec<Option<u64>>,
}

impl Write {
    /// Writes `value`, over what stands there.
    pub fn put(namespace: &Namespace, key: &str, value: impl Into<Value>) -> Self {
        let value = Some(value.into());
        Self { namespace: namespace.clone(), key: key.to_owned(), value, condition: Condition::Always }
    }

    /// Deletes the record; one that is not there is no error.
    pub fn delete(namespace: &Namespace, key: &str) -> Self {
        Self { namespace: namespace.clone(), key: key.to_owned(), value: None, condition: Condition::Always }
    }

    /// Only if there is no such record.
    #[must_use]
    pub fn if_absent(mut self) -> Self {
        self.condition = Condition::Absent;
        self
    }

    /// Only if the record has exactly this version.
    #[must_use]
    pub fn if_version(mut self, version: u64) -> Self {
        self.condition = Condition::Version(version);
        self
    }

    /// Seals the value that stands in this version again, under the epoch of its commit.
    pub(crate) fn reseal(at: Cursor, version: u64, value: Value) -> Self {
        let condition = Condition::Reseal(version);
        Self { namespace: at.namespace, key: at.key, value: Some(value), condition }
    }

    /// An upper bound of the sealed bytes this write adds to a commit.
    pub(crate) fn cost_bytes(&self) -> usize {
        self.value.as_ref().map_or(0, |value| sealed_len(&self.namespace, &self.key, value.len()))
    }
}

/// Checks that a batch fits one commit; its sealed bytes.
pub(crate) fn checked_batch(writes: &[Write]) -> Result<usize, StoreError> {
    if writes.len() > MAX_BATCH_WRITES {
        return Err(StoreError::TooLarge { what: "a batch, in writes,", limit: MAX_BATCH_WRITES });
    }
    for write in writes {
        checked_key(&write.key)?;
        if write.value.as_ref().is_some_and(|value| value.len() > MAX_VALUE_BYTES) {
            return Err(StoreError::TooLarge { what: "a value, in bytes,", limit: MAX_VALUE_BYTES });
        }
    }
    let bytes = writes.iter().map(Write::cost_bytes).sum();
    if bytes > MAX_COMMIT_BYTES {
        return Err(StoreError::TooLarge { what: "a batch, in sealed bytes,", limit: MAX_COMMIT_BYTES });
    }
    Ok(bytes)
}

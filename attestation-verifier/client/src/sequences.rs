//! The memory that catches a rolled-back store: the highest sequence number seen of each appliance.
//!
//! The parent keeps the appliance's sealed state and can give it back an older copy, which is as genuine as the latest.
//! What it cannot change is what this client has seen: status and receipts carry the store's sequence number, which
//! never falls. An appliance is known by its report key, which is derived from the same root secret as its store.

mod files;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use thiserror::Error;

pub use files::SequenceFiles;

/// An appliance: its report key (Ed25519).
pub type ApplianceKey = [u8; 32];

/// Why the memory failed. The client goes no further then: without it a rollback would go unseen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SequenceError {
    /// The file system refused.
    #[error("the record of sequence numbers at {path:?} cannot be used: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that this client did not write so.
    #[error(
        "the record of sequence numbers at {path:?} is damaged; restore it, or remove it to trust the appliance's \
         present state as the first one seen"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
}

/// Remembers the highest sequence number seen of each appliance.
pub trait SequenceMemory: fmt::Debug + Send + Sync {
    /// The highest number seen; none for an appliance never seen.
    ///
    /// # Errors
    /// [`SequenceError`]: it cannot be read.
    fn highest(&self, appliance: &ApplianceKey) -> Result<Option<u64>, SequenceError>;

    /// Remembers `sequence` if it is higher than what was seen.
    ///
    /// # Errors
    /// [`SequenceError`]: it cannot be kept.
    fn raise(&self, appliance: &ApplianceKey, sequence: u64) -> Result<(), SequenceError>;

    /// Forgets what was seen of an appliance: its owner accepts whatever state it has now.
    ///
    /// # Errors
    /// [`SequenceError`]: it cannot be forgotten.
    fn forget(&self, appliance: &ApplianceKey) -> Result<(), SequenceError>;
}

/// A memory as long as the process.
#[derive(Debug, Default)]
pub struct SequencesInMemory(Mutex<HashMap<ApplianceKey, u64>>);

impl SequenceMemory for SequencesInMemory {
    fn highest(&self, appliance: &ApplianceKey) -> Result<Option<u64>, SequenceError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).get(appliance).copied())
    }

    fn raise(&self, appliance: &ApplianceKey, sequence: u64) -> Result<(), SequenceError> {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let highest = seen.entry(*appliance).or_default();
        *highest = sequence.max(*highest);
        Ok(())
    }

    fn forget(&self, appliance: &ApplianceKey) -> Result<(), SequenceError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(appliance);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(memory: &dyn SequenceMemory) {
        let (one, other) = ([1; 32], [2; 32]);
        assert_eq!(memory.highest(&one).unwrap(), None);
        memory.raise(&one, 7).unwrap();
        memory.raise(&one, 5).unwrap();
        assert_eq!(memory.highest(&one).unwrap(), Some(7));
        assert_eq!(memory.highest(&other).unwrap(), None);
        memory.raise(&one, u64::MAX).unwrap();
        assert_eq!(memory.highest(&one).unwrap(), Some(u64::MAX));
        memory.forget(&one).unwrap();
        memory.forget(&one).unwrap();
        assert_eq!(memory.highest(&one).unwrap(), None);
    }

    #[test]
    fn the_highest_number_stays_in_memory() {
        check(&SequencesInMemory::default());
    }

    #[test]
    fn the_highest_number_stays_in_files() {
        let folder = tempfile::tempdir().unwrap();
        check(&SequenceFiles::new(folder.path().join("deeper/still")));
    }

    #[test]
    fn files_outlive_the_process_and_refuse_damage() {
        let folder = tempfile::tempdir().unwrap();
        SequenceFiles::new(folder.path().into()).raise(&[3; 32], 41).unwrap();
        let memory = SequenceFiles::new(folder.path().into());
        assert_eq!(memory.highest(&[3; 32]).unwrap(), Some(41));
        let file = folder.path().join(hex::encode([3; 32]));
        for damage in ["", "41x", "-1", "18446744073709551616", &"9".repeat(100), "+4"] {
            std::fs::write(&file, damage).unwrap();
            assert!(matches!(memory.highest(&[3; 32]), Err(SequenceError::Damaged { .. })), "{damage:?}");
            assert!(matches!(memory.raise(&[3; 32], 50), Err(SequenceError::Damaged { .. })), "{damage:?}");
        }
        memory.forget(&[3; 32]).unwrap();
        assert_eq!(memory.highest(&[3; 32]).unwrap(), None);
    }

    #[test]
    fn many_writers_leave_the_highest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::thread::scope(|scope| {
            for writer in 0..4u64 {
                scope.spawn(move || {
                    let memory = SequenceFiles::new(path.into());
                    for step in 0..25 {
                        memory.raise(&[4; 32], step * 4 + writer).unwrap();
                    }
                });
            }
        });
        assert_eq!(SequenceFiles::new(path.into()).highest(&[4; 32]).unwrap(), Some(99));
    }
}

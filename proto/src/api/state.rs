//! What the operator is told of the sealed state: counts and digests, no name and no value.

use serde::{Deserialize, Serialize};

/// The state after its last commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedState {
    /// Commits since the state was new; a boot is one too. It never falls.
    pub sequence: u64,
    /// SHA-256 of the sealed head, hex.
    pub head: String,
    /// The root over all records, hex.
    pub root: String,
    /// Records.
    pub records: u64,
    /// The epoch of keys that seals.
    pub epoch: u32,
    /// The oldest epoch whose key is in memory: below `epoch` while records move to it.
    pub oldest_epoch: u32,
    /// Records that are still to move.
    pub to_reseal: u64,
    /// Sealings under the current epoch.
    pub sealings: u64,
    /// Pages of the checkpoint that the next boot reads.
    pub checkpoint_pages: u64,
    /// Commits since that checkpoint, and changes in them, that the next boot reads too.
    pub tail: u64,
}

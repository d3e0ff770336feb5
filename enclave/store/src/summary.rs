//! What a store says of itself, for an operator: numbers and digests, no name and no value.

use crate::{store::Store, trie::Digest, witness::Restored};

/// The state of a store after its last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Commits since the store was new.
    pub sequence: u64,
    /// SHA-256 of the sealed head.
    pub head: Digest,
    /// The root over all records.
    pub root: Digest,
    /// Records.
    pub records: u64,
    /// The epoch that seals.
    pub epoch: u32,
    /// The oldest epoch whose key is held: an older one than `epoch` while records move.
    pub oldest_epoch: u32,
    /// Records that are still to move to the current epoch.
    pub to_reseal: u64,
    /// Sealings under the current epoch.
    pub sealings: u64,
    /// Pages of the checkpoint in force.
    pub checkpoint_pages: u64,
    /// Commits since that checkpoint, and changes in them: what a boot reads beside the pages.
    pub tail: u64,
    /// Whether the store has work of its own to do: a checkpoint, sweeping, records that move to the current epoch.
    pub at_work: bool,
    /// The last time that an older state was restored, if there was one.
    pub restored: Option<Restored>,
}

impl Store {
    /// The state after the last commit.
    pub fn summary(&self) -> Summary {
        let index = self.shared.index();
        let head = index.head.as_ref().map_or(crate::head::Head::NONE, |head| head.head);
        Summary {
            sequence: head.sequence,
            head: index.head_digest(),
            root: head.root,
            records: head.records,
            epoch: head.epochs.current,
            oldest_epoch: self.shared.keys.held().first().copied().unwrap_or(head.epochs.oldest),
            to_reseal: index.older_than(head.epochs.current) as u64,
            sealings: head.epochs.sealings,
            checkpoint_pages: head.pages.end - head.pages.first,
            tail: index.tail,
            at_work: index.at_work,
            restored: head.restored,
        }
    }
}

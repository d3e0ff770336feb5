//! Batches: one signature for many reports. The tree has the shape of RFC 9162 section 2.1, over Keccak-256, which contracts have: a leaf
//! hashes as `0x00 || hashStruct(report)`, a node as `0x01 || left || right`, so that no node can be shown as a leaf.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Report;
use crate::api::wallets::{Hash32, keccak256};
use crate::limits::MAX_BATCH_REPORTS;

/// What is signed of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// The root of its tree.
    pub root: [u8; 32],
    /// How many reports it has.
    pub size: u32,
}

/// That a report is part of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proof {
    /// Its place, from 0.
    pub index: u32,
    /// How many reports the batch has.
    pub size: u32,
    /// The siblings on the way from the leaf to the root.
    pub path: Vec<Hash32>,
}

/// Why a batch or a proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BatchError {
    /// No reports, or too many.
    #[error("a batch has 1 to {MAX_BATCH_REPORTS} reports")]
    Size,
    /// A place behind the last.
    #[error("the batch has no report at that place")]
    Index,
    /// A path that no such place has.
    #[error("the path has the wrong length for that place")]
    Path,
    /// The proof is of another batch, or of another report.
    #[error("the report is not in this batch at this place")]
    Root,
}

/// The tree of a batch.
#[derive(Debug, Clone)]
pub struct Tree {
    /// From the leaves to the root. The odd last node of a level moves up as it is.
    levels: Vec<Vec<[u8; 32]>>,
    size: u32,
}

impl Tree {
    /// The tree of these reports, in this order.
    ///
    /// # Errors
    /// [`BatchError::Size`].
    pub fn new(reports: &[Report]) -> Result<Self, BatchError> {
        let size = u32::try_from(reports.len()).map_err(|_| BatchError::Size)?;
        if !(1..=MAX_BATCH_REPORTS).contains(&size) {
            return Err(BatchError::Size);
        }
        let mut level: Vec<_> = reports.iter().map(leaf).collect();
        let mut levels = Vec::new();
        while level.len() > 1 {
            let above = level.chunks(2).map(|pair| match pair {
                [left, right] => node(left, right),
                odd => odd[0],
            });
            let above = above.collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        levels.push(level);
        Ok(Self { levels, size })
    }

    /// What is signed.
    pub fn batch(&self) -> Batch {
        let root = self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default();
        Batch { root, size: self.size }
    }

    /// That the report at `index` is part of it; none where there is none.
    pub fn proof(&self, index: u32) -> Option<Proof> {
        if index >= self.size {
            return None;
        }
        let mut at = usize::try_from(index).ok()?;
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(at ^ 1).copied().map(Hash32));
            at >>= 1;
        }
        Some(Proof { index, size: self.size, path })
    }
}

impl Batch {
    /// Whether `report` is at the place that `proof` says.
    ///
    /// # Errors
    /// [`BatchError`].
    pub fn verify(&self, report: &Report, proof: &Proof) -> Result<(), BatchError> {
        if !(1..=MAX_BATCH_REPORTS).contains(&self.size) || proof.size != self.size {
            return Err(BatchError::Size);
        }
        if proof.index >= self.size {
            return Err(BatchError::Index);
        }
        let (mut at, mut last) = (proof.index, self.size - 1);
        let mut hash = leaf(report);
        let mut path = proof.path.iter();
        while last > 0 {
            // A node without a sibling moves up as it is, and uses nothing of the path.
            if at & 1 == 1 || at < last {
                let sibling = &path.next().ok_or(BatchError::Path)?.0;
                hash = if at & 1 == 1 { node(sibling, &hash) } else { node(&hash, sibling) };
            }
            (at, last) = (at >> 1, last >> 1);
        }
        if path.next().is_some() {
            return Err(BatchError::Path);
        }
        if hash == self.root { Ok(()) } else { Err(BatchError::Root) }
    }
}

fn leaf(report: &Report) -> [u8; 32] {
    keccak256(&[&[0], &report.struct_hash()])
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    keccak256(&[&[1], left, right])
}

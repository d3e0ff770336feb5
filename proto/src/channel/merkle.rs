//! The Merkle tree that lets many sessions share one attestation document.
//!
//! The tree is that of RFC 9162 section 2.1 with SHA-384: a leaf hashes as `0x00 || binding`, a node as
//! `0x01 || left || right`, so that no node can be shown as a leaf.

use sha2::{Digest as _, Sha384};
use thiserror::Error;

use super::binding::Digest;
use crate::limits::MAX_BATCH_LEAVES;

/// Why a tree or a path was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MerkleError {
    /// A batch of no leaf, or of more than `MAX_BATCH_LEAVES`.
    #[error("a batch has 1 to {MAX_BATCH_LEAVES} leaves, not {0}")]
    Size(u64),
    /// An index beyond the tree.
    #[error("leaf {index} is not in a tree of {size}")]
    Index {
        /// The index that was claimed.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// A path with too many or too few nodes for its index and size.
    #[error("the inclusion path has the wrong length for leaf {index} of {size}")]
    PathLength {
        /// The index that was claimed.
        index: u64,
        /// The tree's size.
        size: u64,
    },
}

/// A tree over one batch of bindings.
#[derive(Debug)]
pub struct Tree {
    /// `levels[0]` are the leaf hashes, the last level is the root alone. A level's odd last node moves up as it is,
    /// which gives the same tree as RFC 9162's recursive definition.
    levels: Vec<Vec<Digest>>,
}

impl Tree {
    /// The tree over `bindings`.
    ///
    /// # Errors
    /// [`MerkleError::Size`] for none, or more than `MAX_BATCH_LEAVES`.
    pub fn new(bindings: &[Digest]) -> Result<Self, MerkleError> {
        if bindings.is_empty() || bindings.len() > MAX_BATCH_LEAVES {
            return Err(MerkleError::Size(bindings.len() as u64));
        }
        let mut level: Vec<Digest> = bindings.iter().map(leaf).collect();
        let mut levels = Vec::new();
        while level.len() > 1 {
            let next = level
                .chunks(2)
                .map(|pair| match pair {
                    [left, right] => node(left, right),
                    odd => odd[0],
                })
                .collect();
            levels.push(std::mem::replace(&mut level, next));
        }
        levels.push(level);
        Ok(Self { levels })
    }

    /// The root, to which the document commits.
    pub fn root(&self) -> Digest {
        self.levels[self.levels.len() - 1][0]
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.levels[0].len() as u64
    }

    /// The inclusion path of leaf `index`, from the leaf up; none if there is no such leaf.
    pub fn path(&self, index: usize) -> Option<Vec<Digest>> {
        if index >= self.levels[0].len() {
            return None;
        }
        let mut position = index;
        let mut path = Vec::new();
        for level in &self.levels[..self.levels.len() - 1] {
            if let Some(sibling) = level.get(position ^ 1) {
                path.push(*sibling);
            }
            position >>= 1;
        }
        Some(path)
    }
}

/// The root that `binding` at `index` in a tree of `size` leaves gives along `path` (RFC 9162 section 2.1.3.2).
///
/// # Errors
/// A size, index or path length that no tree has.
pub fn root_from_path(
    binding: &Digest,
    index: u64,
    size: u64,
    path: &[Digest],
) -> Result<Digest, MerkleError> {
    if size == 0 || size > MAX_BATCH_LEAVES as u64 {
        return Err(MerkleError::Size(size));
    }
    if index >= size {
        return Err(MerkleError::Index { index, size });
    }
    let wrong_length = MerkleError::PathLength { index, size };
    let (mut position, mut last) = (index, size - 1);
    let mut hash = leaf(binding);
    let mut nodes = path.iter();
    while last > 0 {
        // A node without a sibling moves up a level as it is, and uses nothing of the path.
        if position & 1 == 1 || position < last {
            let sibling = nodes.next().ok_or(wrong_length)?;
            hash = if position & 1 == 1 { node(sibling, &hash) } else { node(&hash, sibling) };
        }
        position >>= 1;
        last >>= 1;
    }
    if nodes.next().is_some() { Err(wrong_length) } else { Ok(hash) }
}

fn leaf(binding: &Digest) -> Digest {
    let mut hash = Sha384::new();
    hash.update([0x00]);
    hash.update(binding);
    hash.finalize().into()
}

fn node(left: &Digest, right: &Digest) -> Digest {
    let mut hash = Sha384::new();
    hash.update([0x01]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9162 section 2.1.1, written as it is defined there: an independent second way to the same root.
    fn root_by_definition(bindings: &[Digest]) -> Digest {
        match bindings {
            [one] => leaf(one),
            many => {
                let split = many.len().next_power_of_two() / 2;
                node(&root_by_definition(&many[..split]), &root_by_definition(&many[split..]))
            }
        }
    }

    fn bindings(count: usize) -> Vec<Digest> {
        (0..count).map(|i| Sha384::digest(i.to_be_bytes()).into()).collect()
    }

    #[test]
    fn every_leaf_of_every_size_leads_to_the_root_of_the_definition() {
        for count in 1..=70 {
            let leaves = bindings(count);
            let tree = Tree::new(&leaves).unwrap();
            assert_eq!(tree.root(), root_by_definition(&leaves), "size {count}");
            for (i, binding) in leaves.iter().enumerate() {
                let path = tree.path(i).unwrap();
                assert_eq!(
                    root_from_path(binding, i as u64, tree.size(), &path),
                    Ok(tree.root()),
                    "leaf {i} of {count}"
                );
            }
            assert_eq!(tree.path(count), None);
        }
    }

    #[test]
    fn a_path_serves_no_other_leaf_index_or_size() {
        let leaves = bindings(11);
        let tree = Tree::new(&leaves).unwrap();
        for i in 0..11u64 {
            let at = usize::try_from(i).unwrap();
            let path = tree.path(at).unwrap();
            for other in 0..11u64 {
                if other != i {
                    assert_ne!(root_from_path(&leaves[at], other, 11, &path), Ok(tree.root()));
                    let stranger = &leaves[usize::try_from(other).unwrap()];
                    assert_ne!(root_from_path(stranger, i, 11, &path), Ok(tree.root()));
                }
            }
            let mut longer = path.clone();
            longer.push([0; 48]);
            assert!(matches!(
                root_from_path(&leaves[at], i, 11, &longer),
                Err(MerkleError::PathLength { .. })
            ));
            assert!(matches!(
                root_from_path(&leaves[at], i, 11, &path[1..]),
                Err(MerkleError::PathLength { .. })
            ));
        }
    }

    #[test]
    fn sizes_and_indices_that_no_tree_has_are_refused() {
        assert_eq!(Tree::new(&[]).unwrap_err(), MerkleError::Size(0));
        let too_many = vec![[0; 48]; MAX_BATCH_LEAVES + 1];
        assert!(matches!(Tree::new(&too_many), Err(MerkleError::Size(_))));
        assert_eq!(root_from_path(&[0; 48], 0, 0, &[]), Err(MerkleError::Size(0)));
        assert!(matches!(root_from_path(&[0; 48], 0, u64::MAX, &[]), Err(MerkleError::Size(_))));
        assert!(matches!(root_from_path(&[0; 48], 2, 2, &[[0; 48]]), Err(MerkleError::Index { .. })));
    }
}

//! One digest over the whole map of blinded names to blob digests: a sparse Merkle trie in its compact form.
//!
//! The root is defined by the map alone, never by the order of updates:
//!
//! | subtree holds | its hash |
//! |---|---|
//! | nothing | 32 zero bytes |
//! | one record | SHA-256(0x00, name, digest): the subtree collapses, whatever its height |
//! | more | SHA-256(0x01, hash of the left half, hash of the right half), split by the next bit of the name |
//!
//! The prefix bytes keep a leaf from being read as a branch, and a leaf names its whole path, so two different maps
//! with one root would be a collision of SHA-256. Names are HMACs: nobody but the enclave can choose them, so the
//! depth stays near the logarithm of the count; it is bounded by 256 in any case.
//!
//! Hashes are computed when [`Trie::root`] asks for them, so a batch costs each shared branch once.
//! This module knows nothing of sealing, of the head or of the parent.

use std::mem;

use aws_lc_rs::digest::{self, SHA256};
use r3e_proto::host::blob::BlobName;

use crate::proof::{End, Proof};

/// SHA-256 of a sealed blob, or of a subtree.
pub type Digest = [u8; 32];

/// The root of the map without records.
pub const EMPTY_ROOT: Digest = [0; 32];

const LEAF: u8 = 0;
const BRANCH: u8 = 1;

/// An authenticated map from blinded names to digests.
#[derive(Debug, Default)]
pub struct Trie {
    top: Node,
    len: usize,
}

impl Trie {
    /// The map of `records`, made at once: several times faster than one insertion after the other. Of two records
    /// with one name, either may stay.
    pub fn of(mut records: Vec<(BlobName, Digest)>) -> Self {
        records.sort_unstable_by_key(|(name, _)| *name);
        records.dedup_by_key(|(name, _)| *name);
        Self { top: Node::of(&records, 0), len: records.len() }
    }

    /// Records in the map.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the map holds no record.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The digest under `name`.
    pub fn get(&self, name: &BlobName) -> Option<Digest> {
        let mut node = &self.top;
        let mut depth = 0;
        loop {
            match node {
                Node::Empty => return None,
                Node::Leaf(leaf) => return (leaf.name == *name).then_some(leaf.digest),
                Node::Branch(branch) => node = &branch.children[bit(name, depth)],
            }
            depth += 1;
        }
    }

    /// Writes `digest` under `name`, over what stands there.
    pub fn insert(&mut self, name: BlobName, digest: Digest) {
        if self.top.insert(Leaf { name, digest }, 0) {
            self.len += 1;
        }
    }

    /// Drops `name`; says whether it was there.
    pub fn remove(&mut self, name: &BlobName) -> bool {
        let removed = self.top.remove(name, 0);
        if removed {
            self.len -= 1;
        }
        removed
    }

    /// The digest of the whole map.
    pub fn root(&mut self) -> Digest {
        self.top.hash()
    }

    /// A proof, against [`Self::root`], of what stands under `name`, or that nothing does.
    pub fn prove(&mut self, name: &BlobName) -> Proof {
        let mut siblings = Vec::new();
        let mut node = &mut self.top;
        loop {
            match node {
                Node::Empty => return Proof::new(siblings, End::Nothing),
                Node::Leaf(leaf) => {
                    return Proof::new(siblings, End::Record { name: leaf.name, digest: leaf.digest });
                }
                Node::Branch(branch) => {
                    let [left, right] = &mut branch.children;
                    let (next, other) = match bit(name, siblings.len()) {
                        0 => (left, right),
                        _ => (right, left),
                    };
                    siblings.push(other.hash());
                    node = next;
                }
            }
        }
    }
}

#[derive(Debug, Default)]
enum Node {
    #[default]
    Empty,
    Leaf(Box<Leaf>),
    Branch(Box<Branch>),
}

#[derive(Debug)]
struct Leaf {
    name: BlobName,
    digest: Digest,
}

/// Always above two records or more.
#[derive(Debug)]
struct Branch {
    /// None after a change below.
    hash: Option<Digest>,
    children: [Node; 2],
}

impl Node {
    /// The subtree over records in the order of their names, all of which agree in the first `depth` bits.
    fn of(records: &[(BlobName, Digest)], depth: usize) -> Self {
        match records {
            [] => Self::Empty,
            [(name, digest)] => Self::Leaf(Box::new(Leaf { name: *name, digest: *digest })),
            _ => {
                let (left, right) =
                    records.split_at(records.partition_point(|(name, _)| bit(name, depth) == 0));
                let children = [Self::of(left, depth + 1), Self::of(right, depth + 1)];
                Self::Branch(Box::new(Branch { hash: None, children }))
            }
        }
    }

    /// Says whether the name is new.
    fn insert(&mut self, new: Leaf, depth: usize) -> bool {
        match self {
            Self::Empty => {
                *self = Self::Leaf(Box::new(new));
                true
            }
            Self::Leaf(leaf) if leaf.name == new.name => {
                leaf.digest = new.digest;
                false
            }
            Self::Leaf(_) => {
                let standing = mem::take(self);
                *self = Self::branch_over(standing, new, depth);
                true
            }
            Self::Branch(branch) => {
                branch.hash = None;
                branch.children[bit(&new.name, depth)].insert(new, depth + 1)
            }
        }
    }

    /// The subtree over a leaf that stands and a new one with another name.
    fn branch_over(standing: Self, new: Leaf, depth: usize) -> Self {
        let mut children = [Self::Empty, Self::Empty];
        if let Self::Leaf(leaf) = &standing {
            let side = bit(&leaf.name, depth);
            children[side] = standing;
        }
        children[bit(&new.name, depth)].insert(new, depth + 1);
        Self::Branch(Box::new(Branch { hash: None, children }))
    }

    /// Says whether the name was there. A branch left with one leaf becomes that leaf.
    fn remove(&mut self, name: &BlobName, depth: usize) -> bool {
        match self {
            Self::Empty => false,
            Self::Leaf(leaf) => {
                let found = leaf.name == *name;
                if found {
                    *self = Self::Empty;
                }
                found
            }
            Self::Branch(branch) => {
                if !branch.children[bit(name, depth)].remove(name, depth + 1) {
                    return false;
                }
                branch.hash = None;
                match &mut branch.children {
                    [Self::Empty, leaf @ Self::Leaf(_)] | [leaf @ Self::Leaf(_), Self::Empty] => {
                        *self = mem::take(leaf);
                    }
                    _ => {}
                }
                true
            }
        }
    }

    fn hash(&mut self) -> Digest {
        match self {
            Self::Empty => EMPTY_ROOT,
            Self::Leaf(leaf) => leaf_hash(&leaf.name, &leaf.digest),
            Self::Branch(branch) => {
                if let Some(hash) = branch.hash {
                    return hash;
                }
                let [left, right] = &mut branch.children;
                let hash = branch_hash(&left.hash(), &right.hash());
                branch.hash = Some(hash);
                hash
            }
        }
    }
}

/// Bit `depth` of a name, from the most significant of its first byte.
pub(crate) fn bit(name: &BlobName, depth: usize) -> usize {
    usize::from((name[depth / 8] >> (7 - depth % 8)) & 1)
}

/// The hash of a subtree with one record.
pub(crate) fn leaf_hash(name: &BlobName, digest: &Digest) -> Digest {
    hash_of(LEAF, name, digest)
}

/// The hash of a subtree with more.
pub(crate) fn branch_hash(left: &Digest, right: &Digest) -> Digest {
    hash_of(BRANCH, left, right)
}

fn hash_of(kind: u8, left: &[u8; 32], right: &[u8; 32]) -> Digest {
    let mut input = [kind; 65];
    input[1..33].copy_from_slice(left);
    input[33..].copy_from_slice(right);
    digest_of(&input)
}

/// SHA-256.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    let mut digest = [0; 32];
    // At once: a context of the library's would be allocated each time.
    digest.copy_from_slice(digest::digest(&SHA256, bytes).as_ref());
    digest
}

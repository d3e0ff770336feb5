//! A proof of one record: what stands under a blinded name, or that nothing does, in the map that a root stands for.
//!
//! A proof is the way from the root down to where the name's bits lead: the hash of the sibling at each branch, and
//! what is found at the end. There the trie holds nothing, or one record, which collapses its subtree: the record asked
//! for, or another one whose name begins with the same bits and so proves that the one asked for is not there.
//!
//! Verifying needs the root, the name and the proof, and nothing else: no key, no store. A root is worth what vouches
//! for it.

use r3e_cbor::{CborError, Limits, Value, decode_canonical, encode, from_value};
use r3e_proto::host::blob::BlobName;

use crate::{
    limits::{MAX_PROOF_BYTES, MAX_PROOF_SIBLINGS},
    trie::{Digest, EMPTY_ROOT, bit, branch_hash, leaf_hash},
};

/// A proof against one root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// From the root down; at most [`MAX_PROOF_SIBLINGS`].
    siblings: Vec<Digest>,
    end: End,
}

/// A proof, and what it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The record's blinded name.
    pub name: BlobName,
    /// The commit whose state it is.
    pub sequence: u64,
    /// The root over all records after that commit.
    pub root: Digest,
    /// Leads from the root to the record, or to where it would be.
    pub proof: Proof,
}

/// What is found where a name's bits lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// An empty subtree.
    Nothing,
    /// A subtree with this one record.
    Record {
        /// Its blinded name.
        name: BlobName,
        /// SHA-256 of the sealed record.
        digest: Digest,
    },
}

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Not of the form, or not its one encoding.
    #[error("the bytes are no proof")]
    Malformed(#[from] CborError),
    /// More siblings than a name has bits, or an end that is neither.
    #[error("the proof breaks a rule: {rule}")]
    Rule {
        /// The rule that was broken.
        rule: &'static str,
    },
    /// The proof ends at a record that does not lie where the name leads.
    #[error("the proof is of another name")]
    OtherName,
    /// The proof leads to another root: another state's, or something was changed.
    #[error("the proof does not lead to the root")]
    OtherRoot,
}

/// An array of siblings and one of name and digest, or none; see [`Proof::encode`].
const LIMITS: Limits = Limits { max_bytes: MAX_PROOF_BYTES, max_depth: 2, max_items: MAX_PROOF_SIBLINGS + 8 };

impl Proof {
    pub(crate) fn new(siblings: Vec<Digest>, end: End) -> Self {
        Self { siblings, end }
    }

    /// What stands under `name` in the map with this `root`: the SHA-256 of the sealed record, or none if there is
    /// no such record.
    ///
    /// # Errors
    /// [`ProofError::OtherName`], [`ProofError::OtherRoot`]: nothing is proved.
    pub fn verify(&self, root: &Digest, name: &BlobName) -> Result<Option<Digest>, ProofError> {
        let (mut hash, found) = match &self.end {
            End::Nothing => (EMPTY_ROOT, None),
            End::Record { name: at, digest } => {
                if (0..self.siblings.len()).any(|depth| bit(at, depth) != bit(name, depth)) {
                    return Err(ProofError::OtherName);
                }
                (leaf_hash(at, digest), (at == name).then_some(*digest))
            }
        };
        for (depth, sibling) in self.siblings.iter().enumerate().rev() {
            hash = match bit(name, depth) {
                0 => branch_hash(&hash, sibling),
                _ => branch_hash(sibling, &hash),
            };
        }
        if hash == *root { Ok(found) } else { Err(ProofError::OtherRoot) }
    }

    /// Deterministic CBOR (RFC 8949 section 4.2.1): `[[* sibling], [name, digest] / []]`, all of them byte strings
    /// of 32 bytes.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = |digest: &[u8; 32]| Value::Bytes(digest.to_vec());
        let end = match &self.end {
            End::Nothing => Vec::new(),
            End::Record { name, digest } => vec![bytes(name), bytes(digest)],
        };
        encode(&Value::Array(vec![
            Value::Array(self.siblings.iter().map(bytes).collect()),
            Value::Array(end),
        ]))
    }

    /// Reads what [`Self::encode`] wrote, and nothing else.
    ///
    /// # Errors
    /// [`ProofError::Malformed`], [`ProofError::Rule`].
    pub fn decode(encoded: &[u8]) -> Result<Self, ProofError> {
        let [siblings, end]: [Value; 2] = from_value("proof", decode_canonical(encoded, &LIMITS)?)?;
        let siblings: Vec<Value> = from_value("siblings", siblings)?;
        if siblings.len() > MAX_PROOF_SIBLINGS {
            return Err(ProofError::Rule { rule: "at most one sibling for each bit of a name" });
        }
        let siblings = siblings
            .into_iter()
            .map(|sibling| from_value("sibling", sibling))
            .collect::<Result<Vec<Digest>, _>>()?;
        let end: Vec<Value> = from_value("end", end)?;
        let end = match <[Value; 2]>::try_from(end) {
            Ok([name, digest]) => {
                End::Record { name: from_value("name", name)?, digest: from_value("digest", digest)? }
            }
            Err(none) if none.is_empty() => End::Nothing,
            Err(_) => return Err(ProofError::Rule { rule: "an end is a name and a digest, or empty" }),
        };
        Ok(Self { siblings, end })
    }
}

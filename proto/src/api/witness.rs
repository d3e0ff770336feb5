//! Rollback witnesses, as the API speaks of them: what appliances say to each other, what an operator admits, and what the
//! status says.

use serde::{Deserialize, Serialize};

use super::identity::{HexError, PublicKey, hex_array};
use crate::witness::Commit;

/// So many bytes, lower-case hex in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hex<const N: usize>(#[serde(with = "hex_array")] pub [u8; N]);

impl<const N: usize> std::str::FromStr for Hex<N> {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        hex_array::parse(text).map(Self)
    }
}

/// An appliance has a commit remembered: `POST /v1/witness`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The appliance's witness key.
    pub key: PublicKey,
    /// Drawn for this request; the answer's statement is over it.
    pub nonce: Hex<32>,
    /// The commit.
    pub commit: Recorded,
}

/// A commit with the witness key's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The head's sequence.
    pub sequence: u64,
    /// SHA-256 of the sealed head.
    pub head: Hex<32>,
    /// Ed25519 over [`crate::witness::record_message`].
    pub signature: Hex<64>,
}

/// An appliance asks what is remembered of it: `POST /v1/witness/last`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The appliance's witness key.
    pub key: PublicKey,
    /// Drawn for this request; the answer's statement is over it.
    pub nonce: Hex<32>,
    /// Ed25519 over [`crate::witness::ask_message`].
    pub signature: Hex<64>,
}

/// The answer to both: what is remembered now. After a [`Record`] that is its commit, unless a later one or another one of the same
/// sequence was remembered before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// None where nothing was recorded.
    pub last: Option<Recorded>,
    /// Ed25519 by the report key of the one that answers, over [`crate::witness::witnessed_message`].
    pub statement: Hex<64>,
}

/// The operator lets an appliance have its commits remembered: `POST /v1/witnessed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdmitWitnessed {
    /// The appliance's witness key, as its status shows it.
    pub key: PublicKey,
    /// What the operator calls it.
    pub name: String,
}

/// An appliance whose commits are remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witnessed {
    /// Its witness key.
    pub key: PublicKey,
    /// What the operator calls it.
    pub name: String,
    /// Whether it is served. What was remembered of one that was removed stays, and counts when it is admitted again.
    pub admitted: bool,
    /// When it was admitted first, in Unix milliseconds.
    pub admitted_at_ms: u64,
    /// The sequence of the last commit that it recorded.
    pub sequence: Option<u64>,
    /// When it did.
    pub recorded_at_ms: Option<u64>,
    /// Its requests that were refused since the witness's start because they came too fast.
    #[serde(default)]
    pub refused: u64,
}

/// Who remembers this appliance's commits: part of its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessStatus {
    /// `none` or `peers`.
    pub provider: String,
    /// What that promises, for a person.
    pub detail: String,
    /// This appliance's witness key, which its peers' operators admit.
    pub key: PublicKey,
    /// How many peers must confirm; absent without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u8>,
    /// The peers, in the configuration's order.
    #[serde(default)]
    pub peers: Vec<WitnessPeer>,
    /// The last time that an older state was restored by order; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
    /// Why nothing is served from the state: it is not what was committed, another went on from it, or the witness has
    /// confirmed nothing for too long. Absent where it is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// One of the peers, as it was met last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessPeer {
    /// Its name in the configuration.
    pub name: String,
    /// Where it is, `HOST:PORT`.
    pub host: String,
    /// Whether its last answer was one.
    pub confirms: bool,
    /// The sequence that it signed last.
    pub sequence: Option<u64>,
    /// When it did, in Unix milliseconds.
    pub at_ms: Option<u64>,
    /// Why it does not confirm.
    pub problem: Option<String>,
}

/// That an older state was restored by order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The sequence that was gone back to.
    pub from: u64,
    /// The sequence that the witness held.
    pub over: u64,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
}

/// The stable codes by which a witness refuses, beside those of [`super::codes`].
pub mod codes {
    /// 409: this appliance has witnesses of its own, and is nobody's.
    pub const NOT_OFFERED: &str = "witness_not_offered";
    /// 403: its operator has not admitted the key.
    pub const NOT_ADMITTED: &str = "witness_not_admitted";
    /// 401: the signature is not the key's.
    pub const SIGNATURE: &str = "witness_signature";
}

impl Recorded {
    /// The commit without its signature.
    pub fn commit(&self) -> Commit {
        Commit { sequence: self.sequence, head: self.head.0 }
    }
}

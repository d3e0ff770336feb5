//! What the process that makes proofs is asked, and what it answers: JSON text, each way. It is started by the appliance and not trusted
//! with more than its answer.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::api::zk::{ProveRanges, ProvedRanges, RangeProof};

/// What the process loads once, for many jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    /// What does all jobs that need nothing of a tenant's beforehand: range proofs, and the verification of Groth16 proofs.
    Proofs,
}

/// A job.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "job", rename_all = "snake_case", deny_unknown_fields)]
pub enum Job {
    /// To prove that numbers are in ranges.
    ProveRanges {
        /// For whom.
        owner: String,
        /// What.
        asked: ProveRanges,
    },
    /// To verify such a proof.
    VerifyRanges {
        /// The proof.
        proof: RangeProof,
    },
    /// To verify a Groth16 proof.
    VerifyProof {
        /// By which verification key, as snarkjs writes it.
        key: String,
        /// Of which public signals.
        signals: Vec<String>,
        /// The proof, as snarkjs writes it.
        proof: String,
    },
}

/// What became of a job.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// The proof was made.
    ProvedRanges {
        /// With what its maker alone should know.
        made: ProvedRanges,
    },
    /// The proof that was to be verified holds.
    Holds {},
    /// It does not.
    DoesNotHold {
        /// Why.
        reason: String,
    },
    /// The job cannot be done as it was asked.
    Refused {
        /// Why, and what to do about it.
        reason: String,
    },
}

impl Backend {
    /// The text by which the process knows what to load.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proofs => "proofs",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Proofs].into_iter().find(|backend| backend.name() == name)
    }
}

/// What a job is about is a secret.
impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProveRanges { .. } => "ProveRanges(..)",
            Self::VerifyRanges { .. } => "VerifyRanges(..)",
            Self::VerifyProof { .. } => "VerifyProof(..)",
        })
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ProvedRanges { .. } => "ProvedRanges(..)",
            Self::Holds {} => "Holds",
            Self::DoesNotHold { .. } => "DoesNotHold(..)",
            Self::Refused { .. } => "Refused(..)",
        })
    }
}

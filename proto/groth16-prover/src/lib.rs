//! Groth16 proofs made of what snarkjs writes: a proving key (`.zkey`) and a witness (`.wtns`), over BN254 or BLS12-381. The proof is what `snarkjs
//! groth16 prove` makes, as JSON, and is verified by it, by `r3e-groth16`, and by contracts. And keys, made of a circuit (`.r1cs`) by numbers that are drawn
//! and wiped here.
//!
//! Whatever is read is checked where it is read: every length before anything of that length is kept, every number below its modulus, every point on its
//! curve and in its group. A key that passes may still be a wrong one, one whose maker knows how to forge, or one that makes wires public which the circuit keeps: whose key it is, is for the
//! caller to know.
//!
//! It knows nothing of circuits' sources, of tenants and of processes.

#![forbid(unsafe_code)]

mod bytes;
mod curve;
mod domain;
mod key;
mod parallel;
mod prove;
mod r1cs;
mod setup;
mod wiped;
mod witness;
mod write;

#[cfg(test)]
mod tests;

use thiserror::Error;

pub use key::ProvingKey;
pub use prove::{Made, prove};
pub use r1cs::R1cs;
pub use setup::setup;
pub use witness::Witness;

/// Most wires of a circuit, the constant one among them: 2^22.
pub const MAX_WIRES: u32 = 1 << 22;
/// Largest domain, the constraints rounded up to a power of two: 2^22.
pub const MAX_DOMAIN: u32 = 1 << 22;
/// Most coefficients of a key: eight for each constraint of the largest domain.
pub const MAX_COEFFICIENTS: u32 = 8 << 22;
/// Most public signals: what verification keys may have.
pub const MAX_SIGNALS: u32 = 4_096;

/// Why a key or a witness is refused, or no proof can be made of them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProverError {
    /// Not a file of the format.
    #[error("this is no {what}: {why}")]
    Form {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// It says that it has more than a limit.
    #[error("{found} {what}; at most {max} are allowed")]
    TooMany {
        /// What.
        what: &'static str,
        /// How many.
        found: u32,
        /// The limit.
        max: u32,
    },
    /// A number at or above its modulus.
    #[error("{place}: a number at or above its modulus")]
    Number {
        /// Where.
        place: &'static str,
    },
    /// A point that is none of its group.
    #[error("{place}: {why}")]
    Point {
        /// Where.
        place: &'static str,
        /// What it is instead.
        why: &'static str,
    },
    /// A key by which anybody proves anything.
    #[error(
        "nobody contributed to the setup of this key, or to its second phase: anybody makes proofs of anything for it"
    )]
    Forgeable,
    /// A key that has one thing in the first group and another in the second.
    #[error("the key has other numbers in the first group than in the second")]
    Inconsistent,
    /// A key and a witness of two circuits.
    #[error("the witness is of another circuit than the key: {why}")]
    OtherCircuit {
        /// What differs.
        why: &'static str,
    },
    /// The witness does not satisfy the circuit, or the key is of another one with as many wires.
    #[error("the witness does not satisfy the circuit of this key, or the key is not one")]
    Unsatisfied,
}

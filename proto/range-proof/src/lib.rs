//! Range proofs: of numbers that stay hidden behind commitments, whoever knows them proves that each lies between two bounds, and anybody
//! verifies it. The proofs are Bulletproofs (Bünz and others, IEEE S&P 2018) over Ristretto (RFC 9496), by the crate `bulletproofs`: no
//! trusted setup.
//!
//! What is here beside the crate:
//!
//! - bounds that are no powers of two, by a proof for each side ([`Range`]);
//! - a statement that a proof is bound to, so that it holds for no other: whose it is, what for, all bounds and all commitments ([`Statement`]);
//! - limits, and one form of everything that is read.
//!
//! Also [as the API has it](prove_asked). It knows nothing of who an owner is, and of networks.

#![forbid(unsafe_code)]

mod commitment;
mod document;
mod generators;
mod layout;
mod prove;
mod range;
mod statement;
mod verify;

#[cfg(test)]
mod tests;

pub use commitment::{Blinding, Commitment, Opening};
pub use document::{check_made, prove_asked, verify_document};
pub use generators::warm_up;
pub use prove::prove;
pub use range::Range;
pub use statement::{Claim, Statement};
pub use verify::{Proof, verify};

/// Most numbers of one proof.
pub const MAX_NUMBERS: usize = 16;
/// Longest text that says what a proof is for, in bytes.
pub const MAX_CONTEXT_BYTES: usize = 1_024;
/// Longest name of whose a proof is, in bytes.
pub const MAX_OWNER_BYTES: usize = 128;
/// The length of a commitment: a point of Ristretto.
pub const COMMITMENT_BYTES: usize = 32;
/// The length of a blinding: a scalar, little-endian.
pub const BLINDING_BYTES: usize = 32;
/// The length of the shortest proof: one side of 8 bits.
pub const MIN_PROOF_BYTES: usize = proof_bytes(8, 1);
/// The length of the longest proof: both sides of [`MAX_NUMBERS`], of 64 bits.
pub const MAX_PROOF_BYTES: usize = proof_bytes(64, 2 * MAX_NUMBERS);

/// Why something about a range proof is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeProofError {
    /// The lower bound is above the upper one.
    #[error("the least number, {min}, is greater than the greatest, {max}")]
    Range {
        /// The lower bound.
        min: u64,
        /// The upper one.
        max: u64,
    },
    /// None, or too many.
    #[error("{0} numbers; a proof is of 1 to {MAX_NUMBERS}")]
    Numbers(usize),
    /// Of what a proof is for.
    #[error("a context of {0} bytes; at most {MAX_CONTEXT_BYTES} are allowed")]
    Context(usize),
    /// Of whose it is.
    #[error("an owner's name of {0} bytes; at most {MAX_OWNER_BYTES} are allowed")]
    Owner(usize),
    /// Not a point of Ristretto in its one form.
    #[error("commitment {0} is no point of Ristretto")]
    Commitment(usize),
    /// Not a scalar in its one form.
    #[error("it is no blinding: a number below the group's order, {BLINDING_BYTES} bytes, the lowest first")]
    Blinding,
    /// One that hides nothing.
    #[error(
        "the blinding of number {0} hides nothing: it is 0, or another number's; a new one is made where none is given"
    )]
    Weak(usize),
    /// The number that is to be proved is not in its range.
    #[error("number {0} is outside of its range")]
    OutOfRange(usize),
    /// Another number of openings than of ranges.
    #[error("{openings} openings for {ranges} ranges")]
    Openings {
        /// How many numbers were given.
        openings: usize,
        /// How many ranges.
        ranges: usize,
    },
    /// Not of a proof's form, or not of the length that its statement's have.
    #[error("it is no range proof of this many numbers and bits: {0} bytes")]
    Form(usize),
    /// It does not prove this statement.
    #[error(
        "the proof does not hold: for other numbers, other bounds, another owner or another context, or it was changed"
    )]
    Invalid,
    /// The library could not make it.
    #[error("no proof could be made")]
    NotMade,
}

/// The length of a proof of so many sides of so many bits: four points and three scalars, two points for each halving of
/// the inner product, and its two last scalars.
const fn proof_bytes(bits: usize, sides: usize) -> usize {
    32 * (9 + 2 * (bits * sides).ilog2() as usize)
}

//! Verifying proofs.

use bulletproofs::RangeProof;
use rand_core_06::OsRng;

use crate::{MAX_PROOF_BYTES, MIN_PROOF_BYTES, RangeProofError, Statement, generators};

/// A proof, in the library's form: points and scalars, 32 bytes each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof(Vec<u8>);

impl Proof {
    /// The proof of these bytes. Whether it holds, [`verify`] says.
    ///
    /// # Errors
    /// [`RangeProofError::Form`], where it is no proof's length, or a scalar has not its one form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RangeProofError> {
        let wrong = RangeProofError::Form(bytes.len());
        if !(MIN_PROOF_BYTES..=MAX_PROOF_BYTES).contains(&bytes.len()) {
            return Err(wrong);
        }
        RangeProof::from_bytes(bytes).map_err(|_| wrong)?;
        Ok(Self(bytes.to_vec()))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn of(proof: &RangeProof) -> Self {
        Self(proof.to_bytes())
    }
}

/// Verifies that `proof` proves `statement`.
///
/// # Errors
/// [`RangeProofError::Form`] for a proof that is as long as no proof of the statement, [`RangeProofError::Invalid`] for any other that does not hold.
pub fn verify(statement: &Statement, proof: &Proof) -> Result<(), RangeProofError> {
    let layout = statement.layout();
    let wrong = RangeProofError::Form(proof.0.len());
    // Before anything is computed whose size the proof says.
    if proof.0.len() != layout.proof_bytes() {
        return Err(wrong);
    }
    let read = RangeProof::from_bytes(&proof.0).map_err(|_| wrong)?;
    let commitments = layout.commitments(statement.claims()).ok_or(RangeProofError::Invalid)?;
    read.verify_multiple_with_rng(
        generators::for_sides(layout.sides),
        generators::pedersen(),
        &mut statement.transcript(),
        &commitments,
        layout.bits,
        &mut OsRng,
    )
    .map_err(|_| RangeProofError::Invalid)
}

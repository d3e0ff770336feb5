//! Making proofs.

use bulletproofs::RangeProof;
use curve25519_dalek::scalar::Scalar;
use rand_core_06::{CryptoRng, OsRng, RngCore};
use zeroize::{Zeroize as _, Zeroizing};

use crate::statement::{check_count, check_names};
use crate::{Claim, Opening, Proof, Range, RangeProofError, Statement, generators};

/// Proves that each number is in its range: a statement by `owner` for `context`, and its proof. How long it takes depends on the ranges,
/// and on whether the numbers are in them.
///
/// # Errors
/// [`RangeProofError`]; with [`RangeProofError::OutOfRange`] for a number that is not in its range, there is no proof to be made.
pub fn prove(
    owner: &[u8],
    context: &[u8],
    numbers: &[(Range, Opening)],
) -> Result<(Statement, Proof), RangeProofError> {
    prove_with(owner, context, numbers, &mut OsRng)
}

/// The same by other random numbers.
pub(crate) fn prove_with(
    owner: &[u8],
    context: &[u8],
    numbers: &[(Range, Opening)],
    random: &mut (impl RngCore + CryptoRng),
) -> Result<(Statement, Proof), RangeProofError> {
    // Before a commitment is computed of each.
    check_names(owner, context)?;
    check_count(numbers.len())?;
    if let Some(wrong) = numbers.iter().position(|(range, opening)| !range.contains(opening.number())) {
        return Err(RangeProofError::OutOfRange(wrong));
    }
    if let Some(weak) = (0..numbers.len()).find(|place| is_weak(numbers, *place)) {
        return Err(RangeProofError::Weak(weak));
    }
    let claims =
        numbers.iter().map(|(range, opening)| Claim { range: *range, commitment: opening.commitment() });
    let statement = Statement::new(owner, context, claims.collect())?;
    let layout = statement.layout();
    let (values, blindings) = layout.secrets(numbers);
    let (values, blindings) = (Zeroizing::new(values), Wiped(blindings));
    let (proof, _commitments) = RangeProof::prove_multiple_with_rng(
        generators::for_sides(layout.sides),
        generators::pedersen(),
        &mut statement.transcript(),
        &values,
        &blindings.0,
        layout.bits,
        random,
    )
    .map_err(|_| RangeProofError::NotMade)?;
    Ok((statement, Proof::of(&proof)))
}

/// Whether whoever sees the commitment finds the number by trying, or how far it is from another.
fn is_weak(numbers: &[(Range, Opening)], place: usize) -> bool {
    let Some((before, [(_, opening), ..])) = numbers.split_at_checked(place) else { return false };
    let blinding = opening.blinding().scalar();
    let is_shared = |(_, other): &(Range, Opening)| {
        other.blinding().scalar() == blinding && other.number() != opening.number()
    };
    *blinding == Scalar::ZERO || before.iter().any(is_shared)
}

struct Wiped(Vec<Scalar>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

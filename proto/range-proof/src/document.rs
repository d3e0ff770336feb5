//! Range proofs as the API has them: JSON with hexadecimal text.

use r3e_proto::api::wallets::{Hash32, HexBytes};
use r3e_proto::api::zk::Blinding as Kept;
use r3e_proto::api::zk::{HiddenNumber, Number, ProveRanges, ProvedRanges, RangeClaim, RangeProof};

use crate::statement::check_count;
use crate::{Blinding, Claim, Commitment, Opening, Proof, Range, RangeProofError, Statement, prove, verify};

/// Makes the proof that is asked for, as `owner`'s.
///
/// # Errors
/// [`RangeProofError`]: what is asked for cannot be proved.
pub fn prove_asked(owner: &str, asked: &ProveRanges) -> Result<ProvedRanges, RangeProofError> {
    check_count(asked.numbers.len())?;
    // Room for all of it at once: a vector that grows leaves copies behind.
    let mut numbers = Vec::with_capacity(asked.numbers.len());
    for number in &asked.numbers {
        numbers.push(hidden(number)?);
    }
    let (statement, proof) = prove(owner.as_bytes(), asked.context.as_bytes(), &numbers)?;
    let claims = statement.claims().iter().map(|claim| RangeClaim {
        min: Number(claim.range.min()),
        max: Number(claim.range.max()),
        commitment: Hash32(claim.commitment.0),
    });
    let proof = RangeProof {
        owner: owner.to_owned(),
        context: asked.context.clone(),
        claims: claims.collect(),
        proof: HexBytes(proof.as_bytes().to_vec()),
    };
    let blindings = numbers.iter().map(|(_, opening)| Kept::new(opening.blinding().to_bytes())).collect();
    Ok(ProvedRanges { proof, blindings })
}

/// Verifies a proof: that it proves what it comes with.
///
/// # Errors
/// [`RangeProofError`]: why it does not.
pub fn verify_document(document: &RangeProof) -> Result<(), RangeProofError> {
    if document.claims.len() > crate::MAX_NUMBERS {
        return Err(RangeProofError::Numbers(document.claims.len()));
    }
    let claims: Vec<_> = document.claims.iter().map(claim).collect::<Result<_, _>>()?;
    let statement = Statement::new(document.owner.as_bytes(), document.context.as_bytes(), claims)?;
    verify(&statement, &Proof::from_bytes(&document.proof.0)?)
}

/// Whether what was made is what was asked for, and the blindings open its commitments: for who had it made elsewhere.
///
/// # Errors
/// [`RangeProofError`]: why it is not.
pub fn check_made(
    owner: Option<&str>,
    asked: &ProveRanges,
    made: &ProvedRanges,
) -> Result<(), RangeProofError> {
    let RangeProof { owner: of, context, claims, .. } = &made.proof;
    let counts = [claims.len(), made.blindings.len()];
    if counts != [asked.numbers.len(); 2]
        || *context != asked.context
        || owner.is_some_and(|owner| owner != of)
    {
        return Err(RangeProofError::Invalid);
    }
    for (number, (claim, blinding)) in asked.numbers.iter().zip(claims.iter().zip(&made.blindings)) {
        let opening = Opening::new(number.value.0, Blinding::from_bytes(blinding.expose())?);
        let is_opened = opening.commitment().0 == claim.commitment.0;
        let is_given = number.blinding.as_ref().is_none_or(|given| given == blinding);
        if !is_opened || !is_given || claim.min != number.min || claim.max != number.max {
            return Err(RangeProofError::Invalid);
        }
    }
    verify_document(&made.proof)
}

fn hidden(number: &HiddenNumber) -> Result<(Range, Opening), RangeProofError> {
    let range = Range::new(number.min.0, number.max.0)?;
    let blinding = match &number.blinding {
        Some(given) => Blinding::from_bytes(given.expose())?,
        None => Blinding::random(),
    };
    Ok((range, Opening::new(number.value.0, blinding)))
}

fn claim(claim: &RangeClaim) -> Result<Claim, RangeProofError> {
    Ok(Claim { range: Range::new(claim.min.0, claim.max.0)?, commitment: Commitment(claim.commitment.0) })
}

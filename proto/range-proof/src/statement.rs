//! What a proof proves.

use merlin::Transcript;

use crate::layout::Layout;
use crate::{Commitment, MAX_CONTEXT_BYTES, MAX_NUMBERS, MAX_OWNER_BYTES, Range, RangeProofError};

/// That the number behind a commitment is in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The range.
    pub range: Range,
    /// The commitment.
    pub commitment: Commitment,
}

/// Claims, and whose and what for their proof is. A proof holds for the one statement that it was made for, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    owner: Vec<u8>,
    context: Vec<u8>,
    claims: Vec<Claim>,
}

impl Statement {
    /// Of these claims, by `owner`, for what `context` says. Whoever wants proofs to be of use once has them made for a context of his choice.
    ///
    /// # Errors
    /// [`RangeProofError::Owner`], [`RangeProofError::Context`], [`RangeProofError::Numbers`], [`RangeProofError::Commitment`].
    pub fn new(owner: &[u8], context: &[u8], claims: Vec<Claim>) -> Result<Self, RangeProofError> {
        check_names(owner, context)?;
        check_count(claims.len())?;
        if let Some(wrong) = claims.iter().position(|claim| claim.commitment.point().is_none()) {
            return Err(RangeProofError::Commitment(wrong));
        }
        Ok(Self { owner: owner.to_vec(), context: context.to_vec(), claims })
    }

    /// Whose it is.
    pub fn owner(&self) -> &[u8] {
        &self.owner
    }

    /// What it is for.
    pub fn context(&self) -> &[u8] {
        &self.context
    }

    /// The claims.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// How the claims are proved.
    pub(crate) fn layout(&self) -> Layout {
        Layout::of(self.claims.iter().map(|claim| claim.range))
    }

    /// What the challenges are drawn from, with all of the statement in it: a proof that leaves a part of what it proves out of them can be
    /// made for something else.
    pub(crate) fn transcript(&self) -> Transcript {
        let mut transcript = Transcript::new(b"r3e/1/range-proof");
        transcript.append_message(b"owner", &self.owner);
        transcript.append_message(b"context", &self.context);
        transcript.append_u64(b"claims", self.claims.len() as u64);
        for claim in &self.claims {
            transcript.append_u64(b"min", claim.range.min());
            transcript.append_u64(b"max", claim.range.max());
            transcript.append_message(b"commitment", &claim.commitment.0);
        }
        transcript
    }
}

/// Whether whose and what for a proof is has a length that it may have.
pub(crate) fn check_names(owner: &[u8], context: &[u8]) -> Result<(), RangeProofError> {
    if owner.len() > MAX_OWNER_BYTES {
        return Err(RangeProofError::Owner(owner.len()));
    }
    if context.len() > MAX_CONTEXT_BYTES {
        return Err(RangeProofError::Context(context.len()));
    }
    Ok(())
}

/// Whether so many numbers may have one proof.
pub(crate) fn check_count(numbers: usize) -> Result<(), RangeProofError> {
    if (1..=MAX_NUMBERS).contains(&numbers) { Ok(()) } else { Err(RangeProofError::Numbers(numbers)) }
}

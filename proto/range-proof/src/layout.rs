//! How claims of any bounds become what the library proves: that each of a power of two of numbers has at most 8, 16, 32 or 64 bits.
//!
//! A number is in its range if how far it is above the least has that many bits, and how far it is below the greatest has too: both
//! are below 2^64, so their sum, the width of the range, is the same as of whole numbers, not only modulo the group's order. Where the
//! width is all ones in so many bits, the first side is enough. The commitment to each side is made of the number's own,
//! which is why the verifier needs no others.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;

use crate::{Claim, Opening, Range, proof_bytes};

/// The bits that the library proves, the fewest first.
const BITS: [usize; 4] = [8, 16, 32, 64];

/// How a statement's claims are proved.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Bits of each side: one number for all, which the widest range needs.
    pub(crate) bits: usize,
    /// Sides: a power of two, filled up with zeros behind the claims' own.
    pub(crate) sides: usize,
}

/// One side of a claim.
#[derive(Debug, Clone, Copy)]
enum Side {
    /// How far the number is above the least.
    Above,
    /// How far it is below the greatest.
    Below,
}

impl Layout {
    pub(crate) fn of(ranges: impl Iterator<Item = Range> + Clone) -> Self {
        let widest = ranges.clone().map(|range| range.width()).max().unwrap_or_default();
        let needed = (u64::BITS - widest.leading_zeros()) as usize;
        let bits = BITS.into_iter().find(|bits| *bits >= needed).unwrap_or(64);
        let sides: usize = ranges.map(|range| sides(range, bits).len()).sum();
        Self { bits, sides: sides.next_power_of_two() }
    }

    /// The length of the proofs of this layout.
    pub(crate) fn proof_bytes(&self) -> usize {
        proof_bytes(self.bits, self.sides)
    }

    /// The numbers that are proved to have so many bits, with what hides them. Every number has to be in its range.
    pub(crate) fn secrets(&self, numbers: &[(Range, Opening)]) -> (Vec<u64>, Vec<Scalar>) {
        let sides = numbers.iter().flat_map(|(range, opening)| {
            let (number, blinding) = (opening.number(), opening.blinding().scalar());
            sides(*range, self.bits).iter().map(move |side| match side {
                Side::Above => (number - range.min(), *blinding),
                Side::Below => (range.max() - number, -blinding),
            })
        });
        self.filled(sides, (0, Scalar::ZERO)).unzip()
    }

    /// The commitments to them, of the claims' own; none where a claim's is no point.
    pub(crate) fn commitments(&self, claims: &[Claim]) -> Option<Vec<CompressedRistretto>> {
        let mut made = Vec::with_capacity(self.sides);
        for Claim { range, commitment } in claims {
            let point = commitment.point()?;
            made.extend(sides(*range, self.bits).iter().map(|side| match side {
                // Its one form, which was read above.
                Side::Above if range.min() == 0 => CompressedRistretto(commitment.0),
                Side::Above => (point - base_times(range.min())).compress(),
                Side::Below => (base_times(range.max()) - point).compress(),
            }));
        }
        Some(self.filled(made.into_iter(), RistrettoPoint::identity().compress()).collect())
    }

    fn filled<T: Clone>(&self, sides: impl Iterator<Item = T>, with: T) -> impl Iterator<Item = T> {
        sides.chain(std::iter::repeat(with)).take(self.sides)
    }
}

/// What has to be proved of a number in the range.
fn sides(range: Range, bits: usize) -> &'static [Side] {
    let all_ones = u64::MAX >> (64 - bits);
    if range.width() == all_ones { &[Side::Above] } else { &[Side::Above, Side::Below] }
}

/// A number times the point that numbers are committed to by, from a table.
fn base_times(number: u64) -> RistrettoPoint {
    RistrettoPoint::mul_base(&Scalar::from(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators;

    #[test]
    fn the_table_is_of_the_commitments_base() {
        assert_eq!(base_times(42), generators::pedersen().B * Scalar::from(42_u64));
    }
}

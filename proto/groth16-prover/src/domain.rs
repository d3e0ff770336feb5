//! The domain that constraints stand on. Its roots of unity are those of snarkjs, which starts from the least number that is no square; arkworks takes another
//! for BLS12-381, and a key's points are in the order that its own roots give.

use ark_ff::{LegendreSymbol, PrimeField};
use ark_poly::{EvaluationDomain as _, Radix2EvaluationDomain};

use crate::wiped::Wiped;

/// A domain, and the coset of it on which the quotient is evaluated.
pub(crate) struct Domain<F: PrimeField> {
    pub(crate) roots: Radix2EvaluationDomain<F>,
    /// By what it is moved to the coset: a square root of the domain's own root.
    pub(crate) shift: F,
}

/// The domain of `size`, a power of two; none where the field has none.
pub(crate) fn domain<F: PrimeField>(size: u32) -> Option<Domain<F>> {
    let log = size.trailing_zeros();
    // One more root than the domain's own, for the coset.
    if !size.is_power_of_two() || log >= F::TWO_ADICITY {
        return None;
    }
    let no_square =
        (2_u64..=100).map(F::from).find(|number| number.legendre() == LegendreSymbol::QuadraticNonResidue)?;
    let mut root = no_square.pow(F::TRACE);
    for _ in log + 1..F::TWO_ADICITY {
        root.square_in_place();
    }
    let (shift, generator) = (root, root.square());
    let made = Radix2EvaluationDomain::new(size as usize)?;
    let roots = Radix2EvaluationDomain { group_gen: generator, group_gen_inv: generator.inverse()?, ..made };
    Some(Domain { roots, shift })
}

impl<F: PrimeField> Domain<F> {
    /// A number to the power of the domain's size.
    pub(crate) fn power(&self, of: F) -> F {
        of.pow([self.roots.size])
    }

    /// What each of the polynomials that are one at one root, and zero at the others, is at a number; none where that is a root.
    pub(crate) fn lagrange(&self, at: F) -> Option<Wiped<F>> {
        let (size, generator) = (self.roots.size(), self.roots.group_gen);
        let roots = || std::iter::successors(Some(F::one()), |root| Some(*root * generator)).take(size);
        // Inverses, all by one inversion: of each the product of those before, and then of those behind.
        let mut values = Wiped(Vec::with_capacity(size));
        let mut product = F::one();
        for root in roots() {
            values.0.push(product);
            product *= at - root;
        }
        let mut inverse = product.inverse()?;
        let mut root = generator.inverse()?;
        let scale = (self.power(at) - F::one()) * self.roots.size_inv;
        for value in values.0.iter_mut().rev() {
            *value *= inverse * scale * root;
            inverse *= at - root;
            root *= self.roots.group_gen_inv;
        }
        Some(values)
    }
}

//! Numbers that nobody else is to have.

use ark_ff::PrimeField;
use zeroize::Zeroize as _;

/// Numbers that are wiped when they are dropped. Made with room for all of them: a vector that grows leaves copies behind.
pub(crate) struct Wiped<F: PrimeField>(pub(crate) Vec<F>);

impl<F: PrimeField> Drop for Wiped<F> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

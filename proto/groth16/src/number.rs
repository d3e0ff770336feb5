//! Numbers as decimal text.

use ark_ff::PrimeField;
use num_bigint::BigUint;

use crate::Groth16Error;

/// The most digits of a number below either curve's largest modulus: BLS12-381's has 115.
const MAX_DIGITS: usize = 115;

/// An element of a field: a number below its order, in its one text.
pub(crate) fn field<F: PrimeField>(text: &str, place: impl Fn() -> String) -> Result<F, Groth16Error> {
    let wrong = || Groth16Error::Number { place: place() };
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    let has_one_form = text == "0" || !text.starts_with('0');
    if text.is_empty() || text.len() > MAX_DIGITS || !is_decimal || !has_one_form {
        return Err(wrong());
    }
    let number: BigUint = text.parse().map_err(|_| wrong())?;
    // Before it is made an element, which would reduce it: another number would then stand for the same.
    if number >= F::MODULUS.into() {
        return Err(wrong());
    }
    Ok(F::from(number))
}

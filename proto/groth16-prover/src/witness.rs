//! A witness: snarkjs' `.wtns`, the values of all wires. It is the secret that is proved to be known.

use std::fmt;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;

use crate::bytes::{Bytes, Sections};
use crate::curve::KeyCurve;
use crate::key::Over;
use crate::wiped::Wiped;
use crate::{MAX_WIRES, ProverError};

const WHAT: &str = "witness (.wtns)";

/// The values of a circuit's wires. Wiped when it is dropped.
pub struct Witness(pub(crate) Over<Values<Bn254>, Values<Bls12_381>>);

/// What a witness has over one curve.
pub(crate) struct Values<E: KeyCurve>(pub(crate) Wiped<E::ScalarField>);

impl Witness {
    /// Reads a `.wtns`.
    ///
    /// # Errors
    /// [`ProverError`].
    pub fn read(file: &[u8]) -> Result<Self, ProverError> {
        let sections: Sections<'_, 2> = Sections::read(WHAT, file, *b"wtns", 2)?;
        let mut header = sections.section(1)?;
        let length = usize::try_from(header.number()?).unwrap_or(usize::MAX);
        let modulus = header.take(length)?;
        let wires = header.number()?;
        header.end()?;
        if wires > MAX_WIRES {
            return Err(ProverError::TooMany { what: "wires", found: wires, max: MAX_WIRES });
        }
        let values = sections.section(2)?;
        if modulus == Bn254::scalar_modulus() {
            Ok(Self(Over::Bn254(read(&values, wires)?)))
        } else if modulus == Bls12_381::scalar_modulus() {
            Ok(Self(Over::Bls12381(read(&values, wires)?)))
        } else {
            Err(header.wrong("it is over another curve"))
        }
    }
}

fn read<E: KeyCurve>(section: &Bytes<'_>, wires: u32) -> Result<Values<E>, ProverError> {
    let pieces = section.pieces(wires, E::SCALAR_BYTES)?;
    let mut values = Wiped(Vec::with_capacity(usize::try_from(wires).unwrap_or_default()));
    for bytes in pieces {
        values.0.push(E::scalar(bytes).ok_or(ProverError::Number { place: "the witness" })?);
    }
    Ok(Values(values))
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness(..)")
    }
}

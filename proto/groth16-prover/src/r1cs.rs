//! A circuit: iden3's `.r1cs`, as the Circom compiler writes it (iden3/r1csfile, version 1).

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;

use crate::bytes::{Bytes, Sections};
use crate::curve::KeyCurve;
use crate::key::{Over, bounded};
use crate::{MAX_COEFFICIENTS, MAX_DOMAIN, MAX_SIGNALS, MAX_WIRES, ProverError};

const WHAT: &str = "circuit (.r1cs)";
/// Sections: the header, constraints, labels of wires, and two of custom gates.
const SECTIONS: usize = 5;

/// A circuit's constraints: of each, that the product of two sums of wires is a third.
#[derive(Debug)]
pub struct R1cs(pub(crate) Over<Circuit<Bn254>, Circuit<Bls12_381>>);

/// What a circuit has over one curve's scalars.
#[derive(Debug)]
pub(crate) struct Circuit<E: KeyCurve> {
    pub(crate) wires: u32,
    /// Public outputs and inputs.
    pub(crate) signals: u32,
    pub(crate) constraints: u32,
    pub(crate) terms: Vec<Term<E>>,
}

/// What a wire counts in a sum.
#[derive(Debug)]
pub(crate) struct Term<E: KeyCurve> {
    /// The first factor, the second, or the product.
    pub(crate) sum: Sum,
    pub(crate) constraint: u32,
    pub(crate) wire: u32,
    pub(crate) value: E::ScalarField,
}

/// Which of a constraint's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    A,
    B,
    C,
}

impl R1cs {
    /// Reads a `.r1cs`.
    ///
    /// # Errors
    /// [`ProverError`].
    pub fn read(file: &[u8]) -> Result<Self, ProverError> {
        let sections: Sections<'_, SECTIONS> = Sections::read(WHAT, file, *b"r1cs", 1)?;
        let mut header = sections.section(1)?;
        let length = usize::try_from(header.number()?).unwrap_or(usize::MAX);
        let modulus = header.take(length)?;
        if sections.section(4).is_ok() || sections.section(5).is_ok() {
            return Err(header.wrong("it has custom gates, of which Groth16 knows nothing"));
        }
        if modulus == Bn254::scalar_modulus() {
            Ok(Self(Over::Bn254(read(header, &sections)?)))
        } else if modulus == Bls12_381::scalar_modulus() {
            Ok(Self(Over::Bls12381(read(header, &sections)?)))
        } else {
            Err(header.wrong("it is over another curve"))
        }
    }

    /// How many constraints it has.
    pub fn constraints(&self) -> u32 {
        match &self.0 {
            Over::Bn254(circuit) => circuit.constraints,
            Over::Bls12381(circuit) => circuit.constraints,
        }
    }
}

fn read<E: KeyCurve>(
    mut header: Bytes<'_>,
    sections: &Sections<'_, SECTIONS>,
) -> Result<Circuit<E>, ProverError> {
    let wires = bounded("wires", header.number()?, MAX_WIRES)?;
    let (outputs, inputs, _private) = (header.number()?, header.number()?, header.number()?);
    let _labels = header.take(8)?;
    let constraints = bounded("constraints", header.number()?, MAX_DOMAIN)?;
    header.end()?;
    let signals = bounded("public signals", outputs.saturating_add(inputs), MAX_SIGNALS)?;
    if signals >= wires {
        return Err(header.wrong("its counts do not fit each other"));
    }
    // What each wire is called, which nothing here depends on; so that there are no more wires than bytes.
    let _labels = sections.section(3)?.pieces(wires, 8)?;
    let mut section = sections.section(2)?;
    let mut terms = Vec::new();
    for constraint in 0..constraints {
        for sum in [Sum::A, Sum::B, Sum::C] {
            let count = section.number()?;
            let before = u32::try_from(terms.len()).unwrap_or(u32::MAX);
            bounded("coefficients", before.saturating_add(count), MAX_COEFFICIENTS)?;
            for _ in 0..count {
                let wire = section.number()?;
                if wire >= wires {
                    return Err(section.wrong("a constraint of a wire that there is not"));
                }
                let value = E::scalar(section.take(E::SCALAR_BYTES)?);
                let value = value.ok_or(ProverError::Number { place: "constraints" })?;
                terms.push(Term { sum, constraint, wire, value });
            }
        }
    }
    section.end()?;
    Ok(Circuit { wires, signals, constraints, terms })
}

//! Making proofs (Groth, section 3.2, with the quotient's points of snarkjs' keys).

use std::num::NonZeroUsize;

use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr as _, CurveGroup as _, VariableBaseMSM as _};
use ark_ff::{Field as _, One as _, PrimeField as _, UniformRand as _, Zero as _};
use ark_poly::EvaluationDomain as _;
use rand_core_06::OsRng;
use serde_json::json;

use crate::curve::KeyCurve;
use crate::domain::{Domain, domain};
use crate::key::{Key, Over};
use crate::parallel::{self, sum};
use crate::wiped::Wiped;
use crate::witness::Values;
use crate::{ProverError, ProvingKey, Witness};

/// A proof, with the signals that it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// `proof.json`.
    pub proof: String,
    /// `public.json`'s decimal texts.
    pub signals: Vec<String>,
}

/// Proves that whoever has the witness knows it. The proof is verified before it is given: of a witness that does not satisfy the circuit, or a key that is
/// none, there is no proof.
///
/// # Errors
/// [`ProverError`].
pub fn prove(key: &ProvingKey, witness: &Witness, threads: NonZeroUsize) -> Result<Made, ProverError> {
    match (&key.0, &witness.0) {
        (Over::Bn254(key), Over::Bn254(witness)) => made(key, witness, threads),
        (Over::Bls12381(key), Over::Bls12381(witness)) => made(key, witness, threads),
        _ => Err(ProverError::OtherCircuit { why: "it is over another curve" }),
    }
}

fn made<E: KeyCurve>(key: &Key<E>, witness: &Values<E>, threads: NonZeroUsize) -> Result<Made, ProverError> {
    let wires = &witness.0.0;
    if wires.len() != key.a.len() {
        return Err(ProverError::OtherCircuit { why: "it has another number of wires" });
    }
    if wires.first().is_none_or(|one| !one.is_one()) {
        return Err(ProverError::OtherCircuit { why: "its first wire is not 1" });
    }
    let quotient = quotient(key, wires, threads).ok_or(ProverError::Unsatisfied)?;
    let public = key.inputs.len();
    let random = Wiped(vec![E::ScalarField::rand(&mut OsRng), E::ScalarField::rand(&mut OsRng)]);
    let [first, second] = random.0[..] else { return Err(ProverError::Unsatisfied) };
    let a = (sum::<E::G1>(threads, &key.a, wires) + key.alpha + key.delta.0 * first).into_affine();
    let b_first = sum::<E::G1>(threads, &key.b.0, wires) + key.beta.0 + key.delta.0 * second;
    let b = (sum::<E::G2>(threads, &key.b.1, wires) + key.beta.1 + key.delta.1 * second).into_affine();
    let private = wires.get(public..).unwrap_or_default();
    let c = sum::<E::G1>(threads, &key.c, private)
        + sum::<E::G1>(threads, &key.h, &quotient.0)
        + a * second
        + b_first * first
        - key.delta.0 * (first * second);
    let c = c.into_affine();
    let signals = wires.get(1..public).unwrap_or_default();
    if !holds(key, signals, (a, b, c)) {
        return Err(ProverError::Unsatisfied);
    }
    let proof = json!({
        "pi_a": E::texts_of_first(&a),
        "pi_b": E::texts_of_second(&b),
        "pi_c": E::texts_of_first(&c),
        "protocol": "groth16",
        "curve": E::NAME,
    });
    let signals = signals.iter().map(|signal| signal.into_bigint().to_string()).collect();
    Ok(Made { proof: proof.to_string(), signals })
}

/// What the constraints leave over, evaluated on the coset: its points in the key are of that form.
fn quotient<E: KeyCurve>(
    key: &Key<E>,
    wires: &[E::ScalarField],
    threads: NonZeroUsize,
) -> Option<Wiped<E::ScalarField>> {
    let Domain { roots, shift } = domain::<E::ScalarField>(key.domain)?;
    let size = key.h.len();
    let [mut a, mut b] = [0, 1].map(|_| Wiped(vec![E::ScalarField::zero(); size]));
    for coefficient in &key.coefficients {
        let sums = if coefficient.of_b { &mut b.0 } else { &mut a.0 };
        let sum = sums.get_mut(usize::try_from(coefficient.constraint).ok()?)?;
        *sum += coefficient.value * wires.get(usize::try_from(coefficient.wire).ok()?)?;
    }
    let mut c = Wiped(a.0.iter().zip(&b.0).map(|(a, b)| *a * b).collect());
    parallel::each(threads, vec![&mut a.0, &mut b.0, &mut c.0], |values| {
        roots.ifft_in_place(values);
        let mut power = E::ScalarField::ONE;
        for value in values.iter_mut() {
            *value *= power;
            power *= shift;
        }
        roots.fft_in_place(values);
    });
    for ((a, b), c) in a.0.iter_mut().zip(&b.0).zip(&c.0) {
        *a = *a * b - c;
    }
    Some(a)
}

/// Whether the proof is one: e(A, B) = e(alpha, beta) · e(the signals' combination, gamma) · e(C, delta).
fn holds<E: KeyCurve>(
    key: &Key<E>,
    signals: &[E::ScalarField],
    (a, b, c): (E::G1Affine, E::G2Affine, E::G1Affine),
) -> bool {
    // A neutral point has no coordinates to write.
    if a.is_zero() || b.is_zero() || c.is_zero() {
        return false;
    }
    let mut scalars = vec![E::ScalarField::one()];
    scalars.extend_from_slice(signals);
    let Ok(inputs) = E::G1::msm(&key.inputs, &scalars) else { return false };
    let left = [(-a.into_group()).into_affine(), key.alpha, inputs.into_affine(), c];
    let right = [b, key.beta.1, key.gamma, key.delta.1];
    <E as Pairing>::multi_pairing(left, right).is_zero()
}

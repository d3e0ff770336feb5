//! Keys as snarkjs writes them: the `.zkey`, and `verification_key.json` of it.

use serde_json::{Value, json};

use crate::ProvingKey;
use crate::curve::KeyCurve;
use crate::key::{GROTH16, Key, Over};

impl ProvingKey {
    /// The `.zkey`. The record of a ceremony that a key was read with is not in it.
    pub fn to_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Over::Bn254(key) => bytes(key),
            Over::Bls12381(key) => bytes(key),
        }
    }

    /// Its `verification_key.json`, without `vk_alphabeta_12`, which follows from the rest.
    pub fn verification_key(&self) -> String {
        match &self.0 {
            Over::Bn254(key) => verification_key(key),
            Over::Bls12381(key) => verification_key(key),
        }
        .to_string()
    }
}

fn verification_key<E: KeyCurve>(key: &Key<E>) -> Value {
    json!({
        "protocol": "groth16",
        "curve": E::NAME,
        "nPublic": key.signals,
        "vk_alpha_1": E::texts_of_first(&key.alpha),
        "vk_beta_2": E::texts_of_second(&key.beta.1),
        "vk_gamma_2": E::texts_of_second(&key.gamma),
        "vk_delta_2": E::texts_of_second(&key.delta.1),
        "IC": key.inputs.iter().map(E::texts_of_first).collect::<Vec<_>>(),
    })
}

fn bytes<E: KeyCurve>(key: &Key<E>) -> Vec<u8> {
    let points =
        key.inputs.len() + key.a.len() + key.b.0.len() + 2 * key.b.1.len() + key.c.len() + key.h.len();
    let coefficients = key.coefficients.len() * (12 + E::SCALAR_BYTES);
    // And a few hundred bytes of headers.
    let mut out = Vec::with_capacity(2 * E::COORDINATE_BYTES * points + coefficients + 4_096);
    out.extend(b"zkey");
    number(&mut out, 1);
    number(&mut out, 10);
    section(&mut out, 1, |out| number(out, GROTH16));
    section(&mut out, 2, |out| {
        for modulus in [E::coordinate_modulus(), E::scalar_modulus()] {
            number(out, u32::try_from(modulus.len()).unwrap_or(u32::MAX));
            out.extend(modulus);
        }
        for count in [key.wires, key.signals, key.domain] {
            number(out, count);
        }
        E::put_first(out, &key.alpha);
        E::put_first(out, &key.beta.0);
        E::put_second(out, &key.beta.1);
        E::put_second(out, &key.gamma);
        E::put_first(out, &key.delta.0);
        E::put_second(out, &key.delta.1);
    });
    section(&mut out, 3, |out| firsts::<E>(out, &key.inputs));
    section(&mut out, 4, |out| {
        number(out, u32::try_from(key.coefficients.len()).unwrap_or(u32::MAX));
        for coefficient in &key.coefficients {
            number(out, u32::from(coefficient.of_b));
            number(out, coefficient.constraint);
            number(out, coefficient.wire);
            E::put_coefficient(out, &coefficient.value);
        }
    });
    section(&mut out, 5, |out| firsts::<E>(out, &key.a));
    section(&mut out, 6, |out| firsts::<E>(out, &key.b.0));
    section(&mut out, 7, |out| {
        for point in &key.b.1 {
            E::put_second(out, point);
        }
    });
    section(&mut out, 8, |out| firsts::<E>(out, &key.c));
    section(&mut out, 9, |out| firsts::<E>(out, &key.h));
    section(&mut out, 10, |out| {
        // No hash of a circuit, and no contributions.
        out.extend([0; 64]);
        number(out, 0);
    });
    out
}

fn firsts<E: KeyCurve>(out: &mut Vec<u8>, points: &[E::G1Affine]) {
    for point in points {
        E::put_first(out, point);
    }
}

fn number(out: &mut Vec<u8>, number: u32) {
    out.extend(number.to_le_bytes());
}

/// A section's type, its length and its contents.
fn section(out: &mut Vec<u8>, kind: u32, write: impl FnOnce(&mut Vec<u8>)) {
    number(out, kind);
    let length_at = out.len();
    out.extend([0; 8]);
    let start = out.len();
    write(out);
    let length = u64::try_from(out.len() - start).unwrap_or(u64::MAX);
    if let Some(place) = out.get_mut(length_at..start) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

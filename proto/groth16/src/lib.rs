//! Groth16 proofs (J. Groth, "On the Size of Pairing-Based Non-interactive Arguments", EUROCRYPT 2016) as snarkjs writes them: a verification key, a
//! proof and the public signals, each JSON, over BN254 or BLS12-381.
//!
//! A proof is a statement about numbers modulo the group's order, and about points of its groups alone. So whatever is read has one meaning: a
//! number at or above its modulus, a point off its curve or outside the subgroup, and the neutral point are refused, not reduced; and there are as many
//! signals as the key is of.
//!
//! Whoever sees a proof can make others of the same statement from it: what a verifier remembers, to take nothing twice, is the statement, and not the proof's bytes.
//!
//! For contracts, a key becomes a verifier in Solidity, and a proof its arguments. It knows nothing else of chains, and nothing of circuits and of how proofs are
//! made.

#![forbid(unsafe_code)]

mod curve;
mod number;
mod read;
mod solidity;

#[cfg(test)]
mod tests;

use std::fmt;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::pairing::{Pairing, PairingOutput};
use ark_ec::{AffineRepr as _, CurveGroup as _, VariableBaseMSM as _};
use ark_ff::{One as _, Zero as _};

pub use curve::Curve;
use curve::SnarkCurve;
pub use solidity::{MAX_CONTRACT_NAME_BYTES, MAX_CONTRACT_SIGNALS};

/// Most public signals of a key. Each is a point of the key, and 1 KiB of its JSON at the most.
pub const MAX_SIGNALS: usize = 4_096;
/// Longest verification key, in bytes of JSON: that of so many signals, each with two coordinates of 116 digits at the most.
pub const MAX_KEY_BYTES: usize = 2 * 1024 * 1024;
/// Longest proof, in bytes of JSON.
pub const MAX_PROOF_BYTES: usize = 8 * 1024;
/// Longest list of signals, in bytes of JSON.
pub const MAX_SIGNALS_BYTES: usize = 512 * 1024;

/// Why a key, a proof or signals are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Groth16Error {
    /// Longer than any.
    #[error("{what} of {bytes} bytes; at most {max_bytes} are allowed")]
    TooLong {
        /// What is.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// What is allowed.
        max_bytes: usize,
    },
    /// Not the JSON that snarkjs writes.
    #[error("this is not {what} as snarkjs writes it: {why}")]
    Json {
        /// What it should be.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Another protocol than Groth16.
    #[error("the protocol is {0:?}, not \"groth16\"")]
    Protocol(String),
    /// No curve that proofs are verified over here.
    #[error("the curve is {0:?}; \"bn128\" and \"bls12381\" are verified")]
    UnknownCurve(String),
    /// A key and a proof over two curves.
    #[error("the key is over {key}, the proof over {proof}")]
    Curves {
        /// The key's.
        key: Curve,
        /// The proof's.
        proof: Curve,
    },
    /// Not a number below its modulus, in its one text.
    #[error("{place}: no decimal number below the field's order, without sign or leading zeros")]
    Number {
        /// Where it stands.
        place: String,
    },
    /// Not a point of the group.
    #[error("{place}: {why}")]
    Point {
        /// Where it stands.
        place: String,
        /// What it is instead.
        why: PointFault,
    },
    /// A key by which anybody proves anything.
    #[error(
        "nobody contributed to the setup of this key, or to its second phase: anybody makes proofs of anything for it"
    )]
    Forgeable,
    /// Another number of signals than the key is of, or of points than it says.
    #[error("{found} {what}; the key is of {expected}")]
    Count {
        /// What there are too many or too few of.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// No contract verifies proofs over this curve.
    #[error("it is over {curve}; contracts verify proofs over BN254")]
    NoContract {
        /// The curve.
        curve: Curve,
    },
    /// A key of more signals than a contract has room for, or of none.
    #[error("{found} public signals; a contract takes 1 to {max}")]
    ContractSignals {
        /// How many.
        found: usize,
        /// The limit.
        max: usize,
    },
    /// No name for a contract.
    #[error("no name of a contract: a capital letter, then up to 63 letters, digits and underscores")]
    ContractName,
    /// The proof proves something else, or nothing.
    #[error("the proof does not hold for this key and these signals")]
    Invalid,
}

/// What coordinates are, where they are no point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointFault {
    /// Not a solution of the curve's equation.
    OffCurve,
    /// A solution, of another order than the group's.
    OutsideSubgroup,
    /// The neutral point.
    Neutral,
    /// Not in the form with a third coordinate of 1.
    Projective,
}

impl fmt::Display for PointFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OffCurve => "a point that is not on the curve",
            Self::OutsideSubgroup => "a point outside of the group",
            Self::Neutral => "the neutral point",
            Self::Projective => "a point whose third coordinate is not 1",
        })
    }
}

/// A verification key, all of whose points are points of their groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerificationKey(Over<Key<Bn254>, Key<Bls12_381>>);

/// A proof, whose points are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof(Over<Points<Bn254>, Points<Bls12_381>>);

/// Over which of the two curves.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Over<A, B> {
    Bn254(A),
    Bls12381(B),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Key<E: Pairing> {
    alpha: E::G1Affine,
    beta: E::G2Affine,
    gamma: E::G2Affine,
    delta: E::G2Affine,
    /// One for each signal, and the first for the number one.
    inputs: Vec<E::G1Affine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Points<E: Pairing> {
    a: E::G1Affine,
    b: E::G2Affine,
    c: E::G1Affine,
}

impl VerificationKey {
    /// Reads `verification_key.json`.
    ///
    /// # Errors
    /// [`Groth16Error`].
    pub fn from_json(json: &[u8]) -> Result<Self, Groth16Error> {
        let read: read::Key = read::json("a verification key", json, MAX_KEY_BYTES)?;
        Ok(Self(match read.curve()? {
            Curve::Bn254 => Over::Bn254(read.points()?),
            Curve::Bls12381 => Over::Bls12381(read.points()?),
        }))
    }

    /// Over which curve it is.
    pub fn curve(&self) -> Curve {
        self.0.curve()
    }

    /// How many public signals its proofs have.
    pub fn signals(&self) -> usize {
        let points = match &self.0 {
            Over::Bn254(key) => key.inputs.len(),
            Over::Bls12381(key) => key.inputs.len(),
        };
        points.saturating_sub(1)
    }
}

impl Proof {
    /// Reads `proof.json`.
    ///
    /// # Errors
    /// [`Groth16Error`].
    pub fn from_json(json: &[u8]) -> Result<Self, Groth16Error> {
        let read: read::Proof = read::json("a proof", json, MAX_PROOF_BYTES)?;
        Ok(Self(match read.curve()? {
            Curve::Bn254 => Over::Bn254(read.points()?),
            Curve::Bls12381 => Over::Bls12381(read.points()?),
        }))
    }

    /// Over which curve it is.
    pub fn curve(&self) -> Curve {
        self.0.curve()
    }
}

impl<A, B> Over<A, B> {
    fn curve(&self) -> Curve {
        match self {
            Self::Bn254(_) => Curve::Bn254,
            Self::Bls12381(_) => Curve::Bls12381,
        }
    }
}

/// Verifies a proof of these signals, `public.json`'s decimal texts, by a key.
///
/// # Errors
/// [`Groth16Error::Invalid`] where it does not hold; another where it cannot.
pub fn verify(key: &VerificationKey, signals: &[String], proof: &Proof) -> Result<(), Groth16Error> {
    let holds = match (&key.0, &proof.0) {
        (Over::Bn254(key), Over::Bn254(proof)) => holds(key, signals, proof)?,
        (Over::Bls12381(key), Over::Bls12381(proof)) => holds(key, signals, proof)?,
        _ => return Err(Groth16Error::Curves { key: key.curve(), proof: proof.curve() }),
    };
    if holds { Ok(()) } else { Err(Groth16Error::Invalid) }
}

/// Reads `public.json`: a list of decimal texts. Whether they are numbers below the order, [`verify`] says.
///
/// # Errors
/// [`Groth16Error`].
pub fn signals_from_json(json: &[u8]) -> Result<Vec<String>, Groth16Error> {
    read::json("a list of public signals", json, MAX_SIGNALS_BYTES)
}

/// Section 3.2: e(A, B) = e(alpha, beta) · e(the signals' combination, gamma) · e(C, delta), as one product of four.
fn holds<E: SnarkCurve>(key: &Key<E>, signals: &[String], proof: &Points<E>) -> Result<bool, Groth16Error> {
    let expected = key.inputs.len().saturating_sub(1);
    if signals.len() != expected {
        return Err(Groth16Error::Count { what: "public signals", found: signals.len(), expected });
    }
    let scalars = signals.iter().enumerate().map(|(at, text)| number::field(text, || format!("signal {at}")));
    let scalars: Vec<E::ScalarField> =
        std::iter::once(Ok(E::ScalarField::one())).chain(scalars).collect::<Result<_, _>>()?;
    let inputs = E::G1::msm(&key.inputs, &scalars).map_err(|_| Groth16Error::Invalid)?;
    let left = [(-proof.a.into_group()).into_affine(), key.alpha, inputs.into_affine(), proof.c];
    let right = [proof.b, key.beta, key.gamma, key.delta];
    let product: PairingOutput<E> = E::multi_pairing(left, right);
    Ok(product.is_zero())
}

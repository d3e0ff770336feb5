//! The JSON that snarkjs writes.

use ark_ec::AffineRepr as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::curve::{Curve, SnarkCurve};
use crate::{Groth16Error, MAX_SIGNALS, PointFault, Points, number};

/// A point of the first group: x, y, z, decimal text each.
type First = [String; 3];
/// A point of the second: each coordinate of two parts.
type Second = [[String; 2]; 3];

/// `verification_key.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    protocol: String,
    curve: String,
    #[serde(rename = "nPublic")]
    signals: usize,
    vk_alpha_1: First,
    vk_beta_2: Second,
    vk_gamma_2: Second,
    vk_delta_2: Second,
    /// What follows from the others: it is computed anew, and not believed.
    #[serde(default, rename = "vk_alphabeta_12")]
    _pairing: serde::de::IgnoredAny,
    #[serde(rename = "IC")]
    inputs: Vec<First>,
}

/// `proof.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Proof {
    pi_a: First,
    pi_b: Second,
    pi_c: First,
    protocol: String,
    curve: String,
}

/// How much is said of what is wrong with a text.
const MAX_QUOTED_CHARS: usize = 200;

/// What a JSON text of at most so many bytes says.
pub(crate) fn json<T: DeserializeOwned>(
    what: &'static str,
    text: &[u8],
    max_bytes: usize,
) -> Result<T, Groth16Error> {
    if text.len() > max_bytes {
        return Err(Groth16Error::TooLong { what, bytes: text.len(), max_bytes });
    }
    serde_json::from_slice(text).map_err(|error| {
        // What stands there is quoted, and whoever wrote it chose its length.
        let why: String = error.to_string().chars().take(MAX_QUOTED_CHARS).collect();
        Groth16Error::Json { what, why }
    })
}

impl Key {
    pub(crate) fn curve(&self) -> Result<Curve, Groth16Error> {
        curve(&self.protocol, &self.curve)
    }

    pub(crate) fn points<E: SnarkCurve>(&self) -> Result<crate::Key<E>, Groth16Error> {
        if self.signals > MAX_SIGNALS {
            return Err(Groth16Error::Count {
                what: "public signals",
                found: self.signals,
                expected: MAX_SIGNALS,
            });
        }
        let expected = self.signals + 1;
        if self.inputs.len() != expected {
            return Err(Groth16Error::Count { what: "points in IC", found: self.inputs.len(), expected });
        }
        let inputs =
            self.inputs.iter().enumerate().map(|(at, point)| first::<E>(point, &format!("IC[{at}]")));
        let key: crate::Key<E> = crate::Key {
            alpha: first::<E>(&self.vk_alpha_1, "vk_alpha_1")?,
            beta: second::<E>(&self.vk_beta_2, "vk_beta_2")?,
            gamma: second::<E>(&self.vk_gamma_2, "vk_gamma_2")?,
            delta: second::<E>(&self.vk_delta_2, "vk_delta_2")?,
            inputs: inputs.collect::<Result<_, _>>()?,
        };
        // As snarkjs leaves it before anybody contributes to the second phase: with A = alpha, B = beta and C = minus the signals' combination, the product is one for
        // whatever signals. Or to the first: alpha and beta are then the generators, whose logarithm is one.
        let is_second_made = key.delta != key.gamma && key.delta.into_group() != -key.gamma.into_group();
        let is_first_made = key.alpha != E::G1Affine::generator() && key.beta != E::G2Affine::generator();
        if !is_first_made || !is_second_made {
            return Err(Groth16Error::Forgeable);
        }
        Ok(key)
    }
}

impl Proof {
    pub(crate) fn curve(&self) -> Result<Curve, Groth16Error> {
        curve(&self.protocol, &self.curve)
    }

    pub(crate) fn points<E: SnarkCurve>(&self) -> Result<Points<E>, Groth16Error> {
        Ok(Points {
            a: first::<E>(&self.pi_a, "pi_a")?,
            b: second::<E>(&self.pi_b, "pi_b")?,
            c: first::<E>(&self.pi_c, "pi_c")?,
        })
    }
}

fn curve(protocol: &str, curve: &str) -> Result<Curve, Groth16Error> {
    if protocol != "groth16" {
        return Err(Groth16Error::Protocol(protocol.chars().take(32).collect()));
    }
    Curve::named(curve).ok_or_else(|| Groth16Error::UnknownCurve(curve.chars().take(32).collect()))
}

fn first<E: SnarkCurve>([x, y, z]: &First, place: &str) -> Result<E::G1Affine, Groth16Error> {
    let wrong = |why| Groth16Error::Point { place: place.to_owned(), why };
    third(z == "1", z == "0").map_err(wrong)?;
    let coordinate =
        |text: &str, name: &str| number::field::<E::Coordinate>(text, || format!("{place}.{name}"));
    E::first(coordinate(x, "x")?, coordinate(y, "y")?).map_err(wrong)
}

fn second<E: SnarkCurve>([x, y, z]: &Second, place: &str) -> Result<E::G2Affine, Groth16Error> {
    let wrong = |why| Groth16Error::Point { place: place.to_owned(), why };
    third(z == &["1", "0"], z == &["0", "0"]).map_err(wrong)?;
    let coordinate = |[c0, c1]: &[String; 2], name: &str| {
        let part = |text: &str| number::field::<E::Coordinate>(text, || format!("{place}.{name}"));
        Ok::<_, Groth16Error>([part(c0)?, part(c1)?])
    };
    E::second(coordinate(x, "x")?, coordinate(y, "y")?).map_err(wrong)
}

/// The third coordinate: points are written in the form in which it is one.
fn third(is_one: bool, is_zero: bool) -> Result<(), PointFault> {
    match (is_one, is_zero) {
        (true, _) => Ok(()),
        (_, true) => Err(PointFault::Neutral),
        _ => Err(PointFault::Projective),
    }
}

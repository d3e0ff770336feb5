//! The curves, and their points from coordinates.

use std::fmt;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::pairing::Pairing;

use crate::PointFault;

/// A curve that proofs are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// BN254, which snarkjs and Ethereum's contracts call bn128.
    Bn254,
    /// BLS12-381.
    Bls12381,
}

impl Curve {
    /// By what snarkjs writes.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "bn128" => Some(Self::Bn254),
            "bls12381" => Some(Self::Bls12381),
            _ => None,
        }
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bn254 => "BN254",
            Self::Bls12381 => "BLS12-381",
        })
    }
}

/// A pairing whose points are read by coordinates.
pub(crate) trait SnarkCurve: Pairing {
    /// The field of the first group's coordinates; the second's are pairs.
    type Coordinate: ark_ff::PrimeField;

    /// A point of the first group.
    fn first(x: Self::Coordinate, y: Self::Coordinate) -> Result<Self::G1Affine, PointFault>;

    /// A point of the second group.
    fn second(x: [Self::Coordinate; 2], y: [Self::Coordinate; 2]) -> Result<Self::G2Affine, PointFault>;
}

macro_rules! snark_curve {
    ($pairing:ty, $curve:ident) => {
        impl SnarkCurve for $pairing {
            type Coordinate = $curve::Fq;

            fn first(x: $curve::Fq, y: $curve::Fq) -> Result<Self::G1Affine, PointFault> {
                let point = $curve::G1Affine::new_unchecked(x, y);
                if !point.is_on_curve() {
                    Err(PointFault::OffCurve)
                } else if !point.is_in_correct_subgroup_assuming_on_curve() {
                    Err(PointFault::OutsideSubgroup)
                } else {
                    Ok(point)
                }
            }

            fn second(x: [$curve::Fq; 2], y: [$curve::Fq; 2]) -> Result<Self::G2Affine, PointFault> {
                let pair = |[c0, c1]: [$curve::Fq; 2]| $curve::Fq2::new(c0, c1);
                let point = $curve::G2Affine::new_unchecked(pair(x), pair(y));
                if !point.is_on_curve() {
                    Err(PointFault::OffCurve)
                } else if !point.is_in_correct_subgroup_assuming_on_curve() {
                    Err(PointFault::OutsideSubgroup)
                } else {
                    Ok(point)
                }
            }
        }
    };
}

snark_curve!(Bn254, ark_bn254);
snark_curve!(Bls12_381, ark_bls12_381);

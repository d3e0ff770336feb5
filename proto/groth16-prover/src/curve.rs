//! The curves: their numbers and points as snarkjs writes them in binary.

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::AffineRepr as _;
use ark_ec::pairing::Pairing;
use ark_ff::{BigInt, FftField, PrimeField, Zero as _};

/// Why bytes are no point.
pub(crate) enum NoPoint {
    Number,
    OffCurve,
}

/// A curve whose keys are read.
pub(crate) trait KeyCurve: Pairing<ScalarField: FftField> {
    /// What snarkjs calls it.
    const NAME: &'static str;
    /// Bytes of a coordinate.
    const COORDINATE_BYTES: usize;
    /// Bytes of a scalar.
    const SCALAR_BYTES: usize;
    /// The modulus of coordinates, little-endian.
    fn coordinate_modulus() -> Vec<u8>;
    /// That of scalars.
    fn scalar_modulus() -> Vec<u8>;
    /// A scalar of its bytes.
    fn scalar(bytes: &[u8]) -> Option<Self::ScalarField>;
    /// A scalar of which the file has the Montgomery form's Montgomery form, as snarkjs keeps coefficients.
    fn coefficient(bytes: &[u8]) -> Option<Self::ScalarField>;
    /// Whether the first group's curve has points of other orders.
    const HAS_COFACTOR: bool;
    /// A point of the first group on its curve, in Montgomery form; zeros are the neutral one.
    fn first(bytes: &[u8]) -> Result<Self::G1Affine, NoPoint>;
    /// The same of the second group: whether it has the group's order is not checked.
    fn second(bytes: &[u8]) -> Result<Self::G2Affine, NoPoint>;
    /// Whether a point of the first group has its order, where not every point of the curve has.
    fn is_of_first(point: &Self::G1Affine) -> bool;
    /// The same of the second.
    fn is_of_second(point: &Self::G2Affine) -> bool;
    /// Puts a point as [`first`](Self::first) reads it.
    fn put_first(out: &mut Vec<u8>, point: &Self::G1Affine);
    /// The same of the second group.
    fn put_second(out: &mut Vec<u8>, point: &Self::G2Affine);
    /// Puts a scalar as [`coefficient`](Self::coefficient) reads it.
    fn put_coefficient(out: &mut Vec<u8>, value: &Self::ScalarField);
    /// Decimal texts of a point's coordinates, as `proof.json` has them.
    fn texts_of_first(point: &Self::G1Affine) -> [String; 3];
    /// The same of the second group.
    fn texts_of_second(point: &Self::G2Affine) -> [[String; 2]; 3];
}

/// Words of a number in bytes, little-endian.
fn words<const N: usize>(bytes: &[u8]) -> Option<BigInt<N>> {
    let mut words = [0; N];
    let (chunks, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() || chunks.len() != N {
        return None;
    }
    for (word, chunk) in words.iter_mut().zip(chunks) {
        *word = u64::from_le_bytes(*chunk);
    }
    Some(BigInt::new(words))
}

fn put<const N: usize>(out: &mut Vec<u8>, number: &BigInt<N>) {
    for word in number.0 {
        out.extend(word.to_le_bytes());
    }
}

macro_rules! key_curve {
    ($pairing:ty, $curve:ident, $name:literal, $coordinate:literal, $has_cofactor:literal) => {
        impl KeyCurve for $pairing {
            const NAME: &'static str = $name;
            const COORDINATE_BYTES: usize = $coordinate;
            const SCALAR_BYTES: usize = 32;

            fn coordinate_modulus() -> Vec<u8> {
                ark_ff::BigInteger::to_bytes_le(&$curve::Fq::MODULUS)
            }

            fn scalar_modulus() -> Vec<u8> {
                ark_ff::BigInteger::to_bytes_le(&$curve::Fr::MODULUS)
            }

            fn scalar(bytes: &[u8]) -> Option<$curve::Fr> {
                $curve::Fr::from_bigint(words(bytes)?)
            }

            const HAS_COFACTOR: bool = $has_cofactor;

            fn coefficient(bytes: &[u8]) -> Option<$curve::Fr> {
                let words = words(bytes)?;
                (words < $curve::Fr::MODULUS)
                    .then(|| $curve::Fr::new_unchecked($curve::Fr::new_unchecked(words).into_bigint()))
            }

            fn first(bytes: &[u8]) -> Result<$curve::G1Affine, NoPoint> {
                let [x, y] = coordinates::<$curve::Fq, 2>(bytes).ok_or(NoPoint::Number)?;
                if x.is_zero() && y.is_zero() {
                    return Ok($curve::G1Affine::identity());
                }
                let point = $curve::G1Affine::new_unchecked(x, y);
                if point.is_on_curve() { Ok(point) } else { Err(NoPoint::OffCurve) }
            }

            fn second(bytes: &[u8]) -> Result<$curve::G2Affine, NoPoint> {
                let [x0, x1, y0, y1] = coordinates::<$curve::Fq, 4>(bytes).ok_or(NoPoint::Number)?;
                let (x, y) = ($curve::Fq2::new(x0, x1), $curve::Fq2::new(y0, y1));
                if x.is_zero() && y.is_zero() {
                    return Ok($curve::G2Affine::identity());
                }
                let point = $curve::G2Affine::new_unchecked(x, y);
                if point.is_on_curve() { Ok(point) } else { Err(NoPoint::OffCurve) }
            }

            fn is_of_first(point: &$curve::G1Affine) -> bool {
                point.is_in_correct_subgroup_assuming_on_curve()
            }

            fn is_of_second(point: &$curve::G2Affine) -> bool {
                point.is_in_correct_subgroup_assuming_on_curve()
            }

            fn put_first(out: &mut Vec<u8>, point: &$curve::G1Affine) {
                // The neutral point has zeros, here as there.
                let (x, y) = point.xy().unwrap_or_default();
                put(out, &x.0);
                put(out, &y.0);
            }

            fn put_second(out: &mut Vec<u8>, point: &$curve::G2Affine) {
                let (x, y) = point.xy().unwrap_or_default();
                for coordinate in [x.c0, x.c1, y.c0, y.c1] {
                    put(out, &coordinate.0);
                }
            }

            fn put_coefficient(out: &mut Vec<u8>, value: &$curve::Fr) {
                // The Montgomery form, taken for a number, has a Montgomery form too.
                put(out, &$curve::Fr::from(value.0).0);
            }

            fn texts_of_first(point: &$curve::G1Affine) -> [String; 3] {
                [point.x.into_bigint().to_string(), point.y.into_bigint().to_string(), "1".to_owned()]
            }

            fn texts_of_second(point: &$curve::G2Affine) -> [[String; 2]; 3] {
                let texts = |pair: $curve::Fq2| {
                    [pair.c0.into_bigint().to_string(), pair.c1.into_bigint().to_string()]
                };
                [texts(point.x), texts(point.y), ["1".to_owned(), "0".to_owned()]]
            }
        }

        impl Coordinate for $curve::Fq {
            const BYTES: usize = $coordinate;
            fn of_montgomery(bytes: &[u8]) -> Option<Self> {
                let words = words(bytes)?;
                (words < Self::MODULUS).then(|| Self::new_unchecked(words))
            }
        }
    };
}

/// A coordinate in Montgomery form.
trait Coordinate: Copy + Default {
    const BYTES: usize;
    fn of_montgomery(bytes: &[u8]) -> Option<Self>;
}

/// So many coordinates, and no byte more.
fn coordinates<C: Coordinate, const N: usize>(bytes: &[u8]) -> Option<[C; N]> {
    let mut read = [C::default(); N];
    if bytes.len() != N * C::BYTES {
        return None;
    }
    for (coordinate, bytes) in read.iter_mut().zip(bytes.chunks_exact(C::BYTES)) {
        *coordinate = C::of_montgomery(bytes)?;
    }
    Some(read)
}

key_curve!(Bn254, ark_bn254, "bn128", 32, false);
key_curve!(Bls12_381, ark_bls12_381, "bls12381", 48, true);

//! A proving key: snarkjs' `.zkey` of Groth16.

use std::num::NonZeroUsize;

use ark_bls12_381::Bls12_381;
use ark_bn254::Bn254;
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM as _};
use ark_ff::Zero as _;
use rand_core_06::{OsRng, RngCore as _};

use crate::bytes::{Bytes, Sections};
use crate::curve::{KeyCurve, NoPoint};
use crate::parallel;
use crate::{MAX_COEFFICIENTS, MAX_DOMAIN, MAX_SIGNALS, MAX_WIRES, ProverError};

const WHAT: &str = "proving key of Groth16 (.zkey)";
/// Sections: the header, that of Groth16, IC, coefficients, A, B1, B2, C, H, contributions.
const SECTIONS: usize = 10;
/// Groth16, among snarkjs' protocols.
pub(crate) const GROTH16: u32 = 1;

/// A proving key, all of whose points are points of their groups.
#[derive(Debug, Clone)]
pub struct ProvingKey(pub(crate) Over<Key<Bn254>, Key<Bls12_381>>);

/// Over which of the two curves.
#[derive(Debug, Clone)]
pub(crate) enum Over<A, B> {
    Bn254(A),
    Bls12381(B),
}

/// What a key has over one curve.
#[derive(Debug, Clone)]
pub(crate) struct Key<E: KeyCurve> {
    pub(crate) wires: u32,
    pub(crate) signals: u32,
    pub(crate) domain: u32,
    pub(crate) alpha: E::G1Affine,
    pub(crate) beta: (E::G1Affine, E::G2Affine),
    pub(crate) gamma: E::G2Affine,
    pub(crate) delta: (E::G1Affine, E::G2Affine),
    pub(crate) inputs: Vec<E::G1Affine>,
    pub(crate) a: Vec<E::G1Affine>,
    pub(crate) b: (Vec<E::G1Affine>, Vec<E::G2Affine>),
    pub(crate) c: Vec<E::G1Affine>,
    pub(crate) h: Vec<E::G1Affine>,
    pub(crate) coefficients: Vec<Coefficient<E>>,
}

/// What a wire counts in a constraint.
#[derive(Debug, Clone)]
pub(crate) struct Coefficient<E: KeyCurve> {
    pub(crate) of_b: bool,
    pub(crate) constraint: u32,
    pub(crate) wire: u32,
    pub(crate) value: E::ScalarField,
}

impl ProvingKey {
    /// Reads a `.zkey`.
    ///
    /// # Errors
    /// [`ProverError`].
    pub fn read(file: &[u8], threads: NonZeroUsize) -> Result<Self, ProverError> {
        let sections: Sections<'_, SECTIONS> = Sections::read(WHAT, file, *b"zkey", 1)?;
        let mut header = sections.section(1)?;
        if header.number()? != GROTH16 {
            return Err(header.wrong("it is of another protocol"));
        }
        header.end()?;
        // The coordinates' length tells the two curves apart; the moduli are then compared whole.
        match sections.section(2)?.number()? {
            32 => Ok(Self(Over::Bn254(read(&sections, threads)?))),
            48 => Ok(Self(Over::Bls12381(read(&sections, threads)?))),
            _ => Err(header.wrong("it is over another curve")),
        }
    }

    /// The curve that it is over, as snarkjs calls it.
    pub fn curve(&self) -> &'static str {
        match &self.0 {
            Over::Bn254(_) => Bn254::NAME,
            Over::Bls12381(_) => Bls12_381::NAME,
        }
    }

    /// How many wires its circuit has, the constant one among them.
    pub fn wires(&self) -> u32 {
        match &self.0 {
            Over::Bn254(key) => key.wires,
            Over::Bls12381(key) => key.wires,
        }
    }

    /// How many public signals.
    pub fn signals(&self) -> u32 {
        match &self.0 {
            Over::Bn254(key) => key.signals,
            Over::Bls12381(key) => key.signals,
        }
    }
}

fn read<E: KeyCurve>(
    sections: &Sections<'_, SECTIONS>,
    threads: NonZeroUsize,
) -> Result<Key<E>, ProverError> {
    let mut header = sections.section(2)?;
    modulus(&mut header, &E::coordinate_modulus())?;
    modulus(&mut header, &E::scalar_modulus())?;
    let wires = bounded("wires", header.number()?, MAX_WIRES)?;
    let signals = bounded("public signals", header.number()?, MAX_SIGNALS)?;
    let domain = bounded("constraints", header.number()?, MAX_DOMAIN)?;
    if !domain.is_power_of_two() || signals >= wires {
        return Err(header.wrong("its counts do not fit each other"));
    }
    let alpha = one(&mut header, "alpha", first::<E>)?;
    let beta_first = one(&mut header, "beta", first::<E>)?;
    let beta = (beta_first, one(&mut header, "beta", second::<E>)?);
    let gamma = one(&mut header, "gamma", second::<E>)?;
    let delta_first = one(&mut header, "delta", first::<E>)?;
    let delta = (delta_first, one(&mut header, "delta", second::<E>)?);
    header.end()?;
    // With a neutral point here, nothing hides the witness, or anything is proved.
    if [alpha, beta.0, delta.0].iter().any(AffineRepr::is_zero)
        || [beta.1, gamma, delta.1].iter().any(AffineRepr::is_zero)
    {
        return Err(ProverError::Point { place: "the key's own points", why: "the neutral point" });
    }
    // As snarkjs leaves them before anybody contributes to the second phase, or the first: a proof of whatever signals is then computed in a moment.
    let (one, two) = (E::G1Affine::generator(), E::G2Affine::generator());
    if gamma == delta.1 || gamma.into_group() == -delta.1.into_group() || alpha == one || beta.1 == two {
        return Err(ProverError::Forgeable);
    }
    let key = Key {
        wires,
        signals,
        domain,
        alpha,
        beta,
        gamma,
        delta,
        inputs: many(threads, &sections.section(3)?, signals + 1, "IC", first::<E>)?,
        coefficients: coefficients(threads, sections.section(4)?, wires, domain)?,
        a: many(threads, &sections.section(5)?, wires, "A", first::<E>)?,
        b: (
            many(threads, &sections.section(6)?, wires, "B1", first::<E>)?,
            many(threads, &sections.section(7)?, wires, "B2", second::<E>)?,
        ),
        c: many(threads, &sections.section(8)?, wires - signals - 1, "C", first::<E>)?,
        h: many(threads, &sections.section(9)?, domain, "H", first::<E>)?,
    };
    if key.inputs.iter().any(AffineRepr::is_zero) {
        return Err(ProverError::Point { place: "IC", why: "the neutral point" });
    }
    check_orders(threads, &key)?;
    if !is_consistent(threads, &key) {
        return Err(ProverError::Inconsistent);
    }
    Ok(key)
}

pub(crate) fn bounded(what: &'static str, found: u32, max: u32) -> Result<u32, ProverError> {
    if found > max { Err(ProverError::TooMany { what, found, max }) } else { Ok(found) }
}

/// A modulus, which is to be this curve's.
fn modulus(header: &mut Bytes<'_>, expected: &[u8]) -> Result<(), ProverError> {
    let length = usize::try_from(header.number()?).unwrap_or(usize::MAX);
    if length != expected.len() || header.take(length)? != expected {
        return Err(header.wrong("it is over another curve"));
    }
    Ok(())
}

type Reads<P> = (usize, fn(&[u8]) -> Result<P, NoPoint>);

fn first<E: KeyCurve>() -> Reads<E::G1Affine> {
    (2 * E::COORDINATE_BYTES, E::first)
}

fn second<E: KeyCurve>() -> Reads<E::G2Affine> {
    (4 * E::COORDINATE_BYTES, E::second)
}

fn one<P>(header: &mut Bytes<'_>, place: &'static str, reads: fn() -> Reads<P>) -> Result<P, ProverError> {
    let (length, read) = reads();
    read(header.take(length)?).map_err(|why| no_point(place, &why))
}

fn many<P: Send + Clone>(
    threads: NonZeroUsize,
    section: &Bytes<'_>,
    count: u32,
    place: &'static str,
    reads: fn() -> Reads<P>,
) -> Result<Vec<P>, ProverError> {
    let (length, read) = reads();
    let pieces: Vec<&[u8]> = section.pieces(count, length)?.collect();
    let read = |bytes: &&[u8]| read(bytes).map_err(|why| no_point(place, &why));
    all(threads, &pieces, read)
}

/// What is read of all pieces.
fn all<T: Sync, P: Send + Clone>(
    threads: NonZeroUsize,
    pieces: &[T],
    read: impl Fn(&T) -> Result<P, ProverError> + Sync,
) -> Result<Vec<P>, ProverError> {
    let shares = pieces.chunks(parallel::piece(threads, pieces.len())).collect();
    let read =
        parallel::each(threads, shares, |share| share.iter().map(&read).collect::<Result<Vec<_>, _>>());
    Ok(read.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
}

fn no_point(place: &'static str, why: &NoPoint) -> ProverError {
    match why {
        NoPoint::Number => ProverError::Number { place },
        NoPoint::OffCurve => ProverError::Point { place, why: "a point that is not on the curve" },
    }
}

fn coefficients<E: KeyCurve>(
    threads: NonZeroUsize,
    mut section: Bytes<'_>,
    wires: u32,
    domain: u32,
) -> Result<Vec<Coefficient<E>>, ProverError> {
    let count = bounded("coefficients", section.number()?, MAX_COEFFICIENTS)?;
    let pieces: Vec<&[u8]> = section.pieces(count, 12 + E::SCALAR_BYTES)?.collect();
    all(threads, &pieces, |bytes| {
        let mut bytes = Bytes::new(WHAT, bytes);
        let (matrix, constraint, wire) = (bytes.number()?, bytes.number()?, bytes.number()?);
        if matrix > 1 || constraint >= domain || wire >= wires {
            return Err(bytes.wrong("a coefficient of a constraint or a wire that there is not"));
        }
        let value = E::coefficient(bytes.take(E::SCALAR_BYTES)?);
        let value = value.ok_or(ProverError::Number { place: "coefficients" })?;
        Ok(Coefficient { of_b: matrix == 1, constraint, wire, value })
    })
}

/// Whether all points have their groups' orders.
fn check_orders<E: KeyCurve>(threads: NonZeroUsize, key: &Key<E>) -> Result<(), ProverError> {
    let own = [&key.beta.1, &key.gamma, &key.delta.1].into_iter().all(E::is_of_second);
    if !own || ![&key.alpha, &key.beta.0, &key.delta.0].into_iter().all(E::is_of_first) {
        return Err(ProverError::Point { place: "the key's own points", why: OUTSIDE });
    }
    if E::HAS_COFACTOR {
        for (place, points) in
            [("IC", &key.inputs), ("A", &key.a), ("B1", &key.b.0), ("C", &key.c), ("H", &key.h)]
        {
            check::<E::G1>(place, points, threads, E::is_of_first)?;
        }
    }
    check::<E::G2>("B2", &key.b.1, threads, E::is_of_second)
}

const OUTSIDE: &str = "a point outside of the group";
/// Up to so many points are looked at one by one.
const FEW: usize = 256;
/// From so many points on, fewer and larger rounds are less work.
const MANY: usize = 20_000;

/// How often points are thrown into heaps, and the last heap's number. However many of them are outside of the group, and whichever: in each round one of the last
/// one's heaps alone can hide it, so that it stays hidden once in 2^64 times.
fn rounds(points: usize) -> (usize, u8) {
    if points < MANY { (16, 15) } else { (8, 255) }
}

/// Whether all points are of the group: the sums of heaps of them are, which is less work than to look at each.
fn check<G: CurveGroup>(
    place: &'static str,
    points: &[G::Affine],
    threads: NonZeroUsize,
    is_of_group: fn(&G::Affine) -> bool,
) -> Result<(), ProverError> {
    let is_well = if points.len() <= FEW {
        let pieces = points.chunks(parallel::piece(threads, points.len())).collect();
        parallel::each(threads, pieces, |piece| piece.iter().all(is_of_group))
    } else {
        let (rounds, last) = rounds(points.len());
        parallel::each(threads, vec![(); rounds], |()| {
            let mut thrown = vec![0_u8; points.len()];
            OsRng.fill_bytes(&mut thrown);
            let mut heaps = vec![G::zero(); usize::from(last) + 1];
            for (point, heap) in points.iter().zip(thrown) {
                if let Some(heap) = heaps.get_mut(usize::from(heap & last)) {
                    *heap += point;
                }
            }
            G::normalize_batch(&heaps).iter().all(is_of_group)
        })
    };
    if is_well.into_iter().all(|is_well| is_well) {
        Ok(())
    } else {
        Err(ProverError::Point { place, why: OUTSIDE })
    }
}

/// Whether what the key has in both groups is the same in both: else whoever made it learns from whether there is a proof of what the witness holds.
fn is_consistent<E: KeyCurve>(threads: NonZeroUsize, key: &Key<E>) -> bool {
    let is_same = |first: E::G1Affine, second: E::G2Affine| {
        let left = [(-first.into_group()).into_affine(), E::G1Affine::generator()];
        let product = E::multi_pairing(left, [E::G2Affine::generator(), second]);
        product.is_zero()
    };
    // Once in 2^64 times, a combination by random numbers is the same of what is not.
    let mut bytes = vec![0; 8 * key.b.0.len()];
    OsRng.fill_bytes(&mut bytes);
    let numbers: Vec<u64> = bytes.as_chunks::<8>().0.iter().copied().map(u64::from_le_bytes).collect();
    let piece = parallel::piece(threads, numbers.len());
    let pieces = key.b.0.chunks(piece).zip(key.b.1.chunks(piece)).zip(numbers.chunks(piece)).collect();
    let sums = parallel::each(threads, pieces, |((first, second), numbers)| {
        (E::G1::msm_u64(first, numbers), E::G2::msm_u64(second, numbers))
    });
    let (first, second): (Vec<_>, Vec<_>) = sums.into_iter().unzip();
    let (first, second) = (first.into_iter().sum::<E::G1>(), second.into_iter().sum::<E::G2>());
    is_same(first.into_affine(), second.into_affine())
        && is_same(key.beta.0, key.beta.1)
        && is_same(key.delta.0, key.delta.1)
}

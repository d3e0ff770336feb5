//! Making the keys of a circuit (Groth, section 3.2), with the quotient's points of snarkjs' keys.
//!
//! The numbers that they are made of prove anything about the circuit: they are drawn here and given to nobody. What holds them here is wiped; the arithmetic
//! leaves pieces of them in memory that was given back. Whoever makes keys by this is trusted to have run it, and nothing else, on a machine that nobody
//! looked into. A later contribution to the second phase changes delta alone, and makes up for nothing of that.

use std::num::NonZeroUsize;

use ark_ec::scalar_mul::{BatchMulPreprocessing, ScalarMul};
use ark_ec::{CurveGroup as _, PrimeGroup as _};
use ark_ff::{AdditiveGroup as _, Field as _, One as _, UniformRand as _, Zero};
use rand_core_06::OsRng;

use crate::curve::KeyCurve;
use crate::domain::{Domain, domain};
use crate::key::{Coefficient, Key, Over, bounded};
use crate::parallel;
use crate::r1cs::{Circuit, Sum, Term};
use crate::wiped::Wiped;
use crate::{MAX_COEFFICIENTS, MAX_DOMAIN, ProverError, ProvingKey, R1cs};

/// Makes the keys of a circuit, by numbers drawn for it alone.
///
/// # Errors
/// [`ProverError::TooMany`]: the circuit has more constraints, with its public signals, than the largest domain.
pub fn setup(circuit: &R1cs, threads: NonZeroUsize) -> Result<ProvingKey, ProverError> {
    Ok(ProvingKey(match &circuit.0 {
        Over::Bn254(circuit) => Over::Bn254(made(circuit, threads)?),
        Over::Bls12381(circuit) => Over::Bls12381(made(circuit, threads)?),
    }))
}

fn made<E: KeyCurve>(circuit: &Circuit<E>, threads: NonZeroUsize) -> Result<Key<E>, ProverError> {
    // One constraint more for each public signal, and for the number one: what binds them to the proof.
    let rows = circuit.constraints.saturating_add(circuit.signals).saturating_add(1);
    let too_many = ProverError::TooMany { what: "constraints", found: rows, max: MAX_DOMAIN };
    let size = rows.checked_next_power_of_two().filter(|size| *size <= MAX_DOMAIN);
    let size = size.ok_or_else(|| too_many.clone())?;
    let domain = domain::<E::ScalarField>(size).ok_or(too_many)?;
    let coefficients = coefficients(circuit);
    bounded("coefficients", u32::try_from(coefficients.len()).unwrap_or(u32::MAX), MAX_COEFFICIENTS)?;
    let secret = Secret::<E>::draw(&domain);
    let evaluated = Evaluated::at(circuit, &domain, secret.tau())?;
    let count = circuit.wires.saturating_add(size) as usize;
    let first = BatchMulPreprocessing::new(E::G1::generator(), count);
    let second = BatchMulPreprocessing::new(E::G2::generator(), circuit.wires as usize);
    let firsts = |numbers: &[E::ScalarField]| points(threads, &first, numbers);
    let [one_alpha, one_beta, one_delta] = [secret.alpha(), secret.beta(), secret.delta()]
        .map(|number| (E::G1::generator() * number).into_affine());
    let [two_beta, two_gamma, two_delta] = [secret.beta(), secret.gamma(), secret.delta()]
        .map(|number| (E::G2::generator() * number).into_affine());
    let [public, private] = evaluated.of_wires(&secret, circuit.signals)?;
    Ok(Key {
        wires: circuit.wires,
        signals: circuit.signals,
        domain: size,
        alpha: one_alpha,
        beta: (one_beta, two_beta),
        gamma: two_gamma,
        delta: (one_delta, two_delta),
        inputs: firsts(&public.0),
        a: firsts(&evaluated.a.0),
        b: (firsts(&evaluated.b.0), points(threads, &second, &evaluated.b.0)),
        c: firsts(&private.0),
        h: firsts(&of_quotient(&domain, &secret)?.0),
        coefficients,
    })
}

/// The generator by each number.
fn points<G: ScalarMul>(
    threads: NonZeroUsize,
    table: &BatchMulPreprocessing<G>,
    numbers: &[G::ScalarField],
) -> Vec<G::MulBase> {
    let pieces = numbers.chunks(parallel::piece(threads, numbers.len())).collect();
    parallel::each(threads, pieces, |numbers| table.batch_mul(numbers)).concat()
}

/// tau, alpha, beta, gamma and delta.
struct Secret<E: KeyCurve>(Wiped<E::ScalarField>);

impl<E: KeyCurve> Secret<E> {
    fn draw(domain: &Domain<E::ScalarField>) -> Self {
        loop {
            let mut drawn = Wiped(Vec::with_capacity(5));
            drawn.0.extend(std::iter::repeat_with(|| E::ScalarField::rand(&mut OsRng)).take(5));
            let secret = Self(drawn);
            // Any but one draw in 2^250: nothing is divided by zero.
            let mut power = domain.power(secret.tau());
            power.square_in_place();
            let is_distinct = secret.gamma() != secret.delta() && secret.gamma() != -secret.delta();
            if !power.is_one() && is_distinct && !secret.0.0.iter().any(Zero::is_zero) {
                return secret;
            }
        }
    }

    fn at(&self, at: usize) -> E::ScalarField {
        self.0.0.get(at).copied().unwrap_or_default()
    }

    fn tau(&self) -> E::ScalarField {
        self.at(0)
    }

    fn alpha(&self) -> E::ScalarField {
        self.at(1)
    }

    fn beta(&self) -> E::ScalarField {
        self.at(2)
    }

    fn gamma(&self) -> E::ScalarField {
        self.at(3)
    }

    fn delta(&self) -> E::ScalarField {
        self.at(4)
    }
}

/// What each wire's polynomials are at tau.
struct Evaluated<E: KeyCurve> {
    a: Wiped<E::ScalarField>,
    b: Wiped<E::ScalarField>,
    c: Wiped<E::ScalarField>,
}

impl<E: KeyCurve> Evaluated<E> {
    fn at(
        circuit: &Circuit<E>,
        domain: &Domain<E::ScalarField>,
        tau: E::ScalarField,
    ) -> Result<Self, ProverError> {
        let rows = domain.lagrange(tau).ok_or(INCONSISTENT)?;
        let zeros = || Wiped(vec![E::ScalarField::zero(); circuit.wires as usize]);
        let mut evaluated = Self { a: zeros(), b: zeros(), c: zeros() };
        for Term { sum, constraint, wire, value } in &circuit.terms {
            let wires = match sum {
                Sum::A => &mut evaluated.a,
                Sum::B => &mut evaluated.b,
                Sum::C => &mut evaluated.c,
            };
            add(wires, *wire, at(&rows, *constraint)? * value)?;
        }
        for signal in 0..=circuit.signals {
            add(&mut evaluated.a, signal, at(&rows, circuit.constraints + signal)?)?;
        }
        Ok(evaluated)
    }

    /// beta · A + alpha · B + C of each wire: of the public ones by gamma, of the others by delta.
    fn of_wires(&self, secret: &Secret<E>, signals: u32) -> Result<[Wiped<E::ScalarField>; 2], ProverError> {
        let combined = self.a.0.iter().zip(&self.b.0).zip(&self.c.0);
        let combined = combined.map(|((a, b), c)| secret.beta() * a + secret.alpha() * b + c);
        let mut combined = Wiped(combined.collect());
        let (public, private) = combined.0.split_at_mut_checked(signals as usize + 1).ok_or(INCONSISTENT)?;
        for (values, by) in [(&mut *public, secret.gamma()), (&mut *private, secret.delta())] {
            let by = by.inverse().ok_or(INCONSISTENT)?;
            for value in values {
                *value *= by;
            }
        }
        Ok([Wiped(public.to_vec()), Wiped(private.to_vec())])
    }
}

/// What each value of the quotient's dividend on the coset counts: the coset's polynomials at tau, by what the divisor is there and at tau, and by delta.
fn of_quotient<E: KeyCurve>(
    domain: &Domain<E::ScalarField>,
    secret: &Secret<E>,
) -> Result<Wiped<E::ScalarField>, ProverError> {
    let tau = secret.tau();
    let divisor = domain.power(tau) - E::ScalarField::one();
    // It is -2 on all of the coset.
    let there = (-E::ScalarField::one().double() * secret.delta()).inverse().ok_or(INCONSISTENT)?;
    let shifted = tau * domain.shift.inverse().ok_or(INCONSISTENT)?;
    let mut moved = domain.lagrange(shifted).ok_or(INCONSISTENT)?;
    for value in &mut moved.0 {
        *value *= divisor * there;
    }
    Ok(moved)
}

const INCONSISTENT: ProverError =
    ProverError::Form { what: "circuit", why: "its counts do not fit each other" };

fn at<F: ark_ff::PrimeField>(values: &Wiped<F>, at: u32) -> Result<F, ProverError> {
    values.0.get(at as usize).copied().ok_or(INCONSISTENT)
}

fn add<F: ark_ff::PrimeField>(values: &mut Wiped<F>, at: u32, value: F) -> Result<(), ProverError> {
    *values.0.get_mut(at as usize).ok_or(INCONSISTENT)? += value;
    Ok(())
}

/// What the prover needs of the constraints: the factors, and the public signals' own.
fn coefficients<E: KeyCurve>(circuit: &Circuit<E>) -> Vec<Coefficient<E>> {
    let factors = circuit.terms.iter().filter(|term| term.sum != Sum::C).map(|term| Coefficient {
        of_b: term.sum == Sum::B,
        constraint: term.constraint,
        wire: term.wire,
        value: term.value,
    });
    let signals = (0..=circuit.signals).map(|signal| Coefficient {
        of_b: false,
        constraint: circuit.constraints + signal,
        wire: signal,
        value: E::ScalarField::one(),
    });
    factors.chain(signals).collect()
}

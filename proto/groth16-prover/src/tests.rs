//! Keys and witnesses that snarkjs wrote, and what they must not be.

use std::num::NonZeroUsize;

use ark_bn254::{Bn254, Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr as _;
use r3e_groth16::{Proof, VerificationKey, verify};

use crate::key::{Key, Over};
use crate::{ProverError, ProvingKey, R1cs, Witness, prove, setup};

const ONE: NonZeroUsize = NonZeroUsize::MIN;
const TWO: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

#[path = "../tests/circuits/chain.rs"]
mod chain;

use chain::Chain;

struct Case {
    zkey: Vec<u8>,
    wtns: Vec<u8>,
    r1cs: Vec<u8>,
    key: VerificationKey,
}

macro_rules! case {
    ($curve:literal) => {
        Case {
            zkey: include_bytes!(concat!("../tests/snarkjs/", $curve, "/multiplier.zkey")).to_vec(),
            wtns: include_bytes!(concat!("../tests/snarkjs/", $curve, "/multiplier.wtns")).to_vec(),
            r1cs: include_bytes!(concat!("../tests/snarkjs/", $curve, "/multiplier.r1cs")).to_vec(),
            key: VerificationKey::from_json(include_bytes!(concat!(
                "../../groth16/tests/snarkjs/",
                $curve,
                "/verification_key.json"
            )))
            .unwrap(),
        }
    };
}

fn cases() -> [Case; 2] {
    [case!("bn128"), case!("bls12381")]
}

#[test]
fn proofs_of_snarkjs_keys_hold_by_its_verification_keys() {
    for case in cases() {
        let (key, witness) = (ProvingKey::read(&case.zkey, ONE).unwrap(), Witness::read(&case.wtns).unwrap());
        let made = prove(&key, &witness, ONE).unwrap();
        assert_eq!(made.signals, ["33", "106"]);
        let proof = Proof::from_json(made.proof.as_bytes()).unwrap();
        assert_eq!(verify(&case.key, &made.signals, &proof), Ok(()));
        let again = prove(&key, &witness, ONE).unwrap();
        assert_ne!(again.proof, made.proof, "each is hidden by random numbers of its own");
    }
}

#[test]
fn a_witness_that_does_not_satisfy_the_circuit_has_no_proof() {
    for case in cases() {
        let key = ProvingKey::read(&case.zkey, ONE).unwrap();
        let scalars = case.wtns.len() - 32 * usize::try_from(key.wires()).unwrap();
        for wire in 1..usize::try_from(key.wires()).unwrap() {
            let mut wtns = case.wtns.clone();
            wtns[scalars + 32 * wire] ^= 1;
            let witness = Witness::read(&wtns).unwrap();
            assert_eq!(prove(&key, &witness, ONE), Err(ProverError::Unsatisfied), "wire {wire}");
        }
        let mut wtns = case.wtns.clone();
        wtns[scalars] = 2;
        assert!(matches!(
            prove(&key, &Witness::read(&wtns).unwrap(), ONE),
            Err(ProverError::OtherCircuit { .. })
        ));
    }
    let [bn254, bls12381] = cases();
    let (key, witness) =
        (ProvingKey::read(&bn254.zkey, ONE).unwrap(), Witness::read(&bls12381.wtns).unwrap());
    assert!(matches!(prove(&key, &witness, ONE), Err(ProverError::OtherCircuit { .. })));
}

/// Each byte of a key is read, or of what nothing depends on: the ceremony's record, and what it says of itself.
#[test]
fn a_key_that_was_changed_is_refused_or_makes_no_false_proof() {
    for case in cases() {
        let witness = Witness::read(&case.wtns).unwrap();
        // One in so many, at every place of a number by and by.
        for at in (0..case.zkey.len()).step_by(37) {
            let mut zkey = case.zkey.clone();
            zkey[at] ^= 0x40;
            let Ok(key) = ProvingKey::read(&zkey, ONE) else { continue };
            let Ok(made) = prove(&key, &witness, ONE) else { continue };
            assert_eq!(made.signals, ["33", "106"], "byte {at}");
        }
        for length in (0..case.zkey.len()).step_by(13) {
            assert!(ProvingKey::read(&case.zkey[..length], ONE).is_err(), "{length}");
        }
        for length in 0..case.wtns.len() {
            assert!(Witness::read(&case.wtns[..length]).is_err(), "{length}");
        }
    }
}

#[test]
fn keys_made_here_prove_what_the_circuit_says() {
    for case in cases() {
        let circuit = R1cs::read(&case.r1cs).unwrap();
        assert_eq!(circuit.constraints(), 2);
        let key = setup(&circuit, ONE).unwrap();
        let verifies = VerificationKey::from_json(key.verification_key().as_bytes()).unwrap();
        let witness = Witness::read(&case.wtns).unwrap();
        // As it is, and as it is read back.
        let zkey = key.to_bytes();
        let again = ProvingKey::read(&zkey, TWO).unwrap();
        assert_eq!((again.to_bytes(), again.signals()), (zkey, 2));
        for key in [key, again] {
            let made = prove(&key, &witness, TWO).unwrap();
            assert_eq!(made.signals, ["33", "106"]);
            let proof = Proof::from_json(made.proof.as_bytes()).unwrap();
            assert_eq!(verify(&verifies, &made.signals, &proof), Ok(()));
            let other = setup(&circuit, TWO).unwrap();
            assert_ne!(other.verification_key(), key.verification_key(), "its numbers are its own");
            assert!(verify(&case.key, &made.signals, &proof).is_err(), "by other numbers");
        }
        let scalars = case.wtns.len() - 32 * 5;
        let mut wtns = case.wtns;
        wtns[scalars + 32] ^= 1;
        let key = setup(&circuit, ONE).unwrap();
        assert_eq!(prove(&key, &Witness::read(&wtns).unwrap(), ONE), Err(ProverError::Unsatisfied));
    }
}

/// What snarkjs read of a key is what it would write: all but the ceremony's record.
#[test]
fn a_key_is_written_as_snarkjs_wrote_it() {
    for case in cases() {
        let written = ProvingKey::read(&case.zkey, ONE).unwrap().to_bytes();
        let ceremony = written.len() - 64 - 4 - 12;
        assert_eq!(written[..ceremony], case.zkey[..ceremony]);
    }
}

#[test]
fn a_key_that_nobody_contributed_to_is_refused() {
    for case in cases() {
        let mut zkey = case.zkey;
        // In the header: the moduli, three counts, alpha, beta twice, gamma, delta twice.
        let coordinate = if zkey.len() < 4_000 { 32 } else { 48 };
        let gamma = 12 + 12 + 4 + 12 + 4 + coordinate + 4 + 32 + 12 + 2 * coordinate + 6 * coordinate;
        let delta = gamma + 6 * coordinate;
        let point = zkey[gamma..gamma + 4 * coordinate].to_vec();
        zkey[delta..delta + 4 * coordinate].copy_from_slice(&point);
        assert_eq!(ProvingKey::read(&zkey, ONE).map(|_| ()), Err(ProverError::Forgeable));
    }
}

#[test]
fn a_circuit_that_is_none_is_refused() {
    for case in cases() {
        for length in 0..case.r1cs.len() {
            assert!(R1cs::read(&case.r1cs[..length]).is_err(), "{length}");
        }
        let mut longer = case.r1cs.clone();
        longer.push(0);
        assert!(R1cs::read(&longer).is_err());
    }
    let [bn254, _] = cases();
    // A wire that there is not, and a value at its modulus: in the first constraint's first term.
    let constraints =
        bn254.r1cs.windows(12).position(|bytes| bytes[..4] == [2, 0, 0, 0] && bytes[8..] == [0; 4]);
    let term = constraints.unwrap() + 12 + 4;
    let mut r1cs = bn254.r1cs.clone();
    r1cs[term] = 200;
    assert!(matches!(R1cs::read(&r1cs), Err(ProverError::Form { .. })));
    let mut r1cs = bn254.r1cs;
    r1cs[term + 4..term + 36].fill(0xff);
    assert_eq!(R1cs::read(&r1cs).map(|_| ()), Err(ProverError::Number { place: "constraints" }));
}

/// Circuits of other sizes, so that all threads have something to do.
#[test]
fn chains_of_products_are_proved() {
    for (steps, public) in [(1, 1), (2, 3), (300, 2), (1_000, 1)] {
        let chain = Chain::new(steps, public);
        let key = setup(&R1cs::read(&chain.r1cs()).unwrap(), TWO).unwrap();
        let key = ProvingKey::read(&key.to_bytes(), TWO).unwrap();
        let verifies = VerificationKey::from_json(key.verification_key().as_bytes()).unwrap();
        let witness = Witness::read(&chain.wtns()).unwrap();
        for threads in [ONE, TWO, NonZeroUsize::new(7).unwrap()] {
            let made = prove(&key, &witness, threads).unwrap();
            assert_eq!(made.signals.len(), usize::try_from(public).unwrap());
            let proof = Proof::from_json(made.proof.as_bytes()).unwrap();
            assert_eq!(verify(&verifies, &made.signals, &proof), Ok(()));
        }
        let mut wtns = chain.wtns();
        let last = wtns.len() - 32;
        wtns[last] ^= 1;
        assert!(prove(&key, &Witness::read(&wtns).unwrap(), TWO).is_err());
    }
}

/// A key with something changed, written and read.
fn with(key: &ProvingKey, change: impl FnOnce(&mut Key<Bn254>)) -> Result<(), ProverError> {
    let mut changed = key.clone();
    if let Over::Bn254(key) = &mut changed.0 {
        change(key);
    }
    ProvingKey::read(&changed.to_bytes(), TWO).map(|_| ())
}

#[test]
fn a_key_whose_setup_was_left_out_is_refused() {
    let key = setup(&R1cs::read(&Chain::new(2, 1).r1cs()).unwrap(), ONE).unwrap();
    assert_eq!(with(&key, |_| ()), Ok(()));
    let one = G1Affine::generator();
    assert_eq!(with(&key, |key| key.alpha = one), Err(ProverError::Forgeable));
    let both = |key: &mut Key<Bn254>| key.beta = (one, G2Affine::generator());
    assert_eq!(with(&key, both), Err(ProverError::Forgeable));
    assert_eq!(with(&key, |key| key.delta.1 = -key.gamma), Err(ProverError::Forgeable));
    let neutral = ProverError::Point { place: "IC", why: "the neutral point" };
    assert_eq!(with(&key, |key| key.inputs[1] = G1Affine::identity()), Err(neutral));
}

/// Such a key proves where a secret is what its maker guessed, and fails where it is not.
#[test]
fn a_key_with_other_numbers_in_one_group_is_refused() {
    for steps in [3, 500] {
        let key = setup(&R1cs::read(&Chain::new(steps, 1).r1cs()).unwrap(), ONE).unwrap();
        let one = G1Affine::generator();
        for at in [0, 2, 4] {
            assert_eq!(with(&key, |key| key.b.0[at] = one), Err(ProverError::Inconsistent), "wire {at}");
            let other = |key: &mut Key<Bn254>| key.b.1[at] = G2Affine::generator();
            assert_eq!(with(&key, other), Err(ProverError::Inconsistent), "wire {at}");
        }
        assert_eq!(with(&key, |key| key.b.0.swap(2, 3)), Err(ProverError::Inconsistent));
        assert_eq!(with(&key, |key| key.beta.0 = one), Err(ProverError::Inconsistent));
        assert_eq!(with(&key, |key| key.delta.0 = one), Err(ProverError::Inconsistent));
    }
}

/// Among many points, too, whose orders are looked at in heaps: one, and two that would hide each other in one heap.
#[test]
fn points_outside_of_the_group_are_found_among_many() {
    let outside = (1_u64..)
        .find_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::from(1_u64)), false))
        .unwrap();
    assert!(outside.is_on_curve() && !outside.is_in_correct_subgroup_assuming_on_curve());
    let refused = Err(ProverError::Point { place: "B2", why: "a point outside of the group" });
    for steps in [400, 21_000] {
        let key = setup(&R1cs::read(&Chain::new(steps, 1).r1cs()).unwrap(), TWO).unwrap();
        let count = usize::try_from(key.wires()).unwrap();
        assert!(count > 256, "so many are looked at one by one");
        for at in [0, count / 2, count - 1] {
            assert_eq!(with(&key, |key| key.b.1[at] = outside), refused);
        }
        let two = |key: &mut Key<Bn254>| (key.b.1[3], key.b.1[count - 3]) = (outside, -outside);
        assert_eq!(with(&key, two), refused);
        assert_eq!(with(&key, |_| ()), Ok(()));
    }
}

/// The first group of BLS12-381 is not all of its curve either.
#[test]
fn every_section_of_the_first_group_is_checked() {
    use ark_bls12_381::{Fq, G1Affine};
    let outside = (1_u64..).find_map(|x| G1Affine::get_point_from_x_unchecked(Fq::from(x), false)).unwrap();
    assert!(outside.is_on_curve() && !outside.is_in_correct_subgroup_assuming_on_curve());
    let [_, case] = cases();
    let key = ProvingKey::read(&case.zkey, ONE).unwrap();
    for place in ["IC", "A", "B1", "C", "H", "the key's own points"] {
        let mut changed = key.clone();
        let Over::Bls12381(inside) = &mut changed.0 else { panic!("a key over another curve") };
        match place {
            "IC" => inside.inputs[1] = outside,
            "A" => inside.a[1] = outside,
            "B1" => inside.b.0[1] = outside,
            "C" => inside.c[1] = outside,
            "H" => inside.h[1] = outside,
            _ => inside.alpha = outside,
        }
        let refused = ProvingKey::read(&changed.to_bytes(), ONE).map(|_| ());
        assert_eq!(refused, Err(ProverError::Point { place, why: "a point outside of the group" }));
    }
}

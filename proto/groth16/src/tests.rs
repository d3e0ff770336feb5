//! Keys, proofs and signals that snarkjs wrote, and what they must not be.

use ark_ff::{BigInteger as _, PrimeField};
use num_bigint::BigUint;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Curve, Groth16Error, MAX_CONTRACT_SIGNALS, PointFault, Proof, VerificationKey, signals_from_json, verify,
};

/// What snarkjs made of `tests/snarkjs/multiplier.circom` with a = 3 and b = 11.
struct Made {
    key: Value,
    proof: Value,
    signals: Vec<String>,
}

macro_rules! made {
    ($curve:literal) => {{
        let read = |text: &str| serde_json::from_str(text).unwrap();
        Made {
            key: read(include_str!(concat!("../tests/snarkjs/", $curve, "/verification_key.json"))),
            proof: read(include_str!(concat!("../tests/snarkjs/", $curve, "/proof.json"))),
            signals: signals_from_json(include_bytes!(concat!("../tests/snarkjs/", $curve, "/public.json")))
                .unwrap(),
        }
    }};
}

fn bn254() -> Made {
    made!("bn128")
}

fn bls12381() -> Made {
    made!("bls12381")
}

impl Made {
    fn key(&self) -> Result<VerificationKey, Groth16Error> {
        VerificationKey::from_json(self.key.to_string().as_bytes())
    }

    fn proof(&self) -> Result<Proof, Groth16Error> {
        Proof::from_json(self.proof.to_string().as_bytes())
    }

    fn verdict(&self) -> Result<(), Groth16Error> {
        verify(&self.key()?, &self.signals, &self.proof()?)
    }
}

fn order<F: PrimeField>() -> BigUint {
    BigUint::from_bytes_le(&F::MODULUS.to_bytes_le())
}

fn place(error: &Groth16Error) -> &str {
    match error {
        Groth16Error::Number { place } | Groth16Error::Point { place, .. } => place,
        other => panic!("{other}"),
    }
}

#[test]
fn what_snarkjs_proves_holds() {
    for (made, curve) in [(bn254(), Curve::Bn254), (bls12381(), Curve::Bls12381)] {
        assert_eq!(made.signals, ["33", "106"]);
        let key = made.key().unwrap();
        assert_eq!((key.curve(), key.signals()), (curve, 2));
        assert_eq!(made.verdict(), Ok(()), "{curve}");
    }
}

#[test]
fn another_statement_does_not_hold() {
    for made in [bn254, bls12381] {
        for signals in [["33", "107"], ["106", "33"], ["0", "0"], ["34", "106"]] {
            let other = Made { signals: signals.map(str::to_owned).into(), ..made() };
            assert_eq!(other.verdict(), Err(Groth16Error::Invalid), "{signals:?}");
        }
        // Points of the group in each other's places.
        let mut swapped = made();
        let (a, c) = (swapped.proof["pi_a"].take(), swapped.proof["pi_c"].take());
        (swapped.proof["pi_a"], swapped.proof["pi_c"]) = (c, a);
        assert_eq!(swapped.verdict(), Err(Groth16Error::Invalid));
        let mut key = made();
        key.key["vk_delta_2"] = key.key["vk_beta_2"].clone();
        assert_eq!(key.verdict(), Err(Groth16Error::Invalid));
    }
}

/// What `snarkjs groth16 setup` leaves, and `zkey contribute` was not run on: from such a key a proof of any signals is computed in a moment.
#[test]
fn a_key_that_nobody_contributed_to_is_refused() {
    for made in [bn254, bls12381] {
        let mut key = made();
        key.key["vk_delta_2"] = key.key["vk_gamma_2"].clone();
        // The forgery: A is alpha, B is beta. Its C is the signals' combination, negated; whichever it is, the key is refused before.
        key.proof["pi_a"] = key.key["vk_alpha_1"].clone();
        key.proof["pi_b"] = key.key["vk_beta_2"].clone();
        assert_eq!(key.verdict(), Err(Groth16Error::Forgeable));
        assert_eq!(made().key().map(|_| ()), Ok(()));
    }
    let negative = |made: &Made| {
        let modulus = order::<ark_bn254::Fq>();
        let negated = |text: &Value| {
            let number: BigUint = text.as_str().unwrap().parse().unwrap();
            Value::from((&modulus - number).to_string())
        };
        let gamma = &made.key["vk_gamma_2"];
        json!([gamma[0], [negated(&gamma[1][0]), negated(&gamma[1][1])], gamma[2]])
    };
    let mut key = bn254();
    key.key["vk_delta_2"] = negative(&key);
    assert_eq!(key.verdict(), Err(Groth16Error::Forgeable));
    // Nor to the first: alpha and beta are the generators.
    let mut key = bn254();
    key.key["vk_alpha_1"] = json!(["1", "2", "1"]);
    assert_eq!(key.verdict(), Err(Groth16Error::Forgeable));
    let mut key = bn254();
    // snarkjs' gamma is the generator.
    key.key["vk_beta_2"] = key.key["vk_gamma_2"].clone();
    assert_eq!(key.verdict(), Err(Groth16Error::Forgeable));
}

/// The same statement by other numbers: what is reduced where it is read has two texts for one meaning.
#[test]
fn a_number_at_or_above_its_order_is_refused() {
    let cases = [
        (bn254(), order::<ark_bn254::Fr>(), order::<ark_bn254::Fq>()),
        (bls12381(), order::<ark_bls12_381::Fr>(), order::<ark_bls12_381::Fq>()),
    ];
    for (made, scalars, coordinates) in cases {
        for signal in [&scalars + 33_u32, scalars.clone(), &scalars * 2_u32 + 33_u32] {
            let signals = vec![signal.to_string(), "106".to_owned()];
            let error = verify(&made.key().unwrap(), &signals, &made.proof().unwrap()).unwrap_err();
            assert_eq!(place(&error), "signal 0");
        }
        let greatest = vec![(&scalars - 1_u32).to_string(), "106".to_owned()];
        let verdict = verify(&made.key().unwrap(), &greatest, &made.proof().unwrap());
        assert_eq!(verdict, Err(Groth16Error::Invalid));
        let shifted = |text: &Value| {
            let number: BigUint = text.as_str().unwrap().parse().unwrap();
            Value::from((number + &coordinates).to_string())
        };
        let mut proof = made.proof.clone();
        proof["pi_a"][1] = shifted(&proof["pi_a"][1]);
        let error = Proof::from_json(proof.to_string().as_bytes()).unwrap_err();
        assert_eq!(place(&error), "pi_a.y");
        let mut key = made.key.clone();
        key["IC"][1][0] = shifted(&key["IC"][1][0]);
        let error = VerificationKey::from_json(key.to_string().as_bytes()).unwrap_err();
        assert_eq!(place(&error), "IC[1].x");
    }
}

#[test]
fn a_number_has_one_text() {
    for text in ["", "033", "+33", "-33", " 33", "33 ", "33.0", "0x21", "3e1", "３３", &"1".repeat(116)] {
        let made = bn254();
        let signals = vec![text.to_owned(), "106".to_owned()];
        let error = verify(&made.key().unwrap(), &signals, &made.proof().unwrap()).unwrap_err();
        assert_eq!(place(&error), "signal 0", "{text}");
    }
}

#[test]
fn what_is_no_point_of_the_group_is_refused() {
    let fault = |made: Made| match made.verdict().unwrap_err() {
        Groth16Error::Point { why, .. } => why,
        other => panic!("{other}"),
    };
    for made in [bn254, bls12381] {
        let with = |change: &dyn Fn(&mut Made)| {
            let mut changed = made();
            change(&mut changed);
            fault(changed)
        };
        assert_eq!(with(&|made| made.proof["pi_a"][0] = "1".into()), PointFault::OffCurve);
        assert_eq!(with(&|made| made.proof["pi_b"][0][1] = "1".into()), PointFault::OffCurve);
        assert_eq!(with(&|made| made.proof["pi_c"][2] = "2".into()), PointFault::Projective);
        assert_eq!(with(&|made| made.proof["pi_b"][2] = json!(["1", "1"])), PointFault::Projective);
        assert_eq!(with(&|made| made.proof["pi_a"] = json!(["0", "1", "0"])), PointFault::Neutral);
        assert_eq!(
            with(&|made| made.proof["pi_b"] = json!([["0", "0"], ["1", "0"], ["0", "0"]])),
            PointFault::Neutral
        );
        assert_eq!(with(&|made| made.key["vk_alpha_1"] = json!(["0", "1", "0"])), PointFault::Neutral);
        assert_eq!(with(&|made| made.key["IC"][0] = json!(["0", "1", "0"])), PointFault::Neutral);
    }
    // On the curve's twist, and not of the group's order.
    let outside = points_outside();
    for (mut made, point) in [bn254(), bls12381()].into_iter().zip(outside) {
        made.proof["pi_b"] = point;
        assert_eq!(fault(made), PointFault::OutsideSubgroup);
    }
}

/// BLS12-381's first group is not all of its curve either.
#[test]
fn a_point_outside_of_the_first_group_is_refused() {
    use ark_bls12_381::{Fq, G1Affine};
    let point = (1_u64..).find_map(|x| G1Affine::get_point_from_x_unchecked(Fq::from(x), false)).unwrap();
    assert!(point.is_on_curve() && !point.is_in_correct_subgroup_assuming_on_curve());
    let text = |number: Fq| BigUint::from(number.into_bigint()).to_string();
    let outside = json!([text(point.x), text(point.y), "1"]);
    for place in ["pi_a", "pi_c"] {
        let mut made = bls12381();
        made.proof[place] = outside.clone();
        let wrong = Groth16Error::Point { place: place.to_owned(), why: PointFault::OutsideSubgroup };
        assert_eq!(made.verdict(), Err(wrong));
    }
}

/// A point of each twist that solves its equation, and is not in the group.
fn points_outside() -> [Value; 2] {
    macro_rules! outside {
        ($curve:ident) => {{
            use $curve::{Fq, Fq2, G2Affine};
            let point = (1_u64..)
                .find_map(|x| {
                    G2Affine::get_point_from_x_unchecked(Fq2::new(Fq::from(x), Fq::from(0_u64)), false)
                })
                .unwrap();
            assert!(point.is_on_curve() && !point.is_in_correct_subgroup_assuming_on_curve());
            let text = |number: Fq| BigUint::from(number.into_bigint()).to_string();
            json!([[text(point.x.c0), text(point.x.c1)], [text(point.y.c0), text(point.y.c1)], ["1", "0"]])
        }};
    }
    [outside!(ark_bn254), outside!(ark_bls12_381)]
}

#[test]
fn counts_and_curves_must_fit() {
    let made = bn254();
    let (key, proof) = (made.key().unwrap(), made.proof().unwrap());
    for signals in [vec![], vec!["33"], vec!["33", "106", "0"]] {
        let signals: Vec<String> = signals.into_iter().map(str::to_owned).collect();
        let error = verify(&key, &signals, &proof).unwrap_err();
        assert_eq!(error, Groth16Error::Count { what: "public signals", found: signals.len(), expected: 2 });
    }
    let mut fewer = bn254();
    fewer.key["IC"].as_array_mut().unwrap().pop();
    assert!(matches!(fewer.key(), Err(Groth16Error::Count { found: 2, expected: 3, .. })));
    fewer.key["nPublic"] = 4_097.into();
    assert!(matches!(fewer.key(), Err(Groth16Error::Count { found: 4_097, .. })));
    let error = verify(&key, &made.signals, &bls12381().proof().unwrap()).unwrap_err();
    assert_eq!(error, Groth16Error::Curves { key: Curve::Bn254, proof: Curve::Bls12381 });
}

#[test]
fn another_form_is_refused_by_name() {
    let with = |change: &dyn Fn(&mut Made)| {
        let mut changed = bn254();
        change(&mut changed);
        changed.verdict().unwrap_err()
    };
    assert_eq!(with(&|made| made.proof["protocol"] = "plonk".into()), Groth16Error::Protocol("plonk".into()));
    assert_eq!(with(&|made| made.key["curve"] = "secp".into()), Groth16Error::UnknownCurve("secp".into()));
    for change in [
        (&|made: &mut Made| made.proof["pi_d"] = 1.into()) as &dyn Fn(&mut Made),
        &|made| made.proof["pi_a"] = json!(["1", "2"]),
        &|made| made.proof["pi_a"][0] = 1.into(),
        &|made| made.key["nPublic"] = (-1).into(),
        &|made| drop(made.key.as_object_mut().unwrap().remove("IC")),
    ] {
        assert!(matches!(with(change), Groth16Error::Json { .. }));
    }
    let long = vec![b' '; crate::MAX_PROOF_BYTES + 1];
    assert!(matches!(Proof::from_json(&long), Err(Groth16Error::TooLong { .. })));
    assert!(signals_from_json(b"[1]").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Every digit counts.
    #[test]
    fn a_changed_digit_is_found(place in 0_usize..8, at in any::<prop::sample::Index>(), by in 1_u8..10) {
        let mut made = bn254();
        let text = match place {
            0 | 1 => &mut made.proof["pi_a"][place],
            2..=5 => &mut made.proof["pi_b"][place / 2 - 1][place % 2],
            _ => &mut made.proof["pi_c"][place - 6],
        };
        let mut digits = text.as_str().unwrap().as_bytes().to_vec();
        let at = at.index(digits.len());
        digits[at] = b'0' + (digits[at] - b'0' + by) % 10;
        *text = String::from_utf8(digits).unwrap().into();
        prop_assert!(made.verdict().is_err());
    }
}

/// The example among the contracts, which a chain's tests deploy.
#[test]
fn a_key_becomes_the_contract_of_the_examples() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/evm/src/examples/MultiplierVerifier.sol");
    let contract = bn254().key().unwrap().contract("MultiplierVerifier").unwrap();
    if std::env::var_os("R3E_UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &contract).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == contract,
        "the contract differs: run again with R3E_UPDATE_GOLDEN=1, then contracts/evm/build, and commit both"
    );
}

#[test]
fn what_no_contract_verifies_becomes_none() {
    let key = bls12381().key().unwrap();
    assert_eq!(key.contract("V"), Err(Groth16Error::NoContract { curve: Curve::Bls12381 }));
    let key = bn254().key().unwrap();
    let long = "V".repeat(65);
    for name in ["", "v", "1V", "V V", "V{", "V;contract W", "Vé", &long] {
        assert_eq!(key.contract(name), Err(Groth16Error::ContractName), "{name}");
    }
    assert!(key.contract(&long[1..]).is_ok());
    let mut many = bn254();
    let point = many.key["IC"][0].clone();
    many.key["IC"] = Value::Array(vec![point; MAX_CONTRACT_SIGNALS + 2]);
    many.key["nPublic"] = Value::from(MAX_CONTRACT_SIGNALS + 1);
    let refused =
        Groth16Error::ContractSignals { found: MAX_CONTRACT_SIGNALS + 1, max: MAX_CONTRACT_SIGNALS };
    assert_eq!(many.key().unwrap().contract("V"), Err(refused));
}

/// As `snarkjs zkey export soliditycalldata` has them: pairs the imaginary part first.
#[test]
fn a_proof_becomes_arguments() {
    let made = bn254();
    let proof = Proof::from_json(made.proof.to_string().as_bytes()).unwrap();
    let signals = ["33".to_owned(), "106".to_owned()];
    let arguments = proof.contract_arguments(&signals).unwrap();
    let number = |text: &Value| {
        let digits = text.as_str().unwrap().strip_prefix("0x").unwrap();
        assert_eq!(digits.len(), 64);
        BigUint::parse_bytes(digits.as_bytes(), 16).unwrap().to_string()
    };
    assert_eq!(number(&arguments[0][1]), made.proof["pi_a"][1].as_str().unwrap());
    assert_eq!(number(&arguments[1][0][0]), made.proof["pi_b"][0][1].as_str().unwrap());
    assert_eq!(number(&arguments[1][1][1]), made.proof["pi_b"][1][0].as_str().unwrap());
    assert_eq!(number(&arguments[3][1]), "106");
    let above = [order::<ark_bn254::Fr>().to_string(), "106".to_owned()];
    assert!(matches!(proof.contract_arguments(&above), Err(Groth16Error::Number { .. })));
    let proof = Proof::from_json(bls12381().proof.to_string().as_bytes()).unwrap();
    assert_eq!(proof.contract_arguments(&signals), Err(Groth16Error::NoContract { curve: Curve::Bls12381 }));
}

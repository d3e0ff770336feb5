//! Range proofs, attacked; and held against the library alone, and against another implementation.

use bulletproofs::{BulletproofGens, PedersenGens, RangeProof};
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use proptest::prelude::*;
use r3e_proto::api::zk::{HiddenNumber, Number, ProveRanges, RangeProof as Document};
use rand_core_06::OsRng;

use crate::{
    Blinding, Claim, Commitment, MAX_CONTEXT_BYTES, MAX_NUMBERS, MAX_OWNER_BYTES, MAX_PROOF_BYTES,
    MIN_PROOF_BYTES, Opening, Proof, Range, RangeProofError, Statement, check_made, prove, prove_asked,
    verify, verify_document,
};

const OWNER: &[u8] = b"owner";
const CONTEXT: &[u8] = b"auction 7";

fn range(min: u64, max: u64) -> Range {
    Range::new(min, max).unwrap()
}

fn opening(number: u64) -> Opening {
    Opening::new(number, Blinding::random())
}

fn proved(numbers: &[(u64, u64, u64)]) -> (Statement, Proof) {
    let numbers: Vec<_> =
        numbers.iter().map(|(number, min, max)| (range(*min, *max), opening(*number))).collect();
    prove(OWNER, CONTEXT, &numbers).unwrap()
}

/// The statement of the same claims that `change` was applied to.
fn changed(statement: &Statement, change: impl FnOnce(&mut Vec<Claim>)) -> Statement {
    let mut claims = statement.claims().to_vec();
    change(&mut claims);
    Statement::new(statement.owner(), statement.context(), claims).unwrap()
}

#[test]
fn numbers_at_and_between_the_bounds_are_proved() {
    for (number, min, max, bytes) in [
        (18, 18, 150, 544),
        (150, 18, 150, 544),
        (0, 0, 255, 480),
        (255, 0, 255, 480),
        (1_000, 900, 1_155, 480),
        (7, 7, 7, 544),
        (0, 0, 0, 544),
        (u64::MAX, u64::MAX, u64::MAX, 544),
        (256, 0, 256, 608),
        (40_000, 0, 65_535, 544),
        (65_536, 0, 65_536, 672),
        (1, 0, u64::MAX, 672),
        (u64::MAX, 0, u64::MAX, 672),
        (u64::MAX, 1, u64::MAX, 736),
        (0, 0, u64::MAX - 1, 736),
    ] {
        let (statement, proof) = proved(&[(number, min, max)]);
        assert_eq!(verify(&statement, &proof), Ok(()), "{number} of {min} to {max}");
        assert_eq!(proof.as_bytes().len(), bytes, "{number} of {min} to {max}");
    }
}

#[test]
fn many_numbers_have_one_proof() {
    for count in 1..=MAX_NUMBERS as u64 {
        let numbers: Vec<_> =
            (0..count).map(|place| (place * 1_000 + 3, place * 1_000, place * 1_000 + 500)).collect();
        let (statement, proof) = proved(&numbers);
        assert_eq!(verify(&statement, &proof), Ok(()), "{count}");
    }
    let widest = [(5, 1, u64::MAX); MAX_NUMBERS];
    let (statement, proof) = proved(&widest);
    assert_eq!((proof.as_bytes().len(), MAX_PROOF_BYTES), (992, 992));
    assert_eq!(verify(&statement, &proof), Ok(()));
    // Bounds of different widths, one of them all ones in its own bits but not in those of all.
    let (statement, proof) = proved(&[(300, 0, 65_535), (3, 0, 255), (9, 9, 9)]);
    assert_eq!(verify(&statement, &proof), Ok(()));
    assert_eq!(proved(&[(3, 0, 255)]).1.as_bytes().len(), MIN_PROOF_BYTES);
}

#[test]
fn what_cannot_be_proved_is_refused_by_name() {
    let one = |number, min, max| prove(OWNER, CONTEXT, &[(range(min, max), opening(number))]).unwrap_err();
    assert_eq!(one(17, 18, 150), RangeProofError::OutOfRange(0));
    assert_eq!(one(151, 18, 150), RangeProofError::OutOfRange(0));
    assert_eq!(Range::new(2, 1), Err(RangeProofError::Range { min: 2, max: 1 }));
    assert_eq!(prove(OWNER, CONTEXT, &[]).unwrap_err(), RangeProofError::Numbers(0));
    let many: Vec<_> = (0..=MAX_NUMBERS).map(|_| (range(0, 1), opening(1))).collect();
    assert_eq!(prove(OWNER, CONTEXT, &many).unwrap_err(), RangeProofError::Numbers(MAX_NUMBERS + 1));
    let long = [0; MAX_CONTEXT_BYTES + 1];
    let given = [(range(0, 1), opening(1))];
    assert_eq!(prove(OWNER, &long, &given).unwrap_err(), RangeProofError::Context(long.len()));
    let owner = &long[..=MAX_OWNER_BYTES];
    assert_eq!(prove(owner, CONTEXT, &given).unwrap_err(), RangeProofError::Owner(owner.len()));
}

/// What would let anybody find the numbers, or how far they are apart.
#[test]
fn blindings_that_hide_nothing_are_refused() {
    let blinded = |number, blinding: u8| {
        let mut bytes = [0; 32];
        bytes[0] = blinding;
        (range(0, 9), Opening::new(number, Blinding::from_bytes(&bytes).unwrap()))
    };
    let refused = |numbers: &[_]| prove(OWNER, CONTEXT, numbers).unwrap_err();
    assert_eq!(refused(&[blinded(1, 0)]), RangeProofError::Weak(0));
    assert_eq!(refused(&[blinded(1, 1), blinded(2, 2), blinded(3, 1)]), RangeProofError::Weak(2));
    // The same number twice has one commitment, which shows no more than that.
    assert!(prove(OWNER, CONTEXT, &[blinded(1, 1), blinded(1, 1)]).is_ok());
}

#[test]
fn a_proof_holds_for_its_own_statement_alone() {
    let (statement, proof) = proved(&[(20, 18, 150), (700, 0, 1_000)]);
    let named =
        |owner: &[u8], context: &[u8]| Statement::new(owner, context, statement.claims().to_vec()).unwrap();
    let others = [
        named(b"another", CONTEXT),
        named(OWNER, b"auction 8"),
        // The same bytes, cut elsewhere.
        named(b"ownera", b"uction 7"),
        changed(&statement, |claims| claims[0].range = range(17, 150)),
        changed(&statement, |claims| claims[0].range = range(18, 151)),
        changed(&statement, |claims| claims[0].range = range(19, 150)),
        changed(&statement, |claims| claims[1].range = range(0, 999)),
        changed(&statement, |claims| claims.swap(0, 1)),
        changed(&statement, |claims| claims[0].commitment = opening(20).commitment()),
        changed(&statement, |claims| claims[0].commitment = claims[1].commitment),
    ];
    for other in &others {
        assert_eq!(verify(other, &proof), Err(RangeProofError::Invalid), "{other:?}");
    }
    for wrong in [
        changed(&statement, |claims| claims.truncate(1)),
        changed(&statement, |claims| claims.push(claims[0])),
    ] {
        assert!(verify(&wrong, &proof).is_err(), "{wrong:?}");
    }
    assert_eq!(verify(&statement, &proof), Ok(()));
}

/// Commitments can be added to: from one whose number is known to be in a range, anybody makes one of a greater number. No proof comes with it.
#[test]
fn what_is_made_of_a_commitment_is_not_proved_with_it() {
    let (statement, proof) = proved(&[(20, 0, 255)]);
    let point = |commitment: Commitment| CompressedRistretto(commitment.0).decompress().unwrap();
    let base = PedersenGens::default().B;
    let moved = |by: u64| {
        changed(&statement, |claims| {
            let moved: RistrettoPoint = point(claims[0].commitment) + base * Scalar::from(by);
            claims[0] =
                Claim { range: range(by, 255 + by), commitment: Commitment(moved.compress().to_bytes()) };
        })
    };
    // What the sides are made of is the same, point by point: what holds the proof to its statement is the transcript.
    for by in [1, 1_000] {
        assert_eq!(verify(&moved(by), &proof), Err(RangeProofError::Invalid), "{by}");
    }
    assert_eq!(verify(&moved(0), &proof), Ok(()));
}

#[test]
fn every_changed_byte_is_found() {
    let (statement, proof) = proved(&[(3, 0, 255)]);
    for place in 0..proof.as_bytes().len() {
        for change in [1, 0x80] {
            let mut bytes = proof.as_bytes().to_vec();
            bytes[place] ^= change;
            let verdict = Proof::from_bytes(&bytes).and_then(|proof| verify(&statement, &proof));
            assert!(verdict.is_err(), "byte {place}");
        }
    }
}

/// Each scalar has one form: with the group's order added it is the same number, and a second proof of the same.
#[test]
fn a_scalar_in_another_form_is_no_proof() {
    // RFC 9496, section 4: 2^252 + 27742317777372353535851937790883648493.
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let (_, proof) = proved(&[(3, 0, 255)]);
    let words = proof.as_bytes().len() / 32;
    for word in [4, 5, 6, words - 2, words - 1] {
        let mut bytes = proof.as_bytes().to_vec();
        let mut carry = 0;
        for (byte, order) in bytes[32 * word..32 * (word + 1)].iter_mut().zip(ORDER) {
            let sum = u16::from(*byte) + u16::from(order) + carry;
            (*byte, carry) = (sum.to_le_bytes()[0], sum >> 8);
        }
        assert_eq!(Proof::from_bytes(&bytes), Err(RangeProofError::Form(bytes.len())), "scalar {word}");
    }
    assert_eq!(Blinding::from_bytes(&ORDER).unwrap_err(), RangeProofError::Blinding);
    let mut below = ORDER;
    below[0] -= 1;
    assert_eq!(*Blinding::from_bytes(&below).unwrap().to_bytes(), below);
}

#[test]
fn lengths_and_points_that_are_none_are_refused() {
    let (statement, proof) = proved(&[(3, 0, 255)]);
    let bytes = proof.as_bytes();
    for length in
        [0, 31, 32, MIN_PROOF_BYTES - 64, MIN_PROOF_BYTES - 1, MIN_PROOF_BYTES + 32, MAX_PROOF_BYTES + 64]
    {
        let wrong: Vec<u8> = bytes.iter().copied().cycle().take(length).collect();
        assert_eq!(Proof::from_bytes(&wrong), Err(RangeProofError::Form(length)));
    }
    // A proof of another statement's length.
    let longer = proved(&[(3, 0, 256)]).1;
    assert_eq!(verify(&statement, &longer), Err(RangeProofError::Form(longer.as_bytes().len())));
    let no_point = Claim { range: range(0, 1), commitment: Commitment([0xff; 32]) };
    let claims = vec![statement.claims()[0], no_point];
    assert_eq!(Statement::new(OWNER, CONTEXT, claims).unwrap_err(), RangeProofError::Commitment(1));
    assert_eq!(Statement::new(OWNER, CONTEXT, vec![]).unwrap_err(), RangeProofError::Numbers(0));
    // Points in the proof that are none, and the neutral one, which would prove anything.
    for place in 0..4 {
        for point in [[0xff; 32], [0; 32]] {
            let mut bytes = bytes.to_vec();
            bytes[32 * place..32 * (place + 1)].copy_from_slice(&point);
            let proof = Proof::from_bytes(&bytes).unwrap();
            assert_eq!(verify(&statement, &proof), Err(RangeProofError::Invalid));
        }
    }
}

/// The library alone, by what the specification says, takes our proofs, and we take its.
#[test]
fn proofs_are_the_librarys() {
    let (generators, points) = (BulletproofGens::new(64, 2), PedersenGens::default());
    let blinding = Scalar::random(&mut OsRng);
    let transcript = |claim: &Claim| {
        let mut transcript = merlin::Transcript::new(b"r3e/1/range-proof");
        transcript.append_message(b"owner", OWNER);
        transcript.append_message(b"context", CONTEXT);
        transcript.append_u64(b"claims", 1);
        transcript.append_u64(b"min", claim.range.min());
        transcript.append_u64(b"max", claim.range.max());
        transcript.append_message(b"commitment", &claim.commitment.0);
        transcript
    };
    let number = 42_u64;
    let commitment = Commitment(points.commit(Scalar::from(number), blinding).compress().to_bytes());
    let claim = Claim { range: range(18, 150), commitment };
    let (theirs, sides) = RangeProof::prove_multiple_with_rng(
        &generators,
        &points,
        &mut transcript(&claim),
        &[number - 18, 150 - number],
        &[blinding, -blinding],
        8,
        &mut OsRng,
    )
    .unwrap();
    let statement = Statement::new(OWNER, CONTEXT, vec![claim]).unwrap();
    assert_eq!(verify(&statement, &Proof::from_bytes(&theirs.to_bytes()).unwrap()), Ok(()));

    let ours = Opening::new(number, Blinding::from_bytes(&blinding.to_bytes()).unwrap());
    let (statement, proof) = prove(OWNER, CONTEXT, &[(range(18, 150), ours)]).unwrap();
    assert_eq!(statement.claims(), [claim]);
    RangeProof::from_bytes(proof.as_bytes())
        .unwrap()
        .verify_multiple_with_rng(&generators, &points, &mut transcript(&claim), &sides, 8, &mut OsRng)
        .unwrap();
}

#[test]
fn secrets_are_not_shown() {
    let opening = opening(1_234_567);
    let shown = format!("{opening:?} {:?}", opening.blinding());
    assert_eq!(shown, "Opening(..) Blinding(..)");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bounds_are_proved(
        numbers in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 1..4)
    ) {
        let sorted = numbers.iter().map(|(a, b, c)| {
            let mut three = [*a, *b, *c];
            three.sort_unstable();
            (three[1], three[0], three[2])
        });
        let (statement, proof) = proved(&sorted.collect::<Vec<_>>());
        prop_assert_eq!(verify(&statement, &proof), Ok(()));
    }
}

/// Made by another implementation, of the text of SPEC.md alone.
#[test]
fn proofs_of_another_implementation_hold() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../vectors/range-proof.json")).unwrap();
    let vectors = vectors["proofs"].as_array().unwrap();
    assert_eq!(vectors.len(), 5);
    for vector in vectors {
        let document: Document = serde_json::from_value(vector["proof"].clone()).unwrap();
        assert_eq!(verify_document(&document), Ok(()), "{}", document.context);
        let numbers = document.claims.iter().zip(vector["values"].as_array().unwrap());
        let numbers =
            numbers.zip(vector["blindings"].as_array().unwrap()).map(|((claim, value), blinding)| {
                HiddenNumber {
                    value: serde_json::from_value(value.clone()).unwrap(),
                    min: claim.min,
                    max: claim.max,
                    blinding: Some(serde_json::from_value(blinding.clone()).unwrap()),
                }
            });
        let asked = ProveRanges { context: document.context.clone(), numbers: numbers.collect() };
        let ours = prove_asked(&document.owner, &asked).unwrap().proof;
        assert_eq!(ours.claims, document.claims, "{}", document.context);
        assert_eq!(ours.proof.0.len(), document.proof.0.len(), "{}", document.context);
    }
}

#[test]
fn documents_are_held_to_what_they_say() {
    let number = |value, min, max| HiddenNumber {
        value: Number(value),
        min: Number(min),
        max: Number(max),
        blinding: None,
    };
    let asked = |numbers| ProveRanges { context: "a".into(), numbers };
    let refused = |numbers| prove_asked("owner", &asked(numbers)).unwrap_err();
    assert_eq!(refused(vec![number(3, 2, 1)]), RangeProofError::Range { min: 2, max: 1 });
    assert_eq!(refused(vec![number(0, 0, 1), number(3, 1, 2)]), RangeProofError::OutOfRange(1));
    assert_eq!(refused(vec![number(1, 0, 1); 40]), RangeProofError::Numbers(40));
    let question = asked(vec![number(1, 0, 1)]);
    let whole = prove_asked("owner", &question).unwrap();
    assert_eq!(check_made(Some("owner"), &question, &whole), Ok(()));
    assert!(check_made(Some("another"), &question, &whole).is_err());
    for other in [
        asked(vec![number(1, 0, 2)]),
        asked(vec![number(0, 0, 1)]),
        asked(vec![number(1, 0, 1), number(1, 0, 1)]),
        ProveRanges { context: "b".into(), ..question.clone() },
    ] {
        assert_eq!(check_made(None, &other, &whole), Err(RangeProofError::Invalid), "{other:?}");
    }
    let mut given = asked(vec![number(1, 0, 1)]);
    given.numbers[0].blinding = Some(r3e_proto::api::zk::Blinding::new(zeroize::Zeroizing::new([1; 32])));
    assert_eq!(
        check_made(None, &given, &whole),
        Err(RangeProofError::Invalid),
        "another blinding than was given"
    );
    let made = whole.proof;
    let verdict = |change: &dyn Fn(&mut Document)| {
        let mut changed = made.clone();
        change(&mut changed);
        verify_document(&changed)
    };
    assert_eq!(verdict(&|_| ()), Ok(()));
    assert_eq!(verdict(&|proof| proof.claims.clear()), Err(RangeProofError::Numbers(0)));
    assert_eq!(
        verdict(&|proof| proof.claims = vec![made.claims[0].clone(); 17]),
        Err(RangeProofError::Numbers(17))
    );
    assert_eq!(
        verdict(&|proof| proof.claims[0].min = Number(2)),
        Err(RangeProofError::Range { min: 2, max: 1 })
    );
    assert_eq!(verdict(&|proof| proof.claims[0].commitment.0 = [1; 32]), Err(RangeProofError::Commitment(0)));
    assert_eq!(verdict(&|proof| proof.owner.push('s')), Err(RangeProofError::Invalid));
    assert_eq!(verdict(&|proof| proof.owner = "o".repeat(129)), Err(RangeProofError::Owner(129)));
    assert_eq!(verdict(&|proof| proof.context = "c".repeat(1_025)), Err(RangeProofError::Context(1_025)));
}

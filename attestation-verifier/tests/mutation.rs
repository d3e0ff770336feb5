//! Documents changed at random: none is accepted, unless the change left the meaning as it was (as the tag of
//! `COSE_Sign1` does).

mod generator;

use std::sync::LazyLock;

use generator::Spec;
use proptest::prelude::*;
use r3e_attestation::{AppraisalPolicy, UnixTime, appraise, inspect};
use r3e_cbor::{Limits, Value, decode};

static VALID: LazyLock<(Vec<u8>, AppraisalPolicy, UnixTime)> = LazyLock::new(|| {
    let spec = Spec::valid();
    let (document, policy) = spec.build();
    (document, policy, spec.at)
});

/// The `COSE_Sign1` without its tag, if it is CBOR.
fn meaning(document: &[u8]) -> Option<Value> {
    let limits = Limits { max_bytes: 1 << 16, max_depth: 8, max_items: 1000 };
    match decode(document, &limits).ok()? {
        Value::Tag(18, inner) => Some(*inner),
        value => Some(value),
    }
}

fn assert_refused(mutant: &[u8], original: &[u8], policy: &AppraisalPolicy, at: UnixTime) {
    if appraise(mutant, policy, at).is_ok() {
        assert_eq!(meaning(mutant), meaning(original), "accepted: {}", hex::encode(mutant));
    }
    // Whatever the bytes are, looking at them must not panic.
    if let Ok(inspection) = inspect(mutant) {
        let _ = inspection.certificates();
    }
}

/// One change at a place.
#[derive(Clone, Debug)]
enum Change {
    Flip(u8),
    Set(u8),
    Insert(Vec<u8>),
    Delete(usize),
    /// Copies `.1` bytes from the place `.0`.
    Copy(prop::sample::Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0_u8..8).prop_map(Change::Flip),
        any::<u8>().prop_map(Change::Set),
        proptest::collection::vec(any::<u8>(), 1..4).prop_map(Change::Insert),
        (1_usize..64).prop_map(Change::Delete),
        (any::<prop::sample::Index>(), 1_usize..200).prop_map(|(from, len)| Change::Copy(from, len)),
    ]
}

fn apply(document: &mut Vec<u8>, at: prop::sample::Index, change: &Change) {
    if document.is_empty() {
        return;
    }
    let at = at.index(document.len());
    match change {
        Change::Flip(bit) => document[at] ^= 1 << bit,
        Change::Set(byte) => document[at] = *byte,
        Change::Insert(bytes) => drop(document.splice(at..at, bytes.iter().copied())),
        Change::Delete(count) => drop(document.drain(at..(at + count).min(document.len()))),
        Change::Copy(from, len) => {
            let from = from.index(document.len());
            let bytes = document[from..(from + len).min(document.len())].to_vec();
            let end = (at + bytes.len()).min(document.len());
            document.splice(at..end, bytes);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn a_mutated_document_is_refused(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), change()), 1..4),
    ) {
        let (original, policy, at) = &*VALID;
        let mut mutant = original.clone();
        for (at, change) in &changes {
            apply(&mut mutant, *at, change);
        }
        if &mutant != original {
            assert_refused(&mutant, original, policy, *at);
        }
    }

    #[test]
    fn random_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let (original, policy, at) = &*VALID;
        assert_refused(&bytes, original, policy, *at);
    }
}

/// Every byte of a document, one bit of it flipped.
#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let (original, policy, at) = &*VALID;
    assert!(appraise(original, policy, *at).is_ok());
    for index in 0..original.len() {
        let mut mutant = original.clone();
        mutant[index] ^= 1 << (index % 8);
        assert!(appraise(&mutant, policy, *at).is_err(), "byte {index}");
    }
}

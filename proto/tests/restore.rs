//! Orders to restore: what is read is what was written, and only distinct keys of the policy whose signatures hold count.

#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use proptest::prelude::*;
use r3e_proto::WireError;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::limits::MAX_RESTORE_ORDER_BYTES;
use r3e_proto::restore::{OrderError, RestoreOrder, RestorePolicy, SignedRestoreOrder, approval_message};

fn verifies(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    UnparsedPublicKey::new(&ED25519, key.0).verify(message, signature).is_ok()
}

fn pair(number: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[number; 32]).unwrap()
}

fn key(number: u8) -> PublicKey {
    PublicKey(pair(number).public_key().as_ref().try_into().unwrap())
}

fn signature(number: u8, message: &[u8]) -> [u8; 64] {
    pair(number).sign(message).as_ref().try_into().unwrap()
}

fn policy(threshold: u8, numbers: std::ops::RangeInclusive<u8>) -> RestorePolicy {
    RestorePolicy::new(threshold, numbers.map(key).collect()).unwrap()
}

fn order() -> RestoreOrder {
    RestoreOrder { identity: [1; 32], sequence: 40, head: [2; 32], over: 99 }
}

fn signed(by: &[u8]) -> SignedRestoreOrder {
    let mut signed = SignedRestoreOrder::unsigned(&order());
    for number in by {
        let signature = signature(*number, &approval_message(signed.order()));
        signed.add(key(*number), signature).unwrap();
    }
    signed
}

#[test]
fn as_many_distinct_keys_as_it_takes_order_a_restore() {
    let policy = policy(2, 1..=3);
    assert_eq!(signed(&[1, 3]).verify(&policy, verifies), Ok(order()));
    assert_eq!(signed(&[9, 2, 8, 1]).verify(&policy, verifies), Ok(order()), "others do no harm");
    for (by, counts) in [(&[][..], 0), (&[1], 1), (&[1, 9], 1), (&[8, 9], 0)] {
        let refused = signed(by).verify(&policy, verifies);
        assert!(
            matches!(refused, Err(OrderError::NotApproved { approved, threshold: 2, .. }) if approved == counts),
            "{by:?}: {refused:?}"
        );
    }
    assert!(matches!(signed(&[1]).add(key(1), [0; 64]), Err(OrderError::AlreadySigned(_))));
}

#[test]
fn a_key_that_stands_twice_counts_once_and_a_signature_holds_for_its_order_alone() {
    let policy = policy(2, 1..=3);
    let file = signed(&[1, 2]).encode();
    // The same key in both places, by the bytes.
    let (one, other) = (key(1).0, key(2).0);
    let at = file.windows(32).position(|window| window == other).unwrap();
    let mut twice = file.clone();
    twice[at..at + 32].copy_from_slice(&one);
    let twice = SignedRestoreOrder::decode(&twice).unwrap();
    assert!(matches!(twice.verify(&policy, verifies), Err(OrderError::NotApproved { approved: 1, .. })));

    for changed in [
        RestoreOrder { identity: [9; 32], ..order() },
        RestoreOrder { sequence: 41, ..order() },
        RestoreOrder { head: [9; 32], ..order() },
        RestoreOrder { over: 100, ..order() },
    ] {
        let mut other = SignedRestoreOrder::unsigned(&changed);
        for (key, signature) in signed(&[1, 2]).signatures() {
            other.add(*key, *signature).unwrap();
        }
        assert!(other.verify(&policy, verifies).is_err(), "{changed:?}");
    }
    // A signature over the order's bytes themselves, or for another purpose, is none.
    let mut bare = SignedRestoreOrder::unsigned(&order());
    for number in [1, 2] {
        let message = r3e_proto::release::approval_message(bare.order());
        bare.add(key(number), signature(number, &message)).unwrap();
    }
    assert!(bare.verify(&policy, verifies).is_err());
}

#[test]
fn the_fullest_order_fits_and_what_breaks_a_rule_is_refused() {
    let full: Vec<u8> = (1..=16).collect();
    let mut most = signed(&full);
    assert!(matches!(most.add(key(17), [0; 64]), Err(OrderError::Wire(WireError::TooLarge { .. }))));
    let file = most.encode();
    assert!(file.len() <= MAX_RESTORE_ORDER_BYTES);
    assert_eq!(SignedRestoreOrder::decode(&file), Ok(most));
    for cut in 0..file.len() {
        assert!(SignedRestoreOrder::decode(&file[..cut]).is_err(), "cut at {cut}");
    }
    for wrong in [RestoreOrder { over: 39, ..order() }, RestoreOrder { sequence: 0, over: 0, ..order() }] {
        assert!(RestoreOrder::decode(&wrong.encode()).is_err(), "{wrong:?}");
        assert!(SignedRestoreOrder::decode(&SignedRestoreOrder::unsigned(&wrong).encode()).is_err());
    }
    let at = file.windows(7).position(|window| window == b"restore").unwrap();
    let mut foreign = file;
    foreign[at] = b'R';
    assert!(SignedRestoreOrder::decode(&foreign).is_err());
}

proptest! {
    #[test]
    fn an_order_has_one_encoding(identity: [u8; 32], sequence in 1..u64::MAX, head: [u8; 32], more: u32) {
        let order = RestoreOrder { identity, sequence, head, over: sequence.saturating_add(more.into()) };
        let encoded = order.encode();
        prop_assert_eq!(RestoreOrder::decode(&encoded), Ok(order));
        prop_assert!(RestoreOrder::decode(&[&encoded[..], &[0]].concat()).is_err());
    }

    #[test]
    fn any_bytes_are_refused_or_have_one_encoding(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(signed) = SignedRestoreOrder::decode(&bytes) {
            prop_assert_eq!(signed.encode(), bytes);
        }
    }
}

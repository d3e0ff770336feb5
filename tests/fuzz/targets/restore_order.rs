//! Orders to restore. Each has one encoding, keeps every limit, and is followed by nobody's signature.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::api::identity::PublicKey;
use r3e_proto::limits::MAX_RESTORE_ORDER_BYTES;
use r3e_proto::restore::{RestoreOrder, RestorePolicy, SignedRestoreOrder};

fuzz_target!(|data: &[u8]| {
    if let Ok(order) = RestoreOrder::decode(data) {
        assert!(order.sequence > 0 && order.over >= order.sequence);
        assert_eq!(order.encode(), data, "one order, one encoding");
    }
    if let Ok(signed) = SignedRestoreOrder::decode(data) {
        assert!(data.len() <= MAX_RESTORE_ORDER_BYTES);
        assert_eq!(signed.encode(), data, "one order, one encoding");
        let policy = RestorePolicy::new(1, vec![PublicKey([3; 32])]).expect("a policy");
        assert!(signed.verify(&policy, |_, _, _| false).is_err());
        // Whatever holds, a key that is not on the order does not sign it.
        let on_it = signed.signatures().iter().any(|(key, _)| *key == policy.keys()[0]);
        assert_eq!(signed.verify(&policy, |_, _, _| true).is_ok(), on_it);
    }
});

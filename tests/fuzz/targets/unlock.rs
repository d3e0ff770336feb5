//! What lies in the parent's slot for a quorum, and the policy bytes that PCR17 measures. Each has one encoding, and keeps
//! every rule of a quorum once it is read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::limits::{MAX_DOCUMENT_BYTES, MAX_SLOT_BYTES};
use r3e_proto::unlock::policy::QuorumPolicy;
use r3e_proto::unlock::setup::{AttestedSetup, Setup};
use r3e_proto::unlock::{MAX_MEMBERS, MAX_SETUP_BYTES, MIN_THRESHOLD};

fuzz_target!(|data: &[u8]| {
    if let Ok(attested) = AttestedSetup::decode(data) {
        assert!(data.len() <= MAX_SLOT_BYTES && attested.document.len() <= MAX_DOCUMENT_BYTES);
        assert_eq!(attested.encode(), data, "one slot, one encoding");
        setup(&attested.setup);
    }
    setup(data);
    policy(data);
});

fn setup(data: &[u8]) {
    let Ok(setup) = Setup::decode(data) else { return };
    assert!(data.len() <= MAX_SETUP_BYTES);
    assert_eq!(setup.encode(), data, "one setup, one encoding");
    assert_eq!(setup.shares.len(), setup.policy.members().len());
    for (index, _) in setup.policy.indexed() {
        assert!(setup.share(index).is_some(), "a share for each member");
    }
    policy(&setup.policy.encode());
}

fn policy(data: &[u8]) {
    let Ok(policy) = QuorumPolicy::decode(data) else { return };
    assert_eq!(policy.encode(), data, "one policy, one encoding");
    let members = policy.members();
    assert!(members.len() <= MAX_MEMBERS && policy.threshold() >= MIN_THRESHOLD);
    assert!(usize::from(policy.threshold()) <= members.len());
    for (index, member) in policy.indexed() {
        assert_eq!(policy.member(&member.name), Some((index, member)), "a name is one member's");
    }
}

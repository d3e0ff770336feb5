//! A cache saves signatures, and no other check.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

mod generator;

use generator::{NOW_SECS, Spec, bytes};
use r3e_attestation::{
    AppraisalPolicy, ChainCache, ReferenceValues, TrustAnchor, UnixTime, UnsafeTestRoot, appraise,
    appraise_with,
};

/// A document, its policy, and a cache that has seen its chain pass.
fn warmed() -> (Spec, Vec<Vec<u8>>, AppraisalPolicy, ChainCache) {
    let spec = Spec::valid();
    let certificates = generator::certificate::build(&spec.certs);
    let policy = policy(&certificates[0], spec.releases.clone());
    let cache = ChainCache::new();
    let document = spec.build_from(certificates.clone());
    let cold = appraise(&document, &policy, spec.at).unwrap();
    for _ in 0..2 {
        let cached = appraise_with(&cache, &document, &policy, spec.at).unwrap();
        assert_eq!(cached.valid_until(), cold.valid_until());
        assert_eq!(cached.pcrs(), cold.pcrs());
    }
    (spec, certificates, policy, cache)
}

fn policy(root: &[u8], releases: Vec<ReferenceValues>) -> AppraisalPolicy {
    let root = UnsafeTestRoot::from_der(root).unwrap();
    AppraisalPolicy::builder().trust(TrustAnchor::UnsafeTest(root)).accept_releases(releases).build().unwrap()
}

#[test]
fn time_is_checked_each_time() {
    let (spec, certificates, policy, cache) = warmed();
    let document = spec.build_from(certificates);
    let late = UnixTime::from_secs(NOW_SECS + 100 * 365 * 86_400);
    assert_eq!(appraise_with(&cache, &document, &policy, late).unwrap_err().code(), "expired");
    let early = UnixTime::from_secs(1);
    assert_eq!(appraise_with(&cache, &document, &policy, early).unwrap_err().code(), "not_yet_valid");
}

#[test]
fn the_documents_own_signature_is_checked_each_time() {
    let (mut spec, certificates, policy, cache) = warmed();
    spec.set("user_data", bytes(b"other user data"));
    spec.signer = Some(generator::Key::generate());
    let document = spec.build_from(certificates);
    assert_eq!(appraise_with(&cache, &document, &policy, spec.at).unwrap_err().code(), "signature");
}

#[test]
fn another_root_does_not_profit_from_what_passed_under_this_one() {
    let (spec, certificates, _, cache) = warmed();
    let other = generator::certificate::build(&Spec::valid().certs);
    let policy = policy(&other[0], spec.releases.clone());
    let document = spec.build_from(certificates);
    assert_eq!(appraise_with(&cache, &document, &policy, spec.at).unwrap_err().code(), "untrusted_root");
}

#[test]
fn a_chain_that_differs_in_one_byte_is_another_chain() {
    let (spec, certificates, policy, cache) = warmed();
    for position in 0..certificates.len() {
        for at in [40, certificates[position].len() - 1] {
            let mut changed = certificates.clone();
            changed[position][at] ^= 1;
            let document = spec.build_from(changed);
            let cold = appraise(&document, &policy, spec.at).unwrap_err();
            let cached = appraise_with(&cache, &document, &policy, spec.at).unwrap_err();
            assert_eq!(cached.code(), cold.code(), "certificate {position}, byte {at}");
        }
    }
}

//! The four real documents: accepted at their own time with their own measurements, refused otherwise.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use r3e_attestation::{
    AppraisalError, AppraisalPolicy, AttestationResult, Pcr, ReferenceValues, RootKind, TrustAnchor,
    UnixTime, UnsafeTestRoot, appraise, inspect,
};
use sha2::{Digest, Sha256};

const R04: &[u8] = include_bytes!("../vectors/r04_qos_2022-07-06.bin");
const R10: &[u8] = include_bytes!("../vectors/r10_evervault_2023-09-18_debug.bin");
const R14: &[u8] = include_bytes!("../vectors/r14_base_2024-11-30_pk65.bin");
const R19: &[u8] = include_bytes!("../vectors/r19_dstack_2025-12-25_indef.bin");
const ROOT: &[u8] = include_bytes!("../vectors/AWS_NitroEnclaves_Root-G1.der");

/// Name, bytes, timestamp in milliseconds, first bytes of PCR0.
const ACCEPTED: [(&str, &[u8], u64, &str); 3] = [
    ("r04", R04, 1_657_117_102_484, "f8bb0133c427bc49"),
    ("r14", R14, 1_732_983_768_387, "ec74bfbe7f7445a6"),
    ("r19", R19, 1_766_678_659_346, "eb7d0dab08ff4154"),
];

/// 2026-07-01: after all of them.
const LATER: UnixTime = UnixTime::from_secs(1_782_864_000);

fn pcr(document: &[u8], index: u8) -> Pcr {
    inspect(document).unwrap().pcrs()[&index]
}

fn policy_for(document: &[u8]) -> r3e_attestation::AppraisalPolicyBuilder {
    let release =
        ReferenceValues::new("its own", pcr(document, 0), pcr(document, 1), pcr(document, 2)).unwrap();
    AppraisalPolicy::builder().accept_release(release)
}

fn own_time(document: &[u8]) -> UnixTime {
    inspect(document).unwrap().timestamp()
}

fn appraise_own(document: &[u8]) -> Result<AttestationResult, AppraisalError> {
    appraise(document, &policy_for(document).build().unwrap(), own_time(document))
}

fn code(result: Result<AttestationResult, AppraisalError>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "accepted")
}

#[test]
fn the_root_is_the_published_one() {
    let digest = hex::encode(Sha256::digest(ROOT));
    assert_eq!(digest, "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b");
}

#[test]
fn accepted_at_their_own_time_with_their_own_pcrs() {
    for (name, document, timestamp_ms, pcr0) in ACCEPTED {
        let result = appraise_own(document).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        assert_eq!(result.timestamp_ms(), timestamp_ms, "{name}");
        assert!(hex::encode(result.pcr(0).unwrap()).starts_with(pcr0), "{name}");
        assert_eq!(result.root(), RootKind::AwsNitroG1);
        assert_eq!(result.matched_release(), Some("its own"));
        assert!(!result.is_debug());
        assert_eq!(result.pcrs().len(), 16);
    }
}

#[test]
fn their_bindings() {
    let r04 = appraise_own(R04).unwrap();
    assert_eq!(
        (r04.public_key().unwrap().len(), r04.user_data().unwrap().len(), r04.nonce()),
        (800, 32, None)
    );
    let r14 = appraise_own(R14).unwrap();
    assert_eq!((r14.public_key().unwrap().len(), r14.user_data(), r14.nonce()), (65, None, None));
    let r19 = appraise_own(R19).unwrap();
    assert_eq!((r19.public_key(), r19.user_data().unwrap().len(), r19.nonce()), (None, 64, None));

    let key = r14.public_key().unwrap();
    let policy = policy_for(R14).expect_public_key(key).build().unwrap();
    assert_eq!(code(appraise(R14, &policy, own_time(R14))), "accepted");
    let policy = policy_for(R14).expect_public_key(&key[1..]).build().unwrap();
    assert_eq!(code(appraise(R14, &policy, own_time(R14))), "public_key");
}

#[test]
fn the_debug_document_is_refused_as_such() {
    assert_eq!(code(appraise_own(R10)), "debug");
    let allowed = policy_for(R10).allow_debug().build().unwrap();
    assert!(appraise(R10, &allowed, own_time(R10)).unwrap().is_debug());
    let other = policy_for(R14).allow_debug().build().unwrap();
    assert_eq!(code(appraise(R10, &other, own_time(R10))), "pcr_mismatch");
}

#[test]
fn all_are_expired_later_and_unknown_before() {
    for document in [R04, R10, R14, R19] {
        let policy = policy_for(document).build().unwrap();
        assert_eq!(code(appraise(document, &policy, LATER)), "expired");
        assert_eq!(code(appraise(document, &policy, UnixTime::from_secs(1_600_000_000))), "not_yet_valid");
    }
}

#[test]
fn none_is_accepted_for_another() {
    for (name, document, ..) in ACCEPTED {
        for (other_name, other, ..) in ACCEPTED {
            let policy = policy_for(other).build().unwrap();
            let expected = if name == other_name { "accepted" } else { "pcr_mismatch" };
            assert_eq!(
                code(appraise(document, &policy, own_time(document))),
                expected,
                "{name} as {other_name}"
            );
        }
    }
}

#[test]
fn several_releases_are_accepted_at_once() {
    let releases = ACCEPTED.map(|(name, document, ..)| {
        ReferenceValues::new(name, pcr(document, 0), pcr(document, 1), pcr(document, 2)).unwrap()
    });
    let policy = AppraisalPolicy::builder().accept_releases(releases).build().unwrap();
    for (name, document, ..) in ACCEPTED {
        let result = appraise(document, &policy, own_time(document)).unwrap();
        assert_eq!(result.matched_release(), Some(name));
    }
}

#[test]
fn required_pcrs_pin_the_image_as_well() {
    let policy = AppraisalPolicy::builder().require_pcr(0, pcr(R14, 0)).unwrap();
    let result = appraise(R14, &policy.build().unwrap(), own_time(R14)).unwrap();
    assert_eq!(result.matched_release(), None);
    let with_instance = policy_for(R14).require_pcr(4, pcr(R14, 4)).unwrap().build().unwrap();
    assert_eq!(code(appraise(R14, &with_instance, own_time(R14))), "accepted");
    let of_another = policy_for(R14).require_pcr(4, pcr(R19, 4)).unwrap().build().unwrap();
    match appraise(R14, &of_another, own_time(R14)) {
        Err(AppraisalError::PcrMismatch { release: None, indices }) => assert_eq!(indices, [4]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_root_does_not_vouch_for_them() {
    // Any well-formed certificate serves as a test root: the document's own second one does.
    let second = &inspect(R14).unwrap().certificates()[1];
    assert!(!second.is_aws_root);
    let mut at =
        R14.windows(4).enumerate().filter(|(_, window)| window[..2] == [0x30, 0x82]).map(|(at, _)| at);
    let root = at.find_map(|at| UnsafeTestRoot::from_der(&R14[at..at + second.len]).ok()).unwrap();
    let policy = policy_for(R14).trust(TrustAnchor::UnsafeTest(root)).build().unwrap();
    assert_eq!(code(appraise(R14, &policy, own_time(R14))), "untrusted_root");
    let same = UnsafeTestRoot::from_der(ROOT).unwrap();
    let policy = policy_for(R14).trust(TrustAnchor::UnsafeTest(same)).build().unwrap();
    assert_eq!(appraise(R14, &policy, own_time(R14)).unwrap().root(), RootKind::UnsafeTest);
}

#[test]
fn inspection_shows_the_chain() {
    let inspection = inspect(R19).unwrap();
    let certificates = inspection.certificates();
    assert_eq!(certificates.len(), 5);
    assert!(certificates[0].is_aws_root && !inspection.is_tagged() && !inspection.is_debug());
    let leaf = certificates[4].content.as_ref().unwrap();
    assert!(leaf.subject.contains("i-0827e799ec9232d44-enc019b5640fdf630d6"), "{}", leaf.subject);
    assert_eq!(leaf.not_after.as_millis() - leaf.not_before.as_millis(), 3 * 3_600_000 + 3000);
}

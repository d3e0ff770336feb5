//! Hostile documents, each wrong in one way, and the reason code that each must be refused with. A document that
//! is right stands beside them, and variants that must be accepted.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

#[path = "corpus/chain.rs"]
mod chain;
#[path = "corpus/content.rs"]
mod content;
#[path = "corpus/form.rs"]
mod form;

mod generator;

use generator::{NOW_MS, Spec, bytes, int, pcr, text};
use r3e_attestation::{ChainCache, RootKind, UnixTime, appraise, appraise_with, inspect};
use r3e_cbor::Value;

const OPTIONS: [&str; 3] = ["nonce", "user_data", "public_key"];

/// A name, and what is different.
type Variant = (&'static str, fn(&mut Spec));

/// A name, the expected code, and what is wrong.
type Case = (&'static str, &'static str, fn(&mut Spec));

fn check(cases: &[Case]) {
    for (name, code, edit) in cases {
        let mut spec = Spec::valid();
        edit(&mut spec);
        let (document, policy) = spec.build();
        // A cache must change nothing, and remember nothing that failed.
        let cache = ChainCache::new();
        for result in [
            appraise(&document, &policy, spec.at),
            appraise_with(&cache, &document, &policy, spec.at),
            appraise_with(&cache, &document, &policy, spec.at),
        ] {
            match result {
                Ok(_) => panic!("accepted: {name}"),
                Err(error) => assert_eq!(error.code(), *code, "{name}: {error:?}"),
            }
        }
    }
}

#[test]
fn there_are_enough_cases_and_each_has_its_own_name() {
    let groups =
        [form::FRAME, form::PAYLOAD, content::TIME, content::POLICY, chain::ORDER, chain::CERTIFICATES];
    let mut names: Vec<&str> = groups.into_iter().flatten().map(|case| case.0).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count >= 60, "{count}");
    println!("{count} hostile documents");
}

#[test]
fn frames() {
    check(form::FRAME);
}

#[test]
fn payloads() {
    check(form::PAYLOAD);
}

#[test]
fn times() {
    check(content::TIME);
}

#[test]
fn policies() {
    check(content::POLICY);
}

#[test]
fn chains() {
    check(chain::ORDER);
}

#[test]
fn certificates() {
    check(chain::CERTIFICATES);
}

#[test]
fn the_valid_document_is_accepted() {
    let result = Spec::valid().appraise().unwrap();
    assert_eq!(result.root(), RootKind::UnsafeTest);
    assert_eq!(result.matched_release(), Some("good"));
    assert_eq!(result.timestamp_ms(), NOW_MS);
    assert_eq!(result.valid_until().as_millis(), NOW_MS + 2 * 3_600_000);
    assert_eq!(result.module_id(), "i-0123456789abcdef0-enc0123456789abcdef");
    assert_eq!(result.pcr(8), Some(&pcr(8)));
    assert_eq!(result.pcr(16), None);
    assert_eq!(result.pcrs().len(), 16);
    assert_eq!(result.user_data(), Some(&b"user data"[..]));
    assert_eq!(result.nonce(), Some(&b"a nonce"[..]));
    assert_eq!(result.public_key(), Some(&b"a public key"[..]));
    assert!(!result.is_debug());
}

/// Variants that real documents have, or may have.
#[test]
fn harmless_variants_are_accepted() {
    let variants: &[Variant] = &[
        ("tag 18", |spec| spec.tag = Some(18)),
        ("options null", |spec| {
            for key in OPTIONS {
                spec.set(key, Value::Null);
            }
        }),
        ("options absent", |spec| {
            for key in OPTIONS {
                spec.remove(key);
            }
        }),
        ("options empty", |spec| {
            for key in OPTIONS {
                spec.set(key, bytes(&[]));
            }
        }),
        ("options as long as may be", |spec| {
            spec.set("nonce", bytes(&[1; 512]));
            spec.set("user_data", bytes(&[1; 512]));
            spec.set("public_key", bytes(&[1; 1024]));
        }),
        ("32 PCRs", |spec| (16..32).for_each(|index| spec.set_pcr(int(index), bytes(&[0; 48])))),
        ("payload of indefinite length", |spec| {
            spec.edit_payload_bytes = |mut payload| {
                payload[0] = 0xbf;
                payload.push(0xff);
                payload
            };
        }),
        ("unprotected header of indefinite length", |spec| {
            spec.edit_bytes = |mut document| {
                assert_eq!(document[6], 0xa0);
                document.splice(6..7, [0xbf, 0xff]);
                document
            };
        }),
        ("the last second of the leaf", |spec| spec.at = UnixTime::from_millis(NOW_MS + 2 * 3_600_000 + 999)),
        ("a root alone above the leaf", |spec| {
            let leaf = spec.certs.pop().unwrap();
            spec.certs.truncate(1);
            spec.certs.push(leaf);
            spec.certs[1].issuer = generator::certificate::name("root");
        }),
        ("a leaf without basic constraints", |spec| {
            spec.leaf().extensions.remove(0);
        }),
        ("an unknown extension that is not critical", |spec| {
            use generator::certificate::{PRIVATE, extension};
            spec.leaf().extensions.push(extension(PRIVATE, false, b"\x05\x00"));
        }),
        ("other fields come first", |spec| spec.payload.reverse()),
        ("one of several releases", |spec| {
            let other = r3e_attestation::ReferenceValues::new("other", [9; 48], [9; 48], [9; 48]).unwrap();
            spec.releases.insert(0, other);
        }),
        ("a debug enclave, asked for by name and by value", |spec| {
            (0..3).for_each(|index| spec.set_pcr(int(index), bytes(&[0; 48])));
            spec.releases =
                vec![r3e_attestation::ReferenceValues::new("debug", [0; 48], [0; 48], [0; 48]).unwrap()];
            spec.policy = |policy| policy.allow_debug();
        }),
    ];
    for (name, edit) in variants {
        let mut spec = Spec::valid();
        edit(&mut spec);
        if let Err(error) = spec.appraise() {
            panic!("refused: {name}: {error:?}");
        }
    }
}

/// Signatures with a leading zero in either half. One in 128 has one.
#[test]
fn leading_zeros_in_the_signature_are_accepted() {
    let spec = Spec::valid();
    // The signature is random: build until both halves had a zero in front.
    let (mut left, mut right) = (false, false);
    let mut tries = 0;
    while !(left && right) {
        let (document, policy) = spec.build();
        let signature = &document[document.len() - 96..];
        if signature[0] == 0 || signature[48] == 0 {
            (left, right) = (left || signature[0] == 0, right || signature[48] == 0);
            assert!(r3e_attestation::appraise(&document, &policy, spec.at).is_ok());
        }
        tries += 1;
        assert!(tries < 20_000, "no signature with a leading zero in {tries}");
    }
}

#[test]
fn an_inspection_shows_what_an_appraisal_refuses() {
    let mut spec = Spec::valid();
    spec.signer = Some(generator::Key::generate());
    spec.set("module_id", text("i-forged"));
    let inspection = inspect(&spec.build().0).unwrap();
    assert_eq!(inspection.module_id(), "i-forged");
    let certificates = inspection.certificates();
    assert_eq!(certificates.len(), 4);
    assert!(certificates.iter().all(|certificate| !certificate.is_aws_root));
    let leaf = certificates[3].content.as_ref().unwrap();
    assert_eq!(leaf.subject, "CN=enclave,OU=AWS,O=Amazon,C=US");
    assert_eq!(leaf.issuer, "CN=instance,OU=AWS,O=Amazon,C=US");
}

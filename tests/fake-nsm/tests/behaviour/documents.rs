//! The fake's documents are of the hardware's form, down to the bytes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::decoded::{decode, is_issued_by};
use ciborium::Value;
use r3e_attester::{NsmDriver, Request, Response};
use r3e_fake_nsm::{ChainSpec, FakeNsm, FakeNsmConfig, MapForm, Names, PROTECTED_ES384, TestRoot};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

fn nsm(config: FakeNsmConfig) -> FakeNsm {
    FakeNsm::under(TestRoot::generate(Names::test()).unwrap(), config).unwrap()
}

fn attest(
    nsm: &FakeNsm,
    user_data: Option<&[u8]>,
    nonce: Option<&[u8]>,
    public_key: Option<&[u8]>,
) -> Vec<u8> {
    let [user_data, nonce, public_key] =
        [user_data, nonce, public_key].map(|field| field.map(|bytes| bytes.to_vec().into()));
    match nsm.process(Request::Attestation { user_data, nonce, public_key }) {
        Response::Attestation { document } => document,
        other => panic!("{other:?}"),
    }
}

fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[test]
fn the_bytes_begin_and_end_as_the_hardwares_do() {
    for (map_form, first) in [(MapForm::Definite, 0xa9), (MapForm::Indefinite, 0xbf)] {
        let document = attest(&nsm(FakeNsmConfig { map_form, ..FakeNsmConfig::default() }), None, None, None);
        // Array of four; protected header of four bytes; empty map; payload with a two-byte length.
        assert_eq!(document[..8], [0x84, 0x44, 0xa1, 0x01, 0x38, 0x22, 0xa0, 0x59]);
        assert_eq!(document[10..20], *[&[first, 0x69], &b"module_i"[..]].concat());
        // The signature: a byte string of 96.
        assert_eq!(document[document.len() - 98..document.len() - 96], [0x58, 0x60]);
        let payload = decode(&document).sign1.payload.unwrap();
        assert_eq!(payload.last() == Some(&0xff), map_form == MapForm::Indefinite);
        assert!((3_000..5_300).contains(&document.len()), "{}", document.len());
    }
}

#[test]
fn the_claims_are_the_hardwares_in_its_order() {
    let before = now_ms();
    let nsm = nsm(FakeNsmConfig::default());
    let document = decode(&attest(&nsm, Some(b"data"), Some(b""), Some(b"key")));
    let names: Vec<_> = document.claims.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "module_id",
        "digest",
        "timestamp",
        "pcrs",
        "certificate",
        "cabundle",
        "public_key",
        "user_data",
        "nonce",
    ];
    assert_eq!(names, expected);
    assert_eq!(document.claim("module_id").as_text(), Some("i-0123456789abcdef0-enc0123456789abcdef"));
    assert_eq!(document.claim("digest").as_text(), Some("SHA384"));
    assert_eq!(document.claim("user_data"), &Value::Bytes(b"data".to_vec()));
    assert_eq!(document.claim("nonce"), &Value::Bytes(vec![]), "empty is not absent");
    assert_eq!(document.claim("public_key"), &Value::Bytes(b"key".to_vec()));
    assert!((before..=now_ms()).contains(&document.timestamp_ms()));
    let pcrs = document.pcrs();
    assert!(pcrs.iter().map(|(index, _)| *index).eq(0..16));
    let set: Vec<_> =
        pcrs.iter().filter(|(_, value)| value != &vec![0; 48]).map(|(index, _)| *index).collect();
    assert_eq!(set, [0, 1, 2, 4]);

    let bare = decode(&attest(&nsm, None, None, None));
    for name in ["public_key", "user_data", "nonce"] {
        assert_eq!(bare.claim(name), &Value::Null, "{name}");
    }
}

#[test]
fn the_signature_is_the_leafs_and_breaks_with_any_change() {
    let nsm = nsm(FakeNsmConfig::default());
    let document = attest(&nsm, None, Some(b"nonce"), None);
    let mut decoded = decode(&document);
    assert_eq!(decoded.sign1.signature.len(), 96);
    assert!(decoded.is_signed_by_its_leaf());
    let payload = decoded.sign1.payload.as_mut().unwrap();
    let last = payload.len() - 1;
    payload[last] ^= 1;
    assert!(!decoded.is_signed_by_its_leaf());
}

#[test]
fn the_chain_has_the_hardwares_shape() {
    for (instance_authority, path_lengths) in [(false, vec![1, 2]), (true, vec![0, 1, 2])] {
        let nsm = nsm(FakeNsmConfig { instance_authority, ..FakeNsmConfig::default() });
        let document = decode(&attest(&nsm, None, None, None));
        let chain = document.chain();
        let (leaf, authorities) = chain.split_first().unwrap();
        let root = authorities.last().unwrap();
        assert_eq!(root, &Certificate::from_der(nsm.root().der()).unwrap());
        assert!(chain.windows(2).all(|pair| is_issued_by(&pair[0], &pair[1])));
        assert!(is_issued_by(root, root));
        assert!(!is_issued_by(leaf, root));

        let constraints = |certificate: &Certificate| {
            certificate.tbs_certificate().get_extension::<BasicConstraints>().unwrap().unwrap()
        };
        let usage = |certificate: &Certificate| {
            certificate.tbs_certificate().get_extension::<KeyUsage>().unwrap().unwrap()
        };
        let (critical, leaf_constraints) = constraints(leaf);
        assert!(critical && !leaf_constraints.ca && leaf_constraints.path_len_constraint.is_none());
        let (critical, leaf_usage) = usage(leaf);
        assert!(!critical && leaf_usage.digital_signature() && leaf_usage.non_repudiation());
        assert!(!leaf_usage.key_cert_sign());

        for authority in authorities {
            let ((critical, constraints), (_, usage)) = (constraints(authority), usage(authority));
            assert!(critical && constraints.ca && usage.key_cert_sign());
        }
        let found: Vec<_> =
            authorities.iter().filter_map(|authority| constraints(authority).1.path_len_constraint).collect();
        assert_eq!(found, path_lengths, "the root has none");
        let common_names: Vec<_> =
            chain.iter().map(|certificate| certificate.tbs_certificate().subject().to_string()).collect();
        assert!(common_names[0].contains("CN=i-0123456789abcdef0-enc0123456789abcdef.us-east-1.test"));
        assert!(common_names.iter().any(|name| name.contains(".zonal.us-east-1.test.nitro-enclaves")));
    }
}

#[test]
fn the_leaf_lives_three_hours_around_its_documents() {
    let document = decode(&attest(&nsm(FakeNsmConfig::default()), None, None, None));
    let signed_at = Duration::from_secs(document.timestamp_ms() / 1000);
    for certificate in document.chain() {
        let validity = certificate.tbs_certificate().validity();
        assert!(validity.not_before.to_unix_duration() <= signed_at);
        assert!(signed_at < validity.not_after.to_unix_duration());
    }
    let leaf = document.chain().swap_remove(0);
    let validity = leaf.tbs_certificate().validity();
    let [from, until] =
        [validity.not_before, validity.not_after].map(|time| time.to_unix_duration().as_secs());
    assert!((10_800..=10_804).contains(&(until - from)), "{from} {until}");
}

#[test]
fn the_leaf_is_renewed_before_it_expires() {
    let nsm = nsm(FakeNsmConfig { leaf_lifetime: Duration::from_millis(20), ..FakeNsmConfig::default() });
    let first = decode(&attest(&nsm, None, None, None));
    std::thread::sleep(Duration::from_millis(15));
    let second = decode(&attest(&nsm, None, None, None));
    assert_ne!(first.claim("certificate"), second.claim("certificate"));
    assert_eq!(first.chain().last(), second.chain().last(), "under the same root");
    assert!(second.is_signed_by_its_leaf());
}

#[test]
fn a_locked_pcr_enters_the_document_and_an_unlocked_one_does_not() {
    let nsm = nsm(FakeNsmConfig::default());
    nsm.process(Request::ExtendPCR { index: 16, data: vec![1; 48] });
    nsm.process(Request::ExtendPCR { index: 17, data: vec![2; 48] });
    assert_eq!(decode(&attest(&nsm, None, None, None)).pcrs().len(), 16);
    nsm.process(Request::LockPCR { index: 16 });
    let pcrs = decode(&attest(&nsm, None, None, None)).pcrs();
    assert_eq!((pcrs.len(), pcrs[16].0), (17, 16));
    assert_ne!(pcrs[16].1, vec![0; 48]);
}

#[test]
fn debug_mode_zeroes_the_image_and_nothing_else() {
    let pcrs = decode(&attest(&nsm(FakeNsmConfig::debug_mode()), None, None, None)).pcrs();
    let zero: Vec<_> = pcrs.iter().take(5).map(|(_, value)| value == &vec![0; 48]).collect();
    assert_eq!(zero, [true, true, true, true, false]);
}

#[test]
fn hostile_parts_are_signed_as_given() {
    let nsm = nsm(FakeNsmConfig::default());
    let mut spec = nsm.document_spec(None, Some(b"nonce"), None).unwrap();
    spec.timestamp_ms -= 86_400_000;
    spec.pcrs[0].1 = vec![7; 48];
    spec.pcrs.push((0, vec![8; 48]));
    spec.further_claims.push((Value::from("nonce"), Value::from("again")));
    spec.unprotected.push((Value::from(4), Value::Bytes(b"key".to_vec())));
    let document = decode(&nsm.sign_document(&spec).unwrap());
    assert!(document.is_signed_by_its_leaf());
    assert_eq!(document.timestamp_ms(), spec.timestamp_ms);
    assert_eq!(document.pcrs().len(), 17);
    assert_eq!(document.pcrs()[0].1, vec![7; 48]);
    assert_eq!(document.claims.len(), 10);
    assert!(!document.sign1.unprotected.is_empty());

    spec.unprotected.clear();
    spec.tagged = true;
    assert_eq!(nsm.sign_document(&spec).unwrap()[..2], [0xd2, 0x84]);

    let raw = nsm.sign_payload(b"\xa0").unwrap();
    assert_eq!(raw[..8], [&[0x84, 0x44][..], &PROTECTED_ES384, &[0xa0, 0x41]].concat());
}

#[test]
fn a_chain_of_any_date_can_be_made_under_an_impostors_root() {
    let root = TestRoot::generate(Names::aws()).unwrap();
    let spec = ChainSpec {
        module_id: "i-0123456789abcdef0-enc0123456789abcdef".to_owned(),
        issued_at_ms: 1_700_000_000_000,
        leaf_lifetime: Duration::from_mins(1),
        instance_authority: true,
    };
    let chain = root.issue(&spec).unwrap();
    let nsm = nsm(FakeNsmConfig::default());
    let mut parts = nsm.document_spec(None, None, None).unwrap();
    parts.certificate.clone_from(&chain.certificate);
    parts.cabundle.clone_from(&chain.cabundle);
    parts.timestamp_ms = 1_700_000_030_000;
    let document = decode(&parts.sign(&chain).unwrap());
    assert!(document.is_signed_by_its_leaf());
    let certificates = document.chain();
    assert!(certificates.windows(2).all(|pair| is_issued_by(&pair[0], &pair[1])));
    let root_name = certificates[4].tbs_certificate().subject().to_string();
    assert!(root_name.contains("CN=aws.nitro-enclaves") && root_name.contains("O=Amazon"), "{root_name}");
    let until = certificates[0].tbs_certificate().validity().not_after.to_unix_duration();
    assert_eq!(until.as_secs(), 1_700_000_060);

    // The device's own key under the impostor's leaf: the signature does not fit the certificate.
    assert!(!decode(&nsm.sign_document(&parts).unwrap()).is_signed_by_its_leaf());
}

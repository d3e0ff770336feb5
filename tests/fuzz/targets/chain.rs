//! Certificates under a valid signature: the input is what its issuer signs. Whatever the verifier accepts must
//! keep the rules for chains, as a second, complete parser reads the certificate.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_attestation::{UnixTime, appraise};
use r3e_fuzz::documents::{POLICY, payload_with_chain, signed};
use r3e_fuzz::pki::{AT, CHAIN, Holder};
use x509_cert::certificate::{TbsCertificate, Version};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::{BasicConstraints, KeyUsage};

fuzz_target!(|data: &[u8]| {
    let Some((which, tbs)) = data.split_first() else { return };
    let holder = if which & 1 == 0 { Holder::Leaf } else { Holder::Intermediate };
    let certificate = holder.issuer().certify(tbs);
    let [root, intermediate, leaf] = &*CHAIN;
    let payload = match holder {
        Holder::Leaf => payload_with_chain(&[root, intermediate], &certificate),
        _ => payload_with_chain(&[root, &certificate], leaf),
    };
    let Ok(result) = appraise(&signed(&payload), &POLICY, AT) else { return };

    assert!(certificate.len() <= 1024);
    assert!(AT <= UnixTime::from_millis(result.valid_until().as_millis() + 1_999));
    // The verifier compares names as bytes and leaves their inside alone; the full parser may refuse one.
    let Ok(read) = TbsCertificate::from_der(tbs) else { return };
    assert_eq!(read.version(), Version::V3);
    assert_eq!(read.issuer().to_der().expect("a name"), holder.issuer().name());
    assert_eq!(read.subject_public_key_info().to_der().expect("a key"), holder.public_key_info());
    let (not_before, not_after) = (read.validity().not_before, read.validity().not_after);
    assert!(
        UnixTime::from_secs(not_before.to_unix_duration().as_secs()).as_millis() <= AT.as_millis() + 1_000
    );
    assert!(
        UnixTime::from_secs(not_after.to_unix_duration().as_secs()).as_millis() + 1_999 >= AT.as_millis()
    );
    let constraints = read.get_extension::<BasicConstraints>().expect("readable, and there once at most");
    let usage = read.get_extension::<KeyUsage>().expect("readable, and there once at most");
    let is_ca = constraints.is_some_and(|(_, constraints)| constraints.ca);
    match holder {
        Holder::Leaf => {
            assert!(!is_ca, "a CA signed a document");
            assert!(usage.is_some_and(|(_, usage)| usage.digital_signature()));
        }
        _ => {
            assert_eq!(read.subject().to_der().expect("a name"), holder.name());
            assert!(is_ca, "what is no CA issued a certificate");
            assert!(usage.is_some_and(|(_, usage)| usage.key_cert_sign()));
        }
    }
    let known = ["2.5.29.19", "2.5.29.15", "2.5.29.14", "2.5.29.35", "2.5.29.31"];
    for extension in read.extensions().into_iter().flatten() {
        assert!(!extension.critical || known.contains(&extension.extn_id.to_string().as_str()));
    }
});

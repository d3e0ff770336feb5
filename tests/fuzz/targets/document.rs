//! Attestation documents as bytes, beside the real ones. Whatever is accepted under the AWS root must say what a
//! real document says: another encoding of one is possible, another content is a forgery.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use r3e_attestation::{AppraisalPolicy, Inspection, ReferenceValues, appraise, inspect};
use r3e_fuzz::documents::REAL;

static GENUINE: LazyLock<Vec<Inspection>> =
    LazyLock::new(|| REAL.iter().map(|(_, bytes)| inspect(bytes).expect("a real document")).collect());

/// Accepts the images of all real documents, the one in debug mode too.
static POLICY: LazyLock<AppraisalPolicy> = LazyLock::new(|| {
    let release = |(index, document): (usize, &Inspection)| {
        let pcr = |pcr: u8| *document.pcrs().get(&pcr).expect("a real document has it");
        ReferenceValues::new(&format!("real {index}"), pcr(0), pcr(1), pcr(2)).expect("a usable name")
    };
    let releases = GENUINE.iter().enumerate().map(release);
    AppraisalPolicy::builder().accept_releases(releases).allow_debug().build().expect("it names releases")
});

fuzz_target!(|data: &[u8]| {
    let Ok(seen) = inspect(data) else {
        let at = GENUINE[0].timestamp();
        assert!(appraise(data, &POLICY, at).is_err(), "accepted, although it cannot even be read");
        return;
    };
    for certificate in seen.certificates() {
        assert!(certificate.len <= 1024);
        if let Ok(content) = certificate.content {
            assert!(!content.subject.chars().any(char::is_control), "a name is safe to print");
            assert!(!content.issuer.chars().any(char::is_control), "a name is safe to print");
        }
    }
    let Ok(result) = appraise(data, &POLICY, seen.timestamp()) else { return };
    assert_eq!(result.pcrs(), seen.pcrs());
    assert!(result.timestamp() <= result.valid_until());
    let genuine = GENUINE.iter().any(|real| {
        real.module_id() == seen.module_id()
            && real.timestamp() == seen.timestamp()
            && real.pcrs() == seen.pcrs()
            && real.user_data() == seen.user_data()
            && real.nonce() == seen.nonce()
            && real.public_key() == seen.public_key()
    });
    assert!(genuine, "accepted under the AWS root, and not what a Nitro enclave said");

    let fresh = POLICY.with_bindings(Some(b"a nonce that no real document holds".to_vec()), None, None);
    assert!(appraise(data, &fresh, seen.timestamp()).is_err(), "accepted without the nonce");
});

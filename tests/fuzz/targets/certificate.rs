//! One certificate as bytes: as a test root in DER and PEM, and as the leaf that `inspect` shows.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_attestation::{UnsafeTestRoot, inspect};
use r3e_fuzz::documents::{payload_with_chain, signed_by_nobody};
use r3e_fuzz::pki::CHAIN;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = UnsafeTestRoot::from_pem(text);
    }
    let as_root = UnsafeTestRoot::from_der(data);
    let document = signed_by_nobody(&payload_with_chain(&[&CHAIN[0]], data));
    let Ok(seen) = inspect(&document) else {
        assert!(
            data.is_empty() || data.len() > 1024,
            "a readable document with any certificate can be shown"
        );
        assert!(as_root.is_err());
        return;
    };
    let [_, leaf] = seen.certificates().try_into().expect("a root and a leaf");
    assert_eq!(leaf.len, data.len());
    assert_eq!(leaf.content.is_ok(), as_root.is_ok(), "both read a certificate in the same way");
    if let Ok(content) = leaf.content {
        assert!(!content.subject.chars().any(char::is_control), "a name is safe to print");
        assert!(!content.issuer.chars().any(char::is_control), "a name is safe to print");
    }
});

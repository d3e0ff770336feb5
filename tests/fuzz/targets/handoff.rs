//! The handoff's messages, both ways. Each has one encoding, and keeps every limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::handoff::{Grant, MAX_GRANT_BYTES, MAX_REQUEST_BYTES, Request};
use r3e_proto::limits::{MAX_DOCUMENT_BYTES, MAX_MANIFEST_BYTES};

fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::decode(data) {
        assert!(data.len() <= MAX_REQUEST_BYTES);
        assert!(request.manifest.len() <= MAX_MANIFEST_BYTES && request.document.len() <= MAX_DOCUMENT_BYTES);
        assert_eq!(request.encode(), data, "one message, one encoding");
    }
    if let Ok(grant) = Grant::decode(data) {
        assert!(data.len() <= MAX_GRANT_BYTES);
        assert_eq!(grant.encode().as_slice(), data, "one message, one encoding");
    }
});

//! The lifecycle protocol's messages, both ways. Each has one encoding, and keeps every limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::host::lifecycle::{MAX_MESSAGE_BYTES, Reply, Request};
use r3e_proto::limits::MAX_MANIFEST_BYTES;

fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::decode(data) {
        assert_eq!(request.encode(), data, "one message, one encoding");
    }
    let Ok(reply) = Reply::decode(data) else { return };
    assert!(data.len() <= MAX_MESSAGE_BYTES);
    assert_eq!(reply.encode(), data, "one message, one encoding");
    if let Reply::Offered { manifest } = reply {
        assert!(manifest.len() <= MAX_MANIFEST_BYTES);
    }
});

//! The egress protocol's messages, both ways. Each has one encoding, and keeps every limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::host::egress::{Connect, MAX_MESSAGE_BYTES, Reply};
use r3e_proto::limits::{MAX_FAILURE_TEXT_BYTES, MAX_HOST_NAME_BYTES};

fuzz_target!(|data: &[u8]| {
    if let Ok(connect) = Connect::decode(data) {
        assert!(data.len() <= MAX_MESSAGE_BYTES && connect.host.len() <= MAX_HOST_NAME_BYTES);
        assert_eq!(connect.encode(), data, "one message, one encoding");
    }
    if let Ok(reply) = Reply::decode(data) {
        assert!(data.len() <= MAX_MESSAGE_BYTES);
        assert_eq!(reply.encode(), data, "one message, one encoding");
        if let Reply::Refused { message, .. } = reply {
            assert!(message.len() <= MAX_FAILURE_TEXT_BYTES);
        }
    }
});

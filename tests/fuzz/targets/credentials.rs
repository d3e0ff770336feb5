//! The credentials protocol's messages, both ways. Each has one encoding, keeps every limit, and holds nothing that could
//! begin another header of HTTP.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::host::credentials::{MAX_MESSAGE_BYTES, Reply, Request};
use r3e_proto::limits::{
    MAX_ACCESS_KEY_ID_BYTES, MAX_FAILURE_TEXT_BYTES, MAX_SECRET_ACCESS_KEY_BYTES, MAX_SESSION_TOKEN_BYTES,
};

fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::decode(data) {
        assert_eq!(request.encode(), data, "one message, one encoding");
    }
    let Ok(reply) = Reply::decode(data) else { return };
    assert!(data.len() <= MAX_MESSAGE_BYTES);
    assert_eq!(reply.encode().as_slice(), data, "one message, one encoding");
    match reply {
        Reply::Failed(text) => assert!(text.len() <= MAX_FAILURE_TEXT_BYTES),
        Reply::Credentials(credentials) => {
            let token = credentials.session_token.as_ref().map_or("-", |token| token.as_str());
            for (part, max) in [
                (credentials.access_key_id.as_str(), MAX_ACCESS_KEY_ID_BYTES),
                (credentials.secret_access_key.as_str(), MAX_SECRET_ACCESS_KEY_BYTES),
                (token, MAX_SESSION_TOKEN_BYTES),
            ] {
                assert!((1..=max).contains(&part.len()));
                assert!(part.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
            }
        }
    }
});

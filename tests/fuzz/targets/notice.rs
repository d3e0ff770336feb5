//! Notices of jobs, about an empty body. A notice has one encoding, and none is taken without its signature.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::limits::{MAX_NAME_BYTES, MAX_NOTICE_BYTES, MAX_RECEIPT_CODE_BYTES};
use r3e_proto::notice::{Notice, NoticeError};

fuzz_target!(|signed: &[u8]| {
    let mut seen = (Vec::new(), Vec::new());
    let verified = Notice::verify(signed, b"", |message, signature| {
        seen = (message.to_vec(), signature.to_vec());
        true
    });
    let Ok(notice) = verified else { return };
    assert!(signed.len() <= MAX_NOTICE_BYTES);
    assert!(notice.function.len() <= MAX_NAME_BYTES);
    assert!(notice.state.len() <= MAX_RECEIPT_CODE_BYTES && notice.outcome.len() <= MAX_RECEIPT_CODE_BYTES);
    assert_eq!(Notice::verify(signed, b"", |_, _| false), Err(NoticeError::Signature));
    assert_eq!(Notice::verify(signed, b" ", |_, _| true), Err(NoticeError::Body));
    let (message, signature) = seen;
    if let Ok(signature) = <[u8; 64]>::try_from(signature) {
        let again = notice.sign(|to_sign| {
            assert_eq!(to_sign, message, "one notice, one message to sign");
            signature
        });
        assert_eq!(again, signed, "one notice, one encoding");
    }
});

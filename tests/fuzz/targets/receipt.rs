//! Receipts and receipt bundles. A receipt has one encoding, and none is taken without its signature.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_proto::limits::{
    MAX_NAME_BYTES, MAX_RECEIPT_BUNDLE_BYTES, MAX_RECEIPT_BYTES, MAX_RECEIPT_CODE_BYTES,
};
use r3e_proto::receipt::{Bundle, Receipt, ReceiptError};

fuzz_target!(|data: &[u8]| {
    if let Ok(bundle) = Bundle::decode(data) {
        assert!(data.len() <= MAX_RECEIPT_BUNDLE_BYTES);
        assert_eq!(bundle.encode(), data, "one bundle, one encoding");
        receipt(&bundle.receipt);
    }
    receipt(data);
});

fn receipt(signed: &[u8]) {
    let Ok(read) = Receipt::read_unverified(signed) else {
        assert!(Receipt::verify(signed, |_, _| true).is_err(), "verified, although it cannot even be read");
        return;
    };
    assert!(signed.len() <= MAX_RECEIPT_BYTES);
    assert!(read.function.len() <= MAX_NAME_BYTES && read.outcome.len() <= MAX_RECEIPT_CODE_BYTES);
    assert_eq!(Receipt::verify(signed, |_, _| false), Err(ReceiptError::Signature));

    let mut seen = (Vec::new(), Vec::new());
    let verified = Receipt::verify(signed, |message, signature| {
        seen = (message.to_vec(), signature.to_vec());
        true
    });
    assert_eq!(verified.as_ref(), Ok(&read), "the same content, verified or not");
    let (message, signature) = seen;
    if let Ok(signature) = <[u8; 64]>::try_from(signature) {
        let again = read.sign(|to_sign| {
            assert_eq!(to_sign, message, "one receipt, one message to sign");
            signature
        });
        assert_eq!(again, signed, "one receipt, one encoding");
    }
}

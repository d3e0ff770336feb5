//! What comes back from AWS KMS, and what lies in the parent's slot beside it. The first byte says which.
#![no_main]

use libfuzzer_sys::fuzz_target;
use r3e_keys::kms::{EnvelopedData, SealedRoot};
use r3e_keys::limits::{MAX_CMS_BYTES, MAX_KMS_SLOT_BYTES};

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    if kind & 1 == 0 {
        let Ok(read) = EnvelopedData::parse(bytes) else { return };
        assert!(bytes.len() <= MAX_CMS_BYTES);
        // Nothing is made up: what was read stands in the input, the content in pieces.
        assert!(read.encrypted_key.len() + read.content.len() + read.iv.len() < bytes.len());
        assert!(bytes.windows(read.iv.len()).any(|window| window == read.iv));
    } else {
        let Ok(slot) = SealedRoot::decode(bytes) else { return };
        assert!(bytes.len() <= MAX_KMS_SLOT_BYTES);
        assert_eq!(slot.encode(), bytes, "one slot, one encoding");
    }
});

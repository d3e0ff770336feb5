//! The reader of `CiphertextForRecipient` against answers of the real service.

use r3e_keys::kms::{CmsError, EnvelopedData};

const REAL: [&[u8]; 4] = [
    include_bytes!("../vectors/kms/kms_ciphertext_for_recipient_1.ber"),
    include_bytes!("../vectors/kms/kms_ciphertext_for_recipient_2.ber"),
    include_bytes!("../vectors/kms/kms_ciphertext_for_recipient_3.ber"),
    include_bytes!("../vectors/kms/kms_ciphertext_for_recipient_4.ber"),
];

#[test]
fn answers_of_the_real_service_are_read() {
    // In one segment, in one again, as a primitive string, in five segments.
    let content_bytes = [16, 48, 16, 4_112];
    for (bytes, expected) in REAL.iter().zip(content_bytes) {
        let read = EnvelopedData::parse(bytes).unwrap();
        assert_eq!((read.encrypted_key.len(), read.content.len()), (256, expected));
    }
    let second = EnvelopedData::parse(REAL[1]).unwrap();
    assert_eq!(second.encrypted_key, REAL[1][131..387]);
    assert_eq!(second.iv, REAL[1][415..431]);
    assert_eq!(second.content, REAL[1][435..483]);
    let fourth = EnvelopedData::parse(REAL[3]).unwrap();
    assert_eq!(fourth.content[..1_000], REAL[3][437..1_437]);
    assert_eq!(fourth.content[4_000..], REAL[3][4_451..4_563]);
}

#[test]
fn cut_or_longer_they_are_refused() {
    for bytes in REAL {
        for cut in 0..bytes.len() {
            assert!(EnvelopedData::parse(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let longer = [bytes, &[0]].concat();
        assert!(matches!(EnvelopedData::parse(&longer), Err(CmsError::Form(_))));
        let huge = [bytes, &vec![0; 64 * 1024]].concat();
        assert!(matches!(EnvelopedData::parse(&huge), Err(CmsError::TooLarge { .. })));
    }
}

#[test]
fn of_any_other_form_or_algorithm_they_are_refused() {
    let bytes = REAL[1];
    // Each byte that says what something is, and not what it holds.
    let structure = (0..31).chain([31, 32]).chain(65..131).chain(387..415).chain(431..435).chain(483..493);
    for at in structure {
        for bit in 0..8 {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << bit;
            assert!(EnvelopedData::parse(&changed).is_err(), "byte {at}, bit {bit}");
        }
    }
    let mut other = bytes.to_vec();
    // The last byte of AES-256-CBC's identifier, made AES-192-CBC's.
    other[412] = 0x16;
    let refused = EnvelopedData::parse(&other);
    assert_eq!(refused, Err(CmsError::Algorithm { what: "the content", expected: "AES-256-CBC" }));
    let mut other = bytes.to_vec();
    other[77] = 0x01;
    let refused = EnvelopedData::parse(&other);
    assert_eq!(refused, Err(CmsError::Algorithm { what: "the content's key", expected: "RSAES-OAEP" }));
}

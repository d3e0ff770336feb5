//! Signatures: made, measured, and every way to have one that is not the image's.
#![expect(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

mod support;

use r3e_eif_format::{Image, ImageSignature, SignatureError, SigningCertificate, SigningKey};
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ED25519};
use support::{APPLICATION, BOOT, SIGNED, identity, identity_of, signing_key};

fn image() -> Image<'static> {
    Image::new(b"a kernel", "a command line", b"{}", &[BOOT, APPLICATION])
}

#[test]
fn a_signed_image_measures_its_certificate() {
    let key = signing_key();
    let mut image = image();
    let unsigned = image.measure().unwrap();
    image.sign(&key).unwrap();
    let bytes = image.encode().unwrap();
    let signed = Image::decode(&bytes).unwrap().measure().unwrap();
    assert_eq!(signed.pcr8, Some(key.certificate().pcr8()));
    assert_eq!((signed.pcr0, signed.pcr1, signed.pcr2), (unsigned.pcr0, unsigned.pcr1, unsigned.pcr2));
}

#[test]
fn signing_again_replaces_the_signature() {
    let (first, second) = (signing_key(), signing_key());
    let mut image = image();
    image.sign(&first).unwrap();
    image.sign(&second).unwrap();
    assert_eq!(image.measure().unwrap().pcr8, Some(second.certificate().pcr8()));
    assert_eq!(image.sections().len(), 6);
}

#[test]
fn a_signature_of_another_image_is_refused() {
    let mut donor = image();
    donor.sign(&signing_key()).unwrap();
    let mut other = image();
    other.command_line = b"another command line";
    other.signature_section = donor.signature_section;
    assert_eq!(other.measure(), Err(SignatureError::OtherImage));
    // The measurements that need no signature are still to be had.
    assert_eq!(other.measure_unsigned().pcr8, None);
}

#[test]
fn a_certificate_pasted_over_a_signature_is_refused() {
    let (mut mine, mut theirs) = (image(), image());
    mine.sign(&signing_key()).unwrap();
    theirs.sign(&signing_key()).unwrap();
    let mine = mine.signature_section.unwrap().into_owned();
    let theirs = theirs.signature_section.unwrap().into_owned();
    // The COSE_Sign1 behind its name, and the certificate before it.
    let cut = |section: &[u8]| {
        let name = b"\x69signature\x98";
        section.windows(name.len()).position(|window| window == name).unwrap()
    };
    let forged = [&theirs[..cut(&theirs)], &mine[cut(&mine)..]].concat();
    assert!(ImageSignature::decode(&forged).is_ok(), "well-formed, but a lie");
    let mut image = image();
    image.signature_section = Some(forged.into());
    assert_eq!(image.measure(), Err(SignatureError::Invalid));
}

#[test]
fn a_changed_bit_of_the_section_is_refused() {
    let image = Image::decode(SIGNED).unwrap();
    let section = image.signature_section.clone().unwrap().into_owned();
    let genuine = image.measure().unwrap();
    for at in 0..section.len() {
        for bit in 0..8 {
            let mut changed = section.clone();
            changed[at] ^= 1 << bit;
            let mut image = image.clone();
            image.signature_section = Some(changed.into());
            // A certificate may be changed in a part that its issuer alone vouches for; then PCR8 is another.
            if let Ok(measured) = image.measure() {
                assert_ne!(measured.pcr8, genuine.pcr8, "bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn a_section_truncated_or_prolonged_is_refused() {
    let image = Image::decode(SIGNED).unwrap();
    let section = image.signature_section.as_deref().unwrap();
    for len in 0..section.len() {
        assert!(ImageSignature::decode(&section[..len]).is_err(), "{len}");
    }
    assert!(ImageSignature::decode(&[section, &[0]].concat()).is_err());
    assert!(ImageSignature::decode(&vec![0x81; 1 << 20]).is_err(), "deep nesting");
    for head in [&[0x9f][..], &[0x9b, 255, 255, 255, 255, 255, 255, 255, 255], &[0x9a, 255, 255, 255, 255]] {
        assert!(ImageSignature::decode(&[head, &section[1..]].concat()).is_err());
    }
    // Two signatures; one in a longer form of its length; a tag around all.
    assert!(ImageSignature::decode(&[&[0x82], &section[1..], &section[1..]].concat()).is_err());
    assert!(ImageSignature::decode(&[&[0x98, 0x01], &section[1..]].concat()).is_err());
    assert!(ImageSignature::decode(&[&[0xd2], section].concat()).is_err());
}

#[test]
fn keys_come_as_pkcs8_or_sec1() {
    let (key, certificate) = identity();
    let sec1 = sec1_from_pkcs8(&key);
    for key in [key.clone(), sec1.clone(), format!("{PARAMETERS}{sec1}"), key.replace('\n', "\r\n")] {
        let key = SigningKey::from_pem(key.as_bytes(), certificate.as_bytes()).unwrap();
        let mut image = image();
        image.sign(&key).unwrap();
        assert!(image.measure().unwrap().pcr8.is_some());
    }
}

/// What `openssl ecparam -genkey` writes before the key.
const PARAMETERS: &str = "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n";

/// The `ECPrivateKey` within the `PrivateKeyInfo`: the octet string at its end.
fn sec1_from_pkcs8(pem: &str) -> String {
    use x509_cert::der::pem::{LineEnding, decode_vec, encode_string};
    let (_, pkcs8) = decode_vec(pem.as_bytes()).unwrap();
    let start = pkcs8.windows(3).position(|window| window == [0x02, 0x01, 0x01]).unwrap() - 3;
    assert_eq!(pkcs8[start], 0x30);
    encode_string("EC PRIVATE KEY", LineEnding::LF, &pkcs8[start..]).unwrap()
}

/// The private key itself: the octet string of 48 bytes behind the version of the `ECPrivateKey`.
fn private_scalar(pem: &str) -> Vec<u8> {
    let (_, pkcs8) = x509_cert::der::pem::decode_vec(pem.as_bytes()).unwrap();
    let head = [0x02, 0x01, 0x01, 0x04, 0x30];
    let start = pkcs8.windows(5).position(|window| window == head).unwrap() + head.len();
    pkcs8[start..start + 48].to_vec()
}

#[test]
fn keys_that_cannot_sign_are_refused_and_not_shown() {
    let (key, certificate) = identity();
    let (_, other_certificate) = identity();
    let (p256_key, p256_certificate) = identity_of(&PKCS_ECDSA_P256_SHA256);
    let (_, ed25519_certificate) = identity_of(&PKCS_ED25519);
    let refused = |key: &str, certificate: &str| {
        SigningKey::from_pem(key.as_bytes(), certificate.as_bytes()).expect_err("a pair that cannot sign")
    };
    assert_eq!(refused(&key, &other_certificate), SignatureError::KeyMismatch);
    assert_eq!(refused(&p256_key, &p256_certificate), SignatureError::Algorithm);
    assert_eq!(refused(&key, &ed25519_certificate), SignatureError::Algorithm);
    assert!(matches!(refused(&p256_key, &certificate), SignatureError::PrivateKey { .. }));
    assert!(matches!(refused(&certificate, &certificate), SignatureError::PrivateKey { .. }));
    assert!(matches!(refused(&key, &key), SignatureError::Certificate { .. }));
    assert!(matches!(refused("", &certificate), SignatureError::PrivateKey { .. }));
    let encrypted = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let SignatureError::PrivateKey { what } = refused(&encrypted, &certificate) else { unreachable!() };
    assert!(what.contains("encrypted"));
    let cut = &key[..key.len() / 2];
    let shown = refused(cut, &certificate).to_string();
    assert!(!shown.contains(&key[40..60]), "{shown}");
    let pair = SigningKey::from_pem(key.as_bytes(), certificate.as_bytes()).unwrap();
    let scalar = format!("{:?}", private_scalar(&key));
    assert!(!format!("{pair:?}").contains(scalar.trim_matches(['[', ']'])), "the key is shown");
}

#[test]
fn certificates_that_could_be_read_in_two_ways_are_refused() {
    let (_, certificate) = identity();
    let (_, other) = identity();
    let read = |text: &str| SigningCertificate::from_pem(text.as_bytes());
    assert_eq!(read(&certificate).unwrap().to_pem(), certificate);
    assert!(read(&format!("{certificate}{other}")).is_err());
    assert!(read(&certificate.replace("CERTIFICATE", "TRUSTED CERTIFICATE")).is_err());
    let der = read(&certificate).unwrap().der().to_vec();
    assert!(SigningCertificate::from_der([der.as_slice(), &[0]].concat()).is_err());
    // The outer length in a longer form than DER has.
    assert_eq!(der[..2], [0x30, 0x82]);
    let long = [&[0x30, 0x83, 0], &der[2..]].concat();
    assert!(SigningCertificate::from_der(long).is_err());
    assert!(SigningCertificate::from_der(vec![0; 5000]).is_err());
}

#[test]
fn a_section_takes_canonical_pem_alone() {
    let image = Image::decode(SIGNED).unwrap();
    let section = image.signature_section.as_deref().unwrap();
    // The certificate's array: the name, the head 99 hh ll, and an integer for each character.
    let name = b"\x73signing_certificate";
    let start = section.windows(name.len()).position(|window| window == name).unwrap() + name.len();
    let pem = image.signature().unwrap().unwrap().certificate().to_pem();
    let with = |text: &str| {
        let len = u16::try_from(text.len()).unwrap().to_be_bytes();
        let integers = text.bytes().flat_map(|byte| match byte {
            0..24 => vec![byte],
            _ => vec![0x18, byte],
        });
        let behind = section.windows(11).position(|window| window == b"\x69signature\x98").unwrap();
        let mut out = section[..start].to_vec();
        out.extend([0x99, len[0], len[1]]);
        out.extend(integers);
        out.extend(&section[behind..]);
        out
    };
    assert_eq!(with(&pem), section);
    let (_, other) = identity();
    for text in [
        format!("a comment\n{pem}"),
        format!("{pem}\n"),
        pem.trim_end().to_owned(),
        pem.replace('\n', "\r\n"),
        format!("{pem}{other}"),
    ] {
        assert!(
            matches!(ImageSignature::decode(&with(&text)), Err(SignatureError::Certificate { .. })),
            "{text}"
        );
    }
}

#[test]
fn certificates_say_who_they_are() {
    let signature = Image::decode(SIGNED).unwrap().signature().unwrap().unwrap();
    let summary = signature.certificate().summary().unwrap();
    assert_eq!(summary.subject, "CN=image signer of a test");
    assert!(summary.not_before.starts_with("20") && summary.not_after.starts_with("21"), "{summary:?}");
}

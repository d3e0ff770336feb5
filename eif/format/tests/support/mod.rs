//! Parts of images, and an identity to sign with.
#![allow(dead_code, reason = "each test program uses some of these")]
#![allow(clippy::unwrap_used, reason = "in a helper of a test, too, a failed unwrap is a failed test")]

use r3e_eif_format::SigningKey;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P384_SHA384, SignatureAlgorithm};

pub(crate) const BOOT: &[u8] = include_bytes!("../../vectors/boot.cpio");
pub(crate) const APPLICATION: &[u8] = include_bytes!("../../vectors/application.cpio");
pub(crate) const TWO_RAMDISKS: &[u8] = include_bytes!("../../vectors/two-ramdisks.eif");
pub(crate) const SIGNED: &[u8] = include_bytes!("../../vectors/signed.eif");

/// The fields of the file's header, by their place.
pub(crate) const FLAGS_AT: usize = 6;
pub(crate) const COUNT_AT: usize = 26;
pub(crate) const OFFSETS_AT: usize = 28;
pub(crate) const SIZES_AT: usize = OFFSETS_AT + 32 * 8;
pub(crate) const CHECKSUM_AT: usize = 544;
pub(crate) const HEADER_BYTES: usize = 548;

/// A new key and its certificate, both in PEM.
pub(crate) fn identity_of(algorithm: &'static SignatureAlgorithm) -> (String, String) {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    (key.serialize_pem(), canonical(&certificate.pem()))
}

pub(crate) fn identity() -> (String, String) {
    identity_of(&PKCS_ECDSA_P384_SHA384)
}

pub(crate) fn signing_key() -> SigningKey {
    let (key, certificate) = identity();
    SigningKey::from_pem(key.as_bytes(), certificate.as_bytes()).unwrap()
}

fn canonical(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}

/// The image with a checksum that fits again.
pub(crate) fn with_checksum(mut image: Vec<u8>) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&image[..CHECKSUM_AT]);
    hasher.update(&image[HEADER_BYTES..]);
    image[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&hasher.finalize().to_be_bytes());
    image
}

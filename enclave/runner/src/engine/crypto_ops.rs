//! Hashes, message authentication, key derivation and AES-GCM for `crypto.subtle`. Every key is the function's own.
//!
//! By the implementations of `RustCrypto`: they make no system call. aws-lc, which the enclave process uses, looks for a
//! device file before its first random byte, for which the box ends the process.
//!
//! Ops that may refuse give an empty buffer, which none of them gives otherwise.

use aes_gcm::aead::{AeadInOut, KeyInit, consts};
use aes_gcm::aes::{Aes128, Aes192, Aes256};
use aes_gcm::{AesGcm, Nonce};
use deno_core::op2;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha384, Sha512};

/// A hash, by the name that the web has for it.
#[derive(Clone, Copy)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// Nothing for any other name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "SHA-1" => Self::Sha1,
            "SHA-256" => Self::Sha256,
            "SHA-384" => Self::Sha384,
            "SHA-512" => Self::Sha512,
            _ => return None,
        })
    }

    /// The hash of some data.
    pub(super) fn of(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha384 => Sha384::digest(data).to_vec(),
            Self::Sha512 => Sha512::digest(data).to_vec(),
        }
    }
}

#[op2]
#[buffer]
pub(super) fn op_r3e_digest(#[string] hash: &str, #[buffer] data: &[u8]) -> Vec<u8> {
    Hash::named(hash).map(|hash| hash.of(data)).unwrap_or_default()
}

/// Whether two buffers hold the same bytes, in a time that depends on their lengths alone.
#[op2(fast)]
pub(super) fn op_r3e_equal(#[buffer] first: &[u8], #[buffer] second: &[u8]) -> bool {
    equal(first, second)
}

fn equal(first: &[u8], second: &[u8]) -> bool {
    let differing = first.iter().zip(second).fold(0, |differing, (a, b)| differing | (a ^ b));
    first.len() == second.len() && std::hint::black_box(differing) == 0
}

#[op2]
#[buffer]
pub(super) fn op_r3e_hmac(#[string] hash: &str, #[buffer] key: &[u8], #[buffer] data: &[u8]) -> Vec<u8> {
    macro_rules! hmac {
        ($hash:ty) => {
            Hmac::<$hash>::new_from_slice(key)
                .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec())
                .unwrap_or_default()
        };
    }
    match Hash::named(hash) {
        Some(Hash::Sha1) => hmac!(Sha1),
        Some(Hash::Sha256) => hmac!(Sha256),
        Some(Hash::Sha384) => hmac!(Sha384),
        Some(Hash::Sha512) => hmac!(Sha512),
        None => Vec::new(),
    }
}

/// RFC 5869. Empty for more than 255 blocks.
#[op2]
#[buffer]
pub(super) fn op_r3e_hkdf(
    #[string] hash: &str,
    #[buffer] key: &[u8],
    #[buffer] salt: &[u8],
    #[buffer] info: &[u8],
    #[smi] bytes: u32,
) -> Vec<u8> {
    let mut made = vec![0; bytes as usize];
    let filled = match Hash::named(hash) {
        Some(Hash::Sha1) => Hkdf::<Sha1>::new(Some(salt), key).expand(info, &mut made),
        Some(Hash::Sha256) => Hkdf::<Sha256>::new(Some(salt), key).expand(info, &mut made),
        Some(Hash::Sha384) => Hkdf::<Sha384>::new(Some(salt), key).expand(info, &mut made),
        Some(Hash::Sha512) => Hkdf::<Sha512>::new(Some(salt), key).expand(info, &mut made),
        None => return Vec::new(),
    };
    if filled.is_err() {
        made.clear();
    }
    made
}

/// RFC 8018, section 5.2. However many rounds: the process's time is what ends them.
#[op2]
#[buffer]
pub(super) fn op_r3e_pbkdf2(
    #[string] hash: &str,
    #[buffer] password: &[u8],
    #[buffer] salt: &[u8],
    #[smi] rounds: u32,
    #[smi] bytes: u32,
) -> Vec<u8> {
    let mut made = vec![0; bytes as usize];
    match Hash::named(hash) {
        Some(Hash::Sha1) => pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut made),
        Some(Hash::Sha256) => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut made),
        Some(Hash::Sha384) => pbkdf2::pbkdf2_hmac::<Sha384>(password, salt, rounds, &mut made),
        Some(Hash::Sha512) => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut made),
        None => made.clear(),
    }
    made
}

/// The ciphertext and its tag, cut to `tag_bytes`. Empty where the lengths are not AES-GCM's.
#[op2]
#[buffer]
pub(super) fn op_r3e_aes_gcm_seal(
    #[buffer] key: &[u8],
    #[buffer] iv: &[u8],
    #[buffer] aad: &[u8],
    #[smi] tag_bytes: u32,
    #[buffer] data: &[u8],
) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(data.len() + FULL_TAG_BYTES);
    sealed.extend_from_slice(data);
    match transform(key, iv, aad, &mut sealed) {
        Some(tag) => sealed.extend(tag.into_iter().take(tag_bytes as usize)),
        None => sealed.clear(),
    }
    sealed
}

/// Fills `opened`, which is as long as the ciphertext, where the tag at the end of `data` is right.
#[op2(fast)]
pub(super) fn op_r3e_aes_gcm_open(
    #[buffer] key: &[u8],
    #[buffer] iv: &[u8],
    #[buffer] aad: &[u8],
    #[smi] tag_bytes: u32,
    #[buffer] data: &[u8],
    #[buffer] opened: &mut [u8],
) -> bool {
    let split = data.len().checked_sub(tag_bytes as usize).and_then(|at| data.split_at_checked(at));
    let Some((ciphertext, tag)) = split else { return false };
    if tag_bytes == 0 || opened.len() != ciphertext.len() {
        return false;
    }
    // The mode adds one key stream both ways, and the tag is over the ciphertext. So: once for the plaintext, and
    // once more, forwards, for the tag that it must have had, of which a short one is the beginning.
    let mut plaintext = ciphertext.to_vec();
    if transform(key, iv, aad, &mut plaintext).is_none() {
        return false;
    }
    let mut again = plaintext.clone();
    let expected = transform(key, iv, aad, &mut again).unwrap_or_default();
    let right = expected.get(..tag.len()).is_some_and(|expected| equal(expected, tag));
    if right {
        opened.copy_from_slice(&plaintext);
    }
    right
}

const FULL_TAG_BYTES: usize = 16;

/// Encrypts in place and gives the whole tag.
fn transform(key: &[u8], iv: &[u8], aad: &[u8], data: &mut [u8]) -> Option<[u8; FULL_TAG_BYTES]> {
    macro_rules! with {
        ($aes:ty, $nonce:ty) => {{
            let cipher = AesGcm::<$aes, $nonce>::new_from_slice(key).ok()?;
            let nonce = Nonce::<$nonce>::try_from(iv).ok()?;
            cipher.encrypt_inout_detached(&nonce, aad, data.into()).ok().map(Into::into)
        }};
    }
    match (key.len(), iv.len()) {
        (16, 12) => with!(Aes128, consts::U12),
        (24, 12) => with!(Aes192, consts::U12),
        (32, 12) => with!(Aes256, consts::U12),
        (16, 16) => with!(Aes128, consts::U16),
        (24, 16) => with!(Aes192, consts::U16),
        (32, 16) => with!(Aes256, consts::U16),
        _ => None,
    }
}

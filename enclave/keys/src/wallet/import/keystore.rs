//! Web3 Secret Storage, version 3: AES-128-CTR under the first half of what the password gives, and a Keccak MAC over the
//! second half and the ciphertext. Members beside `crypto` that say nothing of the key are passed over, as every reader of
//! the format does; within `crypto` nothing is.

use aws_lc_rs::cipher::{AES_128, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::iv::FixedLength;
use r3e_proto::api::wallets::{KeyType, keccak256};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::ImportError;
use super::kdf::{Scrypt, pbkdf2_sha256};
use crate::KeyError;
use crate::limits::MAX_SALT_BYTES;
use crate::wallet::WalletSecret;

/// What the format derives: a key of 16 bytes, and as many for the MAC.
const DERIVED_BYTES: usize = 32;

#[derive(Deserialize)]
struct File<'a> {
    version: u32,
    /// 40 hex digits, with or without `0x`; some writers leave it out for privacy.
    address: Option<&'a str>,
    #[serde(borrow, alias = "Crypto")]
    crypto: Crypto<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Crypto<'a> {
    cipher: &'a str,
    #[serde(borrow)]
    cipherparams: CipherParams<'a>,
    ciphertext: &'a str,
    kdf: &'a str,
    #[serde(borrow)]
    kdfparams: KdfParams<'a>,
    mac: &'a str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CipherParams<'a> {
    iv: &'a str,
}

/// The parameters of both derivations; `kdf` says which ones there must be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KdfParams<'a> {
    dklen: usize,
    salt: &'a str,
    n: Option<u64>,
    r: Option<u32>,
    p: Option<u32>,
    c: Option<u32>,
    prf: Option<&'a str>,
}

/// The key in the file.
pub(super) fn open(json: &str, password: &[u8]) -> Result<WalletSecret, ImportError> {
    let file: File<'_> = serde_json::from_str(json)?;
    if file.version != 3 {
        return Err(ImportError::Version);
    }
    let crypto = &file.crypto;
    if crypto.cipher != "aes-128-ctr" {
        return Err(ImportError::Algorithm { what: "cipher" });
    }
    let mut ciphertext = [0; 32];
    let mut iv = [0; 16];
    let mut mac = [0; 32];
    fixed("ciphertext", crypto.ciphertext, &mut ciphertext)?;
    fixed("iv", crypto.cipherparams.iv, &mut iv)?;
    fixed("mac", crypto.mac, &mut mac)?;
    let derived = derive(crypto, password)?;
    let (key, mac_key) = derived.split_at(DERIVED_BYTES / 2);
    verify_slices_are_equal(&keccak256(&[mac_key, &ciphertext]), &mac).map_err(|_| ImportError::Password)?;
    let mut scalar = Box::new(Zeroizing::new(ciphertext));
    decrypt(key, iv, scalar.as_mut_slice())?;
    let secret = WalletSecret::checked(KeyType::Secp256k1, scalar).ok_or(ImportError::Range)?;
    if let Some(address) = file.address {
        let digits = address.strip_prefix("0x").unwrap_or(address);
        let own = secret.key()?;
        if !own.address().trim_start_matches("0x").eq_ignore_ascii_case(digits) {
            return Err(ImportError::Address);
        }
    }
    Ok(secret)
}

fn derive(crypto: &Crypto<'_>, password: &[u8]) -> Result<Box<Zeroizing<[u8; DERIVED_BYTES]>>, ImportError> {
    let params = &crypto.kdfparams;
    if params.dklen != DERIVED_BYTES {
        return Err(ImportError::Algorithm { what: "dklen" });
    }
    if params.salt.len() > 2 * MAX_SALT_BYTES {
        return Err(ImportError::TooLong { what: "the salt", max: MAX_SALT_BYTES });
    }
    let salt = hex::decode(params.salt).map_err(|_| ImportError::Algorithm { what: "salt" })?;
    match (crypto.kdf, params) {
        ("scrypt", KdfParams { n: Some(n), r: Some(r), p: Some(p), c: None, prf: None, .. }) => {
            Scrypt { n: *n, r: *r, p: *p }.derive(password, &salt)
        }
        ("pbkdf2", KdfParams { c: Some(c), prf: Some("hmac-sha256"), n: None, r: None, p: None, .. }) => {
            pbkdf2_sha256(password, &salt, *c)
        }
        _ => Err(ImportError::Algorithm { what: "kdf and its parameters" }),
    }
}

fn fixed(what: &'static str, text: &str, out: &mut [u8]) -> Result<(), ImportError> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, out).map_err(|_| ImportError::Algorithm { what })
}

fn decrypt(key: &[u8], iv: [u8; 16], in_out: &mut [u8]) -> Result<(), KeyError> {
    let refused = |_| KeyError::Library { operation: "decrypt with AES-128" };
    let key = DecryptingKey::ctr(UnboundCipherKey::new(&AES_128, key).map_err(refused)?).map_err(refused)?;
    let context = DecryptionContext::Iv128(FixedLength::from(iv));
    key.decrypt(in_out, context).map(|_| ()).map_err(refused)
}

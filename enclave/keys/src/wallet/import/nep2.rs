//! NEP-2: a private key under a password. AES-256-ECB over the key and half of scrypt's output, under the other half;
//! the salt is the beginning of the address's hash, so that the password is checked by the address of what comes out.
//! Here the address is Neo N3's: keys that were encrypted for Neo Legacy have another one, and are refused.

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use r3e_proto::api::wallets::KeyType;
use zeroize::Zeroizing;

use super::ImportError;
use super::kdf::Scrypt;
use crate::KeyError;
use crate::wallet::{WalletSecret, base58check};

/// Three bytes that say what it is, four of the address's hash, and the key.
const NEP2_BYTES: usize = 39;
const HEAD: [u8; 3] = [0x01, 0x42, 0xe0];

/// The key in `text`.
pub(super) fn open(text: &str, password: &[u8], scrypt: &Scrypt) -> Result<WalletSecret, ImportError> {
    let bytes = base58check::decode::<NEP2_BYTES>(text).ok_or(ImportError::Nep2)?;
    let (head, rest) = bytes.split_at(HEAD.len());
    let (salt, encrypted) = rest.split_at(4);
    if head != HEAD {
        return Err(ImportError::Nep2);
    }
    let derived = scrypt.derive::<64>(password, salt)?;
    let (mask, key) = derived.split_at(32);
    let mut scalar = Box::new(Zeroizing::new([0; 32]));
    scalar.copy_from_slice(encrypted);
    decrypt(key, scalar.as_mut_slice())?;
    for (byte, mask) in scalar.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    // A wrong password gives any number, most of which are keys, but of another address.
    let secret = WalletSecret::checked(KeyType::Secp256r1, scalar).ok_or(ImportError::Password)?;
    let found = base58check::checksum(secret.key()?.address().as_bytes());
    verify_slices_are_equal(&found, salt).map_err(|_| ImportError::Password)?;
    Ok(secret)
}

fn decrypt(key: &[u8], in_out: &mut [u8]) -> Result<(), KeyError> {
    let refused = |_| KeyError::Library { operation: "decrypt with AES-256" };
    let key = DecryptingKey::ecb(UnboundCipherKey::new(&AES_256, key).map_err(refused)?).map_err(refused)?;
    key.decrypt(in_out, DecryptionContext::None).map(|_| ()).map_err(refused)
}

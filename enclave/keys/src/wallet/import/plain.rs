//! Keys without a password.

use r3e_proto::api::wallets::KeyType;
use zeroize::Zeroizing;

use super::ImportError;
use crate::wallet::{WalletSecret, base58check};

/// Version, key, and the mark of a compressed public key.
const WIF_BYTES: usize = 34;
const WIF_VERSION: u8 = 0x80;
const WIF_COMPRESSED: u8 = 1;

/// 64 hex digits.
pub(super) fn hex(key_type: KeyType, text: &str) -> Result<WalletSecret, ImportError> {
    let mut bytes = Box::new(Zeroizing::new([0; 32]));
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode_to_slice(digits, bytes.as_mut_slice()).map_err(|_| ImportError::Hex)?;
    WalletSecret::checked(key_type, bytes).ok_or(ImportError::Range)
}

/// Neo's wallet import format.
pub(super) fn wif(text: &str) -> Result<WalletSecret, ImportError> {
    let bytes = base58check::decode::<WIF_BYTES>(text).ok_or(ImportError::Wif)?;
    let [WIF_VERSION, key @ .., WIF_COMPRESSED] = bytes.as_slice() else { return Err(ImportError::Wif) };
    let mut scalar = Box::new(Zeroizing::new([0; 32]));
    scalar.copy_from_slice(key);
    WalletSecret::checked(KeyType::Secp256r1, scalar).ok_or(ImportError::Range)
}

//! Keys that were made elsewhere: hexadecimal, WIF, NEP-2, NEP-6, keystore version 3.
//!
//! Each is read whole before any password is tried, bounded in size and in the work that its password costs; and what
//! comes out is compared with what the file says of it (a checksum, an address, a MAC), so that a changed file or a wrong
//! password never gives a key.

mod error;
mod kdf;
mod keystore;
mod nep2;
mod nep6;
mod plain;

pub use error::ImportError;

use r3e_proto::api::wallets::{ImportFormat, KeyType};

use super::WalletSecret;
use crate::limits::{MAX_IMPORT_BYTES, MAX_PASSWORD_BYTES};

/// What is imported.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    /// The type of the key.
    pub key_type: KeyType,
    /// The form of `secret`.
    pub format: ImportFormat,
    /// The key, or the file's text.
    pub secret: &'a str,
    /// The password, for the formats that have one.
    pub password: Option<&'a str>,
    /// Which account of a NEP-6 wallet.
    pub account: Option<&'a str>,
}

/// Reads a key. This takes up to a second of one processor and [`crate::limits::MAX_SCRYPT_MEMORY_BYTES`] of memory where
/// there is a password: not for an asynchronous task, and not for many at once.
///
/// # Errors
/// [`ImportError`]: what is wrong with the file, the password, or the account.
pub fn import(from: &Import<'_>) -> Result<WalletSecret, ImportError> {
    let holds = match from.format {
        ImportFormat::Hex => true,
        ImportFormat::Wif | ImportFormat::Nep2 | ImportFormat::Nep6 => from.key_type == KeyType::Secp256r1,
        ImportFormat::Keystore => from.key_type == KeyType::Secp256k1,
    };
    if !holds {
        return Err(ImportError::KeyType { key_type: from.key_type });
    }
    if from.secret.len() > MAX_IMPORT_BYTES {
        return Err(ImportError::TooLong { what: "the key or its file", max: MAX_IMPORT_BYTES });
    }
    if from.account.is_some() && from.format != ImportFormat::Nep6 {
        return Err(ImportError::AccountOfNone);
    }
    match from.format {
        ImportFormat::Hex => no_password(from).and_then(|()| plain::hex(from.key_type, from.secret)),
        ImportFormat::Wif => no_password(from).and_then(|()| plain::wif(from.secret)),
        ImportFormat::Nep2 => nep2::open(from.secret, password(from)?, &kdf::Scrypt::NEP2),
        ImportFormat::Nep6 => nep6::open(from.secret, password(from)?, from.account),
        ImportFormat::Keystore => keystore::open(from.secret, password(from)?),
    }
}

fn password<'a>(from: &Import<'a>) -> Result<&'a [u8], ImportError> {
    let password = from.password.ok_or(ImportError::NoPassword)?;
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(ImportError::TooLong { what: "the password", max: MAX_PASSWORD_BYTES });
    }
    Ok(password.as_bytes())
}

fn no_password(from: &Import<'_>) -> Result<(), ImportError> {
    if from.password.is_some() { Err(ImportError::PasswordOfNone) } else { Ok(()) }
}

#[cfg(test)]
mod tests;

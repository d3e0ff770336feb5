//! Addresses: `Base58Check` of a version and a script's hash.

use sha2::{Digest as _, Sha256};

use crate::hash::Hash160;

/// Neo N3's: addresses begin with N.
pub const ADDRESS_VERSION: u8 = 0x35;
const CHECKSUM_BYTES: usize = 4;
/// Version, hash and checksum.
const ADDRESS_BYTES: usize = 1 + 20 + CHECKSUM_BYTES;

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not Base58 of an address's length.
    #[error("this is no address: expected 34 characters of Base58")]
    Form,
    /// Its checksum does not hold.
    #[error("the address's checksum does not hold: a character of it is wrong")]
    Checksum,
    /// It is another network's.
    #[error("the address has version {version:#04x}; those of Neo N3 have {ADDRESS_VERSION:#04x}")]
    Version {
        /// The version it has.
        version: u8,
    },
}

/// The address of an account.
pub fn address(account: Hash160) -> String {
    let mut bytes = vec![ADDRESS_VERSION];
    bytes.extend_from_slice(&account.0);
    let sum = checksum(&bytes);
    bytes.extend_from_slice(&sum);
    bs58::encode(bytes).into_string()
}

/// The account of an address.
///
/// # Errors
/// [`AddressError`].
pub fn parse_address(text: &str) -> Result<Hash160, AddressError> {
    let mut bytes = [0; ADDRESS_BYTES];
    let length = bs58::decode(text).onto(&mut bytes).map_err(|_| AddressError::Form)?;
    let (payload, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(AddressError::Form)?;
    if length != ADDRESS_BYTES {
        return Err(AddressError::Form);
    }
    if checksum(payload) != *sum {
        return Err(AddressError::Checksum);
    }
    match payload {
        [ADDRESS_VERSION, account @ ..] => account.try_into().map(Hash160).map_err(|_| AddressError::Form),
        [version, ..] => Err(AddressError::Version { version: *version }),
        [] => Err(AddressError::Form),
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Sha256::digest(Sha256::digest(bytes));
    std::array::from_fn(|at| hash[at])
}

//! Messages, in forms that are no transaction of their chain.

use sha2::{Digest as _, Sha256};

use super::PayloadError;
use crate::api::wallets::keccak256;
use crate::limits::MAX_WALLET_MESSAGE_BYTES;

/// What Neo's wallets put before a message, so that it is no transaction: a node hashes a network's magic and the
/// transaction's hash, 36 bytes, and no network has the magic 0xF0010001 that these would be read as.
const NEO_BEFORE: [u8; 4] = [0x01, 0x00, 0x01, 0xf0];
/// What they put after it.
const NEO_AFTER: [u8; 2] = [0, 0];

/// EIP-191, version 0x45 (`personal_sign`).
pub(super) fn eip191(message: &[u8]) -> Result<[u8; 32], PayloadError> {
    checked(message)?;
    let head = format!("\x19Ethereum Signed Message:\n{}", message.len());
    Ok(keccak256(&[head.as_bytes(), message]))
}

/// SHA-256 over prefix, length, message and suffix, as Neo's wallets sign messages. A wallet that salts its messages puts
/// the salt's text before the message; so does who asks here.
pub(super) fn neo(message: &[u8]) -> Result<[u8; 32], PayloadError> {
    checked(message)?;
    let mut hash = Sha256::new();
    hash.update(NEO_BEFORE);
    hash.update(variable_length(message.len()));
    hash.update(message);
    hash.update(NEO_AFTER);
    Ok(hash.finalize().into())
}

/// A message that is not too long.
pub(super) fn checked(message: &[u8]) -> Result<(), PayloadError> {
    if message.len() > MAX_WALLET_MESSAGE_BYTES {
        return Err(PayloadError::TooLong { what: "a message, in bytes", max: MAX_WALLET_MESSAGE_BYTES });
    }
    Ok(())
}

/// Neo's variable-length number, little-endian. Messages are short enough for its first three forms.
fn variable_length(length: usize) -> Vec<u8> {
    let number = u32::try_from(length).unwrap_or(u32::MAX);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(byte @ 0..=0xfc), _) => vec![byte],
        (_, Ok(short)) => [&[0xfd], short.to_le_bytes().as_slice()].concat(),
        _ => [&[0xfe], number.to_le_bytes().as_slice()].concat(),
    }
}

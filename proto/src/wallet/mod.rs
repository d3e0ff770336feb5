//! What a wallet signs, computed from the fields of a [`Payload`]: by the appliance when it signs, by an approver before
//! they consent, by a client when it checks the answer.

pub mod approval;
mod export;
mod message;
mod neo;
pub mod rlp;
mod transaction;
mod typed_data;

pub use export::{EXPORT_DOMAIN, export_info};
pub use neo::{
    is_signed_neo_transaction, neo_account, neo_reading, neo_script, neo_transaction_hash,
    signed_neo_transaction,
};
pub use transaction::{created_contract, signed_transaction, transaction_hash};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::api::wallets::{KeyType, Payload};

/// Why a payload cannot be signed by any policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PayloadError {
    /// The key is of another kind.
    #[error("a {key_type} wallet signs no {kind}", key_type = key_type.as_str())]
    KeyType {
        /// The payload's kind.
        kind: &'static str,
        /// The wallet's key.
        key_type: KeyType,
    },
    /// Something is over its limit.
    #[error("{what}: at most {max}")]
    TooLong {
        /// What.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// EIP-155 has no chain 0: such a signature would hold on every chain. Nor has any network of Neo N3 this magic number.
    #[error("the chain has the number 0: such a signature could hold on every chain")]
    NoChain,
    /// EIP-1559: what goes to the producer is a part of the whole.
    #[error("max_priority_fee_per_gas is over max_fee_per_gas")]
    Priority,
    /// The highest fee, or value and fee together, cannot be written in 128 bits.
    #[error("value and highest fee together are 2^128 or more")]
    Overflow,
    /// It is none of its chain's.
    #[error("not of a transaction's form: {what}")]
    Form {
        /// What.
        what: &'static str,
    },
    /// Legacy transactions have no access list.
    #[error("a legacy transaction has no access_list")]
    AccessList,
}

/// The 32 bytes that a wallet with a key of this type signs for `payload`. An Ed25519 key signs the payload's bytes
/// themselves; for it, this is their SHA-256, by which approvals and the audit name them.
///
/// # Errors
/// [`PayloadError`].
pub fn digest(key_type: KeyType, payload: &Payload) -> Result<[u8; 32], PayloadError> {
    match (key_type, payload) {
        (KeyType::Secp256k1, Payload::EvmTransaction(transaction)) => transaction::signing_hash(transaction),
        (KeyType::Secp256k1, Payload::Message { bytes }) => message::eip191(&bytes.0),
        (KeyType::Secp256k1, Payload::TypedData(typed)) => typed_data::signing_hash(typed),
        (KeyType::Secp256r1, Payload::NeoTransaction(transaction)) => neo::signing_hash(transaction),
        (KeyType::Secp256r1, Payload::Message { bytes }) => message::neo(&bytes.0),
        (KeyType::Secp256k1 | KeyType::Secp256r1, Payload::Digest { digest }) => Ok(digest.0),
        (KeyType::Ed25519, Payload::Bytes { bytes }) => {
            message::checked(&bytes.0)?;
            Ok(Sha256::digest(&bytes.0).into())
        }
        _ => Err(PayloadError::KeyType { kind: payload.kind(), key_type }),
    }
}

#[cfg(test)]
mod tests;

//! Verifiable random numbers: what is asked for, and a number with what proves it.

use serde::{Deserialize, Serialize};

use super::identity::TenantId;
use super::wallets::{Hash32, HexBytes};

/// Asks for a number: the body of `POST /v1/random`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawRandom {
    /// The least that it may be.
    pub min: u64,
    /// The greatest, at most [`crate::random::MAX_NUMBER`].
    pub max: u64,
    /// What it is drawn for, 1 to [`crate::random::MAX_SEED_BYTES`] bytes of text: the same again gives the same.
    pub seed: String,
}

/// A random number, and what proves that it could be no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Random {
    /// The number.
    pub value: u64,
    /// The least that it could be.
    pub min: u64,
    /// The greatest.
    pub max: u64,
    /// What it was drawn for ([`crate::random::Occasion`]).
    pub message: HexBytes,
    /// What the function gives of the message, of which the number is made.
    pub output: Hash32,
    /// The proof, 81 bytes (RFC 9381, section 5.5).
    pub proof: HexBytes,
    /// The tenant's key: a compressed point of P-256.
    pub key: HexBytes,
    /// An attestation document that names the key, standard base64, where it is handed on with the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

/// The key that a tenant's random numbers are drawn with, with the evidence for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// A compressed point of P-256.
    pub key: HexBytes,
    /// An attestation document whose `user_data` names it, standard base64.
    pub document: String,
}

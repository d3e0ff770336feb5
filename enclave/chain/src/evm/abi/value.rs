//! Values of events.

use r3e_proto::api::wallets::{EvmAddress, Hash32};
use serde_json::json;

use r3e_neo::number::{Int256, Uint256};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number from 0 on.
    Uint(Uint256),
    /// A number.
    Int(Int256),
    /// An account or a contract.
    Address(EvmAddress),
    /// A truth value.
    Bool(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text. What is no UTF-8 comes as [`Value::Bytes`]: a contract may say anything.
    Text(String),
    /// Several of one type.
    Array(Vec<Value>),
    /// Several.
    Tuple(Vec<Value>),
    /// Of an indexed value that is longer than a topic, its hash.
    Hashed(Hash32),
}

impl Value {
    /// The value as a function gets it: numbers as decimal text, since JSON's are rounded by many readers, bytes as hexadecimal
    /// text behind `0x`.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Uint(number) => json!(number),
            Self::Int(number) => json!(number),
            Self::Address(address) => json!(address),
            Self::Bool(value) => json!(value),
            Self::Bytes(bytes) => json!(format!("0x{}", hex::encode(bytes))),
            Self::Text(text) => json!(text),
            Self::Array(values) | Self::Tuple(values) => values.iter().map(Self::to_json).collect(),
            Self::Hashed(hash) => json!({ "hash": hash }),
        }
    }
}

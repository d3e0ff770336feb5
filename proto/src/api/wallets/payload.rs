//! What a wallet is asked to sign: fields, not bytes, so that what the policy judges is what is signed.

use serde::{Deserialize, Deserializer, Serialize};

use super::neo::NeoTransaction;
use super::{EvmAddress, Hash32, HexBytes, Wei};

/// What to sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Payload {
    /// A transaction of Ethereum or a chain like it. secp256k1.
    EvmTransaction(EvmTransaction),
    /// A call of a contract of Neo N3. secp256r1.
    NeoTransaction(NeoTransaction),
    /// A message: EIP-191 version 0x45 for secp256k1, the form of Neo's wallets for secp256r1.
    Message {
        /// The message's bytes.
        bytes: HexBytes,
    },
    /// EIP-712 typed data. secp256k1.
    TypedData(TypedData),
    /// 32 bytes that are signed as they are, whatever they stand for. secp256k1, secp256r1.
    Digest {
        /// The bytes.
        digest: Hash32,
    },
    /// Bytes that are signed as they are, whatever they stand for. Ed25519.
    Bytes {
        /// The bytes.
        bytes: HexBytes,
    },
}

impl Payload {
    /// The kind's name in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::EvmTransaction(_) => "evm_transaction",
            Self::NeoTransaction(_) => "neo_transaction",
            Self::Message { .. } => "message",
            Self::TypedData(_) => "typed_data",
            Self::Digest { .. } => "digest",
            Self::Bytes { .. } => "bytes",
        }
    }
}

/// A transaction, legacy with EIP-155 or EIP-1559.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvmTransaction {
    /// The chain; 0 is none (EIP-155).
    pub chain_id: u64,
    /// The account's nonce.
    pub nonce: u64,
    /// The recipient; `null`, which must be written out, creates a contract.
    #[serde(deserialize_with = "present")]
    pub to: Option<EvmAddress>,
    /// What is sent along.
    #[serde(default)]
    pub value: Wei,
    /// The call's data, or the new contract's code.
    #[serde(default)]
    pub data: HexBytes,
    /// The most gas.
    pub gas_limit: u64,
    /// What a unit of gas may cost.
    pub fee: Fee,
    /// EIP-2930; with EIP-1559 fees alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access_list: Vec<AccessEntry>,
}

impl EvmTransaction {
    /// Bytes of data and access list: 20 of each account, 32 of each slot.
    pub fn data_bytes(&self) -> usize {
        let listed = |entry: &AccessEntry| entry.storage_keys.len().saturating_mul(32).saturating_add(20);
        let lists = self.access_list.iter().map(listed).fold(0, usize::saturating_add);
        self.data.0.len().saturating_add(lists)
    }

    /// The highest fee: all gas at the highest price. None where it is 2^128 or more.
    pub fn highest_fee(&self) -> Option<u128> {
        let price = match self.fee {
            Fee::Legacy { gas_price } => gas_price,
            Fee::Eip1559 { max_fee_per_gas, .. } => max_fee_per_gas,
        };
        u128::from(self.gas_limit).checked_mul(price.0)
    }
}

/// What a unit of gas may cost, and with it the transaction's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fee {
    /// A legacy transaction, protected by EIP-155.
    Legacy {
        /// Wei for a unit of gas.
        gas_price: Wei,
    },
    /// A transaction of type 2.
    Eip1559 {
        /// Wei for a unit of gas, at most.
        max_fee_per_gas: Wei,
        /// Of them, for the block's producer.
        max_priority_fee_per_gas: Wei,
    },
}

/// An account and slots of it that a transaction declares to touch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessEntry {
    /// The account.
    pub address: EvmAddress,
    /// Its slots.
    #[serde(default)]
    pub storage_keys: Vec<Hash32>,
}

/// EIP-712 typed data: the domain in its parts, and the hash of the struct, which the client computes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedData {
    /// The domain. The appliance computes its separator, so that the domain which the policy judges is the one signed for.
    pub domain: Eip712Domain,
    /// `hashStruct(message)`.
    pub struct_hash: Hash32,
}

/// EIP-712's domain. The standard lets a domain leave out any part; without chain and contract a signature would hold
/// anywhere, so these two are required.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Eip712Domain {
    /// `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// `chainId`.
    pub chain_id: u64,
    /// `verifyingContract`.
    pub verifying_contract: EvmAddress,
    /// `salt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Hash32>,
}

/// A value that may be `null`, but not left out.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<EvmAddress>, D::Error> {
    Option::deserialize(deserializer)
}

//! Anchors: what an appliance signs of its state for a chain, and what it knows to be there.

use serde::{Deserialize, Serialize};

use super::wallets::{EvmAddress, Hash32, HexBytes};

/// What is brought to the contract, by whoever pays for it: the answer of `POST /v1/anchor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedAnchor {
    /// The network, by CAIP-2: `eip155:1`.
    pub network: String,
    /// The contract on it, a `StateAnchor`.
    pub contract: EvmAddress,
    /// As whom the contract knows the appliance: the address of its anchor key.
    pub appliance: EvmAddress,
    /// What was signed.
    #[serde(flatten)]
    pub anchor: Anchor,
    /// The signature, r, s and v: 65 bytes.
    pub signature: HexBytes,
    /// The data of the call that brings it to the contract.
    pub data: HexBytes,
}

/// A commit of the sealed state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// Its sequence number.
    pub sequence: u64,
    /// SHA-256 of its sealed head.
    pub head: Hash32,
    /// When it was signed, or came to the chain, in Unix milliseconds.
    pub at_ms: u64,
}

/// The chain that remembers how far the appliance was: part of its status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnchorStatus {
    /// The network, by CAIP-2.
    pub network: String,
    /// The contract on it.
    pub contract: EvmAddress,
    /// As whom the contract knows the appliance.
    pub appliance: EvmAddress,
    /// The last that was signed; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Anchor>,
    /// The last that was seen on the chain; absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_chain: Option<Anchor>,
    /// When the chain was read last, in Unix milliseconds; absent where it was not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at_ms: Option<u64>,
    /// Why it was not read since; absent where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

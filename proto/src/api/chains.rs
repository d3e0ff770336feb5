//! Networks that an appliance has nodes of, and what accounts have there.

use serde::{Deserialize, Serialize};

use super::wallets::Wei;

/// A network: an item of `GET /v1/chains`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainStatus {
    /// Its name, by CAIP-2: `eip155:1`, `neo-n3:860833102`.
    pub network: String,
    /// The nodes that are asked.
    pub nodes: usize,
    /// So many of them must give the same answer.
    pub agree: usize,
    /// The height that so many have reached; none where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// What an account has on one network: an item of `GET /v1/wallets/{name}/funds`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funds {
    /// The network.
    pub network: String,
    /// The account, as the network writes it.
    pub account: String,
    /// What fees are paid with: wei of the chain's own coin, 10^-8 GAS on Neo N3; none where enough nodes do not agree on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Wei>,
    /// Why there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

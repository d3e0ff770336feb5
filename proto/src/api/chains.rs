//! Networks that an appliance has nodes of, and what accounts have there.

use serde::{Deserialize, Serialize};

use super::wallets::Wei;

/// Whether a text is the one name of a network, by CAIP-2: `eip155:1`, `neo-n3:860833102`.
pub fn is_network(text: &str) -> bool {
    let Some((namespace, reference)) = text.split_once(':') else { return false };
    let plain = reference.bytes().all(|digit| digit.is_ascii_digit());
    let known = match namespace {
        "eip155" => reference.parse::<u64>().is_ok_and(|chain_id| chain_id != 0),
        "neo-n3" => reference.parse::<u32>().is_ok(),
        _ => false,
    };
    known && plain && (reference == "0" || !reference.starts_with('0'))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_one_name() {
        for right in ["eip155:1", "eip155:18446744073709551615", "neo-n3:860833102", "neo-n3:0"] {
            assert!(is_network(right), "{right}");
        }
        for wrong in [
            "",
            "eip155",
            "eip155:",
            "eip155:0",
            "eip155:01",
            "eip155:+1",
            "eip155: 1",
            "eip155:1:2",
            "EIP155:1",
        ] {
            assert!(!is_network(wrong), "{wrong}");
        }
        for wrong in ["neo-n3:4294967296", "neo-n3:-1", "neo:1", "eip155:18446744073709551616", "eip155:0x1"]
        {
            assert!(!is_network(wrong), "{wrong}");
        }
    }
}

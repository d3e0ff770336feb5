//! `[anchor]`: the contract on a chain that remembers how far this appliance was.

use std::time::Duration;

use r3e_chain::watch::Network;
use r3e_proto::api::wallets::EvmAddress;
use r3e_proto::report::EvmTarget;
use serde::Deserialize;

use super::{ChainChoice, ConfigurationError};
use crate::limits::ANCHOR_LOOK_S;

/// Between two looks at the contract, unless its table says otherwise.
const DEFAULT_LOOK_S: u32 = 300;

/// A `StateAnchor` on a chain whose nodes the configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnchorChoice {
    /// The contract.
    pub(crate) contract: EvmTarget,
    /// Whom to believe about it.
    pub(crate) chain: ChainChoice,
    /// Between two looks at it.
    pub(crate) look: Duration,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnchorTable {
    network: String,
    contract: EvmAddress,
    look_s: Option<u32>,
}

impl AnchorTable {
    /// The choice, if it keeps every rule.
    pub(super) fn choice(&self, chains: &[ChainChoice]) -> Result<AnchorChoice, ConfigurationError> {
        let wrong = |what: String| ConfigurationError::Anchor(what);
        let network = self.network.parse::<Network>().map_err(|error| wrong(error.to_string()))?;
        let Network::Eip155(chain_id) = network else {
            return Err(wrong(format!("{network} has no contract for anchors: eip155:CHAIN_ID")));
        };
        let chain = chains.iter().find(|chain| chain.network == network);
        let chain =
            chain.ok_or_else(|| wrong(format!("{network} has no table [[chain]], with its nodes")))?;
        let look_s = self.look_s.unwrap_or(DEFAULT_LOOK_S);
        if !ANCHOR_LOOK_S.contains(&look_s) {
            let (min, max) = (*ANCHOR_LOOK_S.start(), *ANCHOR_LOOK_S.end());
            return Err(ConfigurationError::Number { key: "anchor.look_s", value: look_s, min, max });
        }
        let contract = EvmTarget { chain_id, contract: self.contract };
        let look = Duration::from_secs(look_s.into());
        Ok(AnchorChoice { contract, chain: chain.clone(), look })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Configuration;
    use super::*;

    const WITHOUT: &str = "[operator]\npublic_key = \"0707070707070707070707070707070707070707070707070707070707070707\"\n\
                           [unlock]\nprovider = \"ephemeral\"\n\
                           [[chain]]\nnetwork = \"eip155:138\"\nnodes = [\"https://a.example/\"]\n\
                           [[chain]]\nnetwork = \"neo-n3:42\"\nnodes = [\"https://b.example/\"]\n";

    fn parse(table: &str) -> Result<Configuration, String> {
        Configuration::parse(format!("{WITHOUT}{table}").into_bytes()).map_err(|error| error.to_string())
    }

    fn table(network: &str) -> String {
        format!("[anchor]\nnetwork = {network:?}\ncontract = \"0x{}\"\n", "ab".repeat(20))
    }

    #[test]
    fn a_contract_is_on_a_chain_with_nodes() {
        assert!(parse("").unwrap().anchor().is_none());
        let configuration = parse(&table("eip155:138")).unwrap();
        let anchor = configuration.anchor().unwrap();
        assert_eq!(anchor.contract, EvmTarget { chain_id: 138, contract: EvmAddress([0xab; 20]) });
        assert_eq!((anchor.chain.nodes[0].host.as_str(), anchor.look.as_secs()), ("a.example:443", 300));
        let often = parse(&(table("eip155:138") + "look_s = 5\n")).unwrap();
        assert_eq!(often.anchor().unwrap().look.as_secs(), 5);
        for (wrong, says) in [
            (table("eip155:1"), "no table [[chain]]"),
            (table("neo-n3:42"), "no contract for anchors"),
            (table("eip155:x"), "a network is"),
            (table("eip155:138").replace("0x", ""), "0x"),
            (table("eip155:138") + "look_s = 4\n", "anchor.look_s"),
            (table("eip155:138") + "wallet = \"w\"\n", "wallet"),
        ] {
            let error = parse(&wrong).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}

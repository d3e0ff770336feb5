//! `[[chain]]`: the nodes that are asked about each network, and how many of them must agree.

use std::time::Duration;

use bytes::Bytes;
use r3e_chain::limits::MAX_ENDPOINTS;
use r3e_chain::watch::Network;
use r3e_egress::Request;
use serde::Deserialize;

use super::ConfigurationError;
use crate::limits::{CHAIN_POLL_MS, MAX_CHAINS, MAX_NODE_URL_BYTES};

/// How often a chain's height is looked at, unless its table says otherwise: less than Ethereum and Neo take for a block.
const DEFAULT_POLL_MS: u32 = 4_000;

/// A network, and whom to believe about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainChoice {
    /// Which.
    pub network: Network,
    /// Its nodes.
    pub nodes: Vec<Node>,
    /// How many of them must say the same.
    pub agree: usize,
    /// Between two looks at its height.
    pub poll: Duration,
}

/// A node of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where JSON-RPC is posted to.
    pub url: String,
    /// The same as a host pattern.
    pub host: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChainTable {
    network: String,
    nodes: Vec<String>,
    agree: Option<usize>,
    poll_ms: Option<u32>,
}

impl ChainTable {
    fn choice(&self) -> Result<ChainChoice, ConfigurationError> {
        let wrong = |what: String| ConfigurationError::Chain(format!("{}: {what}", self.network));
        let network = self.network.parse::<Network>().map_err(|error| wrong(error.to_string()))?;
        let nodes = self.nodes.iter().map(|url| node(url)).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
        if !(1..=MAX_ENDPOINTS).contains(&nodes.len()) {
            return Err(wrong(format!("1 to {MAX_ENDPOINTS} nodes")));
        }
        // Who stands there twice would have two voices.
        if (1..nodes.len()).any(|at| nodes[..at].contains(&nodes[at])) {
            return Err(wrong("a node stands there twice".to_owned()));
        }
        let agree = self.agree.unwrap_or(nodes.len() / 2 + 1);
        if agree > nodes.len() || agree * 2 <= nodes.len() {
            return Err(wrong(format!("agree is more than half of its {} nodes", nodes.len())));
        }
        let poll_ms = self.poll_ms.unwrap_or(DEFAULT_POLL_MS);
        if !CHAIN_POLL_MS.contains(&poll_ms) {
            let (min, max) = (*CHAIN_POLL_MS.start(), *CHAIN_POLL_MS.end());
            return Err(ConfigurationError::Number { key: "chain.poll_ms", value: poll_ms, min, max });
        }
        Ok(ChainChoice { network, nodes, agree, poll: Duration::from_millis(poll_ms.into()) })
    }
}

/// All of them, none twice.
pub(super) fn choices(tables: &[ChainTable]) -> Result<Vec<ChainChoice>, ConfigurationError> {
    if tables.len() > MAX_CHAINS {
        return Err(ConfigurationError::Chain(format!("at most {MAX_CHAINS} networks")));
    }
    let choices = tables.iter().map(ChainTable::choice).collect::<Result<Vec<_>, _>>()?;
    let is_repeated = |at: &usize| choices[..*at].iter().any(|one| one.network == choices[*at].network);
    match (1..choices.len()).find(is_repeated) {
        Some(at) => Err(ConfigurationError::Chain(format!("{} stands there twice", choices[at].network))),
        None => Ok(choices),
    }
}

/// A URL that is well-formed, by the rules of all that the enclave sends.
fn node(url: &str) -> Result<Node, String> {
    if url.len() > MAX_NODE_URL_BYTES {
        return Err(format!("a node's URL has at most {MAX_NODE_URL_BYTES} bytes"));
    }
    let request = Request::parse("POST", url, [], Bytes::new()).map_err(|error| error.to_string())?;
    Ok(Node { url: url.to_owned(), host: format!("{}:{}", request.host(), request.port()) })
}

#[cfg(test)]
mod tests {
    use super::super::Configuration;
    use super::*;

    const WITHOUT: &str = "[operator]\npublic_key = \"0707070707070707070707070707070707070707070707070707070707070707\"\n\
                           [unlock]\nprovider = \"ephemeral\"\n";

    fn parse(tables: &str) -> Result<Configuration, String> {
        Configuration::parse(format!("{WITHOUT}{tables}").into_bytes()).map_err(|error| error.to_string())
    }

    fn table(network: &str, nodes: &[&str], rest: &str) -> String {
        format!("[[chain]]\nnetwork = {network:?}\nnodes = {nodes:?}\n{rest}\n")
    }

    const A: &str = "https://a.example/rpc";
    const B: &str = "https://b.example:8545/";
    const C: &str = "https://c.example";

    #[test]
    fn networks_and_who_is_believed_about_them() {
        assert!(parse("").unwrap().chains().is_empty());
        let both = table("eip155:1", &[A, B, C], "") + &table("neo-n3:860833102", &[A], "poll_ms = 15000");
        let configuration = parse(&both).unwrap();
        let [ethereum, neo] = configuration.chains() else { panic!("{configuration:?}") };
        assert_eq!((ethereum.network, ethereum.agree), (Network::Eip155(1), 2));
        let hosts: Vec<_> = ethereum.nodes.iter().map(|node| node.host.as_str()).collect();
        assert_eq!(hosts, ["a.example:443", "b.example:8545", "c.example:443"]);
        assert_eq!((neo.agree, neo.poll), (1, Duration::from_secs(15)));
    }

    #[test]
    fn a_table_that_believes_too_few_or_nobody_is_refused() {
        let many: Vec<String> = (0..17).map(|number| format!("https://n{number}.example/")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (wrong, says) in [
            (table("eip155:01", &[A], ""), "a network is"),
            (table("eip155:1", &[], ""), "1 to 16 nodes"),
            (table("eip155:1", &many, ""), "1 to 16 nodes"),
            (table("eip155:1", &[A, B, A], ""), "twice"),
            (table("eip155:1", &[A, B], "agree = 1"), "more than half"),
            (table("eip155:1", &[A, B], "agree = 3"), "more than half"),
            (table("eip155:1", &["http://a.example/"], ""), "https"),
            (table("eip155:1", &["https://169.254.169.254/"], ""), "169.254.169.254"),
            (table("eip155:1", &[A], "poll_ms = 10"), "chain.poll_ms"),
            (table("eip155:1", &[A], "quorum = 1"), "quorum"),
            (table("eip155:1", &[A], "") + &table("eip155:1", &[B], ""), "eip155:1 stands there twice"),
        ] {
            let error = parse(&wrong).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_NODE_URL_BYTES));
        assert!(parse(&table("eip155:1", &[&long], "")).unwrap_err().contains("at most"));
    }
}

//! Events of one contract on one network, or the network's blocks, whichever kind it is: a network's name, a contract and an event as a
//! person writes them, and what is seen as JSON.
//!
//! ```text
//! ("eip155:1", "0x…", "Transfer(address indexed from, …)") --Watch, Quorum, Cursor--> Batch<Seen>
//! ("neo-n3:860833102", "0x…", "Transfer")
//! "eip155:1", each block
//! ```

use std::fmt;
use std::str::FromStr;

use r3e_neo::{Hash160, Hash256};
use serde_json::{Map, Value, json};

use crate::evm::abi::{Event, SignatureError};
use crate::evm::{self, EvmAddress, EvmBlocks, EvmSource, Log, LogFilter};
use crate::follow::{Batch, BlockId, Cursor, NextError, Rules, Source, next_batch};
use crate::limits::{MAX_EVENT_NAME_BYTES, MAX_EVENT_TEXT_BYTES};
use crate::neo::{self, BlockEvent, NeoBlocks, NeoEvents, NeoSource};
use crate::rpc::{Quorum, QuorumError, Transport};

/// Before the chain's id, of Ethereum and of chains like it (CAIP-2, CAIP-3).
const EIP155: &str = "eip155";
/// Before the magic number of a network of Neo N3.
const NEO_N3: &str = "neo-n3";

/// Why something cannot be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// Not a network's name.
    #[error("a network is {EIP155}:CHAIN_ID or {NEO_N3}:MAGIC, as in {EIP155}:1 and {NEO_N3}:860833102")]
    Network,
    /// Not a contract's.
    #[error("a contract is 0x and 40 hex digits")]
    Contract,
    /// Not a notification's name.
    #[error("a notification of Neo has a name of 1 to {MAX_EVENT_NAME_BYTES} bytes, and nothing behind it")]
    Name,
    /// Not an event's declaration.
    #[error(transparent)]
    Declaration(#[from] SignatureError),
}

/// Why nodes are not believed to be of a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// They are of another.
    #[error("the nodes are of {found}, not of {expected}")]
    Other {
        /// The network that was asked for.
        expected: Network,
        /// The one they are of.
        found: Network,
    },
    /// They do not say.
    #[error(transparent)]
    Nodes(#[from] QuorumError),
}

/// A network, by its name under CAIP-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Network {
    /// Ethereum, or a chain like it, by its id (EIP-155).
    Eip155(u64),
    /// A network of Neo N3, by its magic number.
    NeoN3(u32),
}

/// A contract's event on a network, or the network's blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    network: Network,
    wanted: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Log { contract: EvmAddress, event: Event },
    Notification(NeoEvents),
    Blocks,
}

/// An event that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it is known again by, over all networks.
    pub key: String,
    /// What it says; an event that cannot be read has `error` in place of `values`.
    pub event: Value,
}

impl Watch {
    /// The event `event` of `contract`: for Ethereum its declaration, for Neo its name.
    ///
    /// # Errors
    /// [`WatchError`].
    pub fn new(network: Network, contract: &str, event: &str) -> Result<Self, WatchError> {
        let wanted = match network {
            Network::Eip155(_) => {
                let contract = contract.parse().map_err(|_| WatchError::Contract)?;
                Wanted::Log { contract, event: event.parse()? }
            }
            Network::NeoN3(_) => {
                let contract = neo_contract(contract).ok_or(WatchError::Contract)?;
                let plain = |c: char| c.is_ascii_graphic() && !['(', ')'].contains(&c);
                if event.is_empty() || event.len() > MAX_EVENT_NAME_BYTES || !event.chars().all(plain) {
                    return Err(WatchError::Name);
                }
                Wanted::Notification(NeoEvents { contract, name: event.to_owned() })
            }
        };
        Ok(Self { network, wanted })
    }

    /// Each block.
    pub fn blocks(network: Network) -> Self {
        Self { network, wanted: Wanted::Blocks }
    }

    /// The network.
    pub fn network(&self) -> Network {
        self.network
    }

    /// Asks the nodes which network they are of. What is read from nodes of another one looks like any other event.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub async fn check_network<T: Transport>(&self, nodes: &Quorum<T>) -> Result<(), NetworkError> {
        let found = match self.network {
            Network::Eip155(_) => Network::Eip155(EvmBlocks::new(nodes).chain_id().await?),
            Network::NeoN3(_) => Network::NeoN3(NeoBlocks::new(nodes).magic().await?),
        };
        if found == self.network {
            Ok(())
        } else {
            Err(NetworkError::Other { expected: self.network, found })
        }
    }

    /// The height of the newest block: where one begins who wants what comes from here on.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn height<T: Transport>(&self, nodes: &Quorum<T>) -> Result<u64, QuorumError> {
        match self.network {
            Network::Eip155(_) => EvmBlocks::new(nodes).height().await,
            Network::NeoN3(_) => NeoBlocks::new(nodes).height().await,
        }
    }

    /// A height that enough nodes have reached, by those that answer first: one that is silent is not waited for.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn height_of_first<T: Transport>(&self, nodes: &Quorum<T>) -> Result<u64, QuorumError> {
        match self.network {
            Network::Eip155(_) => EvmBlocks::new(nodes).height_of_first().await,
            Network::NeoN3(_) => NeoBlocks::new(nodes).height_of_first().await,
        }
    }

    /// Reads what comes behind `cursor`, see [`next_batch`].
    ///
    /// # Errors
    /// [`NextError`].
    pub async fn next<T: Transport>(
        &self,
        nodes: &Quorum<T>,
        cursor: Cursor,
        rules: Rules,
    ) -> Result<Batch<Seen>, NextError<QuorumError>> {
        match &self.wanted {
            Wanted::Log { contract, event } => {
                let source = EvmSource::new(nodes, filter(*contract, event));
                let batch = next_batch(&source, cursor, rules).await?;
                Ok(batch.map(|block, log| self.seen_log(event, block, &log)))
            }
            Wanted::Notification(wanted) => {
                let batch = next_batch(&NeoSource::new(nodes, wanted.clone()), cursor, rules).await?;
                Ok(batch.map(|block, said| self.seen_notification(block, &said)))
            }
            Wanted::Blocks => self.next_blocks(nodes, cursor, rules).await,
        }
    }

    async fn next_blocks<T: Transport>(
        &self,
        nodes: &Quorum<T>,
        cursor: Cursor,
        rules: Rules,
    ) -> Result<Batch<Seen>, NextError<QuorumError>> {
        match self.network {
            Network::Eip155(_) => {
                let batch = next_batch(&EvmBlocks::new(nodes), cursor, rules).await?;
                let shown = |header: &evm::Header| {
                    (header.hash.to_string(), header.timestamp_s.saturating_mul(1_000))
                };
                Ok(batch.map(|block, header| self.seen_block(block, shown(&header))))
            }
            Network::NeoN3(_) => {
                let batch = next_batch(&NeoBlocks::new(nodes), cursor, rules).await?;
                let shown = |header: &neo::Header| (header.hash().to_string(), header.timestamp_ms);
                Ok(batch.map(|block, header| self.seen_block(block, shown(&header))))
            }
        }
    }

    fn seen_block(&self, block: BlockId, (hash, timestamp_ms): (String, u64)) -> Seen {
        let event = json!({
            "network": self.network.to_string(),
            "block": { "height": block.height, "hash": hash, "timestamp_ms": timestamp_ms },
        });
        Seen { key: format!("{}/{hash}", self.network), event }
    }

    fn seen_log(&self, event: &Event, block: BlockId, log: &Log) -> Seen {
        let hash = format!("0x{}", hex::encode(block.hash));
        let mut said = json!({
            "network": self.network.to_string(),
            "contract": log.address,
            "event": event.name,
            "block": { "height": block.height, "hash": hash },
            "transaction": log.transaction,
            "index": log.index,
        });
        match event.decode(log) {
            Ok(values) => {
                let mut named = Map::new();
                for (at, (parameter, value)) in event.parameters.iter().zip(&values).enumerate() {
                    // One without a name, or with another's, goes by its place.
                    let place = || at.to_string();
                    let name = parameter.name.clone().filter(|name| !named.contains_key(name));
                    named.insert(name.unwrap_or_else(place), value.to_json());
                }
                set_values(&mut said, Value::Object(named));
            }
            Err(error) => said["error"] = json!(error.to_string()),
        }
        Seen { key: format!("{}/{hash}/{}", self.network, log.index), event: said }
    }

    fn seen_notification(&self, block: BlockId, said: &BlockEvent) -> Seen {
        let notification = &said.notification;
        let mut event = json!({
            "network": self.network.to_string(),
            "contract": notification.contract,
            "event": notification.name,
            "block": { "height": block.height, "hash": Hash256(block.hash) },
            "transaction": said.transaction,
            "index": said.index,
        });
        match &notification.state {
            Ok(state) => set_values(&mut event, state.to_json()),
            Err(error) => event["error"] = json!(error.to_string()),
        }
        // A transaction is in one block alone.
        Seen { key: format!("{}/{}/{}", self.network, said.transaction, said.index), event }
    }
}

/// Offsets in a log may point at one place many times, and text may be escaped: what is short on the chain may be long here.
fn set_values(event: &mut Value, values: Value) {
    if values.to_string().len() > MAX_EVENT_TEXT_BYTES {
        event["error"] = json!(format!("the values have more than {MAX_EVENT_TEXT_BYTES} bytes as JSON"));
    } else {
        event["values"] = values;
    }
}

fn filter(contract: EvmAddress, event: &Event) -> LogFilter {
    LogFilter { address: contract, topic: event.topic() }
}

/// With `0x` before it: without, it might be in the chain's order of bytes.
fn neo_contract(text: &str) -> Option<Hash160> {
    text.starts_with("0x").then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Network {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Eip155(id) => write!(formatter, "{EIP155}:{id}"),
            Self::NeoN3(magic) => write!(formatter, "{NEO_N3}:{magic}"),
        }
    }
}

impl FromStr for Network {
    type Err = WatchError;

    fn from_str(text: &str) -> Result<Self, WatchError> {
        let (namespace, reference) = text.split_once(':').ok_or(WatchError::Network)?;
        let network = match namespace {
            EIP155 => reference.parse().ok().filter(|id| *id != 0).map(Self::Eip155),
            NEO_N3 => reference.parse().ok().map(Self::NeoN3),
            _ => None,
        };
        // One name for each: no sign, no leading zeros.
        network.filter(|network| network.to_string() == text).ok_or(WatchError::Network)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_long_as_json_are_left_out() {
        for (text, fits) in [("x".repeat(60_000), true), ("\u{1}".repeat(12_000), false)] {
            let mut event = json!({});
            set_values(&mut event, json!({ "0": text }));
            assert_eq!((event.get("values").is_some(), event.get("error").is_some()), (fits, !fits));
        }
    }
}

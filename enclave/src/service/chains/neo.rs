//! Networks of Neo N3, as transactions are brought there.

use std::collections::BTreeMap;

use r3e_attester::TrustedClock;
use r3e_chain::neo::NeoCalls;
use r3e_chain::rpc::{Quorum, QuorumError};
use r3e_chain::watch::{Network, NetworkError, Watch};
use r3e_transport::EnclaveTransport;
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};

use super::nodes::{HttpsNodes, quorum_of};
use crate::configuration::Configuration;
use crate::limits::CHAIN_READS_AT_ONCE;
use crate::service::ServiceError;

/// The networks of the configuration, by their magic numbers. Their nodes are asked apart from what triggers ask, and
/// none is left alone for its silence: it may be the contract of one tenant that takes so long.
pub(crate) struct NeoNetworks(BTreeMap<u32, NeoNetwork>);

/// One of them.
pub(crate) struct NeoNetwork {
    magic: u32,
    nodes: Quorum<HttpsNodes>,
    /// The nodes were asked which network they are of, and it is this one.
    is_right: OnceCell<()>,
    /// Of many publications, so many at a time.
    turns: Semaphore,
}

/// A turn at a network's nodes: for a few questions, and not for waiting.
pub(crate) struct Turn<'a> {
    pub(crate) calls: NeoCalls<'a, HttpsNodes>,
    _permit: SemaphorePermit<'a>,
}

impl NeoNetworks {
    /// Those of the configuration.
    ///
    /// # Errors
    /// [`ServiceError::Internal`]: there is no way out.
    pub(crate) fn open(
        transport: &EnclaveTransport,
        configuration: &Configuration,
        clock: &TrustedClock,
    ) -> Result<Self, ServiceError> {
        let mut networks = BTreeMap::new();
        for chain in configuration.chains() {
            let Network::NeoN3(magic) = chain.network else { continue };
            let nodes = quorum_of(chain, transport, configuration, clock)?;
            networks.insert(
                magic,
                NeoNetwork {
                    magic,
                    nodes,
                    is_right: OnceCell::new(),
                    turns: Semaphore::new(CHAIN_READS_AT_ONCE),
                },
            );
        }
        Ok(Self(networks))
    }

    /// The network of this magic number.
    pub(crate) fn network(&self, magic: u32) -> Option<&NeoNetwork> {
        self.0.get(&magic)
    }
}

impl NeoNetwork {
    /// Its contracts, when it is one's turn and its nodes have said that they are of this network.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn turn(&self) -> Result<Turn<'_>, String> {
        let permit = self.turns.acquire().await.map_err(|_| "the appliance stops".to_owned())?;
        let watch = Watch::blocks(Network::NeoN3(self.magic));
        let checked = self.is_right.get_or_try_init(|| watch.check_network(&self.nodes)).await;
        checked.map_err(|error| match error {
            NetworkError::Nodes(error) => in_words(&error),
            error => {
                tracing::error!(%error, "[[chain]] names nodes of another network");
                error.to_string()
            }
        })?;
        Ok(Turn { calls: NeoCalls::new(&self.nodes), _permit: permit })
    }
}

/// What is said to a tenant of nodes that do not agree. Their own words go to the operator's log: they may have something of their URLs.
pub(crate) fn in_words(error: &QuorumError) -> String {
    tracing::debug!(%error, "a network's nodes do not agree");
    match error {
        QuorumError::Disagreement { method, needed, .. } => {
            format!("{needed} of the network's nodes must give the same answer to {method}, and do not")
        }
        error => error.to_string(),
    }
}

//! Chains, as transactions of wallets are brought there.

use std::collections::BTreeMap;
use std::sync::Arc;

use r3e_attester::TrustedClock;
use r3e_chain::watch::Network;
use r3e_egress::limits::MAX_CONNECTIONS;
use r3e_proto::api::triggers::DEFAULT_EVM_CONFIRMATIONS;
use r3e_transactions::{Chain, EvmChain, NeoChain, NeoNodes, Rules};
use r3e_transport::EnclaveTransport;

use super::nodes::{HttpsNodes, quorum_of};
use crate::configuration::Configuration;
use crate::limits::{BUMP_AFTER_MS, MAX_NEO_QUESTIONS};
use crate::service::ServiceError;

/// The chains like Ethereum of the configuration. Their nodes are asked apart from what triggers ask: an answer that is
/// a moment old would be good enough for these, and a node that is left alone for its silence must be given a transaction all the same.
pub(crate) struct Sending(BTreeMap<u64, Arc<EvmChain<HttpsNodes>>>);

impl Sending {
    /// Those of the configuration.
    ///
    /// # Errors
    /// [`ServiceError::Internal`]: there is no way out.
    pub(crate) fn open(
        transport: &EnclaveTransport,
        configuration: &Configuration,
        clock: &TrustedClock,
    ) -> Result<Self, ServiceError> {
        let rules = Rules { confirmations: DEFAULT_EVM_CONFIRMATIONS.into(), bump_after_ms: BUMP_AFTER_MS };
        let mut chains = BTreeMap::new();
        for chain in configuration.chains() {
            let Network::Eip155(chain_id) = chain.network else { continue };
            let quorum = quorum_of(chain, transport, configuration, clock)?;
            chains.insert(chain_id, Arc::new(EvmChain::new(quorum, chain_id, rules, chain.poll)));
        }
        Ok(Self(chains))
    }
}

impl r3e_transactions::Chains<dyn Chain> for Sending {
    fn chain(&self, chain_id: u64) -> Option<Arc<dyn Chain>> {
        self.0.get(&chain_id).map(|chain| Arc::clone(chain) as _)
    }
}

/// The networks of Neo N3 of the configuration, by their magic numbers. Their nodes are asked apart, too, and none is left alone for its silence: it
/// may be the contract of one tenant that takes so long.
pub(crate) struct NeoSending(BTreeMap<u64, Arc<NeoNodes<HttpsNodes>>>);

impl NeoSending {
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
            let quorum = quorum_of(chain, transport, configuration, clock)?;
            let at_once = (MAX_CONNECTIONS / chain.nodes.len().max(1)).min(MAX_NEO_QUESTIONS);
            networks.insert(magic.into(), Arc::new(NeoNodes::new(quorum, magic, chain.poll, at_once)));
        }
        Ok(Self(networks))
    }

    /// The network of this magic number.
    pub(crate) fn network(&self, magic: u32) -> Option<&NeoNodes<HttpsNodes>> {
        self.0.get(&magic.into()).map(Arc::as_ref)
    }
}

impl r3e_transactions::Chains<dyn NeoChain> for NeoSending {
    fn chain(&self, magic: u64) -> Option<Arc<dyn NeoChain>> {
        self.0.get(&magic).map(|network| Arc::clone(network) as _)
    }
}

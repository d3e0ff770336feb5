//! The contract, as enough nodes agree on what it holds.

use r3e_attester::TrustedClock;
use r3e_chain::evm::abi::{Method, Value};
use r3e_chain::evm::{Called, EvmAddress, EvmBlocks, EvmCalls, Hash32, HexBytes};
use r3e_chain::follow::Source as _;
use r3e_chain::rpc::{Quorum, QuorumError};
use r3e_neo::number::Uint256;
use r3e_proto::anchor::LAST_OF;
use r3e_proto::api::anchor::Anchor;
use r3e_proto::report::EvmTarget;
use r3e_transport::EnclaveTransport;
use serde_json::json;
use thiserror::Error;
use tokio::sync::OnceCell;

use crate::configuration::{AnchorChoice, Configuration};
use crate::limits::{ANCHOR_MAX_BEHIND, STATE_OPENING_TIMEOUT};
use crate::service::{HttpsNodes, ServiceError, in_words, quorum_of};

/// The contract, and the nodes that are asked about it.
pub(super) struct AnchorChain {
    nodes: Quorum<HttpsNodes>,
    contract: EvmTarget,
    last_of: Method,
    /// The nodes were asked which chain they are of, and it is this one.
    is_right: OnceCell<()>,
}

/// Why it is not known which anchor the chain holds.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum AnchorUnread {
    /// Too few of them answer, or they do not agree. It may pass.
    #[error("{0}")]
    Nodes(String),
    /// The same, for too long.
    #[error("the chain's nodes gave no answer in {} s", STATE_OPENING_TIMEOUT.as_secs())]
    Slow,
    /// They are of another chain.
    #[error("the nodes are of the chain {0}")]
    OtherChain(u64),
    /// There is another contract at the address, or none.
    #[error("there is no StateAnchor at {0}")]
    NoContract(EvmAddress),
}

impl AnchorChain {
    pub(super) fn open(
        choice: &AnchorChoice,
        transport: &EnclaveTransport,
        configuration: &Configuration,
        clock: &TrustedClock,
    ) -> Result<Self, ServiceError> {
        let nodes = quorum_of(&choice.chain, transport, configuration, clock)?;
        let last_of = LAST_OF.parse().map_err(|_| ServiceError::Internal("no declaration".to_owned()))?;
        Ok(Self { nodes, contract: choice.contract, last_of, is_right: OnceCell::new() })
    }

    /// The last anchor of `appliance`, in the block that enough nodes have reached by now. One that is reorganised away was signed all the same.
    pub(super) async fn last_of(
        &self,
        appliance: EvmAddress,
        now_ms: u64,
    ) -> Result<Option<Anchor>, AnchorUnread> {
        self.is_right.get_or_try_init(|| self.check_chain()).await?;
        let EvmTarget { contract, .. } = self.contract;
        let other = || AnchorUnread::NoContract(contract);
        let data = self.last_of.call(&[json!(appliance)]).map_err(|_| other())?;
        let blocks = EvmBlocks::new(&self.nodes);
        let height = blocks.height().await.map_err(|error| disagree(&error))?;
        let block = blocks.block(height).await.map_err(|error| disagree(&error))?;
        let behind_s = (now_ms / 1_000).saturating_sub(block.timestamp_s);
        if behind_s > ANCHOR_MAX_BEHIND.as_secs() {
            // One that lags and one that is kept from answering would do to show an older anchor.
            return Err(AnchorUnread::Nodes(format!(
                "enough nodes have reached no later block than {height}, which is {behind_s} s old"
            )));
        }
        let called = EvmCalls::new(&self.nodes).call(contract, &HexBytes(data), height).await;
        let Called::Returned(data) = called.map_err(|error| disagree(&error))? else { return Err(other()) };
        let values = self.last_of.decode(&data).map_err(|_| other())?;
        let anchor = read(&values).ok_or_else(other)?;
        Ok(Some(anchor).filter(|anchor| anchor.sequence > 0))
    }

    async fn check_chain(&self) -> Result<(), AnchorUnread> {
        let found = EvmBlocks::new(&self.nodes).chain_id().await.map_err(|error| disagree(&error))?;
        if found == self.contract.chain_id { Ok(()) } else { Err(AnchorUnread::OtherChain(found)) }
    }
}

/// The anchor in what the contract gave; where it has none, zeros.
fn read(values: &[Value]) -> Option<Anchor> {
    let [Value::Uint(sequence), Value::Bytes(head), Value::Uint(at_seconds)] = values else { return None };
    let number = |number: &Uint256| number.to_string().parse::<u64>().ok();
    let (sequence, at_seconds) = (number(sequence)?, number(at_seconds)?);
    let head = Hash32(head.as_slice().try_into().ok()?);
    Some(Anchor { sequence, head, at_ms: at_seconds.saturating_mul(1_000) })
}

fn disagree(error: &QuorumError) -> AnchorUnread {
    AnchorUnread::Nodes(in_words(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(end: &[u8]) -> Vec<u8> {
        let mut word = vec![0; 32 - end.len()];
        word.extend(end);
        word
    }

    fn decoded(words: &[Vec<u8>]) -> Option<Anchor> {
        read(&LAST_OF.parse::<Method>().unwrap().decode(&words.concat()).ok()?)
    }

    #[test]
    fn what_the_contract_gives() {
        let words = [word(&[1, 2]), vec![7; 32], word(&[9])];
        let expected = Anchor { sequence: 258, head: Hash32([7; 32]), at_ms: 9_000 };
        assert_eq!(decoded(&words), Some(expected));
        let none = decoded(&[word(&[]), word(&[]), word(&[])]);
        assert_eq!(none.map(|none| none.sequence), Some(0));
        for wrong in [vec![], vec![word(&[1])], vec![word(&[1; 9]), word(&[]), word(&[])]] {
            assert_eq!(decoded(&wrong), None, "{wrong:?}");
        }
    }
}

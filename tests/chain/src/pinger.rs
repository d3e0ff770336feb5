//! A chain with one contract on it, which says Ping.

use anyhow::Context as _;
use r3e_chain::evm::EvmAddress;
use r3e_chain::evm::abi::Event;
use r3e_neo::number::Uint256;
use serde_json::json;

use crate::account::Account;
use crate::http::HttpNodes;
use crate::node::Anvil;

/// The event.
pub const PING: &str = "Ping(address indexed who, uint256 what)";

/// The code of a contract that says Ping(caller, first word of the call).
fn emitter(topic: &[u8; 32]) -> Vec<u8> {
    // CALLDATALOAD(0), MSTORE at 0; CALLER; the topic; LOG2 of 32 bytes at 0; STOP.
    let runtime =
        [&[0x60, 0, 0x35, 0x60, 0, 0x52, 0x33, 0x7f], &topic[..], &[0x60, 32, 0x60, 0, 0xa2, 0]].concat();
    let length = u8::try_from(runtime.len()).unwrap_or(u8::MAX);
    // CODECOPY of what stands behind these 12 bytes, RETURN.
    let creation = [0x60, length, 0x60, 12, 0x60, 0, 0x39, 0x60, length, 0x60, 0, 0xf3];
    [&creation, runtime.as_slice()].concat()
}

/// Anvil, and the contract on it.
#[derive(Debug)]
pub struct Pinger {
    /// The node.
    pub anvil: Anvil,
    /// The way to it.
    pub node: HttpNodes,
    /// Who asks the contract to say it.
    pub account: Account,
    /// The contract.
    pub contract: EvmAddress,
    /// What it says: [`PING`].
    pub event: Event,
}

impl Pinger {
    /// A new chain, whose second block has the contract.
    ///
    /// # Errors
    /// Anvil does not start, or refuses something.
    pub async fn start() -> anyhow::Result<Self> {
        let anvil = Anvil::start().await?;
        let node = HttpNodes::new(&[anvil.port()]);
        let event: Event = PING.parse()?;
        let mut account = Account::number(0, Anvil::CHAIN)?;
        let made = account.send(&node, None, emitter(&event.topic().0)).await?;
        anvil.mine(1).await?;
        let receipt = node.ask("eth_getTransactionReceipt", json!([made])).await?;
        let contract = receipt["contractAddress"].as_str().context("no contract")?.parse()?;
        Ok(Self { anvil, node, account, contract, event })
    }

    /// A block with one event.
    ///
    /// # Errors
    /// It is refused.
    pub async fn ping(&mut self, number: u128) -> anyhow::Result<()> {
        let data = Uint256::from(number).0.to_vec();
        self.account.send(&self.node, Some(self.contract), data).await?;
        self.anvil.mine(1).await
    }

    /// Goes on behind the transactions that are still in the chain, after a reorganisation.
    ///
    /// # Errors
    /// Anvil does not say.
    pub async fn resume(&mut self) -> anyhow::Result<()> {
        self.account.resume(&self.node).await
    }
}

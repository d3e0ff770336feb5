//! A chain with one contract on it, which says Ping.

use anyhow::{Context as _, ensure};
use k256::ecdsa::SigningKey;
use r3e_chain::evm::abi::Event;
use r3e_chain::evm::{
    EvmAddress, EvmTransaction, Fee, HexBytes, KeyType, Payload, Wei, digest, signed_transaction,
    transaction_hash,
};
use r3e_chain::number::Uint256;
use serde_json::{Value, json};

use crate::http::HttpNodes;
use crate::node::Anvil;

/// The event.
pub const PING: &str = "Ping(address indexed who, uint256 what)";

/// An account of anvil's, whose key everybody knows.
#[derive(Debug)]
pub struct Account {
    key: SigningKey,
    /// Its address.
    pub address: EvmAddress,
    nonce: u64,
}

impl Account {
    /// The first of them.
    fn first() -> anyhow::Result<Self> {
        let secret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let bytes: HexBytes = format!("0x{secret}").parse()?;
        let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse()?;
        Ok(Self { key: SigningKey::from_slice(&bytes.0)?, address, nonce: 0 })
    }

    /// Signs a transaction and hands it to the node; gives its hash.
    ///
    /// # Errors
    /// It is refused.
    pub async fn send(
        &mut self,
        node: &HttpNodes,
        to: Option<EvmAddress>,
        data: Vec<u8>,
    ) -> anyhow::Result<Value> {
        let transaction = EvmTransaction {
            chain_id: Anvil::CHAIN,
            nonce: self.nonce,
            to,
            value: Wei(0),
            data: HexBytes(data),
            gas_limit: 200_000,
            fee: Fee::Eip1559 {
                max_fee_per_gas: "3000000000".parse()?,
                max_priority_fee_per_gas: "1".parse()?,
            },
            access_list: Vec::new(),
        };
        let payload = Payload::EvmTransaction(transaction.clone());
        let digest = digest(KeyType::Secp256k1, &payload)?;
        let (signature, recovery) = self.key.sign_prehash_recoverable(&digest);
        let (r, s) = signature.split_bytes();
        let bytes = signed_transaction(&transaction, &r.into(), &s.into(), recovery.is_y_odd());
        let hash = node.ask("eth_sendRawTransaction", json!([HexBytes(bytes.clone())])).await?;
        ensure!(hash == json!(HexBytes(transaction_hash(&bytes).to_vec())));
        self.nonce += 1;
        Ok(hash)
    }
}

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
        let mut account = Account::first()?;
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
        let count = self.node.ask("eth_getTransactionCount", json!([self.account.address, "latest"])).await?;
        let digits = count.as_str().and_then(|count| count.strip_prefix("0x")).context("no number")?;
        self.account.nonce = u64::from_str_radix(digits, 16)?;
        Ok(())
    }
}

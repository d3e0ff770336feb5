//! Accounts of anvil's, whose keys everybody knows.

use anyhow::{Context as _, ensure};
use k256::ecdsa::SigningKey;
use r3e_chain::evm::{
    EvmAddress, EvmTransaction, Fee, Hash32, HexBytes, KeyType, Payload, Wei, digest, signed_transaction,
    transaction_hash,
};
use serde_json::{Value, json};

use crate::http::HttpNodes;

/// Enough for what the tests deploy, far below a block's.
const GAS_LIMIT: u64 = 8_000_000;

const KEYS: [(&str, &str); 2] = [
    (
        "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    ),
    (
        "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    ),
];

/// One of them, on a chain.
#[derive(Debug)]
pub struct Account {
    key: SigningKey,
    chain: u64,
    /// Its address.
    pub address: EvmAddress,
    nonce: u64,
}

impl Account {
    /// The one of this number, which has sent nothing yet.
    ///
    /// # Errors
    /// There is none.
    pub fn number(number: usize, chain: u64) -> anyhow::Result<Self> {
        let (secret, address) = KEYS.get(number).context("no such account")?;
        let secret: HexBytes = secret.parse()?;
        Ok(Self { key: SigningKey::from_slice(&secret.0)?, chain, address: address.parse()?, nonce: 0 })
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
            chain_id: self.chain,
            nonce: self.nonce,
            to,
            value: Wei(0),
            data: HexBytes(data),
            gas_limit: GAS_LIMIT,
            fee: Fee::Eip1559 {
                max_fee_per_gas: "3000000000".parse()?,
                max_priority_fee_per_gas: "1".parse()?,
            },
            access_list: Vec::new(),
        };
        let (expected, bytes) = self.sign(&transaction)?;
        let hash = node.ask("eth_sendRawTransaction", json!([bytes])).await?;
        ensure!(hash == json!(expected));
        self.nonce += 1;
        Ok(hash)
    }

    /// A transaction's hash and bytes, signed.
    ///
    /// # Errors
    /// It is none.
    pub fn sign(&self, transaction: &EvmTransaction) -> anyhow::Result<(Hash32, HexBytes)> {
        let digest = digest(KeyType::Secp256k1, &Payload::EvmTransaction(transaction.clone()))?;
        let (signature, recovery) = self.key.sign_prehash_recoverable(&digest);
        let (r, s) = signature.split_bytes();
        let bytes = signed_transaction(transaction, &r.into(), &s.into(), recovery.is_y_odd());
        Ok((Hash32(transaction_hash(&bytes)), HexBytes(bytes)))
    }

    /// Goes on behind its transactions that are still in the chain, after a reorganisation.
    ///
    /// # Errors
    /// The node does not say.
    pub async fn resume(&mut self, node: &HttpNodes) -> anyhow::Result<()> {
        let count = node.ask("eth_getTransactionCount", json!([self.address, "latest"])).await?;
        let digits = count.as_str().and_then(|count| count.strip_prefix("0x")).context("no number")?;
        self.nonce = u64::from_str_radix(digits, 16)?;
        Ok(())
    }
}

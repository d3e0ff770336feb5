//! Accounts of ours on a Neo N3 node: contracts deployed and called, and why a call was refused.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use r3e_neo::{
    Argument, CallFlags, Hash160, PublicKey, ScriptBuilder, Signer, Transaction, Witness, address, hash160,
    sign_data, verification_script,
};
use serde_json::{Value, json};

use crate::http::HttpNodes;
use crate::node::NeoGo;

/// Where contracts are deployed: a contract of the network's own.
const MANAGEMENT: &str = "0xfffdc93764dbaddd97c48f252a53ea4643faa3fd";
/// Looks for a transaction in a block: some 20 s in all.
const LOOKS: u32 = 100;
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// A key, and the account of its one signature.
#[derive(Debug)]
pub struct NeoAccount {
    key: SigningKey,
    /// The key's public part.
    pub public: PublicKey,
    /// The account.
    pub hash: Hash160,
}

/// What a feed's contract is made of.
#[derive(Debug, Clone, Copy)]
pub struct NeoFeed {
    /// The feed's identifier.
    pub id: [u8; 32],
    /// The answer's places behind the point.
    pub decimals: u8,
    /// Whose signature holds.
    pub signer: [u8; 33],
    /// The digest of the feed's definition.
    pub config: [u8; 32],
    /// What the signer's evidence is known by.
    pub attestation: [u8; 32],
}

/// What a call came to.
#[derive(Debug, Clone)]
pub struct Invoked {
    /// What it gave.
    pub stack: Vec<Value>,
    /// The names of what contracts said.
    pub events: Vec<String>,
    /// What it took of GAS, in units of 10^-8, beside the network's own fee.
    pub system_fee: i64,
    /// The network's fee; none of what was only tried.
    pub network_fee: i64,
}

impl NeoAccount {
    /// The account of a key that everybody knows.
    ///
    /// # Errors
    /// The bytes are no key.
    pub fn new(seed: u8) -> anyhow::Result<Self> {
        let key = SigningKey::from_slice(&[seed; 32])?;
        let public = PublicKey(key.verifying_key().to_sec1_point(true).as_bytes().try_into()?);
        let hash = hash160(&verification_script(&public));
        Ok(Self { key, public, hash })
    }

    /// Its address.
    pub fn address(&self) -> String {
        address(self.hash)
    }

    /// The key's signature over a message, 64 bytes.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature: Signature = self.key.sign(message);
        signature.to_bytes().to_vec()
    }

    /// Deploys the artifact `name`; gives the contract.
    ///
    /// # Errors
    /// There is no such artifact, or it is refused.
    pub async fn deploy(&self, neogo: &NeoGo, name: &str, data: Argument) -> anyhow::Result<Hash160> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/neo/artifacts"));
        let program = std::fs::read(folder.join(format!("{name}.nef")))?;
        let manifest = std::fs::read_to_string(folder.join(format!("{name}.manifest.json")))?;
        let arguments = [Argument::Bytes(program), Argument::Text(manifest.trim_end().to_owned()), data];
        let deployed = self.invoke(neogo, MANAGEMENT.parse()?, "deploy", &arguments).await?;
        // The contract's state: its number, how often it was updated, its hash.
        let hash = deployed.stack.first().and_then(|state| state["value"][2]["value"].as_str());
        let bytes = STANDARD.decode(hash.context("no contract")?)?;
        Ok(Hash160(bytes.as_slice().try_into()?))
    }

    /// Deploys a feed's contract, whose answers are from 1 to 10^14 units; a new authority holds after a minute.
    ///
    /// # Errors
    /// It is refused.
    pub async fn deploy_feed(&self, neogo: &NeoGo, feed: NeoFeed) -> anyhow::Result<Hash160> {
        let number = |number: i128| Argument::Integer(number.into());
        let settings = vec![
            Argument::Bytes(feed.id.to_vec()),
            number(feed.decimals.into()),
            Argument::Text("BTC / USD".to_owned()),
            number(1),
            number(100_000_000_000_000),
            number(60),
            Argument::Hash160(self.hash),
            Argument::Bytes([feed.signer.as_slice(), &feed.config, &feed.attestation].concat()),
        ];
        self.deploy(neogo, "feed", Argument::Array(settings)).await
    }

    /// Tries a call without a transaction.
    ///
    /// # Errors
    /// It is refused: the words that the contract refused it by alone.
    pub async fn ask(
        &self,
        neogo: &NeoGo,
        contract: Hash160,
        method: &str,
        arguments: &[Argument],
    ) -> anyhow::Result<Invoked> {
        self.tried(neogo, &script(contract, method, arguments)?).await
    }

    /// Calls a contract, and waits for the block that has the transaction.
    ///
    /// # Errors
    /// It is refused: the words that the contract refused it by alone.
    pub async fn invoke(
        &self,
        neogo: &NeoGo,
        contract: Hash160,
        method: &str,
        arguments: &[Argument],
    ) -> anyhow::Result<Invoked> {
        let node = HttpNodes::new(&[neogo.port()]);
        let script = script(contract, method, arguments)?;
        let tried = self.tried(neogo, &script).await?;
        let height = node.ask("getblockcount", json!([])).await?.as_u64().context("no height")?;
        let mut transaction = Transaction {
            nonce: u32::from_le_bytes(self.sign(&script).get(..4).context("a signature")?.try_into()?),
            system_fee: tried.system_fee,
            network_fee: 0,
            valid_until_block: u32::try_from(height)? + 100,
            signers: vec![Signer::called_by_entry(self.hash)],
            attributes: Vec::new(),
            script,
            witnesses: vec![Witness::of_signature(&self.public, &[0; 64])],
        };
        let asked = json!([STANDARD.encode(transaction.encode()?)]);
        transaction.network_fee = fee(&node.ask("calculatenetworkfee", asked).await?, "networkfee")?;
        let hash = transaction.hash()?;
        let signature = self.sign(&sign_data(NeoGo::MAGIC, hash));
        transaction.witnesses = vec![Witness::of_signature(&self.public, signature.as_slice().try_into()?)];
        node.ask("sendrawtransaction", json!([STANDARD.encode(transaction.encode()?)])).await?;
        for _ in 0..LOOKS {
            if let Ok(log) = node.ask("getapplicationlog", json!([hash])).await {
                let run = log["executions"].get(0).cloned().context("no execution")?;
                let network_fee = transaction.network_fee;
                return Ok(Invoked { network_fee, ..outcome(&run)? });
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        bail!("no block has the transaction {hash}")
    }

    async fn tried(&self, neogo: &NeoGo, script: &[u8]) -> anyhow::Result<Invoked> {
        let signers = json!([{ "account": self.hash, "scopes": "CalledByEntry" }]);
        let asked = json!([STANDARD.encode(script), signers]);
        outcome(&HttpNodes::new(&[neogo.port()]).ask("invokescript", asked).await?)
    }
}

fn script(contract: Hash160, method: &str, arguments: &[Argument]) -> anyhow::Result<Vec<u8>> {
    let mut script = ScriptBuilder::default();
    script.call(contract, method, CallFlags::ALL, arguments)?;
    Ok(script.finish()?)
}

/// A run, or the words between the quotes of what it threw.
fn outcome(run: &Value) -> anyhow::Result<Invoked> {
    let state = run["state"].as_str().or(run["vmstate"].as_str());
    if state != Some("HALT") {
        let said = run["exception"].as_str().with_context(|| format!("not halted: {run}"))?;
        bail!("{}", said.split('"').nth(1).unwrap_or(said));
    }
    let events = run["notifications"].as_array().map(Vec::as_slice).unwrap_or_default();
    let stack = run["stack"].as_array().cloned().unwrap_or_default();
    ensure!(stack.len() <= 1, "more than one result");
    Ok(Invoked {
        stack,
        events: events.iter().filter_map(|event| Some(event["eventname"].as_str()?.to_owned())).collect(),
        system_fee: fee(run, "gasconsumed")?,
        network_fee: 0,
    })
}

/// A fee in a node's answer: text, as nodes write it.
fn fee(answer: &Value, name: &str) -> anyhow::Result<i64> {
    Ok(answer[name].as_str().with_context(|| format!("no {name}: {answer}"))?.parse()?)
}

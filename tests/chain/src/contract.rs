//! The contracts under `contracts/evm`, deployed and called: words in, words out, and refusals by their names.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use r3e_chain::evm::{EvmAddress, HexBytes, keccak256};
use serde_json::{Value, json};

use crate::account::Account;
use crate::http::HttpNodes;
use crate::node::Anvil;

/// An argument, or a part of a result.
pub type Word = [u8; 32];

/// Whatever takes one word.
pub fn word(value: impl Into<i128>) -> Word {
    let value = value.into();
    let mut word = if value < 0 { [0xff; 32] } else { [0; 32] };
    if let Some(end) = word.get_mut(16..) {
        end.copy_from_slice(&value.to_be_bytes());
    }
    word
}

/// An address in a word.
pub fn of_address(address: EvmAddress) -> Word {
    let mut word = [0; 32];
    if let Some(end) = word.get_mut(12..) {
        end.copy_from_slice(&address.0);
    }
    word
}

/// What a feed's contract is made of.
#[derive(Debug, Clone, Copy)]
pub struct FeedContract {
    /// The feed's identifier.
    pub id: Word,
    /// The answer's places behind the point.
    pub decimals: u8,
    /// Rounds that are kept.
    pub history: u8,
    /// Whose signature holds.
    pub signer: EvmAddress,
    /// The digest of the feed's definition.
    pub config: Word,
    /// What the signer's evidence is known by.
    pub attestation: Word,
}

impl FeedContract {
    /// Before a new signer holds.
    pub const DELAY_SECONDS: u64 = 3_600;
    /// What evidence of no signer is known by.
    pub const ATTESTATION: Word = [0xa7; 32];
}

/// A function and its arguments.
pub type Call<'a> = (&'a str, &'a [Word]);

/// A transaction that is in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// What it took of gas.
    pub gas: u64,
    /// The topics of its events, in order.
    pub topics: Vec<Vec<String>>,
}

/// One that is on a chain.
#[derive(Debug)]
pub struct Contract {
    /// Its address.
    pub address: EvmAddress,
    selectors: BTreeMap<String, [u8; 4]>,
    errors: BTreeMap<[u8; 4], String>,
}

impl Contract {
    /// Deploys the artifact `name`, its constructor's arguments encoded as they are wanted.
    ///
    /// # Errors
    /// There is no such artifact, or the chain refuses it.
    pub async fn deploy(
        anvil: &Anvil,
        account: &mut Account,
        name: &str,
        arguments: &[u8],
    ) -> anyhow::Result<Self> {
        let artifact = artifact(name)?;
        let code: HexBytes = artifact["bytecode"].as_str().context("no bytecode")?.parse()?;
        let node = HttpNodes::new(&[anvil.port()]);
        let sent = account.send(&node, None, [&code.0, arguments].concat()).await?;
        anvil.mine(1).await?;
        let receipt = node.ask("eth_getTransactionReceipt", json!([sent])).await?;
        ensure!(receipt["status"] == "0x1", "{name} was not deployed: {receipt}");
        let address = receipt["contractAddress"].as_str().context("no contract")?.parse()?;
        Self::of(&artifact, address)
    }

    /// One of the artifact `name` that is there already.
    ///
    /// # Errors
    /// There is no such artifact.
    pub fn at(name: &str, address: EvmAddress) -> anyhow::Result<Self> {
        Self::of(&artifact(name)?, address)
    }

    fn of(artifact: &Value, address: EvmAddress) -> anyhow::Result<Self> {
        let (mut selectors, mut errors) = (BTreeMap::new(), BTreeMap::new());
        for entry in artifact["abi"].as_array().context("no ABI")? {
            let name = entry["name"].as_str().unwrap_or_default().to_owned();
            let hash = keccak256(&[name.as_bytes(), types(&entry["inputs"])?.as_bytes()]);
            let selector = [hash[0], hash[1], hash[2], hash[3]];
            match entry["type"].as_str() {
                Some("function") => drop(selectors.insert(name, selector)),
                Some("error") => drop(errors.insert(selector, name)),
                _ => {}
            }
        }
        Ok(Self { address, selectors, errors })
    }

    /// Deploys a feed's contract, whose answers are 1,000 to 10^14 units; a new signer holds after an hour.
    ///
    /// # Errors
    /// The chain refuses it.
    pub async fn deploy_feed(anvil: &Anvil, admin: &mut Account, feed: FeedContract) -> anyhow::Result<Self> {
        let settings = [
            // Where the one argument is, and in it where the description is.
            word(32),
            feed.id,
            word(feed.decimals),
            word(11 * 32),
            word(1_000),
            word(100_000_000_000_000_i128),
            word(feed.history),
            word(FeedContract::DELAY_SECONDS),
            of_address(admin.address),
            of_address(feed.signer),
            feed.config,
            feed.attestation,
            word(9),
            *b"BTC / USD\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ];
        Self::deploy(anvil, admin, "Aggregator", settings.as_flattened()).await
    }

    /// Sends a call, and waits for its block.
    ///
    /// # Errors
    /// The contract refused it: the error's name alone.
    pub async fn send(&self, anvil: &Anvil, account: &mut Account, call: Call<'_>) -> anyhow::Result<Sent> {
        let node = HttpNodes::new(&[anvil.port()]);
        let sent = account.send(&node, Some(self.address), self.encoded(call)?).await?;
        anvil.mine(1).await?;
        let receipt = node.ask("eth_getTransactionReceipt", json!([sent])).await?;
        if receipt["status"] != "0x1" {
            // The block before knows what the transaction met.
            self.ask(anvil, account.address, call).await?;
            bail!("refused in its block alone: {receipt}");
        }
        let gas = receipt["gasUsed"].as_str().and_then(|gas| gas.strip_prefix("0x")).context("no gas")?;
        let logs = receipt["logs"].as_array().context("no logs")?;
        let topics = logs.iter().map(|log| Ok(serde_json::from_value(log["topics"].clone())?));
        Ok(Sent { gas: u64::from_str_radix(gas, 16)?, topics: topics.collect::<anyhow::Result<_>>()? })
    }

    /// Calls it without a transaction, as `from`; gives the result's words.
    ///
    /// # Errors
    /// The contract refused it: the error's name alone.
    pub async fn ask(&self, anvil: &Anvil, from: EvmAddress, call: Call<'_>) -> anyhow::Result<Vec<Word>> {
        let data = HexBytes(self.encoded(call)?);
        self.answer(anvil, json!({ "from": from, "to": self.address, "data": data })).await
    }

    /// The same with so much gas, that of a transaction included.
    ///
    /// # Errors
    /// The contract refused it, or it was too little.
    pub async fn ask_within(
        &self,
        anvil: &Anvil,
        from: EvmAddress,
        gas: u64,
        call: Call<'_>,
    ) -> anyhow::Result<Vec<Word>> {
        let data = HexBytes(self.encoded(call)?);
        let asked = json!({ "from": from, "to": self.address, "data": data, "gas": format!("{gas:#x}") });
        self.answer(anvil, asked).await
    }

    async fn answer(&self, anvil: &Anvil, asked: Value) -> anyhow::Result<Vec<Word>> {
        let node = HttpNodes::new(&[anvil.port()]);
        let asked = json!([asked, "latest"]);
        let answer = match node.ask("eth_call", asked).await {
            Ok(answer) => answer,
            Err(error) => bail!("{}", self.refusal(&error.to_string()).context(error)?),
        };
        let bytes: HexBytes = answer.as_str().context("no result")?.parse()?;
        ensure!(bytes.0.len().is_multiple_of(32), "no words");
        Ok(bytes.0.as_chunks::<32>().0.to_vec())
    }

    /// A function's selector, as a wallet's policy names it.
    ///
    /// # Errors
    /// There is none.
    pub fn method(&self, function: &str) -> anyhow::Result<String> {
        let selector = self.selectors.get(function).with_context(|| format!("no function {function}"))?;
        Ok(HexBytes(selector.to_vec()).to_string())
    }

    fn encoded(&self, (function, arguments): Call<'_>) -> anyhow::Result<Vec<u8>> {
        let selector = self.selectors.get(function).with_context(|| format!("no function {function}"))?;
        Ok([selector.as_slice(), arguments.as_flattened()].concat())
    }

    /// The name of the error that a node's words have.
    fn refusal(&self, said: &str) -> anyhow::Result<&str> {
        let data = said.split("\"data\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let data: HexBytes = data.context("refused, and not by the contract")?.parse()?;
        let selector: [u8; 4] = data.0.get(..4).context("refused without an error")?.try_into()?;
        self.errors.get(&selector).map(String::as_str).context("refused by an error that it does not have")
    }
}

fn artifact(name: &str) -> anyhow::Result<Value> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../contracts/evm/artifacts"));
    Ok(serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json")))?)?)
}

/// The parameters as a signature has them.
fn types(inputs: &Value) -> anyhow::Result<String> {
    let inputs = inputs.as_array().map(Vec::as_slice).unwrap_or_default();
    let names: anyhow::Result<Vec<String>> = inputs
        .iter()
        .map(|input| {
            let name = input["type"].as_str().context("no type")?;
            match name.strip_prefix("tuple") {
                Some(end) => Ok(format!("{}{end}", types(&input["components"])?)),
                None => Ok(name.to_owned()),
            }
        })
        .collect();
    Ok(format!("({})", names?.join(",")))
}

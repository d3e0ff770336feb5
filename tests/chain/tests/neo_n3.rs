//! Against `NeoGo`: blocks by their bytes, notifications, and a transaction that was written and signed here.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use r3e_chain::follow::{Cursor, Rules, Source as _, next_batch};
use r3e_chain::neo::{
    Argument, BlockEvent, CallFlags, Hash160, Item, NeoBlocks, NeoEvents, NeoSource, PublicKey,
    ScriptBuilder, Signer, Transaction, Witness, address, hash160, sign_data, verification_script,
};
use r3e_chain::rpc::Quorum;
use r3e_chain_under_test::{HttpNodes, NeoGo};
use serde_json::{Value, json};

/// The native contract of GAS.
const GAS: &str = "0xd2a4cff31913016155e38e474a2c06d08be276cf";
const GAS_UNIT: i128 = 100_000_000;

struct Account {
    key: SigningKey,
    public: PublicKey,
    hash: Hash160,
}

impl Account {
    fn new(secret: u8) -> anyhow::Result<Self> {
        let key = SigningKey::from_slice(&[secret; 32])?;
        let public = PublicKey(key.verifying_key().to_sec1_point(true).as_bytes().try_into()?);
        let hash = hash160(&verification_script(&public));
        Ok(Self { key, public, hash })
    }
}

/// A transfer of GAS. One that makes GAS comes from nobody.
#[derive(Debug, PartialEq)]
struct Transfer {
    from: Option<Vec<u8>>,
    to: Option<Vec<u8>>,
    amount: i128,
}

fn transfer(event: &BlockEvent) -> Option<Transfer> {
    let account = |item: &Item| match item {
        Item::Bytes(bytes) | Item::Buffer(bytes) => Some(bytes.clone()),
        _ => None,
    };
    match event.notification.state.as_ref().ok()? {
        Item::Array(items) => match &items[..] {
            [from, to, Item::Integer(amount)] => {
                Some(Transfer { from: account(from), to: account(to), amount: amount.to_i128()? })
            }
            _ => None,
        },
        _ => None,
    }
}

/// Reads on until an event is found.
async fn find(
    source: &NeoSource<'_, HttpNodes>,
    cursor: &mut Cursor,
    confirmations: u32,
    wanted: impl Fn(&BlockEvent) -> bool,
) -> anyhow::Result<BlockEvent> {
    for _ in 0..60 {
        // As it comes back after a restart.
        let from = Cursor::from_text(&cursor.to_text())?;
        let batch = next_batch(source, from, Rules::confirmed(confirmations)).await?;
        let height = source.height().await?;
        ensure!(batch.blocks.iter().all(|read| read.block.height + u64::from(confirmations) <= height));
        *cursor = batch.cursor;
        let mut events = batch.blocks.into_iter().flat_map(|read| read.events);
        if let Some(event) = events.find(|event| wanted(event)) {
            return Ok(event);
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    anyhow::bail!("no block has the event")
}

/// A fee in a node's answer: text, as nodes write it.
fn fee(answer: &Value, name: &str) -> anyhow::Result<i64> {
    Ok(answer[name].as_str().with_context(|| format!("no {name}: {answer}"))?.parse()?)
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_transfer_that_was_written_and_signed_here() -> anyhow::Result<()> {
    let neogo = NeoGo::start().await?;
    let node = HttpNodes::new(&[neogo.port()]);
    let quorum = Quorum::new(HttpNodes::new(&[neogo.port(), neogo.port(), 1]), 3, 2)?;
    let gas: Hash160 = GAS.parse()?;
    let source = NeoSource::new(&quorum, NeoEvents { contract: gas, name: "Transfer".into() });
    assert_eq!(NeoBlocks::new(&quorum).magic().await?, NeoGo::MAGIC);
    let (ours, theirs) = (Account::new(1)?, Account::new(2)?);

    // From the genesis block on: the treasury's transfer, which NeoGo wrote.
    neogo.give(&address(ours.hash), 50).await?;
    let mut cursor = Cursor::at(0);
    let to = |account: &Account| {
        let hash = account.hash.0.to_vec();
        move |event: &BlockEvent| transfer(event).is_some_and(|one| one.to.as_deref() == Some(&hash[..]))
    };
    let given = find(&source, &mut cursor, 2, to(&ours)).await?;
    assert_eq!(transfer(&given).context("a transfer")?.amount, 50 * GAS_UNIT);

    // One of ours.
    let mut script = ScriptBuilder::default();
    let amount = 3 * GAS_UNIT + 7;
    let arguments = [
        Argument::Hash160(ours.hash),
        Argument::Hash160(theirs.hash),
        Argument::Integer(amount.into()),
        Argument::Null,
    ];
    script.call(gas, "transfer", CallFlags::ALL, &arguments)?;
    let script = script.finish()?;
    let signers = json!([{ "account": ours.hash, "scopes": "CalledByEntry" }]);
    let tried = node.ask("invokescript", json!([STANDARD.encode(&script), signers])).await?;
    ensure!(tried["state"] == "HALT", "{tried}");
    let mut transaction = Transaction {
        nonce: 7,
        system_fee: fee(&tried, "gasconsumed")?,
        network_fee: 0,
        valid_until_block: u32::try_from(source.height().await?)? + 100,
        signers: vec![Signer::called_by_entry(ours.hash)],
        attributes: Vec::new(),
        script,
        witnesses: vec![Witness::of_signature(&ours.public, &[0; 64])],
    };
    let asked = json!([STANDARD.encode(transaction.encode()?)]);
    transaction.network_fee = fee(&node.ask("calculatenetworkfee", asked).await?, "networkfee")?;
    let hash = transaction.hash()?;
    let signature: Signature = ours.key.sign(&sign_data(NeoGo::MAGIC, hash));
    transaction.witnesses = vec![Witness::of_signature(&ours.public, &signature.to_bytes().into())];
    let sent = node.ask("sendrawtransaction", json!([STANDARD.encode(transaction.encode()?)])).await?;
    assert_eq!(sent["hash"], json!(hash));

    let seen = find(&source, &mut cursor, 2, to(&theirs)).await?;
    assert_eq!(seen.transaction, hash);
    let (from, to) = (Some(ours.hash.0.to_vec()), Some(theirs.hash.0.to_vec()));
    assert_eq!(transfer(&seen), Some(Transfer { from, to, amount }));

    // A signature for another network is none.
    transaction.nonce = 8;
    let signature: Signature = ours.key.sign(&sign_data(NeoGo::MAGIC + 1, transaction.hash()?));
    transaction.witnesses = vec![Witness::of_signature(&ours.public, &signature.to_bytes().into())];
    let refused = node.ask("sendrawtransaction", json!([STANDARD.encode(transaction.encode()?)])).await;
    assert!(refused.is_err(), "{refused:?}");
    Ok(())
}

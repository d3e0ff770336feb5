//! Against `NeoGo`: blocks by their bytes, notifications, and a transaction that was written and signed here.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};
use r3e_chain::follow::{Cursor, Rules, Source as _, next_batch};
use r3e_chain::neo::{BlockEvent, Item, NeoBlocks, NeoCalls, NeoEvents, NeoSource};
use r3e_chain::rpc::Quorum;
use r3e_chain_under_test::{HttpNodes, NeoGo};
use r3e_neo::{
    Argument, CallFlags, Hash160, PublicKey, ScriptBuilder, Signer, Transaction, Witness, address, hash160,
    multi_verification_script, sign_data, verification_script,
};
use serde_json::{Value, json};

/// The native contract of GAS.
const GAS: &str = "0xd2a4cff31913016155e38e474a2c06d08be276cf";
const GAS_UNIT: i128 = 100_000_000;
/// The instruction that fails.
const ABORT: u8 = 0x38;

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

    fn sign(&self, magic: u32, transaction: &Transaction) -> anyhow::Result<[u8; 64]> {
        let signature: Signature = self.key.sign(&sign_data(magic, transaction.hash()?));
        Ok(signature.to_bytes().into())
    }
}

/// A transfer of GAS that is still to be signed: tried, and with its fees. A blank witness stands for the one to come.
async fn written(
    node: &HttpNodes,
    (from, to, amount): (Hash160, Hash160, i128),
    blank: Witness,
    height: u32,
) -> anyhow::Result<Transaction> {
    let mut script = ScriptBuilder::default();
    let arguments =
        [Argument::Hash160(from), Argument::Hash160(to), Argument::Integer(amount.into()), Argument::Null];
    script.call(GAS.parse()?, "transfer", CallFlags::ALL, &arguments)?;
    let script = script.finish()?;
    let signers = json!([{ "account": from, "scopes": "CalledByEntry" }]);
    let tried = node.ask("invokescript", json!([STANDARD.encode(&script), signers])).await?;
    ensure!(tried["state"] == "HALT", "{tried}");
    let mut transaction = Transaction {
        nonce: 7,
        system_fee: fee(&tried, "gasconsumed")?,
        network_fee: 0,
        valid_until_block: height + 100,
        signers: vec![Signer::called_by_entry(from)],
        attributes: Vec::new(),
        script,
        witnesses: vec![blank],
    };
    let asked = json!([STANDARD.encode(transaction.encode()?)]);
    transaction.network_fee = fee(&node.ask("calculatenetworkfee", asked).await?, "networkfee")?;
    Ok(transaction)
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
    let amount = 3 * GAS_UNIT + 7;
    let height = u32::try_from(source.height().await?)?;
    let blank = Witness::of_signature(&ours.public, &[0; 64]);
    let mut transaction = written(&node, (ours.hash, theirs.hash, amount), blank, height).await?;
    let hash = transaction.hash()?;
    transaction.witnesses =
        vec![Witness::of_signature(&ours.public, &ours.sign(NeoGo::MAGIC, &transaction)?)];
    let calls = NeoCalls::new(&quorum);
    assert_eq!(calls.gas_of(ours.hash).await?, u128::try_from(50 * GAS_UNIT)?);
    assert_eq!(calls.gas_of(theirs.hash).await?, 0);
    assert_eq!(calls.has_halted(hash).await?, None, "no node has it");
    let sent = node.ask("sendrawtransaction", json!([STANDARD.encode(transaction.encode()?)])).await?;
    assert_eq!(sent["hash"], json!(hash));

    let seen = find(&source, &mut cursor, 2, to(&theirs)).await?;
    assert_eq!(seen.transaction, hash);
    assert_eq!(calls.has_halted(hash).await?, Some(true));
    let (from, to) = (Some(ours.hash.0.to_vec()), Some(theirs.hash.0.to_vec()));
    assert_eq!(transfer(&seen), Some(Transfer { from, to, amount }));

    // One that comes to nothing is paid for, and known as that.
    let mut futile = Transaction { script: vec![ABORT], nonce: 9, ..transaction.clone() };
    futile.witnesses = vec![Witness::of_signature(&ours.public, &ours.sign(NeoGo::MAGIC, &futile)?)];
    node.ask("sendrawtransaction", json!([STANDARD.encode(futile.encode()?)])).await?;
    let hash = futile.hash()?;
    let mut ended_well = None;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        ended_well = calls.has_halted(hash).await?;
        if ended_well.is_some() {
            break;
        }
    }
    assert_eq!(ended_well, Some(false));

    // A signature for another network is none.
    transaction.nonce = 8;
    let foreign = ours.sign(NeoGo::MAGIC + 1, &transaction)?;
    transaction.witnesses = vec![Witness::of_signature(&ours.public, &foreign)];
    let refused = node.ask("sendrawtransaction", json!([STANDARD.encode(transaction.encode()?)])).await;
    assert!(refused.is_err(), "{refused:?}");

    // An account of three keys, two of which must sign.
    let friends = [ours, theirs, Account::new(3)?];
    let keys = friends.each_ref().map(|friend| friend.public);
    let common = hash160(&multi_verification_script(2, &keys)?);
    neogo.give(&address(common), 20).await?;
    find(&source, &mut cursor, 2, |event| {
        transfer(event).is_some_and(|one| one.to.as_deref() == Some(&common.0[..]))
    })
    .await?;
    let height = u32::try_from(source.height().await?)?;
    let blank = Witness::of_signatures(2, &keys, &[(keys[0], [0; 64]), (keys[1], [0; 64])])?;
    let move_out = (common, friends[2].hash, GAS_UNIT);
    let mut transaction = written(&node, move_out, blank, height).await?;
    let signed =
        |friend: &Account| Ok::<_, anyhow::Error>((friend.public, friend.sign(NeoGo::MAGIC, &transaction)?));
    // Named in another order than the chain's.
    let both = Witness::of_signatures(2, &keys, &[signed(&friends[2])?, signed(&friends[0])?])?;
    let mut alone = both.clone();
    alone.invocation.truncate(alone.invocation.len() / 2);
    transaction.witnesses = vec![alone];
    let refused = node.ask("sendrawtransaction", json!([STANDARD.encode(transaction.encode()?)])).await;
    assert!(refused.is_err(), "one of them alone: {refused:?}");
    transaction.witnesses = vec![both];
    node.ask("sendrawtransaction", json!([STANDARD.encode(transaction.encode()?)])).await?;
    let hash = friends[2].hash.0.to_vec();
    let seen = find(&source, &mut cursor, 2, |event| {
        transfer(event).is_some_and(|one| one.to.as_deref() == Some(&hash[..]))
    })
    .await?;
    assert_eq!(seen.transaction, transaction.hash()?);
    assert_eq!(transfer(&seen).context("a transfer")?.from.as_deref(), Some(&common.0[..]));
    Ok(())
}

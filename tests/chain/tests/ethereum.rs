//! Against anvil: events that are seen once they are confirmed, reorganisations, restarts, transactions of ours.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use anyhow::{Context as _, ensure};
use k256::ecdsa::SigningKey;
use r3e_chain::evm::abi::{Event, Value as Decoded};
use r3e_chain::evm::{
    EvmAddress, EvmBlocks, EvmSource, EvmTransaction, Fee, HexBytes, KeyType, Log, LogFilter, Payload, Wei,
    digest, keccak256, signed_transaction, transaction_hash,
};
use r3e_chain::follow::{Batch, Cursor, FollowError, NextError, Rules, Source as _, next_batch};
use r3e_chain::number::Uint256;
use r3e_chain::rpc::{Quorum, QuorumError};
use r3e_chain::watch::{Network, Watch};
use r3e_chain_under_test::{Anvil, HttpNodes};
use serde_json::{Value, json};

const CHAIN: u64 = 138;
const CONFIRMATIONS: u32 = 3;
const PING: &str = "Ping(address indexed who, uint256 what)";

/// An account of anvil's, whose key everybody knows.
struct Account {
    key: SigningKey,
    address: EvmAddress,
    nonce: u64,
}

impl Account {
    fn first() -> anyhow::Result<Self> {
        let secret = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let bytes: HexBytes = format!("0x{secret}").parse()?;
        let address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266".parse()?;
        Ok(Self { key: SigningKey::from_slice(&bytes.0)?, address, nonce: 0 })
    }

    /// Signs a transaction and hands it to the node; gives its hash.
    async fn send(
        &mut self,
        node: &HttpNodes,
        to: Option<EvmAddress>,
        data: Vec<u8>,
    ) -> anyhow::Result<Value> {
        let transaction = EvmTransaction {
            chain_id: CHAIN,
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

struct World {
    anvil: Anvil,
    node: HttpNodes,
    account: Account,
    contract: EvmAddress,
    event: Event,
}

impl World {
    async fn new() -> anyhow::Result<Self> {
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
    async fn ping(&mut self, number: u128) -> anyhow::Result<()> {
        let data = Uint256::from(number).0.to_vec();
        self.account.send(&self.node, Some(self.contract), data).await?;
        self.anvil.mine(1).await
    }

    /// Reads from three nodes, of which one does not answer: what is written down of the cursor is all that stays.
    async fn read(&self, cursor: &mut String) -> Result<Vec<u128>, NextError<QuorumError>> {
        // Nobody listens on the lowest port.
        let nodes = HttpNodes::new(&[self.anvil.port(), 1, self.anvil.port()]);
        let quorum = Quorum::new(nodes, 3, 2).map_err(NextError::Source)?;
        let source = EvmSource::new(&quorum, LogFilter { address: self.contract, topic: self.event.topic() });
        let from = Cursor::from_text(cursor).unwrap();
        let batch = next_batch(&source, from, Rules::confirmed(CONFIRMATIONS)).await?;
        *cursor = batch.cursor.to_text();
        Ok(self.numbers(&batch))
    }

    fn numbers(&self, batch: &Batch<Log>) -> Vec<u128> {
        let logs = batch.blocks.iter().flat_map(|read| &read.events);
        let number = |log: &Log| match &self.event.decode(log).unwrap()[..] {
            [Decoded::Address(who), Decoded::Uint(number)] if *who == self.account.address => {
                number.to_u128().unwrap()
            }
            other => unreachable!("{other:?}"),
        };
        logs.map(number).collect()
    }
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn events_once_and_in_order_over_restarts_and_reorganisations() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    let mut cursor = Cursor::at(0).to_text();
    world.ping(1).await?;
    world.ping(2).await?;
    // The newest block that may be read is three below the top.
    assert_eq!(world.read(&mut cursor).await?, [0; 0]);
    world.anvil.mine(1).await?;
    assert_eq!(world.read(&mut cursor).await?, [0; 0]);
    world.anvil.mine(1).await?;
    assert_eq!(world.read(&mut cursor).await?, [1]);
    world.anvil.mine(1).await?;
    assert_eq!(world.read(&mut cursor).await?, [2]);

    // The last two blocks become others: nothing that was read was in them.
    let before = world.node.ask("eth_getBlockByNumber", json!(["latest", false])).await?;
    world.node.ask("anvil_reorg", json!([2, []])).await?;
    let after = world.node.ask("eth_getBlockByNumber", json!([before["number"], false])).await?;
    assert_ne!(before["hash"], after["hash"]);
    assert_eq!(world.read(&mut cursor).await?, [0; 0]);
    for number in 3..6 {
        world.ping(number).await?;
    }
    assert_eq!(world.read(&mut cursor).await?, [0; 0]);
    world.anvil.mine(CONFIRMATIONS).await?;
    assert_eq!(world.read(&mut cursor).await?, [3, 4, 5]);
    assert_eq!(world.read(&mut cursor).await?, [0; 0]);

    // Deeper than was agreed: it stops, and says where the chains part.
    let last = Cursor::from_text(&cursor)?.last().context("nothing was read")?;
    world.node.ask("anvil_reorg", json!([5, []])).await?;
    world.anvil.mine(5).await?;
    for _ in 0..2 {
        let kept = cursor.clone();
        match world.read(&mut cursor).await {
            Err(NextError::Follow(FollowError::Reorganised { last: said, common: Some(common), .. })) => {
                assert_eq!(said, last);
                assert_eq!(common.height, last.height - 2);
            }
            other => unreachable!("{other:?}"),
        }
        assert_eq!(cursor, kept);
    }
    Ok(())
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn a_batch_in_pieces_is_the_whole() -> anyhow::Result<()> {
    let mut world = World::new().await?;
    for number in 0..3 {
        // Several in one block.
        for more in 0..4 {
            let data = Uint256::from(number * 10 + more).0.to_vec();
            world.account.send(&world.node, Some(world.contract), data).await?;
        }
        world.anvil.mine(1).await?;
    }
    let quorum = Quorum::new(world.node.clone(), 1, 1)?;
    let source = EvmSource::new(&quorum, LogFilter { address: world.contract, topic: world.event.topic() });
    assert_eq!(EvmBlocks::new(&quorum).chain_id().await?, CHAIN);
    let (mut cursor, mut seen) = (Cursor::at(0), Vec::new());
    loop {
        let batch = next_batch(&source, cursor, Rules { confirmations: 0, blocks: 2, events: 3 }).await?;
        seen.extend(world.numbers(&batch));
        cursor = Cursor::from_text(&batch.cursor.to_text())?;
        if !batch.more {
            break;
        }
    }
    assert_eq!(seen, [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]);
    // Another contract's events are not these.
    let other = LogFilter { address: EvmAddress([7; 20]), topic: world.event.topic() };
    let batch = next_batch(&EvmSource::new(&quorum, other), Cursor::at(0), Rules::confirmed(0)).await?;
    assert!(batch.blocks.iter().all(|read| read.events.is_empty()) && batch.blocks.len() == 5);
    assert_eq!(source.height().await?, 4);
    // Each block, whatever is in it.
    let blocks = Watch::blocks(Network::Eip155(CHAIN));
    blocks.check_network(&quorum).await?;
    let batch = blocks.next(&quorum, Cursor::at(0), Rules::confirmed(1)).await?;
    let heights: Vec<_> = batch
        .blocks
        .iter()
        .flat_map(|read| &read.events)
        .map(|seen| seen.event["block"]["height"].clone())
        .collect();
    assert_eq!(heights, [0, 1, 2, 3]);
    assert_eq!(keccak256(&[b"Ping(address,uint256)"]), world.event.topic().0);
    Ok(())
}

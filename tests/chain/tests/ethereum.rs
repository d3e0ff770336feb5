//! Against anvil: events that are seen once they are confirmed, reorganisations, restarts, transactions of ours.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use anyhow::Context as _;
use r3e_chain::evm::abi::Value as Decoded;
use r3e_chain::evm::{EvmAddress, EvmBlocks, EvmSource, Log, LogFilter, keccak256};
use r3e_chain::follow::{Batch, Cursor, FollowError, NextError, Rules, Source as _, next_batch};
use r3e_chain::rpc::{Quorum, QuorumError};
use r3e_chain::watch::{Network, Watch};
use r3e_chain_under_test::{Anvil, HttpNodes, Pinger};
use r3e_neo::number::Uint256;
use serde_json::json;

const CONFIRMATIONS: u32 = 3;

/// Reads from three nodes, of which one does not answer: what is written down of the cursor is all that stays.
async fn read(world: &Pinger, cursor: &mut String) -> Result<Vec<u128>, NextError<QuorumError>> {
    // Nobody listens on the lowest port.
    let nodes = HttpNodes::new(&[world.anvil.port(), 1, world.anvil.port()]);
    let quorum = Quorum::new(nodes, 3, 2).map_err(NextError::Source)?;
    let source = EvmSource::new(&quorum, LogFilter { address: world.contract, topic: world.event.topic() });
    let from = Cursor::from_text(cursor).unwrap();
    let batch = next_batch(&source, from, Rules::confirmed(CONFIRMATIONS)).await?;
    *cursor = batch.cursor.to_text();
    Ok(numbers(world, &batch))
}

fn numbers(world: &Pinger, batch: &Batch<Log>) -> Vec<u128> {
    let logs = batch.blocks.iter().flat_map(|read| &read.events);
    let number = |log: &Log| match &world.event.decode(log).unwrap()[..] {
        [Decoded::Address(who), Decoded::Uint(number)] if *who == world.account.address => {
            number.to_u128().unwrap()
        }
        other => unreachable!("{other:?}"),
    };
    logs.map(number).collect()
}

#[tokio::test]
#[ignore = "needs the nodes of tests/chain/setup"]
async fn events_once_and_in_order_over_restarts_and_reorganisations() -> anyhow::Result<()> {
    let mut world = Pinger::start().await?;
    let mut cursor = Cursor::at(0).to_text();
    world.ping(1).await?;
    world.ping(2).await?;
    // The newest block that may be read is three below the top.
    assert_eq!(read(&world, &mut cursor).await?, [0; 0]);
    world.anvil.mine(1).await?;
    assert_eq!(read(&world, &mut cursor).await?, [0; 0]);
    world.anvil.mine(1).await?;
    assert_eq!(read(&world, &mut cursor).await?, [1]);
    world.anvil.mine(1).await?;
    assert_eq!(read(&world, &mut cursor).await?, [2]);

    // The last two blocks become others: nothing that was read was in them.
    let before = world.node.ask("eth_getBlockByNumber", json!(["latest", false])).await?;
    world.node.ask("anvil_reorg", json!([2, []])).await?;
    let after = world.node.ask("eth_getBlockByNumber", json!([before["number"], false])).await?;
    assert_ne!(before["hash"], after["hash"]);
    assert_eq!(read(&world, &mut cursor).await?, [0; 0]);
    for number in 3..6 {
        world.ping(number).await?;
    }
    assert_eq!(read(&world, &mut cursor).await?, [0; 0]);
    world.anvil.mine(CONFIRMATIONS).await?;
    assert_eq!(read(&world, &mut cursor).await?, [3, 4, 5]);
    assert_eq!(read(&world, &mut cursor).await?, [0; 0]);

    // Deeper than was agreed: it stops, and says where the chains part.
    let last = Cursor::from_text(&cursor)?.last().context("nothing was read")?;
    world.node.ask("anvil_reorg", json!([5, []])).await?;
    world.anvil.mine(5).await?;
    for _ in 0..2 {
        let kept = cursor.clone();
        match read(&world, &mut cursor).await {
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
    let mut world = Pinger::start().await?;
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
    assert_eq!(EvmBlocks::new(&quorum).chain_id().await?, Anvil::CHAIN);
    let (mut cursor, mut seen) = (Cursor::at(0), Vec::new());
    loop {
        let batch = next_batch(&source, cursor, Rules { confirmations: 0, blocks: 2, events: 3 }).await?;
        seen.extend(numbers(&world, &batch));
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
    let blocks = Watch::blocks(Network::Eip155(Anvil::CHAIN));
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

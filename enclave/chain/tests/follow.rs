//! The follower against a chain in memory that grows, loses blocks, and is read in pieces.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::future::Future;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use r3e_chain::follow::{
    Batch, BlockId, Cursor, CursorError, FollowError, Follower, Link, Linked, Need, NextError, Rules, Source,
    next_batch,
};

/// A block whose hash says its height and its branch, and its events.
#[derive(Debug, Clone)]
struct Block {
    link: Link,
    events: Vec<u32>,
}

impl Linked for Block {
    fn link(&self) -> Link {
        self.link
    }
}

/// A chain, and how many more answers it gives.
struct Chain {
    blocks: Vec<Block>,
    patience: Mutex<u32>,
}

fn hash(height: u64, branch: u8) -> [u8; 32] {
    let mut hash = [branch; 32];
    hash[..8].copy_from_slice(&height.to_be_bytes());
    hash
}

impl Chain {
    fn new() -> Self {
        Self { blocks: Vec::new(), patience: Mutex::new(u32::MAX) }
    }

    /// Adds a block with `events` events, whose numbers say where they stand.
    fn grow(&mut self, branch: u8, events: u32) {
        let height = self.blocks.len() as u64;
        let parent = self.blocks.last().map_or([0; 32], |block| block.link.id.hash);
        let id = BlockId { height, hash: hash(height, branch) };
        let number = u32::try_from(height).unwrap() * 1_000;
        self.blocks.push(Block { link: Link { id, parent }, events: (number..number + events).collect() });
    }

    fn answer<T>(&self, answer: Option<T>) -> Result<T, &'static str> {
        let mut patience = self.patience.lock().unwrap();
        *patience = patience.checked_sub(1).ok_or("tired")?;
        answer.ok_or("no such block")
    }

    fn all(&self, count: usize) -> Vec<u32> {
        self.blocks.iter().take(count).flat_map(|block| block.events.clone()).collect()
    }
}

impl Source for Chain {
    type Block = Block;
    type Event = u32;
    type Error = &'static str;

    async fn height(&self) -> Result<u64, &'static str> {
        self.answer((self.blocks.len() as u64).checked_sub(1))
    }

    async fn block(&self, height: u64) -> Result<Block, &'static str> {
        self.answer(self.blocks.get(usize::try_from(height).unwrap()).cloned())
    }

    async fn events(&self, block: &Block) -> Result<Vec<u32>, &'static str> {
        self.answer(Some(block.events.clone()))
    }
}

/// Nothing here waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    match Box::pin(future).as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("the chain is in memory"),
    }
}

type Next = Result<Batch<u32>, NextError<&'static str>>;

fn next(chain: &Chain, cursor: &Cursor, rules: Rules) -> Next {
    // As it comes from where it was kept.
    let kept = Cursor::from_text(&cursor.to_text()).unwrap();
    assert_eq!(kept, *cursor);
    now(next_batch(chain, kept, rules))
}

fn events(batch: &Batch<u32>) -> Vec<u32> {
    batch.blocks.iter().flat_map(|read| read.events.clone()).collect()
}

fn rules(confirmations: u32, blocks: u32, events: u32) -> Rules {
    Rules { confirmations, blocks, events }
}

#[test]
fn nothing_below_its_confirmations() {
    let mut chain = Chain::new();
    let mut cursor = Cursor::at(0);
    for height in 0..10_u32 {
        chain.grow(1, 1);
        let batch = next(&chain, &cursor, Rules::confirmed(3)).unwrap();
        assert_eq!(events(&batch), if height >= 3 { vec![(height - 3) * 1_000] } else { Vec::new() });
        assert!(!batch.more);
        cursor = batch.cursor;
    }
    assert_eq!(cursor.next(), 7);
    assert_eq!(cursor.last(), Some(BlockId { height: 6, hash: hash(6, 1) }));
}

#[test]
fn a_block_in_pieces() {
    let mut chain = Chain::new();
    for count in [0, 5, 0, 2] {
        chain.grow(1, count);
    }
    let (mut cursor, mut seen) = (Cursor::at(0), Vec::new());
    loop {
        let batch = next(&chain, &cursor, rules(0, 100, 2)).unwrap();
        assert!(events(&batch).len() <= 2);
        seen.extend(events(&batch));
        cursor = batch.cursor;
        if !batch.more {
            break;
        }
    }
    assert_eq!(seen, chain.all(4));
    // Part of a block that now is another one, with the same parent.
    let cursor = next(&chain, &Cursor::at(0), rules(0, 100, 2)).unwrap().cursor;
    assert_eq!(cursor.begun(), Some((BlockId { height: 1, hash: hash(1, 1) }, 2)));
    chain.blocks.truncate(1);
    chain.grow(2, 5);
    let refused = next(&chain, &cursor, rules(0, 100, 2));
    let (last, common) =
        (BlockId { height: 1, hash: hash(1, 1) }, Some(BlockId { height: 0, hash: hash(0, 1) }));
    assert_eq!(refused, Err(FollowError::Reorganised { confirmations: 0, last, common }.into()));
    // The same block with fewer events: nodes lie.
    let mut chain = Chain::new();
    chain.grow(1, 1);
    let mut cursor = Cursor::at(0);
    cursor.give(hash(0, 1), 2);
    let block = BlockId { height: 0, hash: hash(0, 1) };
    assert_eq!(next(&chain, &cursor, Rules::confirmed(0)), Err(FollowError::Fewer { block }.into()));
}

#[test]
fn a_reorganisation_that_is_too_deep() {
    let mut chain = Chain::new();
    for _ in 0..20 {
        chain.grow(1, 1);
    }
    let cursor = next(&chain, &Cursor::at(0), Rules::confirmed(3)).unwrap().cursor;
    assert_eq!(cursor.next(), 17);
    // Above what was read: nothing changes.
    chain.blocks.truncate(17);
    for _ in 0..4 {
        chain.grow(2, 1);
    }
    let batch = next(&chain, &cursor, Rules::confirmed(3)).unwrap();
    assert_eq!(events(&batch), [17_000]);
    let cursor = batch.cursor;
    // Two of those that were read are gone.
    chain.blocks.truncate(16);
    for _ in 0..4 {
        chain.grow(3, 1);
    }
    // Too short to tell; nothing is given out.
    let batch = next(&chain, &cursor, Rules::confirmed(3)).unwrap();
    assert!(batch.blocks.is_empty() && batch.cursor == cursor);
    for _ in 0..4 {
        chain.grow(3, 1);
    }
    let last = BlockId { height: 17, hash: hash(17, 2) };
    let common = Some(BlockId { height: 15, hash: hash(15, 1) });
    let expected = Err(FollowError::Reorganised { confirmations: 3, last, common }.into());
    assert_eq!(next(&chain, &cursor, Rules::confirmed(3)), expected);
    // It stays so.
    assert_eq!(next(&chain, &cursor, Rules::confirmed(3)), expected);
    // While nodes fail, it is not said.
    *chain.patience.lock().unwrap() = 3;
    assert_eq!(next(&chain, &cursor, Rules::confirmed(3)), Err(NextError::Source("tired")));
}

#[test]
fn another_chain_altogether() {
    let mut chain = Chain::new();
    for _ in 0..100 {
        chain.grow(1, 0);
    }
    let cursor = next(&chain, &Cursor::at(0), Rules::confirmed(0)).unwrap().cursor;
    assert!(cursor.to_text().len() < 4_096);
    chain.blocks.clear();
    for _ in 0..200 {
        chain.grow(2, 0);
    }
    let last = BlockId { height: 99, hash: hash(99, 1) };
    let expected = FollowError::Reorganised { confirmations: 0, last, common: None };
    assert_eq!(next(&chain, &cursor, Rules::confirmed(0)), Err(expected.into()));
}

#[test]
fn what_was_read_before_a_failure_is_kept() {
    let mut chain = Chain::new();
    for _ in 0..10 {
        chain.grow(1, 1);
    }
    // The height, and two answers for each block.
    *chain.patience.lock().unwrap() = 1 + 2 * 3;
    let batch = next(&chain, &Cursor::at(0), Rules::confirmed(0)).unwrap();
    assert_eq!(events(&batch), [0, 1_000, 2_000]);
    assert_eq!(next(&chain, &batch.cursor, Rules::confirmed(0)), Err(NextError::Source("tired")));
    *chain.patience.lock().unwrap() = u32::MAX;
    assert_eq!(events(&next(&chain, &batch.cursor, Rules::confirmed(0)).unwrap()).len(), 7);
}

#[test]
fn what_was_not_asked_for() {
    let mut chain = Chain::new();
    for _ in 0..5 {
        chain.grow(1, 1);
    }
    let mut follower: Follower<Block, u32> = Follower::new(Cursor::at(2), Rules::confirmed(1)).unwrap();
    assert!(matches!(follower.need(), Need::Height));
    assert_eq!(follower.block(chain.blocks[2].clone()), Err(FollowError::NotAsked));
    assert_eq!(follower.events(vec![1]), Err(FollowError::NotAsked));
    follower.height(4);
    assert!(matches!(follower.need(), Need::Block(2)));
    assert_eq!(follower.block(chain.blocks[3].clone()), Err(FollowError::NotAsked));
    follower.block(chain.blocks[2].clone()).unwrap();
    assert!(matches!(follower.need(), Need::Events(_)));
    assert_eq!(follower.block(chain.blocks[3].clone()), Err(FollowError::NotAsked));
    let block = chain.blocks[2].link.id;
    assert_eq!(follower.events(vec![0; 16_385]), Err(FollowError::TooMany { block }));
    for wrong in [rules(20_000, 1, 1), rules(0, 0, 1), rules(0, 1, 0), rules(0, 257, 1), rules(0, 1, 5_000)] {
        assert!(Follower::<Block, u32>::new(Cursor::at(0), wrong).is_err());
    }
    // Heights at the end of all numbers.
    for height in [u64::MAX - 1, u64::MAX] {
        let mut follower: Follower<Block, u32> =
            Follower::new(Cursor::at(height), Rules::confirmed(1)).unwrap();
        follower.height(u64::MAX - 1);
        assert!(matches!(follower.need(), Need::Nothing));
    }
}

#[test]
fn texts_that_are_no_cursor() {
    let hash = "11".repeat(32);
    let good = format!(r#"{{"next":5,"tail":["{hash}"],"begun":{{"hash":"{hash}","given":3}}}}"#);
    assert_eq!(Cursor::from_text(&good).unwrap().to_text().len(), good.len());
    for wrong in [
        String::new(),
        "{}".to_owned(),
        r#"{"next":-1,"tail":[]}"#.to_owned(),
        r#"{"next":5,"tail":["11"]}"#.to_owned(),
        r#"{"next":5,"tail":[],"more":1}"#.to_owned(),
        format!(r#"{{"next":0,"tail":["{hash}"]}}"#),
        good.replace(":3", ":0"),
        good.replace(":3", ":99999"),
        good.replace("\"given\"", "\"taken\""),
        format!("{good} 1"),
        format!(r#"{{"next":99,"tail":[{}]}}"#, vec![format!("\"{hash}\""); 33].join(",")),
    ] {
        assert_eq!(Cursor::from_text(&wrong), Err(CursorError::Form), "{wrong}");
    }
    assert_eq!(Cursor::from_text(&" ".repeat(5_000)), Err(CursorError::TooLong));
}

proptest! {
    /// Whatever the chain does above what is confirmed, whatever the batches, and whenever nodes fail: each event of the chain once,
    /// in order, and none that is not confirmed.
    #[test]
    fn every_event_once(
        confirmations in 0_u32..6,
        steps in proptest::collection::vec((1_u8..5, 0_u32..4, 0_u32..7, 1_u32..4, 1_u32..6, 0_u32..12), 1..60),
    ) {
        let mut chain = Chain::new();
        let (mut cursor, mut seen) = (Cursor::at(0), Vec::new());
        for (branch, count, lost, blocks, limit, patience) in steps {
            let lost = lost.min(confirmations) as usize;
            let length = chain.blocks.len().saturating_sub(lost);
            chain.blocks.truncate(length);
            for _ in 0..=lost {
                chain.grow(branch, count);
            }
            *chain.patience.lock().unwrap() = patience;
            match next(&chain, &cursor, rules(confirmations, blocks, limit)) {
                Ok(batch) => {
                    prop_assert!(batch.blocks.len() <= blocks as usize);
                    prop_assert!(events(&batch).len() <= limit as usize);
                    seen.extend(events(&batch));
                    cursor = batch.cursor;
                }
                Err(error) => prop_assert_eq!(error, NextError::Source("tired")),
            }
            let confirmed = chain.blocks.len().saturating_sub(confirmations as usize);
            prop_assert!(chain.all(confirmed).starts_with(&seen));
        }
        *chain.patience.lock().unwrap() = u32::MAX;
        loop {
            let batch = next(&chain, &cursor, rules(confirmations, 3, 2)).unwrap();
            seen.extend(events(&batch));
            cursor = batch.cursor;
            if !batch.more {
                break;
            }
        }
        prop_assert_eq!(seen, chain.all(chain.blocks.len().saturating_sub(confirmations as usize)));
    }
}

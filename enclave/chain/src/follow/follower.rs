//! The state machine. It asks nobody and keeps no time.

use super::cursor::{BlockId, Cursor};
use super::{Link, Linked};
use crate::limits::{MAX_BATCH_BLOCKS, MAX_BATCH_EVENTS, MAX_BLOCK_EVENTS, MAX_CONFIRMATIONS};

/// How a chain is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// How many blocks must stand above one before it is read. 0: the newest is read at once, which is right where blocks are final.
    pub confirmations: u32,
    /// Blocks of one batch.
    pub blocks: u32,
    /// Events of one batch.
    pub events: u32,
}

impl Rules {
    /// So many confirmations, and batches as large as they may be.
    pub fn confirmed(confirmations: u32) -> Self {
        Self { confirmations, blocks: MAX_BATCH_BLOCKS, events: MAX_BATCH_EVENTS }
    }

    fn checked(self) -> Result<Self, FollowError> {
        let whole = |number, max| (1..=max).contains(&number);
        let holds = self.confirmations <= MAX_CONFIRMATIONS
            && whole(self.blocks, MAX_BATCH_BLOCKS)
            && whole(self.events, MAX_BATCH_EVENTS);
        if holds { Ok(self) } else { Err(FollowError::Rules) }
    }
}

/// Why the chain is not followed any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The rules ask for nothing, or too much.
    #[error(
        "at most {MAX_CONFIRMATIONS} confirmations; a batch has 1 to {MAX_BATCH_BLOCKS} blocks and 1 to {MAX_BATCH_EVENTS} events"
    )]
    Rules,
    /// Blocks that were read are no longer in the chain, though so many stood above them. What was made of their events does not follow
    /// from the chain any more: somebody must decide where to go on.
    #[error(
        "the chain was reorganised below {confirmations} confirmations: the block that was read last, {last:?}, is not in it any more; \
         the last one that still is: {common:?}"
    )]
    Reorganised {
        /// How many blocks had to stand above.
        confirmations: u32,
        /// The last block that was read, to its end or in part.
        last: BlockId,
        /// The newest block that was read and still is in the chain; none where that lies below what is remembered.
        common: Option<BlockId>,
    },
    /// What was brought is not what was needed.
    #[error("another block, or other events, than were asked for")]
    NotAsked,
    /// A block has fewer events than were given out of it before.
    #[error("the block {block:?} has fewer events than before")]
    Fewer {
        /// Which.
        block: BlockId,
    },
    /// A block has more events than are read.
    #[error("the block {block:?} has more than {MAX_BLOCK_EVENTS} such events")]
    TooMany {
        /// Which.
        block: BlockId,
    },
}

/// What comes next.
#[derive(Debug)]
pub enum Need<'a, B> {
    /// The chain's height.
    Height,
    /// The block at this height.
    Block(u64),
    /// The events of this block, all of them.
    Events(&'a B),
    /// Nothing: the batch is ready.
    Nothing,
}

/// A block that was read, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read<E> {
    /// Which.
    pub block: BlockId,
    /// The place of the first event among the block's.
    pub first: u32,
    /// Its events, in order.
    pub events: Vec<E>,
    /// Whether this is the end of the block.
    pub whole: bool,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<E> {
    /// Block by block, those without events among them.
    pub blocks: Vec<Read<E>>,
    /// Where to go on.
    pub cursor: Cursor,
    /// Whether more could be read at once: a limit of the batch ended it, not the chain.
    pub more: bool,
}

impl<E> Batch<E> {
    /// The same with each event made into another.
    pub fn map<F>(self, mut change: impl FnMut(BlockId, E) -> F) -> Batch<F> {
        let mut one = |read: Read<E>| {
            let Read { block, first, events, whole } = read;
            let events = events.into_iter().map(|event| change(block, event)).collect();
            Read { block, first, events, whole }
        };
        let blocks = self.blocks.into_iter().map(&mut one).collect();
        Batch { blocks, cursor: self.cursor, more: self.more }
    }
}

/// Reads one batch.
#[derive(Debug)]
pub struct Follower<B, E> {
    rules: Rules,
    cursor: Cursor,
    height: Option<u64>,
    /// The block whose events are waited for.
    block: Option<B>,
    read: Vec<Read<E>>,
    events: u32,
    /// Where the chain became another one: the remembered blocks that were not compared yet.
    search: Option<Search>,
}

#[derive(Debug)]
struct Search {
    last: BlockId,
    left: Vec<BlockId>,
}

impl<B: Linked, E> Follower<B, E> {
    /// Goes on at `cursor`.
    ///
    /// # Errors
    /// [`FollowError::Rules`].
    pub fn new(cursor: Cursor, rules: Rules) -> Result<Self, FollowError> {
        let rules = rules.checked()?;
        Ok(Self { rules, cursor, height: None, block: None, read: Vec::new(), events: 0, search: None })
    }

    /// What it needs.
    pub fn need(&self) -> Need<'_, B> {
        if let Some(block) = self.search.as_ref().and_then(|search| search.left.last()) {
            return Need::Block(block.height);
        }
        let Some(height) = self.height else { return Need::Height };
        match &self.block {
            Some(block) => Need::Events(block),
            None if self.is_full() || !self.is_confirmed(height) => Need::Nothing,
            None => Need::Block(self.cursor.next()),
        }
    }

    /// Brings the chain's height.
    pub fn height(&mut self, height: u64) {
        self.height = Some(height);
    }

    /// Brings the block that was needed.
    ///
    /// # Errors
    /// [`FollowError::Reorganised`], [`FollowError::NotAsked`].
    pub fn block(&mut self, block: B) -> Result<(), FollowError> {
        let Need::Block(height) = self.need() else { return Err(FollowError::NotAsked) };
        let link = block.link();
        if link.id.height != height {
            return Err(FollowError::NotAsked);
        }
        if self.search.is_some() {
            return self.compare(link.id);
        }
        let begun = self.cursor.begun().map(|(begun, _)| begun);
        let continues = self.cursor.last().is_none_or(|last| last.hash == link.parent)
            && begun.is_none_or(|begun| begun == link.id);
        if continues {
            self.block = Some(block);
            return Ok(());
        }
        // One of them is there, or it would continue.
        let last = begun.or(self.cursor.last()).unwrap_or(link.id);
        self.seek(last, link)
    }

    /// Brings the events of the block.
    ///
    /// # Errors
    /// [`FollowError::NotAsked`], [`FollowError::Fewer`], [`FollowError::TooMany`].
    pub fn events(&mut self, mut events: Vec<E>) -> Result<(), FollowError> {
        let block = self.block.take().ok_or(FollowError::NotAsked)?.link().id;
        if events.len() > MAX_BLOCK_EVENTS {
            return Err(FollowError::TooMany { block });
        }
        let first = self.cursor.begun().map_or(0, |(_, given)| given);
        if events.len() < first as usize {
            return Err(FollowError::Fewer { block });
        }
        events.drain(..first as usize);
        let room = (self.rules.events - self.events) as usize;
        let whole = events.len() <= room;
        events.truncate(room);
        // At most `room`, which is 32 bits.
        let given = u32::try_from(events.len()).unwrap_or(u32::MAX);
        self.events += given;
        if whole {
            self.cursor.advance(block.hash);
        } else if given > 0 {
            self.cursor.give(block.hash, first + given);
        }
        if whole || given > 0 {
            self.read.push(Read { block, first, events, whole });
        }
        Ok(())
    }

    /// What was read. It may be taken at any time: what is not in it comes again.
    pub fn into_batch(self) -> Batch<E> {
        let more = self.height.is_some_and(|height| self.is_confirmed(height));
        Batch { blocks: self.read, cursor: self.cursor, more }
    }

    fn is_full(&self) -> bool {
        self.events >= self.rules.events || self.read.len() >= self.rules.blocks as usize
    }

    /// Whether enough blocks stand above the next one.
    fn is_confirmed(&self, height: u64) -> bool {
        let needed = self.cursor.next().checked_add(u64::from(self.rules.confirmations));
        needed.is_some_and(|needed| needed <= height)
    }

    /// Begins to look for the newest block that is still there.
    fn seek(&mut self, last: BlockId, found: Link) -> Result<(), FollowError> {
        let mut left: Vec<BlockId> = self.cursor.tail().collect();
        // Another block in place of one that was begun may have the same parent, which then is there.
        if left.last().is_some_and(|newest| newest.hash == found.parent) {
            return Err(self.reorganised(last, left.pop()));
        }
        self.search = Some(Search { last, left });
        self.next_comparison()
    }

    fn compare(&mut self, found: BlockId) -> Result<(), FollowError> {
        let Some(search) = &mut self.search else { return Err(FollowError::NotAsked) };
        let (last, remembered) = (search.last, search.left.pop());
        if remembered == Some(found) {
            return Err(self.reorganised(last, remembered));
        }
        self.next_comparison()
    }

    /// Nothing is left to compare: the end. Otherwise [`Follower::need`] says which block.
    fn next_comparison(&self) -> Result<(), FollowError> {
        match &self.search {
            Some(search) if search.left.is_empty() => Err(self.reorganised(search.last, None)),
            _ => Ok(()),
        }
    }

    fn reorganised(&self, last: BlockId, common: Option<BlockId>) -> FollowError {
        FollowError::Reorganised { confirmations: self.rules.confirmations, last, common }
    }
}

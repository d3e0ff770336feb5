//! Following a chain: its blocks in order, each once, none before it is final enough, and a stop where the chain became another one.
//!
//! ```text
//! Cursor --Follower: Need::{Height, Block, Events}--> Batch: blocks with their events, and the next Cursor
//! ```
//!
//! [`Follower`] decides and asks nobody: whoever drives it brings it what it needs. [`next_batch`] does so from a [`Source`].
//! The cursor is the caller's to keep, with what it made of the events, in one write.

mod cursor;
mod drive;
mod follower;

pub use cursor::{BlockId, Cursor, CursorError};
pub use drive::{NextError, Source, next_batch};
pub use follower::{Batch, FollowError, Follower, Need, Read, Rules};

/// A block, and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The block.
    pub id: BlockId,
    /// Its parent's hash.
    pub parent: [u8; 32],
}

/// Something that is a block of a chain.
pub trait Linked {
    /// Which block, and which one before it.
    fn link(&self) -> Link;
}

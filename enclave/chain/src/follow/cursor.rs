//! Where a follower is.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::limits::{MAX_BLOCK_EVENTS, MAX_CURSOR_BYTES, MAX_TAIL_BLOCKS};

/// A block of a chain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockId {
    /// How many came before it.
    pub height: u64,
    /// Its hash, in the chain's own order of bytes.
    pub hash: [u8; 32],
}

impl fmt::Debug for BlockId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.height, hex::encode(self.hash))
    }
}

/// Why a text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CursorError {
    /// Longer than any that was written here.
    #[error("a cursor has at most {MAX_CURSOR_BYTES} bytes")]
    TooLong,
    /// Not of the form that is written here, or it contradicts itself.
    #[error("this is no cursor that was written here")]
    Form,
}

/// Where a follower is: what it has read, and what comes next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Cursor {
    /// The height of the first block that was not read to its end.
    next: u64,
    /// Hashes of the blocks just below it, oldest first.
    tail: Vec<Hash>,
    /// The block at `next`, where some of its events were given out.
    #[serde(skip_serializing_if = "Option::is_none")]
    begun: Option<Begun>,
}

/// A block that was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begun {
    hash: Hash,
    given: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    next: u64,
    tail: Vec<Hash>,
    #[serde(default)]
    begun: Option<Begun>,
}

impl Cursor {
    /// Before the block at this height, whatever block that is.
    pub fn at(height: u64) -> Self {
        Self { next: height, tail: Vec::new(), begun: None }
    }

    /// Behind a block that is known.
    pub fn behind(block: BlockId) -> Self {
        let mut cursor = Self::at(block.height);
        cursor.advance(block.hash);
        cursor
    }

    /// The height of the block that comes next.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The last block that was read to its end, where one was.
    pub fn last(&self) -> Option<BlockId> {
        self.tail().next_back()
    }

    /// The last blocks that were read, oldest first.
    pub fn tail(&self) -> impl DoubleEndedIterator<Item = BlockId> + '_ {
        // Never longer than the chain below it: see `TryFrom`.
        let first = self.next.saturating_sub(self.tail.len() as u64);
        (first..)
            .zip(&self.tail)
            .map(|(height, hash)| BlockId { height, hash: hash.0 })
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The block of which some events were given out, and how many.
    pub fn begun(&self) -> Option<(BlockId, u32)> {
        self.begun.map(|begun| (BlockId { height: self.next, hash: begun.hash.0 }, begun.given))
    }

    /// Goes behind the block that comes next.
    pub fn advance(&mut self, hash: [u8; 32]) {
        self.begun = None;
        self.next = self.next.saturating_add(1);
        self.tail.push(Hash(hash));
        let over = self.tail.len().saturating_sub(MAX_TAIL_BLOCKS);
        self.tail.drain(..over);
    }

    /// Notes that the first `given` events of the block that comes next were given out.
    pub fn give(&mut self, hash: [u8; 32], given: u32) {
        self.begun = Some(Begun { hash: Hash(hash), given });
    }

    /// The cursor as text.
    pub fn to_text(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// The cursor in a text.
    ///
    /// # Errors
    /// [`CursorError`].
    pub fn from_text(text: &str) -> Result<Self, CursorError> {
        if text.len() > MAX_CURSOR_BYTES {
            return Err(CursorError::TooLong);
        }
        serde_json::from_str(text).map_err(|_| CursorError::Form)
    }
}

impl TryFrom<Written> for Cursor {
    type Error = CursorError;

    fn try_from(written: Written) -> Result<Self, CursorError> {
        let Written { next, tail, begun } = written;
        let tail_fits = tail.len() <= MAX_TAIL_BLOCKS && tail.len() as u64 <= next;
        // One of which nothing was given out was not begun.
        let begun_fits =
            begun.is_none_or(|begun| begun.given > 0 && begun.given as usize <= MAX_BLOCK_EVENTS);
        if tail_fits && begun_fits { Ok(Self { next, tail, begun }) } else { Err(CursorError::Form) }
    }
}

/// A hash as hexadecimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hash([u8; 32]);

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map_err(D::Error::custom)?;
        Ok(Self(hash))
    }
}

//! Blocks: a header that names its parent, and the transactions that it commits to.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::limits::MAX_NEO_BLOCK_TRANSACTIONS;
use crate::rpc::AnswerError;
use r3e_neo::Transaction;
use r3e_neo::Witness;
use r3e_neo::{CodecError, Reader, Writer};
use r3e_neo::{Hash160, Hash256};

/// The one version there is.
const VERSION: u32 = 0;

/// A block's header. Its hash is over everything but the witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The parent's hash.
    pub previous: Hash256,
    /// The root of the tree of its transactions' hashes.
    pub merkle_root: Hash256,
    /// When it was proposed, in milliseconds since 1970.
    pub timestamp_ms: u64,
    /// A number that nobody chose alone.
    pub nonce: u64,
    /// Its height.
    pub index: u32,
    /// Which validator proposed it.
    pub primary: u8,
    /// The account that the next block is signed by.
    pub next_consensus: Hash160,
    /// The validators' signatures.
    pub witness: Witness,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its header.
    pub header: Header,
    /// Its transactions, in the order in which they ran.
    pub transactions: Vec<Transaction>,
}

impl Header {
    /// The block's name.
    pub fn hash(&self) -> Hash256 {
        let mut writer = Writer::default();
        self.write_unsigned(&mut writer);
        Hash256::of(&writer.finish())
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        if u32::from_le_bytes(reader.array("a block's version")?) != VERSION {
            return Err(CodecError::Value { what: "a block's version" });
        }
        let header = Self {
            previous: Hash256(reader.array("a block's parent")?),
            merkle_root: Hash256(reader.array("a block's Merkle root")?),
            timestamp_ms: u64::from_le_bytes(reader.array("a block's time")?),
            nonce: u64::from_le_bytes(reader.array("a block's nonce")?),
            index: u32::from_le_bytes(reader.array("a block's height")?),
            primary: reader.byte("a block's proposer")?,
            next_consensus: Hash160(reader.array("a block's next signer")?),
            witness: Witness::default(),
        };
        if reader.length(1, "a block's witnesses")? != 1 {
            return Err(CodecError::Value { what: "a block without a witness" });
        }
        Ok(Self { witness: Witness::read(reader)?, ..header })
    }

    fn write_unsigned(&self, writer: &mut Writer) {
        writer
            .raw(&VERSION.to_le_bytes())
            .raw(&self.previous.0)
            .raw(&self.merkle_root.0)
            .raw(&self.timestamp_ms.to_le_bytes())
            .raw(&self.nonce.to_le_bytes())
            .raw(&self.index.to_le_bytes())
            .raw(&[self.primary])
            .raw(&self.next_consensus.0);
    }
}

impl Block {
    /// Reads a block and nothing behind it, and holds its transactions against the header.
    ///
    /// # Errors
    /// [`CodecError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut reader = Reader::new(bytes);
        let header = Header::read(&mut reader)?;
        let max = MAX_NEO_BLOCK_TRANSACTIONS;
        let transactions = reader.list(max, "a block's transactions", Transaction::read)?;
        reader.end()?;
        let block = Self { header, transactions };
        let hashes = block.hashes();
        if merkle_root(&hashes) != block.header.merkle_root {
            return Err(CodecError::Value { what: "a Merkle root that is not of these transactions" });
        }
        // The last branch of an odd row stands for two, so that a list with it twice would have the same root.
        let mut sorted = hashes;
        sorted.sort_unstable();
        if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(CodecError::Repeated { what: "a transaction" });
        }
        Ok(block)
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        self.header.write_unsigned(&mut writer);
        self.header.witness.write(writer.length(1));
        writer.list(&self.transactions, |writer, transaction| transaction.write(writer));
        writer.finish()
    }

    /// Its transactions' names.
    pub fn hashes(&self) -> Vec<Hash256> {
        self.transactions.iter().map(Transaction::hash_unchecked).collect()
    }
}

/// The block in a node's answer to `getblock` without `verbose`.
///
/// # Errors
/// [`AnswerError`]: it is none, or another than that of `height`.
pub fn read_block(answer: &Value, height: u32) -> Result<Block, AnswerError> {
    let text = answer.as_str().ok_or(AnswerError::Form { what: "block" })?;
    let bytes = STANDARD.decode(text).map_err(|_| AnswerError::Form { what: "block" })?;
    let block = Block::decode(&bytes).map_err(|_| AnswerError::Form { what: "block" })?;
    if block.header.index != height {
        return Err(AnswerError::Other { what: "height" });
    }
    Ok(block)
}

/// The root of the tree over these; zero of none.
fn merkle_root(hashes: &[Hash256]) -> Hash256 {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let pair = |pair: &[Hash256]| Hash256::joined(pair[0], pair.get(1).copied().unwrap_or(pair[0]));
        row = row.chunks(2).map(pair).collect();
    }
    row.first().copied().unwrap_or_default()
}

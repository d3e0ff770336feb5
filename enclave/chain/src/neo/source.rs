//! A Neo N3 network as something that can be followed.

use serde_json::{Value, json};

use super::application_log::{Log, Notification, read_application_log};
use super::block::{Block, Header, read_block};
use crate::follow::{BlockId, Link, Linked, Source};
use crate::limits::{
    MAX_BLOCK_ANSWER_BYTES, MAX_BLOCK_EVENTS, MAX_EVENTS_ANSWER_BYTES, MAX_SMALL_ANSWER_BYTES,
};
use crate::rpc::fields::member;
use crate::rpc::{Answer, AnswerError, JsonLimits, Question, Quorum, QuorumError, Skip, Transport};
use r3e_neo::Witness;
use r3e_neo::{Hash160, Hash256};

/// Which notifications are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeoEvents {
    /// Of this contract.
    pub contract: Hash160,
    /// Of this name.
    pub name: String,
}

/// A notification, and where it was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockEvent {
    /// By running this transaction.
    pub transaction: Hash256,
    /// As which of its notifications, all of them counted, from 0.
    pub index: u32,
    /// What was said.
    pub notification: Notification,
}

/// A network's blocks, as its nodes agree on them. In each there is one event, the block.
#[derive(Debug)]
pub struct NeoBlocks<'a, T> {
    nodes: &'a Quorum<T>,
}

/// A network's blocks, and the notifications in them that are wanted.
#[derive(Debug)]
pub struct NeoSource<'a, T> {
    blocks: NeoBlocks<'a, T>,
    wanted: NeoEvents,
}

impl<'a, T: Transport> NeoBlocks<'a, T> {
    /// The blocks of the network that `nodes` are of.
    pub fn new(nodes: &'a Quorum<T>) -> Self {
        Self { nodes }
    }

    /// The network's magic number. A configuration that names one network and nodes of another is found by it.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn magic(&self) -> Result<u32, QuorumError> {
        let question = question("getversion", Vec::new(), MAX_SMALL_ANSWER_BYTES);
        let magic = self.nodes.ask(&question, |answer| {
            let magic = member(member(&answer, "protocol")?, "network")?.as_u64();
            magic
                .and_then(|magic| u32::try_from(magic).ok())
                .map(Magic)
                .ok_or(AnswerError::Form { what: "network" })
        });
        Ok(magic.await?.0)
    }

    /// The greatest height that enough nodes have reached, by those that answer before `patience` is over, or by the first that are enough.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn height_within(&self, patience: impl Future<Output = ()>) -> Result<u64, QuorumError> {
        self.nodes.ask_height_within(&height_question(), |answer| read_height(&answer), patience).await
    }

    /// A height that enough nodes have reached, by those that answer first.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn height_of_first(&self) -> Result<u64, QuorumError> {
        self.nodes.ask_height_of_first(&height_question(), |answer| read_height(&answer)).await
    }
}

fn height_question() -> Question {
    question("getblockcount", Vec::new(), MAX_SMALL_ANSWER_BYTES)
}

fn read_height(answer: &Value) -> Result<u64, AnswerError> {
    let height = answer.as_u64().and_then(|count| count.checked_sub(1));
    height.ok_or(AnswerError::Form { what: "number of blocks" })
}

impl<T: Transport> Source for NeoBlocks<'_, T> {
    type Block = Block;
    type Event = Header;
    type Error = QuorumError;

    async fn height(&self) -> Result<u64, QuorumError> {
        self.nodes.ask_height(&height_question(), |answer| read_height(&answer)).await
    }

    async fn block(&self, height: u64) -> Result<Block, QuorumError> {
        let question = question("getblock", vec![json!(height), json!(0)], MAX_BLOCK_ANSWER_BYTES);
        let index = u32::try_from(height).map_err(|_| AnswerError::Missing { what: "block" });
        let read = |answer: Value| {
            let mut block = read_block(&answer, index?)?;
            // Of more validators than are needed, nodes may have kept the signatures of different ones.
            block.header.witness = Witness::default();
            Ok(block)
        };
        self.nodes.ask(&question, read).await
    }

    async fn events(&self, block: &Block) -> Result<Vec<Header>, QuorumError> {
        Ok(vec![block.header.clone()])
    }
}

impl<'a, T: Transport> NeoSource<'a, T> {
    /// The notifications `wanted`, as `nodes` agree on them.
    pub fn new(nodes: &'a Quorum<T>, wanted: NeoEvents) -> Self {
        Self { blocks: NeoBlocks::new(nodes), wanted }
    }

    async fn log(&self, transaction: Hash256) -> Result<Log, QuorumError> {
        let parameters = vec![json!(transaction.to_string())];
        let mut question = question("getapplicationlog", parameters, MAX_EVENTS_ANSWER_BYTES);
        // What other contracts said: anybody may have one say a lot.
        let unless = self.wanted.contract.to_string();
        question.limits =
            question.limits.skipping(Skip { member: "state", unless: Some(("contract", unless)) });
        let read = |answer: Value| read_application_log(&answer, transaction).map(Log);
        self.blocks.nodes.ask(&question, read).await
    }
}

impl<T: Transport> Source for NeoSource<'_, T> {
    type Block = Block;
    type Event = BlockEvent;
    type Error = QuorumError;

    async fn height(&self) -> Result<u64, QuorumError> {
        self.blocks.height().await
    }

    async fn block(&self, height: u64) -> Result<Block, QuorumError> {
        self.blocks.block(height).await
    }

    async fn events(&self, block: &Block) -> Result<Vec<BlockEvent>, QuorumError> {
        let mut events = Vec::new();
        for transaction in block.hashes() {
            let said = self.log(transaction).await?.0.into_iter().flat_map(|one| one.notifications);
            let wanted = (0..)
                .zip(said)
                .filter(|(_, said)| said.contract == self.wanted.contract && said.name == self.wanted.name);
            events.extend(wanted.map(|(index, notification)| BlockEvent {
                transaction,
                index,
                notification,
            }));
            // The follower refuses a block with more; so many are enough to know.
            if events.len() > MAX_BLOCK_EVENTS {
                break;
            }
        }
        Ok(events)
    }
}

impl Linked for Block {
    fn link(&self) -> Link {
        let id = BlockId { height: u64::from(self.header.index), hash: self.header.hash().0 };
        Link { id, parent: self.header.previous.0 }
    }
}

impl Answer for Block {
    fn summary(&self) -> String {
        format!("block {} at height {}", self.header.hash(), self.header.index)
    }
}

#[derive(PartialEq)]
struct Magic(u32);

impl Answer for Magic {
    fn summary(&self) -> String {
        format!("the network {}", self.0)
    }
}

pub(super) fn question(method: &'static str, parameters: Vec<Value>, max_bytes: usize) -> Question {
    Question { method, parameters, limits: JsonLimits::of_bytes(max_bytes) }
}

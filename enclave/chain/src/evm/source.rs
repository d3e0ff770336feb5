//! A chain like Ethereum as something that can be followed.

use serde_json::{Value, json};

use super::header::{Header, read_block};
use super::log::{Log, LogFilter, Logs, read_logs};
use super::quantity::Quantity;
use crate::follow::Source;
use crate::limits::{MAX_EVENTS_ANSWER_BYTES, MAX_HEADER_ANSWER_BYTES, MAX_SMALL_ANSWER_BYTES};
use crate::rpc::{AnswerError, JsonLimits, Question, Quorum, QuorumError, Transport};

/// A chain's blocks, as its nodes agree on them. In each there is one event, the block.
#[derive(Debug)]
pub struct EvmBlocks<'a, T> {
    nodes: &'a Quorum<T>,
}

/// A chain's blocks, and the logs in them that are wanted.
#[derive(Debug)]
pub struct EvmSource<'a, T> {
    blocks: EvmBlocks<'a, T>,
    wanted: LogFilter,
}

impl<'a, T: Transport> EvmBlocks<'a, T> {
    /// The blocks of the chain that `nodes` are of.
    pub fn new(nodes: &'a Quorum<T>) -> Self {
        Self { nodes }
    }

    /// The chain's id. A configuration that names one chain and nodes of another is found by it.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn chain_id(&self) -> Result<u64, QuorumError> {
        let question = question("eth_chainId", Vec::new(), MAX_SMALL_ANSWER_BYTES);
        let form = AnswerError::Form { what: "chain id" };
        let read = |answer: Value| {
            answer.as_str().and_then(Quantity::parse).filter(|id| id.to_u64().is_some()).ok_or(form)
        };
        Ok(self.nodes.ask(&question, read).await?.to_u64().unwrap_or_default())
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
    question("eth_blockNumber", Vec::new(), MAX_SMALL_ANSWER_BYTES)
}

fn read_height(answer: &Value) -> Result<u64, AnswerError> {
    let height = answer.as_str().and_then(Quantity::parse).and_then(|height| height.to_u64());
    height.ok_or(AnswerError::Form { what: "height" })
}

impl<T: Transport> Source for EvmBlocks<'_, T> {
    type Block = Header;
    type Event = Header;
    type Error = QuorumError;

    async fn height(&self) -> Result<u64, QuorumError> {
        self.nodes.ask_height(&height_question(), |answer| read_height(&answer)).await
    }

    async fn block(&self, height: u64) -> Result<Header, QuorumError> {
        // Without the transactions' content.
        let parameters = vec![json!(format!("{height:#x}")), json!(false)];
        let question = question("eth_getBlockByNumber", parameters, MAX_HEADER_ANSWER_BYTES);
        self.nodes.ask(&question, |answer| read_block(&answer, height)).await
    }

    async fn events(&self, header: &Header) -> Result<Vec<Header>, QuorumError> {
        Ok(vec![header.clone()])
    }
}

impl<'a, T: Transport> EvmSource<'a, T> {
    /// The logs `wanted`, as `nodes` agree on them.
    pub fn new(nodes: &'a Quorum<T>, wanted: LogFilter) -> Self {
        Self { blocks: EvmBlocks::new(nodes), wanted }
    }
}

impl<T: Transport> Source for EvmSource<'_, T> {
    type Block = Header;
    type Event = Log;
    type Error = QuorumError;

    async fn height(&self) -> Result<u64, QuorumError> {
        self.blocks.height().await
    }

    async fn block(&self, height: u64) -> Result<Header, QuorumError> {
        self.blocks.block(height).await
    }

    async fn events(&self, header: &Header) -> Result<Vec<Log>, QuorumError> {
        // The header's hash is over the filter: what it does not have is not there, and nobody need be asked.
        if !self.wanted.may_match(header) {
            return Ok(Vec::new());
        }
        let parameters = vec![self.wanted.parameter(&header.hash)];
        let question = question("eth_getLogs", parameters, MAX_EVENTS_ANSWER_BYTES);
        let read = |answer: Value| read_logs(&answer, header, &self.wanted).map(Logs);
        Ok(self.blocks.nodes.ask(&question, read).await?.0)
    }
}

pub(super) fn question(method: &'static str, parameters: Vec<Value>, max_bytes: usize) -> Question {
    Question { method, parameters, limits: JsonLimits::of_bytes(max_bytes) }
}

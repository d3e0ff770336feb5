//! Logs: what contracts said while a block ran.

use r3e_proto::api::wallets::{EvmAddress, Hash32, HexBytes};
use serde_json::{Value, json};

use super::header::Header;
use super::quantity::number;
use crate::limits::{MAX_BLOCK_EVENTS, MAX_TOPICS};
use crate::rpc::fields::{list, parsed};
use crate::rpc::{Answer, AnswerError};

/// A log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Whose it is.
    pub address: EvmAddress,
    /// Up to four words; the first is the event's, unless it is anonymous.
    pub topics: Vec<Hash32>,
    /// The rest.
    pub data: Vec<u8>,
    /// In which transaction.
    pub transaction: Hash32,
    /// Its place among the logs of its block, from 0. With the block's hash it names the log.
    pub index: u64,
}

/// Which logs are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogFilter {
    /// Of this contract.
    pub address: EvmAddress,
    /// Of this event.
    pub topic: Hash32,
}

impl LogFilter {
    /// Whether a block may have such logs, by its header alone.
    pub fn may_match(&self, header: &Header) -> bool {
        header.bloom.may_have(&self.address.0) && header.bloom.may_have(&self.topic.0)
    }

    /// The parameter of `eth_getLogs`: by the block's hash (EIP-234), so that a node that is on another branch has none.
    pub(super) fn parameter(&self, block: &Hash32) -> Value {
        json!({ "blockHash": block, "address": self.address, "topics": [self.topic] })
    }

    fn matches(&self, log: &Log) -> bool {
        log.address == self.address && log.topics.first() == Some(&self.topic)
    }
}

/// The logs in a node's answer to `eth_getLogs` for one block. Each must be of the block and of what is wanted, in order, and one that
/// the header allows.
///
/// # Errors
/// [`AnswerError`].
pub fn read_logs(answer: &Value, header: &Header, wanted: &LogFilter) -> Result<Vec<Log>, AnswerError> {
    let values = answer.as_array().ok_or(AnswerError::Form { what: "list of logs" })?;
    if values.len() > MAX_BLOCK_EVENTS {
        return Err(AnswerError::TooMany { what: "logs", max: MAX_BLOCK_EVENTS });
    }
    let mut logs: Vec<Log> = Vec::with_capacity(values.len());
    for value in values {
        let log = read_log(value, header)?;
        if !wanted.matches(&log) || !wanted.may_match(header) {
            return Err(AnswerError::Other { what: "kind of log" });
        }
        if logs.last().is_some_and(|before| before.index >= log.index) {
            return Err(AnswerError::Form { what: "order of logs" });
        }
        logs.push(log);
    }
    Ok(logs)
}

fn read_log(value: &Value, header: &Header) -> Result<Log, AnswerError> {
    if parsed::<Hash32>(value, "blockHash")? != header.hash || number(value, "blockNumber")? != header.number
    {
        return Err(AnswerError::Other { what: "block" });
    }
    // A log that a reorganisation took back.
    if value.get("removed").is_some_and(|removed| removed != &Value::Bool(false)) {
        return Err(AnswerError::Other { what: "block" });
    }
    let topic = |topic: &Value| topic.as_str().and_then(|topic| topic.parse().ok());
    let topics = list(value, "topics", MAX_TOPICS)?.iter().map(topic).collect::<Option<_>>();
    Ok(Log {
        address: parsed(value, "address")?,
        topics: topics.ok_or(AnswerError::Form { what: "topics" })?,
        data: parsed::<HexBytes>(value, "data")?.0,
        transaction: parsed(value, "transactionHash")?,
        index: number(value, "logIndex")?,
    })
}

/// A block's logs, as nodes are compared by them.
#[derive(Debug, PartialEq)]
pub(super) struct Logs(pub(super) Vec<Log>);

impl Answer for Logs {
    fn summary(&self) -> String {
        format!("{} logs", self.0.len())
    }
}

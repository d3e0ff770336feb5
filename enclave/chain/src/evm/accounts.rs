//! An account and its transactions, as the nodes of a chain agree on them, each in a block that is named: so that answers of one look
//! fit each other, whatever blocks come meanwhile.

use serde_json::{Value, json};

use super::header::{Header, read_block};
use super::quantity::{Quantity, number};
use super::source::{EvmBlocks, question};
use crate::evm::{EvmAddress, Hash32, HexBytes};
use crate::follow::Source as _;
use crate::limits::{MAX_HEADER_ANSWER_BYTES, MAX_SMALL_ANSWER_BYTES};
use crate::rpc::fields::parsed;
use crate::rpc::{Answer, AnswerError, JsonLimits, Question, Quorum, QuorumError, RpcError, Skip, Transport};

/// A receipt has its logs, and a transaction may write many: what outbound requests may bring back at all.
const MAX_RECEIPT_BYTES: usize = crate::limits::MAX_EVENTS_ANSWER_BYTES;

/// The accounts of a chain.
#[derive(Debug)]
pub struct EvmAccounts<'a, T> {
    nodes: &'a Quorum<T>,
}

/// An account in one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// The block.
    pub header: Header,
    /// How many transactions of the account are in the chain up to it: the nonce of the next.
    pub count: u64,
    /// The same, some blocks below it.
    pub final_count: u64,
}

/// What became of a transaction that is in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionReceipt {
    /// The transaction's hash.
    pub transaction: Hash32,
    /// The block's height.
    pub height: u64,
    /// The block's hash.
    pub block: Hash32,
    /// Whether it was not reverted.
    pub succeeded: bool,
    /// The gas that it took.
    pub gas_used: u64,
}

impl<'a, T: Transport> EvmAccounts<'a, T> {
    /// Those of the chain that `nodes` are of.
    pub fn new(nodes: &'a Quorum<T>) -> Self {
        Self { nodes }
    }

    /// The height that enough nodes have reached.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn height(&self) -> Result<u64, QuorumError> {
        EvmBlocks::new(self.nodes).height().await
    }

    /// An account as it is in the block at `height`, and `below` blocks before it.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn account(
        &self,
        account: EvmAddress,
        height: u64,
        below: u64,
    ) -> Result<AccountView, QuorumError> {
        let deep = height.saturating_sub(below);
        let questions =
            [header_question(height), count_question(account, height), count_question(account, deep)];
        let read = |answers: Vec<Value>| {
            let Ok([block, count, final_count]) = <[Value; 3]>::try_from(answers) else {
                return Err(AnswerError::Form { what: "answers" });
            };
            let header = read_block(&block, height)?;
            Ok(AccountView { header, count: read_count(&count)?, final_count: read_count(&final_count)? })
        };
        self.nodes.ask_together(&questions, read).await
    }

    /// What an account has in the block at `height`, in wei.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn balance(&self, account: EvmAddress, height: u64) -> Result<u128, QuorumError> {
        let parameters = vec![json!(account), json!(format!("{height:#x}"))];
        let question = question("eth_getBalance", parameters, MAX_SMALL_ANSWER_BYTES);
        let form = AnswerError::Form { what: "balance" };
        let balance = self.nodes.ask(&question, |answer: Value| {
            let balance = answer.as_str().and_then(Quantity::parse);
            balance.and_then(|balance| balance.to_u128()).map(Balance).ok_or(form)
        });
        Ok(balance.await?.0)
    }

    /// The tip that is enough for a place in a block, as nodes think: no higher than what enough of them say at the least.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn tip(&self) -> Result<u64, QuorumError> {
        let question = question("eth_maxPriorityFeePerGas", Vec::new(), MAX_SMALL_ANSWER_BYTES);
        let form = AnswerError::Form { what: "tip" };
        let read = |answer: Value| {
            answer.as_str().and_then(Quantity::parse).and_then(|tip| tip.to_u64()).ok_or(form)
        };
        self.nodes.ask_height(&question, read).await
    }

    /// The receipt of a transaction, if the chain whose block at `height` has the hash `block` has it. Only nodes that show that block count: one
    /// that lags, or follows another fork, has no part in what is not there.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn receipt(
        &self,
        transaction: Hash32,
        height: u64,
        block: Hash32,
    ) -> Result<Option<TransactionReceipt>, QuorumError> {
        let parameters = vec![json!(transaction)];
        // Whoever is called may log a lot.
        let skip = Skip { member: "logs", unless: None };
        let limits = JsonLimits::of_bytes(MAX_RECEIPT_BYTES).skipping(skip);
        let receipt = Question { method: "eth_getTransactionReceipt", parameters, limits };
        let questions = [receipt, header_question(height)];
        let read = |answers: Vec<Value>| {
            let Ok([receipt, header]) = <[Value; 2]>::try_from(answers) else {
                return Err(AnswerError::Form { what: "answers" });
            };
            if read_block(&header, height)?.hash != block {
                return Err(AnswerError::Other { what: "block" });
            }
            let found = read_receipt(&receipt, transaction)?;
            Ok(Found(found.filter(|receipt| receipt.height <= height)))
        };
        Ok(self.nodes.ask_together(&questions, read).await?.0)
    }

    /// Gives a signed transaction to every node, and says what each answered.
    pub async fn send(&self, bytes: &HexBytes) -> Vec<Result<(), RpcError>> {
        let question: Question =
            question("eth_sendRawTransaction", vec![json!(bytes)], MAX_SMALL_ANSWER_BYTES);
        self.nodes.tell(&question).await.into_iter().map(|said| said.map(drop)).collect()
    }

    /// How many nodes must agree.
    pub fn needed(&self) -> usize {
        self.nodes.needed()
    }
}

fn header_question(height: u64) -> Question {
    let parameters = vec![json!(format!("{height:#x}")), json!(false)];
    question("eth_getBlockByNumber", parameters, MAX_HEADER_ANSWER_BYTES)
}

fn count_question(account: EvmAddress, height: u64) -> Question {
    let parameters = vec![json!(account), json!(format!("{height:#x}"))];
    question("eth_getTransactionCount", parameters, MAX_SMALL_ANSWER_BYTES)
}

fn read_count(answer: &Value) -> Result<u64, AnswerError> {
    let count = answer.as_str().and_then(Quantity::parse).and_then(|count| count.to_u64());
    count.ok_or(AnswerError::Form { what: "count" })
}

/// The receipt in a node's answer; none where the node knows of none.
///
/// # Errors
/// [`AnswerError`]: it is none, or another transaction's.
pub fn read_receipt(answer: &Value, transaction: Hash32) -> Result<Option<TransactionReceipt>, AnswerError> {
    if answer.is_null() {
        return Ok(None);
    }
    let said: Hash32 = parsed(answer, "transactionHash")?;
    if said != transaction {
        return Err(AnswerError::Other { what: "transaction" });
    }
    let succeeded = match number(answer, "status")? {
        0 => false,
        1 => true,
        _ => return Err(AnswerError::Form { what: "status" }),
    };
    Ok(Some(TransactionReceipt {
        transaction,
        height: number(answer, "blockNumber")?,
        block: parsed(answer, "blockHash")?,
        succeeded,
        gas_used: number(answer, "gasUsed")?,
    }))
}

impl Answer for AccountView {
    fn summary(&self) -> String {
        let Self { header, count, final_count } = self;
        format!("block {} ({}), {count} transactions, {final_count} of them deep", header.number, header.hash)
    }
}

#[derive(PartialEq)]
struct Balance(u128);

impl Answer for Balance {
    fn summary(&self) -> String {
        format!("a balance of {}", self.0)
    }
}

#[derive(PartialEq)]
struct Found(Option<TransactionReceipt>);

impl Answer for Found {
    fn summary(&self) -> String {
        match &self.0 {
            None => "no receipt".to_owned(),
            Some(receipt) => format!("a receipt of block {} ({})", receipt.height, receipt.block),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Value {
        json!({
            "transactionHash": Hash32([1; 32]), "blockNumber": "0x10", "blockHash": Hash32([2; 32]), "status": "0x1",
            "gasUsed": "0x5208", "effectiveGasPrice": "0x1", "logs": [], "contractAddress": null,
        })
    }

    #[test]
    fn receipts_are_read_strictly() {
        let read = |answer: &Value| read_receipt(answer, Hash32([1; 32]));
        let expected = TransactionReceipt {
            transaction: Hash32([1; 32]),
            height: 16,
            block: Hash32([2; 32]),
            succeeded: true,
            gas_used: 21_000,
        };
        assert_eq!(read(&receipt()), Ok(Some(expected)));
        assert_eq!(read(&Value::Null), Ok(None));
        let reverted = |status: Value| {
            let mut answer = receipt();
            answer["status"] = status;
            read(&answer).map(|receipt| receipt.is_some_and(|receipt| !receipt.succeeded))
        };
        assert_eq!(reverted(json!("0x0")), Ok(true));
        // Before Byzantium there was none.
        assert!(reverted(json!("0x2")).is_err() && reverted(Value::Null).is_err());
        let other = read_receipt(&receipt(), Hash32([3; 32]));
        assert_eq!(other, Err(AnswerError::Other { what: "transaction" }));
        for member in ["transactionHash", "blockNumber", "blockHash", "gasUsed"] {
            let mut answer = receipt();
            answer[member] = json!("0xzz");
            assert!(read(&answer).is_err(), "{member}");
        }
    }
}

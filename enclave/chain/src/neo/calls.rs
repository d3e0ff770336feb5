//! Calls of contracts, as a network's nodes agree on them: what one would cost, what one that changes nothing gives, and giving one to them.

use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use r3e_neo::number::Int256;
use r3e_neo::{Argument, CallFlags, Hash160, Hash256, ScriptBuilder, ScriptError};
use serde_json::{Value, json};

use super::application_log::read_ending;
use super::item::Item;
use super::source::{NeoBlocks, question};
use crate::limits::{MAX_CALL_ANSWER_BYTES, MAX_NODE_MESSAGE_CHARS, MAX_SMALL_ANSWER_BYTES};
use crate::rpc::fields::{list, member, parsed, text};
use crate::rpc::{
    Answer, AnswerError, JsonLimits, Question, Quorum, QuorumError, RpcError, Said, Skip, Statement,
    Transport,
};

/// Items that a call leaves on the stack: of a method, one.
const MAX_LEFT: usize = 16;
/// `AlreadyExists` of the nodes' errors: the transaction is in a block, or waits for one.
const ALREADY_EXISTS: i64 = -501;
/// `UnknownTransaction` and its like; older nodes have the first for whatever they do not know.
const UNKNOWN: RangeInclusive<i64> = -105..=-100;
/// `AlreadyInPool`.
const ALREADY_IN_POOL: i64 = -503;
/// How running a transaction ended (`VMState`); the first is of one that no block has.
const NO_STATE: i128 = 0;
const HALT: i128 = 1;
const FAULT: i128 = 2;
/// What is asked of a transaction's place.
const PLACE_PARTS: usize = 3;
/// The operation that makes an array of what is on the stack.
const PACK: u8 = 0xc0;

/// The contracts of a network.
#[derive(Debug)]
pub struct NeoCalls<'a, T> {
    nodes: &'a Quorum<T>,
}

/// Running a script as it would run in the next block.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What it takes, in 10^-8 GAS.
    pub gas_consumed: u64,
    /// Why it would fail, in the words of one node, which may be the one that lies; none where it would not.
    pub fault: Option<String>,
    /// Whether it leaves a single "false".
    pub gives_false: bool,
}

/// What running a script came to.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What it leaves; none where it fails.
    pub value: Option<Item>,
    /// Why it fails, in the words of one node, which may be the one that lies.
    pub fault: String,
}

/// Where a transaction is, and how far the chain is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The height of its block, and whether running it ended well; none where no block has it.
    pub at: Option<(u64, bool)>,
    /// Whether the chain is beyond the height that was asked about.
    pub is_beyond: bool,
}

/// How a network makes its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two of them.
    pub block_ms: u64,
    /// How many blocks ahead the last one of a transaction may be.
    pub max_blocks: u64,
}

/// What a method gives, and how far the chain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The value; none where the method fails.
    pub value: Option<Item>,
    /// Whether the chain is beyond the height that was asked about.
    pub is_beyond: bool,
}

impl<'a, T: Transport> NeoCalls<'a, T> {
    /// Those of the network that `nodes` are of.
    pub fn new(nodes: &'a Quorum<T>) -> Self {
        Self { nodes }
    }

    /// The greatest height that enough nodes have reached, by those that answer before `patience` is over, or by the first that are enough.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn height(&self, patience: impl Future<Output = ()>) -> Result<u64, QuorumError> {
        NeoBlocks::new(self.nodes).height_within(patience).await
    }

    /// What running `script` would take, paid for by `sender`, whose signature counts for `scopes`, as nodes name them.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn trial(&self, script: &[u8], sender: Hash160, scopes: &str) -> Result<Trial, QuorumError> {
        let signers = json!([{ "account": sender, "scopes": scopes }]);
        let parameters = vec![json!(STANDARD.encode(script)), signers];
        let question = question("invokescript", parameters, MAX_CALL_ANSWER_BYTES);
        let read = |answer: Value| {
            let gas_consumed = parsed(&answer, "gasconsumed")?;
            let fault = if halted(&answer, "state")? { None } else { Some(words(&answer)) };
            let left = answer.get("stack").and_then(Value::as_array).map(Vec::as_slice);
            let gives_false = left.is_some_and(|left| left == [json!({ "type": "Boolean", "value": false })]);
            Ok(Trial { gas_consumed, fault, gives_false })
        };
        self.nodes.ask(&question, read).await
    }

    /// What running `script`, which changes nothing, leaves in the state behind the last block of each node.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn run(&self, script: &[u8]) -> Result<Ran, QuorumError> {
        let parameters = vec![json!(STANDARD.encode(script))];
        let question = question("invokescript", parameters, MAX_CALL_ANSWER_BYTES);
        let read = |run: Value| {
            if !halted(&run, "state")? {
                return Ok(Ran { value: None, fault: words(&run) });
            }
            Ok(Ran { value: left(&run)?, fault: String::new() })
        };
        self.nodes.ask(&question, read).await
    }

    /// What carrying a transaction costs that has its size, and whose witness is checked, in 10^-8 GAS. It need not be signed.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn network_fee(&self, transaction: &[u8]) -> Result<u64, QuorumError> {
        let parameters = vec![json!(STANDARD.encode(transaction))];
        let question = question("calculatenetworkfee", parameters, MAX_SMALL_ANSWER_BYTES);
        let fee = self.nodes.ask(&question, |answer: Value| {
            // A text on most nodes, a number on others.
            let fee = member(&answer, "networkfee")?;
            let fee = fee.as_u64().or_else(|| fee.as_str().and_then(|text| text.parse().ok()));
            fee.map(Fee).ok_or(AnswerError::Form { what: "networkfee" })
        });
        Ok(fee.await?.0)
    }

    /// What `method` of `contract` gives without arguments, and whether the chain is beyond `height`; each node says both of one moment.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn ask(&self, contract: Hash160, method: &str, height: u64) -> Result<Asked, QuorumError> {
        let questions = [
            question("getblockcount", Vec::new(), MAX_SMALL_ANSWER_BYTES),
            question("invokefunction", vec![json!(contract), json!(method)], MAX_SMALL_ANSWER_BYTES),
        ];
        let read = |answers: Vec<Value>| {
            let [count, run] = answers.as_slice() else { return Err(AnswerError::Form { what: "answers" }) };
            let count = count.as_u64().ok_or(AnswerError::Form { what: "number of blocks" })?;
            let value = if halted(run, "state")? { left(run)? } else { None };
            // There is a block for each height below the count.
            Ok(Asked { value, is_beyond: count.saturating_sub(1) > height })
        };
        self.nodes.ask_together(&questions, read).await
    }

    /// Where a transaction is, and whether the chain is beyond `height`: both of one state of each node, by one script, whoever answers behind
    /// its name.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn find(&self, transaction: Hash256, height: u64) -> Result<Place, QuorumError> {
        let script = place_script(transaction).map_err(|_| QuorumError::Rule {
            needed: self.nodes.needed(),
            endpoints: self.nodes.endpoints(),
        })?;
        let parameters = vec![json!(STANDARD.encode(script))];
        let question = question("invokescript", parameters, MAX_SMALL_ANSWER_BYTES);
        self.nodes.ask(&question, |run| read_place(&run, height)).await
    }

    /// How the network makes its blocks, by its nodes' configuration.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn pace(&self) -> Result<Pace, QuorumError> {
        let question = question("getversion", Vec::new(), MAX_SMALL_ANSWER_BYTES);
        let read = |answer: Value| {
            let protocol = member(&answer, "protocol")?;
            let number = |name: &'static str| {
                member(protocol, name)?
                    .as_u64()
                    .filter(|number| *number > 0)
                    .ok_or(AnswerError::Form { what: name })
            };
            Ok(Pace { block_ms: number("msperblock")?, max_blocks: number("maxvaliduntilblockincrement")? })
        };
        self.nodes.ask(&question, read).await
    }

    /// What an account has of GAS, in 10^-8.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn gas_of(&self, account: Hash160) -> Result<u128, QuorumError> {
        let account = json!([{ "type": "Hash160", "value": account }]);
        let parameters = vec![json!(Hash160::GAS), json!("balanceOf"), account];
        let question = question("invokefunction", parameters, MAX_SMALL_ANSWER_BYTES);
        let form = AnswerError::Form { what: "balance" };
        let balance = self.nodes.ask(&question, |run: Value| {
            let left = if halted(&run, "state")? { left(&run)? } else { None };
            let Some(Item::Integer(balance)) = left else { return Err(form) };
            balance.to_i128().and_then(|balance| u128::try_from(balance).ok()).map(Gas).ok_or(form)
        });
        Ok(balance.await?.0)
    }

    /// Whether running a transaction ended well; otherwise nothing that it did stands. None where enough nodes know of none such in a block. What let
    /// contracts say a lot is not read.
    ///
    /// # Errors
    /// [`QuorumError`].
    pub async fn has_halted(&self, transaction: Hash256) -> Result<Option<bool>, QuorumError> {
        let parameters = vec![json!(transaction)];
        let skip = Skip { member: "notifications", unless: None };
        let limits = JsonLimits::of_bytes(MAX_SMALL_ANSWER_BYTES).skipping(skip);
        let question = Question { method: "getapplicationlog", parameters, limits };
        match self.nodes.ask(&question, |answer: Value| read_ending(&answer, transaction)).await {
            Ok(ending) => Ok(Some(ending.halted)),
            // It comes as an error, and two errors are never the same answer.
            Err(QuorumError::Disagreement { needed, statements, .. })
                if statements.iter().filter(|one| knows_none(one)).count() >= needed =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Gives a signed transaction to every node, and says what each answered before `patience` was over, or that were enough. One that has it already has
    /// taken it.
    pub async fn send(
        &self,
        transaction: &[u8],
        patience: impl Future<Output = ()>,
    ) -> Vec<Result<(), RpcError>> {
        let question =
            question("sendrawtransaction", vec![json!(STANDARD.encode(transaction))], MAX_SMALL_ANSWER_BYTES);
        let is_there =
            |error: &RpcError| matches!(error, RpcError::Node { code: ALREADY_EXISTS | ALREADY_IN_POOL, .. });
        let told = self.nodes.tell_within(&question, patience).await.into_iter();
        told.map(|said| match said {
            Err(error) if !is_there(&error) => Err(error),
            _ => Ok(()),
        })
        .collect()
    }
}

/// Nodes word a fault each in their own way, and some tell where in the script it was.
impl PartialEq for Trial {
    fn eq(&self, other: &Self) -> bool {
        let of = |trial: &Self| (trial.gas_consumed, trial.fault.is_some(), trial.gives_false);
        of(self) == of(other)
    }
}

/// Two that fail are alike, however their nodes word it.
impl PartialEq for Ran {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Answer for Ran {
    fn summary(&self) -> String {
        if self.value.is_some() { "a value".to_owned() } else { "that it fails".to_owned() }
    }
}

impl Answer for Trial {
    fn summary(&self) -> String {
        let ends = if self.fault.is_some() { "fails" } else { "ends well" };
        format!("a run that takes {} and {ends}", self.gas_consumed)
    }
}

impl Answer for Pace {
    fn summary(&self) -> String {
        format!("a block each {} ms, transactions for {}", self.block_ms, self.max_blocks)
    }
}

impl Answer for Place {
    fn summary(&self) -> String {
        let place = match self.at {
            Some((height, true)) => format!("in block {height}"),
            Some((height, false)) => format!("failed in block {height}"),
            None => "in no block".to_owned(),
        };
        format!("{place}, {} the height", if self.is_beyond { "beyond" } else { "not beyond" })
    }
}

impl Answer for Asked {
    fn summary(&self) -> String {
        let value = if self.value.is_some() { "a value" } else { "no value" };
        format!("{value}, {} the height", if self.is_beyond { "beyond" } else { "not beyond" })
    }
}

#[derive(PartialEq)]
struct Gas(u128);

impl Answer for Gas {
    fn summary(&self) -> String {
        format!("{} of 10^-8 GAS", self.0)
    }
}

#[derive(PartialEq)]
struct Fee(u64);

impl Answer for Fee {
    fn summary(&self) -> String {
        format!("a fee of {}", self.0)
    }
}

/// Leaves one array: how running the transaction ended, the height of its block, and the last block's.
fn place_script(transaction: Hash256) -> Result<Vec<u8>, ScriptError> {
    let of_it = [Argument::Hash256(transaction)];
    let mut script = ScriptBuilder::default();
    let methods: [(&str, &[Argument]); PLACE_PARTS] =
        [("currentIndex", &[]), ("getTransactionHeight", &of_it), ("getTransactionVMState", &of_it)];
    for (method, arguments) in methods {
        script.call(Hash160::LEDGER, method, CallFlags::READ_ONLY, arguments)?;
    }
    // What was put there last is taken first.
    script.integer(Int256::from(PLACE_PARTS as i128)).operation(PACK);
    script.finish()
}

fn read_place(run: &Value, height: u64) -> Result<Place, AnswerError> {
    let form = AnswerError::Form { what: "place" };
    let left = if halted(run, "state")? { left(run)? } else { None };
    let Some(Item::Array(parts)) = left else { return Err(form) };
    let number = |part: &Item| match part {
        Item::Integer(number) => number.to_i128(),
        _ => None,
    };
    let numbers: Option<Vec<i128>> = parts.iter().map(number).collect();
    let Some(&[state, at, last]) = numbers.as_deref() else { return Err(form) };
    let at = match (at, state) {
        (-1, NO_STATE) => None,
        (at, HALT) => Some((u64::try_from(at).map_err(|_| form)?, true)),
        (at, FAULT) => Some((u64::try_from(at).map_err(|_| form)?, false)),
        _ => return Err(form),
    };
    Ok(Place { at, is_beyond: last > i128::from(height) })
}

fn knows_none(statement: &Statement) -> bool {
    matches!(&statement.said, Said::Failed(RpcError::Node { code, .. }) if UNKNOWN.contains(code))
}

/// Whether a run ended well.
pub(super) fn halted(run: &Value, name: &'static str) -> Result<bool, AnswerError> {
    match text(run, name)? {
        "HALT" => Ok(true),
        // With BREAK beside it, on some nodes.
        state if state.starts_with("FAULT") => Ok(false),
        _ => Err(AnswerError::Form { what: name }),
    }
}

/// Why a run failed, as far as it is said.
fn words(run: &Value) -> String {
    let said = run.get("exception").and_then(Value::as_str).unwrap_or("without a reason");
    said.chars().filter(|letter| !letter.is_control()).take(MAX_NODE_MESSAGE_CHARS).collect()
}

/// What a method left on the stack.
fn left(run: &Value) -> Result<Option<Item>, AnswerError> {
    let stack = list(run, "stack", MAX_LEFT)?;
    let [one] = stack else { return Err(AnswerError::Form { what: "stack" }) };
    Item::read(one).map(Some).map_err(|_| AnswerError::Form { what: "stack" })
}

//! Application logs: what running a transaction came to, and what contracts said meanwhile.

use serde_json::Value;

use super::calls::halted;
use super::item::{Item, ItemError};
use crate::limits::{MAX_EVENT_NAME_BYTES, MAX_EXECUTIONS, MAX_NOTIFICATIONS};
use crate::rpc::fields::{list, member, parsed, text};
use crate::rpc::{Answer, AnswerError};
use r3e_neo::{Hash160, Hash256};

/// What a contract said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Which contract.
    pub contract: Hash160,
    /// The event's name.
    pub name: String,
    /// What it holds: an array. A contract may say what no node can show, a list that holds itself: that is no reason to stop
    /// reading what others said.
    pub state: Result<Item, ItemError>,
}

/// Running a transaction once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Whether it ended well. Otherwise nothing that it did stands.
    pub halted: bool,
    /// What it cost, in 10^-8 GAS.
    pub gas_consumed: u64,
    /// What contracts said, in order; nothing where it did not end well.
    pub notifications: Vec<Notification>,
}

/// How running a transaction once ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) halted: bool,
    gas_consumed: u64,
}

/// The executions in a node's answer to `getapplicationlog` for a transaction.
///
/// # Errors
/// [`AnswerError`].
pub fn read_application_log(answer: &Value, transaction: Hash256) -> Result<Vec<Execution>, AnswerError> {
    executions(answer, transaction)?.map(execution).collect()
}

/// How running a transaction ended, of the same answer; what contracts said may be missing in it.
pub(super) fn read_ending(answer: &Value, transaction: Hash256) -> Result<Ending, AnswerError> {
    let mut executions = executions(answer, transaction)?;
    match (executions.next(), executions.next()) {
        (Some(one), None) => ending(one),
        _ => Err(AnswerError::Form { what: "executions" }),
    }
}

fn executions(answer: &Value, transaction: Hash256) -> Result<impl Iterator<Item = &Value>, AnswerError> {
    if parsed::<Hash256>(answer, "txid")? != transaction {
        return Err(AnswerError::Other { what: "transaction" });
    }
    let executions = list(answer, "executions", MAX_EXECUTIONS)?;
    Ok(executions.iter().filter(|one| one.get("trigger").and_then(Value::as_str) == Some("Application")))
}

fn ending(value: &Value) -> Result<Ending, AnswerError> {
    Ok(Ending { halted: halted(value, "vmstate")?, gas_consumed: parsed(value, "gasconsumed")? })
}

fn execution(value: &Value) -> Result<Execution, AnswerError> {
    let Ending { halted, gas_consumed } = ending(value)?;
    // Nodes may list what a failed execution said: it never happened.
    let notifications = if halted {
        list(value, "notifications", MAX_NOTIFICATIONS)?.iter().map(notification).collect::<Result<_, _>>()?
    } else {
        Vec::new()
    };
    Ok(Execution { halted, gas_consumed, notifications })
}

fn notification(value: &Value) -> Result<Notification, AnswerError> {
    let name = text(value, "eventname")?;
    if name.len() > MAX_EVENT_NAME_BYTES {
        return Err(AnswerError::TooMany { what: "eventname", max: MAX_EVENT_NAME_BYTES });
    }
    let state = Item::read(member(value, "state")?);
    Ok(Notification { contract: parsed(value, "contract")?, name: name.to_owned(), state })
}

impl Answer for Ending {
    fn summary(&self) -> String {
        format!("{} after {}", if self.halted { "halted" } else { "failed" }, self.gas_consumed)
    }
}

/// All that a transaction came to, as nodes are compared by it.
#[derive(Debug, PartialEq)]
pub(super) struct Log(pub(super) Vec<Execution>);

impl Answer for Log {
    fn summary(&self) -> String {
        let said: usize = self.0.iter().map(|one| one.notifications.len()).sum();
        format!("{} executions with {said} notifications", self.0.len())
    }
}

//! Why a module did not load or an invocation gave no output, as the runner tells it.

use serde::{Deserialize, Serialize};

use crate::limits::MAX_FAULT_TEXT_BYTES;

/// What went wrong, in terms of the function's contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The function threw, or the promise it returned was rejected.
    Thrown,
    /// A promise that nothing handled was rejected.
    UnhandledRejection,
    /// The module does not parse, or imports something.
    Module,
    /// The module has no default export that can be called.
    NoHandler,
    /// The event is not JSON that the engine can read.
    Event,
    /// The result has no JSON form: a function, a symbol, a `BigInt`, a cycle, a throwing proxy.
    ResultNotJson,
    /// The result's JSON is longer than the function's limit.
    ResultTooLarge,
    /// The promise waits for something that can never happen.
    NeverSettled,
    /// The engine's heap limit was reached.
    Memory,
}

/// A failure with the texts that help its author. The texts are the tenant's own: untrusted, and
/// cut to [`MAX_FAULT_TEXT_BYTES`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Its class.
    pub kind: FaultKind,
    /// The error's `name`, such as `TypeError`.
    pub name: String,
    /// The error's `message`.
    pub message: String,
    /// The error's `stack`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
}

impl Fault {
    /// A fault whose texts are cut to what a frame can carry.
    pub fn new(kind: FaultKind, name: &str, message: &str, stack: Option<&str>) -> Self {
        Self { kind, name: cut(name), message: cut(message), stack: stack.map(cut) }
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_FAULT_TEXT_BYTES)].to_owned()
}

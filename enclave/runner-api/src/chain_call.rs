//! Transactions, as a function asks for them and is told of them.

use serde::{Deserialize, Serialize};

/// A transaction that a function asks for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainSend {
    /// The wallet that signs.
    pub wallet: String,
    /// The network, by CAIP-2.
    pub network: String,
    /// Whom it goes to, as the network writes it.
    pub to: String,
    /// The method's declaration.
    #[serde(default)]
    pub method: Option<String>,
    /// What it is called with: a JSON array's text.
    pub args: String,
    /// The data of the call, in place of the method and what it is called with.
    #[serde(default)]
    pub data: Option<String>,
    /// What is sent along, as decimal text.
    pub value: String,
    /// The most gas; 0 on Neo N3.
    #[serde(default)]
    pub gas_limit: u64,
    /// The most that it may cost, as decimal text.
    pub fee_limit: String,
    /// For whom the signature counts, on Neo N3: `called_by_entry` or `none`.
    #[serde(default)]
    pub scope: Option<String>,
    /// How long it is tried.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
    /// Under the same key the same is not done twice.
    pub key: String,
}

/// A transaction that a function asked for, as far as it is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentTransaction {
    /// Its name.
    pub name: String,
    /// `waiting`, `pending`, `included` or `ended`.
    pub stage: String,
    /// Once it has ended: `included`, `abandoned`, `refused` or `displaced`.
    pub outcome: Option<String>,
    /// Of one that a block has: whether it was not reverted.
    pub succeeded: Option<bool>,
    /// Of what a block has, or of what was signed last.
    pub hash: Option<String>,
    /// The block's height.
    pub height: Option<u64>,
    /// In words: why it was not done, or what holds it up.
    pub reason: Option<String>,
}

//! What is kept of a wallet's use.

use r3e_neo::Hash160;
use serde::{Deserialize, Serialize};

use super::{EvmAddress, Hash32, Wei};

/// What was done, or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The wallet was created.
    Create,
    /// The wallet was imported.
    Import,
    /// A signature was asked for.
    Sign,
    /// Another policy was asked for.
    SetPolicy,
    /// The key was asked for.
    Export,
    /// The wallet was to be deleted.
    Delete,
}

/// What is kept of a wallet's use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletAudit {
    /// Entries that there were, and that newer ones have driven out.
    pub dropped: u64,
    /// Those that are kept, by their number. A number that is missing is of one that is not.
    pub entries: Vec<AuditEntry>,
}

/// One use of a wallet. An entry is durable before what it tells of has an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Counts all entries of the wallet's name, from 1.
    pub number: u64,
    /// When.
    pub at_ms: u64,
    /// What.
    pub action: Action,
    /// Who asked: `tenant`, an API key's id, or a function, `NAME@VERSION`.
    pub by: String,
    /// The policy's revision that it was judged by.
    pub revision: u64,
    /// Absent where it was allowed; else the code of the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
    /// The payload's kind, where a signature was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The digest that was to be signed, or that approvers were to sign for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Hash32>,
    /// A transaction's chain; of Neo N3 the network's magic number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<u64>,
    /// A transaction's recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<EvmAddress>,
    /// The contract that a transaction of Neo N3 calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contract: Option<Hash160>,
    /// A transaction's value and highest fee, together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Wei>,
}

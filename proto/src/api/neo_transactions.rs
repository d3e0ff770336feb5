//! Transactions of wallets on Neo N3: what is asked for, what was signed for it, and what became of it. What is signed once can neither be
//! replaced nor taken back there: it has a last block, after which none can have it.

use r3e_neo::{Hash160, Hash256};
use serde::{Deserialize, Serialize};

use super::transactions::{Outcome, Reason, Stage};
use super::wallets::{NeoAccount, NeoArgument, NeoScope, Wei};

/// What is asked for: the body of `PUT /v1/neo-transactions/{name}`. Under one name, one thing is done, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendNeoTransaction {
    /// The wallet that signs, and whose account pays.
    pub wallet: String,
    /// The network's magic number.
    pub magic: u32,
    /// What to do.
    pub call: NeoCall,
    /// How long it is tried; [`super::transactions::DEFAULT_TIMEOUT_MS`] where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// One call of one contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NeoCall {
    /// The contract.
    pub contract: Hash160,
    /// Its method.
    pub method: String,
    /// What it is called with.
    #[serde(default)]
    pub arguments: Vec<NeoArgument>,
    /// For whom the wallet's signature counts.
    #[serde(default = "called_by_entry")]
    pub scope: NeoScope,
    /// The most that it may cost, both fees together, in 10^-8 GAS.
    pub fee_limit: Wei,
}

/// As wallets of people have it.
fn called_by_entry() -> NeoScope {
    NeoScope::CalledByEntry
}

/// What was signed, once and for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeoSigned {
    /// The transaction's hash.
    pub hash: Hash256,
    /// What running it costs, in 10^-8 GAS: burned, used or not.
    pub system_fee: Wei,
    /// What carrying it costs, in 10^-8 GAS.
    pub network_fee: Wei,
    /// The last block that may have it.
    pub valid_until_block: u32,
    /// When it was signed, in Unix milliseconds.
    pub at_ms: u64,
}

/// Where the chain has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeoInclusion {
    /// The block's height.
    pub height: u64,
    /// Whether it did what it was to do; where not, nothing that it did stands, and both fees are spent.
    pub succeeded: bool,
}

/// A transaction on Neo N3 as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentNeoTransaction {
    /// Its name.
    pub name: String,
    /// The version of a function that asked for it, `NAME@VERSION`; absent where no function did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The wallet that signs.
    pub wallet: String,
    /// Its account.
    pub account: NeoAccount,
    /// The network's magic number.
    pub magic: u32,
    /// What it does.
    pub call: NeoCall,
    /// Since when it is known, in Unix milliseconds.
    pub made_at_ms: u64,
    /// When it is given up, in Unix milliseconds: nothing is signed for it then, and what was signed before has its last block about then.
    pub deadline_ms: u64,
    /// How far it is: never in a block that is not final, since there are none on Neo N3.
    pub stage: Stage,
    /// What was signed for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<NeoSigned>,
    /// Why it is being given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<Reason>,
    /// What became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome<NeoInclusion>>,
    /// What holds it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Some of a tenant's transactions on Neo N3, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeoTransactionPage {
    /// They.
    pub transactions: Vec<SentNeoTransaction>,
    /// The name to go on behind; none behind the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

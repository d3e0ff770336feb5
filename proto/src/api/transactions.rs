//! Transactions of wallets on chains like Ethereum: what is asked for, what was signed for it, and what became of it.

use serde::{Deserialize, Serialize};

use super::wallets::{EvmAddress, Hash32, HexBytes, Wei};
use crate::wallet::created_contract;

/// How long a transaction is tried, where the request does not say.
pub const DEFAULT_TIMEOUT_MS: u64 = 600_000;

/// What is asked for: the body of `PUT /v1/transactions/{name}`. Under one name, one thing is done, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendTransaction {
    /// The wallet that signs.
    pub wallet: String,
    /// The chain.
    pub chain_id: u64,
    /// What to do.
    pub call: Call,
    /// How long it is tried; [`DEFAULT_TIMEOUT_MS`] where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
}

/// What is to be done on the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The recipient; `null` creates a contract.
    pub to: Option<EvmAddress>,
    /// What is sent along.
    #[serde(default)]
    pub value: Wei,
    /// The call's data, or the new contract's code.
    #[serde(default)]
    pub data: HexBytes,
    /// The most gas.
    pub gas_limit: u64,
    /// The most that it may cost: gas times its price, whichever attempt it is.
    pub fee_limit: Wei,
}

/// What a unit of gas may cost, and what of it goes to whoever makes the block (EIP-1559).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// The highest price.
    pub max: Wei,
    /// The tip.
    pub tip: Wei,
}

/// One signature for a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The signed transaction's hash.
    pub hash: Hash32,
    /// What it does.
    pub kind: Kind,
    /// What it offers.
    pub fees: Fees,
    /// When it was signed, in Unix milliseconds.
    pub at_ms: u64,
}

/// What a signed transaction does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What was asked for.
    Call,
    /// Nothing: it takes the nonce.
    Noop,
}

/// Where the chain has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inclusion {
    /// Which of the attempts.
    pub hash: Hash32,
    /// The block's height.
    pub height: u64,
    /// The block's hash.
    pub block: Hash32,
    /// Whether it did what it was to do; where not, it was reverted.
    pub succeeded: bool,
    /// The gas that it took.
    pub gas_used: u64,
}

/// Why a transaction is not to be done any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// Its time is over.
    Expired,
    /// Its caller wants that.
    Cancelled,
    /// No node takes it, in their words.
    NotTaken(String),
    /// What it calls refuses it, in words; nothing was signed for it.
    Reverts(String),
}

/// What became of a transaction, for ever. `I` is where its chain has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome<I = Inclusion> {
    /// It is in the chain; it may have been reverted.
    Included(I),
    /// It was not done, and will not be.
    Abandoned(Reason),
    /// The wallet's gate does not let it be signed.
    Refused {
        /// The rule's code.
        code: String,
        /// In words.
        message: String,
    },
    /// Something else that was signed by the same key took its nonce. It was not done, and will not be.
    Displaced,
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stage {
    /// Nothing was signed for it.
    Waiting,
    /// What was signed for it may be in a block any time.
    Pending,
    /// It is in a block, which is not final.
    Included,
    /// It is over, for ever.
    Ended,
}

/// A transaction as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its name.
    pub name: String,
    /// The version of a function that asked for it, `NAME@VERSION`; absent where no function did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The wallet that signs.
    pub wallet: String,
    /// Its account.
    pub account: EvmAddress,
    /// The chain.
    pub chain_id: u64,
    /// What it does.
    pub call: Call,
    /// Since when it is known, in Unix milliseconds.
    pub made_at_ms: u64,
    /// When it is given up, in Unix milliseconds: what is in no block then is replaced by nothing.
    pub deadline_ms: u64,
    /// How far it is.
    pub stage: Stage,
    /// Its nonce, once something was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<u64>,
    /// All that was signed for it; the latest is last.
    pub attempts: Vec<Attempt>,
    /// Where the chain has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub included: Option<Inclusion>,
    /// Why it is being given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<Reason>,
    /// What became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What holds it up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Transaction {
    /// The contract that it creates, where it does and something was signed for it; none where it ended without.
    pub fn creates(&self) -> Option<EvmAddress> {
        let is_done =
            |outcome: &Outcome| matches!(outcome, Outcome::Included(inclusion) if inclusion.succeeded);
        if self.outcome.as_ref().is_some_and(|outcome| !is_done(outcome)) {
            return None;
        }
        let nonce = self.nonce.filter(|_| self.call.to.is_none())?;
        Some(created_contract(&self.account, nonce))
    }
}

/// Some of a tenant's transactions, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionPage {
    /// They.
    pub transactions: Vec<Transaction>,
    /// The name to go on behind; none behind the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

//! One transaction, with all that was ever signed for it.

use r3e_proto::api::wallets::{EvmTransaction, Fee, Hash32, HexBytes, Wei};
use serde::{Deserialize, Serialize};

use crate::call::Call;
use crate::fees::Fees;
use crate::lane::Place;
use crate::limits::{MAX_TROUBLE_CHARS, NOOP_GAS};

/// One transaction as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) wallet: String,
    pub(crate) place: Place,
    pub(crate) made_at_ms: u64,
    pub(crate) call: Call,
    /// It is not to be done any more. What was signed before may still be what the chain takes.
    pub(crate) abandoned: Option<Reason>,
    /// What may be out there.
    pub(crate) out: Option<Out>,
    pub(crate) outcome: Option<Outcome>,
    /// What holds it up, in words. Of this life alone.
    #[serde(skip)]
    pub(crate) trouble: Option<String>,
    /// Before then nothing is signed for it. Of this life alone.
    #[serde(skip)]
    pub(crate) rests_until_ms: u64,
    /// Nodes want more for it. Of this life alone.
    #[serde(skip)]
    pub(crate) is_pushed: bool,
}

/// What was signed, under one nonce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Out {
    pub(crate) nonce: u64,
    /// The latest is last.
    pub(crate) attempts: Vec<Attempt>,
    /// The latest one's bytes.
    pub(crate) bytes: HexBytes,
    pub(crate) included: Option<Inclusion>,
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
pub enum Reason {
    /// Its time is over.
    Expired,
    /// Its caller wants that.
    Cancelled,
    /// No node takes it, in their words.
    NotTaken(String),
}

/// What became of a transaction, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is in the chain; it may have been reverted.
    Included(Inclusion),
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

impl Entry {
    pub(crate) fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    /// What is out and in no block.
    pub(crate) fn pending(&self) -> Option<&Out> {
        self.out.as_ref().filter(|out| self.is_open() && out.included.is_none())
    }

    /// How much gas an attempt may use.
    pub(crate) fn gas(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Call => self.call.gas_limit,
            Kind::Noop => NOOP_GAS,
        }
    }

    /// What is signed.
    pub(crate) fn transaction(&self, nonce: u64, kind: Kind, fees: Fees) -> EvmTransaction {
        let (to, value, data) = match kind {
            Kind::Call => (self.call.to, self.call.value, self.call.data.clone()),
            // To itself: a policy that allows nothing else can allow this.
            Kind::Noop => (Some(self.place.account), Wei(0), HexBytes::default()),
        };
        EvmTransaction {
            chain_id: self.place.chain_id,
            nonce,
            to,
            value,
            data,
            gas_limit: self.gas(kind),
            fee: Fee::Eip1559 { max_fee_per_gas: fees.max, max_priority_fee_per_gas: fees.tip },
            access_list: Vec::new(),
        }
    }

    pub(crate) fn is_in_trouble(&mut self, why: &str) {
        self.trouble = Some(why.chars().take(MAX_TROUBLE_CHARS).collect());
    }
}

impl Out {
    pub(crate) fn last(&self) -> Option<&Attempt> {
        self.attempts.last()
    }
}

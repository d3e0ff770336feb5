//! One transaction, with all that was ever signed for it.

use r3e_proto::api::transactions::{
    Attempt, Call, Fees, Inclusion, Kind, Outcome, Reason, Stage, Transaction,
};
use r3e_proto::api::wallets::{EvmTransaction, Fee, Hash32, HexBytes, Wei, keccak256};
use serde::{Deserialize, Serialize};

use super::fees::price_limit;
use super::lane::Place;
use crate::family::Record;
use crate::limits::{MAX_ENDED_DATA_BYTES, MAX_TROUBLE_CHARS, NOOP_GAS};
use crate::outside::Asker;

/// One transaction as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) wallet: String,
    #[serde(flatten)]
    pub(crate) asker: Asker,
    pub(crate) place: Place,
    pub(crate) made_at_ms: u64,
    /// When it is given up.
    pub(crate) deadline_ms: u64,
    pub(crate) call: Call,
    /// Of the call, whose data may be dropped.
    pub(crate) digest: Hash32,
    /// It is not to be done any more. What was signed before may still be what the chain takes.
    pub(crate) abandoned: Option<Reason>,
    /// What may be out there.
    pub(crate) out: Option<Out>,
    pub(crate) outcome: Option<Outcome>,
    /// Its name is given once, so that it is forgotten early.
    #[serde(default, skip_serializing_if = "is_not")]
    pub(crate) is_brief: bool,
    /// What holds it up, in words. Of this life alone.
    #[serde(skip)]
    pub(crate) trouble: Option<String>,
    /// Before then nothing is signed for it. Of this life alone.
    #[serde(skip)]
    pub(crate) rests_until_ms: u64,
    /// Nodes want more for it. Of this life alone.
    #[serde(skip)]
    pub(crate) is_pushed: bool,
    /// A node has what was signed last. Of this life alone.
    #[serde(skip)]
    pub(crate) is_taken: bool,
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

impl Entry {
    /// One for which nothing was signed yet.
    pub(crate) fn new(
        id: String,
        wallet: String,
        asker: Asker,
        place: Place,
        (made_at_ms, deadline_ms): (u64, u64),
        call: Call,
    ) -> Self {
        let digest = digest(&call);
        let (abandoned, out, outcome, trouble) = <_>::default();
        Self {
            id,
            wallet,
            asker,
            place,
            made_at_ms,
            deadline_ms,
            call,
            digest,
            abandoned,
            out,
            outcome,
            is_brief: false,
            trouble,
            rests_until_ms: 0,
            is_pushed: false,
            is_taken: false,
        }
    }

    /// What is out and in no block.
    pub(crate) fn pending(&self) -> Option<&Out> {
        self.out.as_ref().filter(|out| self.is_open() && out.included.is_none())
    }

    /// The highest price of a unit of gas that an attempt may offer. A call leaves room for nothing in its place.
    pub(crate) fn price_limit(&self, kind: Kind) -> u128 {
        let limit = price_limit(&self.call, self.gas(kind));
        match kind {
            Kind::Call => limit.saturating_sub(limit.div_ceil(10)),
            Kind::Noop => limit,
        }
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

impl Record for Entry {
    type Place = Place;
    type Shown = Transaction;

    fn id(&self) -> &str {
        &self.id
    }

    fn place(&self) -> Place {
        self.place
    }

    fn asker(&self) -> &Asker {
        &self.asker
    }

    fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    fn is_signed(&self) -> bool {
        self.out.is_some()
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.is_some()
    }

    fn is_brief(&self) -> bool {
        self.is_brief
    }

    fn bytes(&self) -> usize {
        self.call.data.0.len()
    }

    fn give_up(&mut self, reason: Reason) {
        if self.out.is_none() {
            self.outcome = Some(Outcome::Abandoned(reason.clone()));
        }
        self.abandoned = Some(reason);
    }

    fn kept(&self) -> Self {
        let mut kept = self.clone();
        if !self.is_open() {
            if let Some(out) = &mut kept.out {
                out.bytes = HexBytes::default();
            }
            if kept.call.data.0.len() > MAX_ENDED_DATA_BYTES {
                kept.call.data = HexBytes::default();
            }
        }
        kept
    }

    fn shown(self, trouble: Option<String>) -> Transaction {
        let stage = match (&self.outcome, &self.out) {
            (Some(_), _) => Stage::Ended,
            (None, None) => Stage::Waiting,
            (None, Some(out)) if out.included.is_none() => Stage::Pending,
            (None, Some(_)) => Stage::Included,
        };
        let (nonce, attempts, included) = match self.out {
            Some(out) => (Some(out.nonce), out.attempts, out.included),
            None => (None, Vec::new(), None),
        };
        Transaction {
            name: self.id,
            function: self.asker.function(),
            wallet: self.wallet,
            account: self.place.account,
            chain_id: self.place.chain_id,
            call: self.call,
            made_at_ms: self.made_at_ms,
            deadline_ms: self.deadline_ms,
            stage,
            nonce,
            attempts,
            included,
            abandoned: self.abandoned,
            outcome: self.outcome,
            trouble,
        }
    }

    fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls it with")]
fn is_not(it: &bool) -> bool {
    !it
}

/// A call's digest, by which it is known again.
pub(crate) fn digest(call: &Call) -> Hash32 {
    Hash32(keccak256(&[&serde_json::to_vec(call).unwrap_or_default()]))
}

impl Out {
    pub(crate) fn last(&self) -> Option<&Attempt> {
        self.attempts.last()
    }
}

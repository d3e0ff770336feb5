//! One transaction, with what was signed for it.

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::neo_transactions::{NeoCall, NeoInclusion, NeoSigned, SentNeoTransaction};
use r3e_proto::api::transactions::{Outcome, Reason, Stage};
use r3e_proto::api::wallets::{Hash32, HexBytes, NeoAccount, NeoArgument, NeoTransaction, Wei, keccak256};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::chain::{Found, Pace};
use crate::family::{self, Record};
use crate::limits::{
    MAX_ENDED_DATA_BYTES, MAX_TROUBLE_CHARS, MIN_NEO_BLOCKS_TO_LIVE, REFUSED_FOR, SIGN_AGAIN,
};
use crate::outside::{Asker, NotSigned};

/// Which account, on which network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) magic: u32,
    pub(crate) account: NeoAccount,
}

impl family::Place for Place {
    fn chain(&self) -> u64 {
        self.magic.into()
    }

    fn key(&self) -> String {
        format!("{}.{}", self.magic, self.account)
    }

    fn parse(key: &str) -> Option<Self> {
        let (magic, account) = key.split_once('.')?;
        Some(Self { magic: magic.parse().ok()?, account: account.parse().ok()? })
    }
}

/// One transaction as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    id: String,
    pub(super) wallet: String,
    /// The wallet's.
    pub(super) public_key: HexBytes,
    #[serde(flatten)]
    asker: Asker,
    pub(super) place: Place,
    made_at_ms: u64,
    /// When it is given up.
    deadline_ms: u64,
    call: NeoCall,
    /// Of the call, whose arguments may be dropped.
    pub(super) digest: Hash32,
    /// A number that makes it another transaction than others that do the same.
    nonce: u32,
    /// It is not to be done any more. What was signed before may still be what the chain takes.
    abandoned: Option<Reason>,
    out: Option<Out>,
    outcome: Option<Outcome<NeoInclusion>>,
    /// What holds it up, in words. Of this life alone.
    #[serde(skip)]
    trouble: Option<String>,
    /// Before then nothing is signed for it. Of this life alone.
    #[serde(skip)]
    rests_until_ms: u64,
    /// When it was last found out what it costs. Of this life alone.
    #[serde(skip)]
    tried_ms: u64,
    /// Since when its contract refuses it. Of this life alone.
    #[serde(skip)]
    refused_since_ms: Option<u64>,
}

/// What was signed, and its bytes as long as a node may want them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Out {
    #[serde(flatten)]
    pub(super) signed: NeoSigned,
    pub(super) bytes: HexBytes,
}

/// What one look learned of it.
#[derive(Debug)]
pub(super) enum Learned {
    /// What was signed, as the chain has it.
    Found(Found),
    /// What is to be signed.
    Priced(Box<Priced>),
    /// Its contract refuses it, in words.
    Refused(String),
    /// It costs more than it may, in words.
    Dear(String),
    /// It is not signed now, in words.
    HeldUp(String),
}

/// A transaction with what it costs.
#[derive(Debug)]
pub(super) struct Priced {
    pub(super) transaction: NeoTransaction,
    /// How far the network is, and how fast.
    pub(super) pace: Pace,
    /// What its account has of GAS, in 10^-8.
    pub(super) balance: u128,
    /// When it was found out.
    pub(super) at: Instant,
}

impl Entry {
    /// One for which nothing was signed yet.
    pub(super) fn new(
        (tenant, id): (TenantId, String),
        (wallet, public_key): (String, HexBytes),
        asker: Asker,
        place: Place,
        (made_at_ms, deadline_ms): (u64, u64),
        call: NeoCall,
    ) -> Self {
        let digest = digest(&call);
        let parts =
            [tenant.to_string().into_bytes(), id.clone().into_bytes(), made_at_ms.to_be_bytes().into()];
        let [a, b, c, d, ..] = keccak256(&[&parts.join(&0)]);
        let (abandoned, out, outcome, trouble, refused_since_ms) = <_>::default();
        Self {
            id,
            wallet,
            public_key,
            asker,
            place,
            made_at_ms,
            deadline_ms,
            call,
            digest,
            nonce: u32::from_be_bytes([a, b, c, d]),
            abandoned,
            out,
            outcome,
            trouble,
            rests_until_ms: 0,
            tried_ms: 0,
            refused_since_ms,
        }
    }

    /// What is out there, and may be in a block any time.
    pub(super) fn pending(&self) -> Option<&Out> {
        self.out.as_ref().filter(|_| self.is_open())
    }

    /// Which one it is: of its name there may have been others.
    pub(super) fn key(&self) -> (String, u32) {
        (self.id.clone(), self.nonce)
    }

    /// When it was last found out what it costs.
    pub(super) fn tried_ms(&self) -> u64 {
        self.tried_ms
    }

    /// Whether something is to be signed for it.
    pub(super) fn is_due(&self, now_ms: u64) -> bool {
        let is_wanted = self.is_open() && self.out.is_none() && self.abandoned.is_none();
        is_wanted && self.rests_until_ms <= now_ms && now_ms < self.deadline_ms
    }

    /// What the account may lose by what is out, in 10^-8 GAS.
    pub(super) fn at_stake(&self) -> u128 {
        let Some(out) = self.pending() else { return 0 };
        let fees = out.signed.system_fee.0.saturating_add(out.signed.network_fee.0);
        fees.saturating_add(self.transaction().sent().0)
    }

    /// It is not signed now: no block may have it by when it is given up, or none that nodes take.
    pub(super) fn waits_for_nothing(&mut self) {
        self.is_in_trouble("its deadline is too near for a block");
    }

    /// It is not signed now.
    pub(super) fn waits_for_money(&mut self, needed: u128, there: u128) {
        let account = self.place.account;
        self.is_in_trouble(&format!(
            "it takes {needed} of 10^-8 GAS, and the account {account} has {there} beside what others of its take"
        ));
    }

    /// What is signed, but for its fees and its last block.
    pub(super) fn transaction(&self) -> NeoTransaction {
        let NeoCall { contract, method, arguments, scope, .. } = self.call.clone();
        NeoTransaction {
            magic: self.place.magic,
            nonce: self.nonce,
            sender: self.place.account,
            contract,
            method,
            arguments,
            scope,
            system_fee: Wei(0),
            network_fee: Wei(0),
            valid_until_block: 0,
        }
    }

    /// The last block that may have it, by when it is given up; none where that is too near. None later than nodes take.
    pub(super) fn last_block(&self, pace: &Pace, now_ms: u64) -> Option<u32> {
        let left_ms = u128::from(self.deadline_ms.saturating_sub(now_ms));
        let blocks = u64::try_from(left_ms / pace.block_time.as_millis().max(1)).unwrap_or(u64::MAX);
        // One node may be behind another.
        let blocks = blocks.min(pace.max_blocks.saturating_sub(pace.max_blocks / 64 + 1));
        let last = u32::try_from(pace.height.saturating_add(blocks)).unwrap_or(u32::MAX);
        (blocks >= MIN_NEO_BLOCKS_TO_LIVE).then_some(last)
    }

    pub(super) fn fee_limit(&self) -> Wei {
        self.call.fee_limit
    }

    /// Takes note of the clock, and of what was found out. Whether it is another one by that.
    pub(super) fn learns(&mut self, learned: Option<&Learned>, now_ms: u64) -> bool {
        if !self.is_open() {
            return false;
        }
        if learned.is_some() {
            self.tried_ms = now_ms;
        }
        match (learned, &self.out) {
            (Some(Learned::Found(found)), Some(out)) if found.hash == out.signed.hash => {
                if let Some(inclusion) = found.inclusion {
                    self.outcome = Some(Outcome::Included(inclusion));
                } else if found.is_beyond {
                    let reason = self.abandoned.clone().unwrap_or(Reason::Expired);
                    self.outcome = Some(Outcome::Abandoned(reason));
                } else if self.abandoned.is_some() {
                    self.trouble = None;
                }
            }
            (Some(Learned::Refused(why)), None) => {
                self.is_in_trouble(why);
                let since_ms = *self.refused_since_ms.get_or_insert(now_ms);
                if u128::from(now_ms.saturating_sub(since_ms)) >= REFUSED_FOR.as_millis() {
                    self.give_up(Reason::Reverts(self.trouble.clone().unwrap_or_default()));
                }
            }
            (Some(Learned::Dear(why)), None) => {
                self.is_in_trouble(why);
                self.refused_since_ms = None;
            }
            (Some(Learned::HeldUp(why)), _) => self.is_in_trouble(why),
            (Some(Learned::Priced(_)), None) => (self.trouble, self.refused_since_ms) = (None, None),
            _ => {}
        }
        if self.is_open() && self.out.is_none() && now_ms >= self.deadline_ms {
            self.give_up(Reason::Expired);
        }
        !self.is_open()
    }

    /// Takes note of a signature. It must be written down before any node sees it.
    pub(super) fn signed(&mut self, transaction: &NeoTransaction, hash: Hash32, bytes: HexBytes, at_ms: u64) {
        let mut hash = r3e_neo::Hash256(hash.0);
        // Nodes show it the other way round.
        hash.0.reverse();
        let NeoTransaction { system_fee, network_fee, valid_until_block, .. } = *transaction;
        self.trouble = None;
        self.out = Some(Out {
            signed: NeoSigned { hash, system_fee, network_fee, valid_until_block, at_ms },
            bytes,
        });
    }

    /// Takes note of a signature that the gate did not give. Whether the entry is another one for it.
    pub(super) fn not_signed(&mut self, why: NotSigned, now_ms: u64) -> bool {
        if !why.may_pass {
            self.outcome = Some(Outcome::Refused { code: why.code, message: why.message });
            return true;
        }
        self.is_in_trouble(&why.in_words());
        self.rests_until_ms =
            now_ms.saturating_add(u64::try_from(SIGN_AGAIN.as_millis()).unwrap_or(u64::MAX));
        false
    }

    /// Takes note of what nodes said to it.
    pub(super) fn told(&mut self, trouble: Option<&str>) {
        self.trouble = None;
        if let Some(why) = trouble {
            self.is_in_trouble(why);
        }
    }

    fn is_in_trouble(&mut self, why: &str) {
        self.trouble = Some(why.chars().take(MAX_TROUBLE_CHARS).collect());
    }
}

impl Record for Entry {
    type Place = Place;
    type Shown = SentNeoTransaction;

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
        false
    }

    fn bytes(&self) -> usize {
        bytes(&self.call)
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
            if self.bytes() > MAX_ENDED_DATA_BYTES {
                kept.call.arguments = Vec::new();
            }
        }
        kept
    }

    fn shown(self, trouble: Option<String>) -> SentNeoTransaction {
        let stage = match (&self.outcome, &self.out) {
            (Some(_), _) => Stage::Ended,
            (None, None) => Stage::Waiting,
            (None, Some(_)) => Stage::Pending,
        };
        SentNeoTransaction {
            name: self.id,
            function: self.asker.function(),
            wallet: self.wallet,
            account: self.place.account,
            magic: self.place.magic,
            call: self.call,
            made_at_ms: self.made_at_ms,
            deadline_ms: self.deadline_ms,
            stage,
            signed: self.out.map(|out| out.signed),
            abandoned: self.abandoned,
            outcome: self.outcome,
            trouble,
        }
    }

    fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }
}

/// A call's digest, by which it is known again.
pub(super) fn digest(call: &NeoCall) -> Hash32 {
    Hash32(keccak256(&[&serde_json::to_vec(call).unwrap_or_default()]))
}

/// How much memory its arguments take, about.
pub(super) fn bytes(call: &NeoCall) -> usize {
    fn of(argument: &NeoArgument) -> usize {
        let inside = match argument {
            NeoArgument::Bytes(bytes) => bytes.0.len(),
            NeoArgument::Text(text) => text.len(),
            NeoArgument::Array(list) => list.iter().map(of).sum(),
            _ => 0,
        };
        size_of::<NeoArgument>() + inside
    }
    call.arguments.iter().map(of).sum()
}

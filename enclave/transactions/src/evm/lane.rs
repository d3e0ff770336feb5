//! One account on one chain: which nonce is whose, what is signed next, and what became of what was. It asks nobody.

use std::cmp::Reverse;
use std::collections::HashMap;

use r3e_proto::api::transactions::{Attempt, Call, Fees, Inclusion, Kind, Outcome, Reason};
use r3e_proto::api::wallets::{EvmAddress, EvmTransaction, Hash32, HexBytes, Wei};
use serde::{Deserialize, Serialize};

use super::entry::{Entry, Out};
use super::fees::{higher, raised, replaces, under};
use super::said::Refusal;
use crate::family::{Lane, Record as _};
use crate::limits::{
    ENTRIES_OF_A_COMMIT, MAX_ATTEMPTS, MAX_LIFE, MAX_OUT, NOOP_ATTEMPTS, NOOP_GAS, SIGN_AGAIN,
};
use crate::outside::{Asker, NotSigned, Sent};

/// Which account, on which chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) chain_id: u64,
    pub(crate) account: EvmAddress,
}

/// How a chain is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Blocks above one that make it final.
    pub confirmations: u64,
    /// What waits longer for its block is replaced by something dearer.
    pub bump_after_ms: u64,
}

/// An account as it is in one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// The block's height.
    pub height: u64,
    /// The block's hash.
    pub block: Hash32,
    /// How many transactions of the account are in the chain up to it: the nonce of the next.
    pub count: u64,
    /// The same for the block that is `confirmations` below it.
    pub final_count: u64,
    /// What the block's gas cost.
    pub base_fee: Wei,
    /// What is offered for a place in one of the next.
    pub fees: Fees,
}

/// A transaction that is in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its hash.
    pub hash: Hash32,
    /// The block's height.
    pub height: u64,
    /// The block's hash.
    pub block: Hash32,
    /// Whether it did what it was to do.
    pub succeeded: bool,
    /// The gas that it took.
    pub gas_used: u64,
}

/// What is known of hashes that were asked about: a receipt, or that there is none.
pub(crate) type Answers = HashMap<Hash32, Option<Receipt>>;

/// What the names of the lane's own begin with. A caller may have used one: then the next is tried.
const FILLER: &str = "gap";

/// What is to be signed next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// For which entry.
    pub(crate) index: usize,
    pub(crate) kind: Kind,
    pub(crate) fees: Fees,
    pub(crate) transaction: EvmTransaction,
}

impl Lane<Entry> {
    /// The hashes of what may be in a block by now, or not be any more: of each transaction, the latest first. One of them is in the chain at
    /// the most.
    pub(crate) fn asks(&self, view: &View, rules: &Rules) -> Vec<Vec<Hash32>> {
        let settles =
            |included: &Inclusion| view.height >= included.height.saturating_add(rules.confirmations);
        let may_be = |out: &&Out| out.nonce < view.count && out.included.as_ref().is_none_or(settles);
        let open = self.entries.iter().filter(|entry| entry.is_open());
        let outs = open.filter_map(|entry| entry.out.as_ref()).filter(may_be);
        outs.map(|out| out.attempts.iter().rev().map(|attempt| attempt.hash).collect()).collect()
    }

    /// Takes note of the chain, and of what was answered to hashes that were asked about. Gives the entries that are other than they were, as
    /// many as one commit has; then there may be more.
    pub(crate) fn learns(
        &mut self,
        view: &View,
        rules: &Rules,
        answers: &Answers,
        now_ms: u64,
    ) -> Vec<usize> {
        let mut changed = Vec::new();
        for (index, entry) in self.entries.iter_mut().enumerate().filter(|(_, entry)| entry.is_open()) {
            if changed.len() == ENTRIES_OF_A_COMMIT {
                break;
            }
            let before = (entry.out.as_ref().map(|out| out.included.clone()), entry.abandoned.clone());
            entry.meets(view, rules, answers, now_ms);
            let after = (entry.out.as_ref().map(|out| out.included.clone()), entry.abandoned.clone());
            if before != after || !entry.is_open() {
                changed.push(index);
            }
        }
        changed
    }

    /// The next signature that is wanted, if one is.
    pub(crate) fn wants(&self, view: &View, rules: &Rules, now_ms: u64) -> Option<Wanted> {
        let rested = |entry: &&(usize, &Entry)| entry.1.is_open() && entry.1.rests_until_ms <= now_ms;
        let all = || self.entries.iter().enumerate();
        let replaced = all().filter(|one| rested(&one)).find_map(|(index, entry)| {
            let (kind, fees) = entry.replacement(view, rules, now_ms)?;
            let nonce = entry.out.as_ref()?.nonce;
            Some(Wanted { index, kind, fees, transaction: entry.transaction(nonce, kind, fees) })
        });
        replaced.or_else(|| {
            let nonce = self.free_nonce(view)?;
            all().filter(|one| rested(&one)).find_map(|(index, entry)| {
                let fees = entry.first_fees(view, now_ms)?;
                let transaction = entry.transaction(nonce, Kind::Call, fees);
                Some(Wanted { index, kind: Kind::Call, fees, transaction })
            })
        })
    }

    /// Takes note of a signature. It must be written down before any node sees it.
    pub(crate) fn signed(&mut self, wanted: &Wanted, hash: Hash32, bytes: HexBytes, now_ms: u64) {
        let Some(entry) = self.entries.get_mut(wanted.index) else { return };
        let attempt = Attempt { hash, kind: wanted.kind, fees: wanted.fees, at_ms: now_ms };
        (entry.is_pushed, entry.is_taken, entry.trouble) = (false, false, None);
        match &mut entry.out {
            Some(out) => {
                out.attempts.push(attempt);
                out.bytes = bytes;
            }
            out @ None => {
                let nonce = wanted.transaction.nonce;
                *out = Some(Out { nonce, attempts: vec![attempt], bytes, included: None });
            }
        }
    }

    /// Takes note of a signature that the gate did not give. Whether the entry is another one for it.
    pub(crate) fn not_signed(&mut self, wanted: &Wanted, why: NotSigned, now_ms: u64) -> bool {
        let Some(entry) = self.entries.get_mut(wanted.index) else { return false };
        if entry.out.is_none() && !why.may_pass {
            // Nothing of it was ever signed, and no nonce is its own.
            entry.outcome = Some(Outcome::Refused { code: why.code, message: why.message });
            return true;
        }
        entry.is_in_trouble(&why.in_words());
        let pause_ms = u64::try_from(SIGN_AGAIN.as_millis()).unwrap_or(u64::MAX);
        entry.rests_until_ms = now_ms.saturating_add(pause_ms);
        false
    }

    /// What nodes should have and may not: by their nonces, the first one first.
    pub(crate) fn to_send(&self, view: &View) -> Vec<(Hash32, HexBytes)> {
        let mut pending: Vec<&Out> = self.entries.iter().filter_map(Entry::pending).collect();
        pending.retain(|out| out.nonce >= view.count);
        pending.sort_unstable_by_key(|out| out.nonce);
        pending.iter().filter_map(|out| Some((out.last()?.hash, out.bytes.clone()))).collect()
    }

    /// Takes note of what nodes said to a transaction. Gives its entry where that is another one for it.
    pub(crate) fn told(&mut self, hash: Hash32, said: &Sent) -> Option<usize> {
        let is_of = |entry: &Entry| entry.pending().and_then(Out::last).is_some_and(|last| last.hash == hash);
        let index = self.entries.iter().position(is_of)?;
        let entry = self.entries.get_mut(index)?;
        match said {
            Sent::Taken => (entry.trouble, entry.is_taken) = (None, true),
            Sent::Unknown(why) => entry.is_in_trouble(why),
            Sent::Refused(refusal, why) => {
                entry.is_in_trouble(why);
                entry.is_pushed = matches!(refusal, Refusal::Underpriced);
                // A dearer one that no node takes says nothing of those before it, which may be in a block any time.
                let is_first = entry.out.as_ref().is_some_and(|out| out.attempts.len() == 1);
                if *refusal == Refusal::Invalid && is_first && entry.abandoned.is_none() {
                    // The nonce is its own all the same: what was signed is out, and a node may yet take it.
                    entry.abandoned = Some(Reason::NotTaken(entry.trouble.clone().unwrap_or_default()));
                    return Some(index);
                }
            }
        }
        None
    }

    /// The lowest nonce that nothing of ours has. A gap that a reorganisation left is filled first.
    fn free_nonce(&self, view: &View) -> Option<u64> {
        let mut taken: Vec<u64> = self.open_nonces().filter(|nonce| *nonce >= view.count).collect();
        let (out, highest) = (taken.len(), taken.iter().max().copied());
        taken.sort_unstable_by_key(|nonce| Reverse(*nonce));
        let mut nonce = view.count;
        while taken.last() == Some(&nonce) {
            taken.pop();
            nonce = nonce.checked_add(1)?;
        }
        // What is above a gap waits for it.
        let is_gap = highest.is_some_and(|highest| nonce < highest);
        (is_gap || out < MAX_OUT).then_some(nonce)
    }

    /// A transaction of the lane's own, where what is out waits for a nonce that nothing of ours has and nothing else waits to take: the
    /// account sends itself nothing.
    pub(crate) fn filler(&self, view: &View, now_ms: u64) -> Option<Entry> {
        let nonce = self.free_nonce(view)?;
        let behind = self.entries.iter().filter(|entry| entry.pending().is_some_and(|out| out.nonce > nonce));
        let payer = behind.min_by_key(|entry| entry.pending().map(|out| out.nonce))?;
        let waits =
            self.entries.iter().any(|entry| entry.is_open() && entry.first_fees(view, now_ms).is_some());
        let id = format!("{FILLER}-{nonce}-{now_ms}");
        if waits {
            return None;
        }
        let call = Call {
            to: Some(payer.place.account),
            value: Wei(0),
            data: HexBytes::default(),
            gas_limit: NOOP_GAS,
            fee_limit: payer.call.fee_limit,
        };
        let life_ms = u64::try_from(MAX_LIFE.as_millis()).unwrap_or(u64::MAX);
        let deadline_ms = now_ms.saturating_add(life_ms);
        Some(Entry::new(id, payer.wallet.clone(), Asker::Tenant, payer.place, (now_ms, deadline_ms), call))
    }

    fn open_nonces(&self) -> impl Iterator<Item = u64> {
        let open = self.entries.iter().filter(|entry| entry.is_open());
        open.filter_map(|entry| entry.out.as_ref()).map(|out| out.nonce)
    }
}

impl Entry {
    /// What the chain says of it, and the clock.
    fn meets(&mut self, view: &View, rules: &Rules, answers: &Answers, now_ms: u64) {
        let is_late = now_ms >= self.deadline_ms;
        let Some(out) = &mut self.out else {
            if is_late && self.abandoned.is_none() {
                self.give_up(Reason::Expired);
            } else if self.price_limit(Kind::Call) < view.base_fee.0 {
                self.is_in_trouble(&format!(
                    "gas costs {} wei a unit, and fee_limit allows less",
                    view.base_fee
                ));
            }
            return;
        };
        if out.nonce >= view.count {
            if out.included.take().is_some() {
                // Reorganised away. Its time for a block begins anew.
                out.attempts.iter_mut().for_each(|attempt| attempt.at_ms = now_ms);
            }
        } else {
            let receipt = |attempt: &Attempt| Some((answers.get(&attempt.hash)?.as_ref()?, attempt.kind));
            let is_final = |height: u64| view.height >= height.saturating_add(rules.confirmations);
            let all_missing =
                out.attempts.iter().all(|attempt| matches!(answers.get(&attempt.hash), Some(None)));
            match out.attempts.iter().find_map(receipt) {
                Some((receipt, kind)) => {
                    let included = inclusion(receipt);
                    if is_final(receipt.height) {
                        let reason = self.abandoned.clone().unwrap_or(Reason::Expired);
                        self.outcome = Some(match kind {
                            Kind::Call => Outcome::Included(included.clone()),
                            Kind::Noop => Outcome::Abandoned(reason),
                        });
                    }
                    out.included = Some(included);
                    self.trouble = None;
                }
                // Taken, for good, and by none of ours.
                None if all_missing && view.final_count > out.nonce => {
                    self.outcome = Some(Outcome::Displaced);
                }
                None if all_missing => out.included = None,
                // Nobody was asked, or not about all.
                None => {}
            }
        }
        if is_late && self.pending().is_some() && self.abandoned.is_none() {
            self.give_up(Reason::Expired);
        }
    }

    /// What is to take the place of what is out, if something is.
    fn replacement(&self, view: &View, rules: &Rules, now_ms: u64) -> Option<(Kind, Fees)> {
        let out = self.pending().filter(|out| out.nonce >= view.count)?;
        let last = out.last()?;
        let (kind, most) = match self.abandoned {
            Some(_) => (Kind::Noop, MAX_ATTEMPTS),
            None => (Kind::Call, MAX_ATTEMPTS - NOOP_ATTEMPTS),
        };
        if kind == Kind::Call && now_ms >= self.deadline_ms {
            return None;
        }
        // Behind others of the account it waits for them, and not for more money.
        let is_first = out.nonce == view.count;
        // Nor where no node has it: what is offered is not what keeps it out.
        let is_slow = is_first && self.is_taken && now_ms.saturating_sub(last.at_ms) >= rules.bump_after_ms;
        if kind == last.kind && !is_slow && !self.is_pushed {
            return None;
        }
        let fees = under(higher(raised(last.fees), view.fees), self.price_limit(kind));
        // So that a price which goes on rising is followed, and a signature costs the window something each time.
        let is_worth_it = out.attempts.len() < most || fees.max.0 / 2 >= last.fees.max.0;
        (is_worth_it && replaces(fees, last.fees)).then_some((kind, fees))
    }

    /// What a first attempt offers; none where it has one, or where what it may cost is below what the last block's gas did.
    fn first_fees(&self, view: &View, now_ms: u64) -> Option<Fees> {
        let limit = self.price_limit(Kind::Call);
        let is_due = self.out.is_none() && now_ms < self.deadline_ms;
        (is_due && limit >= view.base_fee.0).then(|| under(view.fees, limit))
    }
}

fn inclusion(receipt: &Receipt) -> Inclusion {
    let Receipt { hash, height, block, succeeded, gas_used } = receipt.clone();
    Inclusion { hash, height, block, succeeded, gas_used }
}

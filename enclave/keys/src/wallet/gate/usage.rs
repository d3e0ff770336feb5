//! What a wallet has signed lately, as far as the window looks back.

use r3e_proto::api::wallets::{ChainSpend, Policy, Wei};
use serde::{Deserialize, Serialize};

use super::Denied;
use crate::limits::{MAX_WINDOW_SECONDS, MAX_WINDOW_SIGNATURES};

/// What one signature uses up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spend {
    /// 0 where it is no transaction: no chain has that number.
    pub(super) chain_id: u64,
    /// Value and highest fee.
    pub(super) amount: u128,
}

impl Spend {
    pub(super) const NOTHING: Self = Self { chain_id: 0, amount: 0 };
}

/// The signatures that may still count, in this policy's window or the longest that another may have: the latest ones, as many
/// as any window has room for. Who lengthens the window finds all that it counts, or so many that it is full.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Usage(Vec<Entry>);

/// When, on which chain, how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Entry(u64, u64, Wei);

impl Usage {
    /// The usage with one signature more, and how many the window has left after it.
    pub(super) fn with(&self, policy: &Policy, one: Spend, now_ms: u64) -> Result<(Self, u32), Denied> {
        let entries: Vec<Entry> = self.counted(policy, now_ms).copied().collect();
        let max = policy.window.max_signatures;
        let made = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        if made >= max {
            return Err(Denied::Rate { max, next_ms: next_ms(&entries, policy) });
        }
        if let Some((_, max)) = limits(policy).find(|(chain_id, _)| *chain_id == one.chain_id) {
            let before = sum(&entries, one.chain_id);
            if before.saturating_add(one.amount) > max.0 {
                return Err(Denied::Spend { spent: Wei(before), spend: Wei(one.amount), max });
            }
        }
        Ok((self.and(Entry(now_ms, one.chain_id, Wei(one.amount)), now_ms), max - made - 1))
    }

    /// With one entry more, without those that no window counts any more.
    fn and(&self, one: Entry, now_ms: u64) -> Self {
        let longest_ms = u64::from(MAX_WINDOW_SECONDS) * 1000;
        let lasting = self.0.iter().filter(|entry| entry.0.saturating_add(longest_ms) > now_ms);
        let mut entries: Vec<Entry> = lasting.copied().chain([one]).collect();
        // A clock that was set back put them out of order.
        entries.sort_by_key(|entry| entry.0);
        let most = usize::try_from(MAX_WINDOW_SIGNATURES).unwrap_or(usize::MAX);
        entries.drain(..entries.len().saturating_sub(most));
        Self(entries)
    }

    /// How many signatures count now.
    pub fn signatures(&self, policy: &Policy, now_ms: u64) -> u32 {
        u32::try_from(self.counted(policy, now_ms).count()).unwrap_or(u32::MAX)
    }

    /// What is spent now, on each of the policy's chains where anything is.
    pub fn spent(&self, policy: &Policy, now_ms: u64) -> Vec<ChainSpend> {
        let entries: Vec<Entry> = self.counted(policy, now_ms).copied().collect();
        let spent =
            limits(policy).map(|(chain_id, _)| ChainSpend { chain_id, spend: Wei(sum(&entries, chain_id)) });
        spent.filter(|spent| spent.spend.0 > 0).collect()
    }

    /// The entries that are not older than the window. One from the future, after a clock was set back, counts.
    fn counted(&self, policy: &Policy, now_ms: u64) -> impl Iterator<Item = &Entry> {
        let window_ms = window_ms(policy);
        self.0.iter().filter(move |entry| entry.0.saturating_add(window_ms) > now_ms)
    }
}

/// What may be spent on each chain in a window. A wallet has chains like Ethereum or networks of Neo N3, never both: their numbers are told apart by that.
fn limits(policy: &Policy) -> impl Iterator<Item = (u64, Wei)> {
    let chains = policy.chains.iter().map(|rules| (rules.chain_id, rules.max_spend));
    chains.chain(policy.neo.iter().map(|rules| (u64::from(rules.magic), rules.max_spend)))
}

fn window_ms(policy: &Policy) -> u64 {
    u64::from(policy.window.seconds) * 1000
}

/// When there is room again: when so many of the oldest have left that fewer than the most are there.
fn next_ms(entries: &[Entry], policy: &Policy) -> u64 {
    let mut times: Vec<u64> = entries.iter().map(|entry| entry.0).collect();
    times.sort_unstable();
    let max = usize::try_from(policy.window.max_signatures).unwrap_or(usize::MAX);
    let leaving = times.len().saturating_sub(max);
    times.get(leaving).map_or(0, |time| time.saturating_add(window_ms(policy)))
}

fn sum(entries: &[Entry], chain_id: u64) -> u128 {
    let of_chain = entries.iter().filter(|entry| entry.1 == chain_id);
    of_chain.fold(0, |sum: u128, entry| sum.saturating_add(entry.2.0))
}

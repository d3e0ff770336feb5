//! The anchors that were signed, in the sealed state: those that the chain may come to show. All that is known of one is in its record's key, so
//! that a boot can tell whether a state knows of an anchor before it makes a commit of its own.
//!
//! ```text
//! 00000000000000018671-8a54…c1-1790000000000     signed: sequence, head, time in Unix milliseconds
//! seen-1-0x5aAe…eAed-00000000000000018671        the latest that was seen in this contract on this chain
//! ```
//!
//! The contract takes no earlier anchor than its last. So where one was seen that this state has signed, an earlier one that nodes show later of the
//! same contract is a view that lags, and the records of the earlier ones are not needed any more.

use std::sync::Arc;

use r3e_proto::api::anchor::Anchor;
use r3e_proto::api::wallets::Hash32;
use r3e_proto::report::EvmTarget;
use r3e_store::limits::MAX_BATCH_WRITES;
use r3e_store::{Anchored, Listed, Namespace, Store, StoreError, Witnessed, Write};

use crate::service::ServiceError;

const SEEN: &str = "seen-";

pub(super) struct Ledger {
    store: Store,
    namespace: Namespace,
    contract: EvmTarget,
}

/// The chain's last anchor, as a store is opened against it.
///
/// # Errors
/// None: the namespace's name is one.
pub(super) fn anchored(contract: EvmTarget, anchor: Anchor) -> Result<Anchored, StoreError> {
    let commit = Witnessed { sequence: anchor.sequence, head: anchor.head.0 };
    let is_known = Arc::new(move |records: &[Listed]| is_known(&contract, &anchor, records));
    Ok(Anchored { commit, namespace: namespace()?, is_known })
}

/// Whether a state with these records signed the anchor, or has seen a later one of its own in this contract.
fn is_known(contract: &EvmTarget, anchor: &Anchor, records: &[Listed]) -> bool {
    let signed = format!("{:020}-{}-", anchor.sequence, hex::encode(anchor.head.0));
    let is_over = |key: &str| seen(contract, key).is_some_and(|seen| seen >= anchor.sequence);
    records.iter().any(|one| is_over(&one.key) || one.key.starts_with(&signed))
}

impl Ledger {
    /// Of what was signed, and seen in this contract.
    ///
    /// # Errors
    /// As [`anchored`].
    pub(super) fn new(store: Store, contract: EvmTarget) -> Result<Self, StoreError> {
        Ok(Self { store, namespace: namespace()?, contract })
    }

    /// Writes one down, durably.
    pub(super) async fn add(&self, anchor: &Anchor) -> Result<(), ServiceError> {
        let Anchor { sequence, head, at_ms } = anchor;
        let key = format!("{sequence:020}-{}-{at_ms}", hex::encode(head.0));
        self.store.put(&self.namespace, &key, Vec::new()).await?;
        Ok(())
    }

    /// Whether this one is written down, or over.
    pub(super) fn knows(&self, anchor: &Anchor) -> Result<bool, StoreError> {
        Ok(is_known(&self.contract, anchor, &self.all()?))
    }

    /// The last one that was signed.
    pub(super) fn last(&self) -> Result<Option<Anchor>, StoreError> {
        Ok(self.all()?.iter().rev().find_map(|one| signed(&one.key)))
    }

    /// How many there are that have not come to the chain.
    pub(super) fn count(&self) -> Result<usize, StoreError> {
        Ok(self.all()?.iter().filter(|one| signed(&one.key).is_some()).count())
    }

    /// This one was seen on the chain, and is known or was given up: those before it are over.
    pub(super) async fn saw(&self, sequence: u64) -> Result<(), StoreError> {
        let all = self.all()?;
        if all.iter().any(|one| seen(&self.contract, &one.key).is_some_and(|seen| seen >= sequence)) {
            return Ok(());
        }
        let is_over =
            |key: &str| key.starts_with(SEEN) || signed(key).is_some_and(|signed| signed.sequence < sequence);
        let over = all.iter().filter(|one| is_over(&one.key));
        let mut writes =
            vec![Write::put(&self.namespace, &format!("{}{sequence:020}", mark(&self.contract)), Vec::new())];
        writes.extend(over.map(|one| Write::delete(&self.namespace, &one.key)));
        // The mark goes first: with it none of the others is missed.
        for some in writes.chunks(MAX_BATCH_WRITES) {
            self.store.batch(some.to_vec()).await?;
        }
        Ok(())
    }

    fn all(&self) -> Result<Vec<Listed>, StoreError> {
        self.store.scan_all(&self.namespace)
    }
}

fn namespace() -> Result<Namespace, StoreError> {
    Namespace::of_appliance("anchors")
}

/// What the key of a mark begins with.
fn mark(EvmTarget { chain_id, contract }: &EvmTarget) -> String {
    format!("{SEEN}{chain_id}-{contract}-")
}

fn seen(contract: &EvmTarget, key: &str) -> Option<u64> {
    key.strip_prefix(&mark(contract))?.parse().ok()
}

fn signed(key: &str) -> Option<Anchor> {
    let mut parts = key.split('-');
    let (sequence, head, at_ms) = (parts.next()?, parts.next()?, parts.next()?);
    let head = Hash32(hex::decode(head).ok()?.try_into().ok()?);
    Some(Anchor { sequence: sequence.parse().ok()?, head, at_ms: at_ms.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::wallets::EvmAddress;

    use super::*;

    fn listed(keys: &[&str]) -> Vec<Listed> {
        keys.iter().map(|key| Listed { key: (*key).to_owned(), version: 1, bytes: 0 }).collect()
    }

    #[test]
    fn what_a_state_knows() {
        let head = "07".repeat(32);
        let (nine, ten) = (format!("{:020}-{head}-5", 9), format!("{:020}-{head}-6", 10));
        let contract = EvmTarget { chain_id: 1, contract: EvmAddress([3; 20]) };
        let anchor = |sequence, head| Anchor { sequence, head: Hash32([head; 32]), at_ms: 0 };
        let is_known = |anchor: &Anchor, records: &[Listed]| is_known(&contract, anchor, records);
        let records = listed(&[&nine, &ten]);
        assert!(is_known(&anchor(9, 7), &records) && is_known(&anchor(10, 7), &records));
        for other in [anchor(9, 8), anchor(8, 7), anchor(11, 7), anchor(90, 7)] {
            assert!(!is_known(&other, &records), "{other:?}");
        }
        // A view that lags shows an earlier one, whose record is gone; nothing later.
        let records = listed(&[&ten, &format!("{}{:020}", mark(&contract), 10)]);
        assert!(is_known(&anchor(9, 7), &records) && is_known(&anchor(3, 1), &records));
        assert!(!is_known(&anchor(11, 7), &records));
        assert!(!is_known(&anchor(1, 7), &[]));
        // What was seen in another contract says nothing of this one.
        let elsewhere = mark(&EvmTarget { chain_id: 2, ..contract });
        assert!(!is_known(&anchor(9, 7), &listed(&[&format!("{elsewhere}{:020}", 10)])));
        assert_eq!(signed(&ten), Some(Anchor { sequence: 10, head: Hash32([7; 32]), at_ms: 6 }));
        for none in ["seen-00000000000000000010", "1", "1-2-3", ""] {
            assert_eq!(signed(none), None, "{none}");
        }
    }
}

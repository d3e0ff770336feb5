//! The anchors that were signed, in the sealed state: those that the chain may still show.

use r3e_proto::api::anchor::Anchor;
use r3e_proto::api::wallets::Hash32;
use r3e_store::limits::MAX_BATCH_WRITES;
use r3e_store::{Listed, Namespace, Store, StoreError, Write};
use serde::{Deserialize, Serialize};

use crate::service::ServiceError;
use crate::service::json::{decode, encode};

/// Under each one's sequence number.
pub(super) struct Ledger {
    store: Store,
    namespace: Namespace,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    head: Hash32,
    at_ms: u64,
}

impl Ledger {
    pub(super) fn new(store: Store) -> Result<Self, StoreError> {
        Ok(Self { store, namespace: Namespace::of_appliance("anchors")? })
    }

    /// Writes one down, durably.
    pub(super) async fn add(&self, anchor: &Anchor) -> Result<(), ServiceError> {
        let Anchor { sequence, head, at_ms } = *anchor;
        let stored = encode(&Stored { head, at_ms })?;
        self.store.put(&self.namespace, &key(sequence), stored).await?;
        Ok(())
    }

    /// Whether this one was signed here.
    pub(super) async fn has(&self, anchor: &Anchor) -> Result<bool, StoreError> {
        let stored = self.read(anchor.sequence).await?;
        Ok(stored.is_some_and(|stored| stored.head == anchor.head))
    }

    /// The last one that was.
    pub(super) async fn last(&self) -> Result<Option<Anchor>, StoreError> {
        let Some(last) = self.all()?.last().and_then(|last| last.key.parse::<u64>().ok()) else {
            return Ok(None);
        };
        let stored = self.read(last).await?;
        Ok(stored.map(|Stored { head, at_ms }| Anchor { sequence: last, head, at_ms }))
    }

    /// How many there are.
    pub(super) fn count(&self) -> Result<usize, StoreError> {
        Ok(self.all()?.len())
    }

    /// Forgets those before `sequence`, but for the last `kept` of them.
    pub(super) async fn forget_before(&self, sequence: u64, kept: usize) -> Result<(), StoreError> {
        let mut over = self.all()?;
        over.retain(|one| one.key < key(sequence));
        over.truncate(over.len().saturating_sub(kept));
        for some in over.chunks(MAX_BATCH_WRITES) {
            let writes = some.iter().map(|one| Write::delete(&self.namespace, &one.key)).collect();
            self.store.batch(writes).await?;
        }
        Ok(())
    }

    fn all(&self) -> Result<Vec<Listed>, StoreError> {
        self.store.scan_all(&self.namespace)
    }

    async fn read(&self, sequence: u64) -> Result<Option<Stored>, StoreError> {
        let record = self.store.get(&self.namespace, &key(sequence)).await?;
        // What this appliance wrote itself; of another form it is none.
        Ok(record.and_then(|record| decode(record.value.as_bytes()).ok()))
    }
}

/// As wide as the largest, so that keys have the order of numbers.
fn key(sequence: u64) -> String {
    format!("{sequence:020}")
}

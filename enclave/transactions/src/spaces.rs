//! Where transactions lie in the sealed store.
//!
//! | namespace | key | value |
//! |---|---|---|
//! | `transactions` of the tenant | its name | the family's record, JSON |
//! | `transaction-lanes` of the tenant | `CHAIN.ACCOUNT` | [`Roll`], JSON: the names of those that are open, and of those that ended last |
//! | `transaction-index` of the appliance | `TENANT/CHAIN.ACCOUNT` | nothing: lanes are found by it |
//!
//! Those of Neo N3 have `neo-` before each namespace.
//!
//! Every commit of a lane has its roll first, and holds only over the roll that it was made from: of two that write one lane, one loses.

use std::collections::VecDeque;

use r3e_proto::api::identity::TenantId;
use r3e_store::{Namespace, Store, StoreError, Write};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::TransactionsError;
use crate::family::{Family, Lane, Place, Record};
use crate::limits::{MAX_ENDED, MAX_ENDED_BRIEF, MAX_ENDED_UNSIGNED, REMEMBERED};
use crate::outside::Asker;

/// Which lane, of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address<P> {
    pub(crate) tenant: TenantId,
    pub(crate) place: P,
}

/// Which transactions a lane has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Roll {
    open: Vec<String>,
    /// Those for which something was signed, and when they ended; the last one is last.
    ended: VecDeque<(String, u64)>,
    /// Those for which nothing was.
    unsigned: VecDeque<String>,
    /// Those of them that a function asked for, and when they ended: its keys hold as long as if something had been.
    #[serde(default)]
    unsigned_of_functions: VecDeque<(String, u64)>,
    /// Those that need not be remembered.
    #[serde(default)]
    brief: VecDeque<String>,
    /// The highest block by which one of them ended: what is older shows a nonce as free that is not.
    height: u64,
}

/// A lane as it stands in the store, and its open transactions.
pub(crate) struct Standing<F: Family> {
    pub(crate) lane: Lane<F::Record>,
    roll: Roll,
    version: Option<u64>,
    /// It may be another one there.
    is_fresh: bool,
}

/// By what a commit is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    pub(crate) now_ms: u64,
    /// The block that was looked at; 0 where none was.
    pub(crate) height: u64,
}

impl<F: Family> Default for Standing<F> {
    fn default() -> Self {
        Self { lane: Lane::default(), roll: Roll::default(), version: None, is_fresh: false }
    }
}

impl<F: Family> Standing<F> {
    /// The highest block by which something has ended.
    pub(crate) fn height(&self) -> u64 {
        self.roll.height
    }

    /// Whether one more can be remembered when it has ended. What functions asked for in vain holds up functions alone.
    pub(crate) fn has_room(&self, asker: &Asker, now_ms: u64) -> bool {
        let has_room = |ended: &VecDeque<_>| ended.len() < MAX_ENDED || oldest_is_forgotten(ended, now_ms);
        let of_functions = matches!(asker, Asker::Function(_)).then_some(&self.roll.unsigned_of_functions);
        has_room(&self.roll.ended) && of_functions.is_none_or(has_room)
    }

    /// What stands is to be read again.
    pub(crate) fn doubt(&mut self) {
        self.is_fresh = false;
    }

    /// Reads what stands, where it may be something else than is known.
    pub(crate) async fn refresh(
        &mut self,
        store: &Store,
        address: &Address<F::Place>,
    ) -> Result<(), TransactionsError> {
        if self.is_fresh {
            return Ok(());
        }
        let found = store.get(&lanes::<F>(address.tenant)?, &address.place.key()).await?;
        let version = found.as_ref().map(|found| found.version);
        let roll: Roll = found.map(|found| decode(found.value.as_bytes())).transpose()?.unwrap_or_default();
        let mut entries = Vec::with_capacity(roll.open.len());
        for id in &roll.open {
            let entry = read::<F>(store, address.tenant, id).await?;
            let missing =
                || TransactionsError::Record(format!("{id:?} is on its lane's roll, and not there"));
            entries.push(entry.ok_or_else(missing)?);
        }
        *self = Self { lane: Lane { entries }, roll, version, is_fresh: true };
        Ok(())
    }

    /// Writes these entries down. What ended leaves the lane.
    ///
    /// # Errors
    /// The store's: it is not known what stands, and that is read before anything else is done.
    pub(crate) async fn commit(
        &mut self,
        store: &Store,
        address: &Address<F::Place>,
        changed: &[usize],
        moment: Moment,
    ) -> Result<(), TransactionsError> {
        let (lanes, records) = (lanes::<F>(address.tenant)?, records::<F>(address.tenant)?);
        let mut roll = self.roll.clone();
        roll.open = self
            .lane
            .entries
            .iter()
            .filter(|entry| entry.is_open())
            .map(|entry| entry.id().to_owned())
            .collect();
        let mut writes = Vec::new();
        for entry in changed.iter().filter_map(|index| self.lane.entries.get(*index)) {
            let put = Write::put(&records, entry.id(), encode(&entry.kept())?);
            let is_new = !self.roll.open.iter().any(|open| open == entry.id());
            writes.push(if is_new { put.if_absent() } else { put });
            if !entry.is_open() {
                roll.height = roll.height.max(moment.height);
                let id = entry.id().to_owned();
                if entry.is_brief() {
                    roll.brief.push_back(id);
                } else if entry.is_signed() {
                    roll.ended.push_back((id, moment.now_ms));
                } else if matches!(entry.asker(), Asker::Function(_)) {
                    roll.unsigned_of_functions.push_back((id, moment.now_ms));
                } else {
                    roll.unsigned.push_back(id);
                }
            }
        }
        for ended in [&mut roll.ended, &mut roll.unsigned_of_functions] {
            while ended.len() > MAX_ENDED && oldest_is_forgotten(ended, moment.now_ms) {
                writes.extend(ended.pop_front().map(|(id, _)| Write::delete(&records, &id)));
            }
        }
        while roll.unsigned.len() > MAX_ENDED_UNSIGNED {
            writes.extend(roll.unsigned.pop_front().map(|id| Write::delete(&records, &id)));
        }
        while roll.brief.len() > MAX_ENDED_BRIEF {
            writes.extend(roll.brief.pop_front().map(|id| Write::delete(&records, &id)));
        }
        let put_roll = Write::put(&lanes, &address.place.key(), encode(&roll)?);
        let put_roll = if let Some(version) = self.version {
            put_roll.if_version(version)
        } else {
            writes.push(Write::put(&index::<F>()?, &address.index_key(), Vec::new()));
            put_roll.if_absent()
        };
        writes.insert(0, put_roll);
        // Until it is known what stands; also where this future is dropped.
        self.is_fresh = false;
        let committed = store.batch(writes).await?;
        if let Some(Some(version)) = committed.versions.first() {
            self.version = Some(*version);
            self.roll = roll;
            self.lane.entries.retain(Record::is_open);
            self.is_fresh = true;
        }
        Ok(())
    }
}

fn oldest_is_forgotten(ended: &VecDeque<(String, u64)>, now_ms: u64) -> bool {
    let long_ms = u64::try_from(REMEMBERED.as_millis()).unwrap_or(u64::MAX);
    ended.front().is_some_and(|(_, ended_ms)| now_ms.saturating_sub(*ended_ms) > long_ms)
}

impl<P: Place> Address<P> {
    fn index_key(&self) -> String {
        format!("{}/{}", self.tenant, self.place.key())
    }

    fn parse(key: &str) -> Option<Self> {
        let (tenant, place) = key.split_once('/')?;
        Some(Self { tenant: tenant.parse().ok()?, place: P::parse(place)? })
    }
}

/// A transaction, open or ended.
pub(crate) async fn read<F: Family>(
    store: &Store,
    tenant: TenantId,
    id: &str,
) -> Result<Option<F::Record>, TransactionsError> {
    let found = store.get(&records::<F>(tenant)?, id).await?;
    found.map(|found| decode(found.value.as_bytes())).transpose()
}

/// The names of a tenant's transactions after `after`. From memory.
pub(crate) fn names<F: Family>(
    store: &Store,
    tenant: TenantId,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<String>, TransactionsError> {
    let listed = store.scan(&records::<F>(tenant)?, "", after, limit)?;
    Ok(listed.into_iter().map(|listed| listed.key).collect())
}

/// Every lane that the index names. From memory.
pub(crate) fn all<F: Family>(store: &Store) -> Result<Vec<Address<F::Place>>, StoreError> {
    let mut all = Vec::new();
    for listed in store.scan_all(&index::<F>()?)? {
        if let Some(address) = Address::parse(&listed.key) {
            all.push(address);
        } else {
            tracing::error!("the index of transactions has a key of another release");
        }
    }
    Ok(all)
}

fn index<F: Family>() -> Result<Namespace, StoreError> {
    Namespace::of_appliance(F::SPACES.index)
}

fn lanes<F: Family>(tenant: TenantId) -> Result<Namespace, StoreError> {
    Namespace::of_tenant(F::SPACES.lanes, &tenant.to_string())
}

fn records<F: Family>(tenant: TenantId) -> Result<Namespace, StoreError> {
    Namespace::of_tenant(F::SPACES.records, &tenant.to_string())
}

fn encode(record: &impl Serialize) -> Result<Vec<u8>, TransactionsError> {
    serde_json::to_vec(record).map_err(|error| TransactionsError::Record(error.to_string()))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, TransactionsError> {
    serde_json::from_slice(bytes).map_err(|error| TransactionsError::Record(error.to_string()))
}

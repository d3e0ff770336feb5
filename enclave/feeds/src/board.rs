//! All feeds in memory, by tenant and name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use r3e_proto::api::identity::TenantId;
use tokio::sync::Semaphore;

use crate::entry::Entry;
use crate::limits::WAITING_OF_ONE;
use crate::spaces::Address;

#[derive(Default)]
pub(crate) struct Board {
    all: BTreeMap<Address, Arc<Entry>>,
    /// Feeds are made, changed and deleted one after the other: a tenant's.
    turns: HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>,
    /// Room for a tenant's requests that wait.
    waiting: HashMap<TenantId, Arc<Semaphore>>,
}

impl Board {
    pub(crate) fn add(&mut self, entry: Arc<Entry>) {
        self.all.insert(entry.address.clone(), entry);
    }

    pub(crate) fn remove(&mut self, address: &Address) {
        self.all.remove(address);
    }

    pub(crate) fn find(&self, address: &Address) -> Option<Arc<Entry>> {
        self.all.get(address).cloned()
    }

    /// A tenant's, by name.
    pub(crate) fn of(&self, tenant: TenantId) -> Vec<Arc<Entry>> {
        let first = Address { tenant, name: String::new() };
        let of_tenant = self.all.range(first..).take_while(|(address, _)| address.tenant == tenant);
        of_tenant.map(|(_, entry)| Arc::clone(entry)).collect()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Entry>> {
        self.all.values().map(Arc::clone).collect()
    }

    /// Those whose round is due by `now_ms`, and when the next one is.
    pub(crate) fn due(&self, now_ms: u64) -> (Vec<Arc<Entry>>, u64) {
        let (mut due, mut next_ms) = (Vec::new(), u64::MAX);
        for entry in self.all.values() {
            match entry.next_ms() {
                at_ms if at_ms <= now_ms => due.push(Arc::clone(entry)),
                at_ms => next_ms = next_ms.min(at_ms),
            }
        }
        (due, next_ms)
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn turn(&mut self, tenant: TenantId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.turns.entry(tenant).or_default())
    }

    pub(crate) fn waiting(&mut self, tenant: TenantId) -> Arc<Semaphore> {
        let new = || Arc::new(Semaphore::new(WAITING_OF_ONE));
        Arc::clone(self.waiting.entry(tenant).or_insert_with(new))
    }
}

//! All triggers in memory: by tenant and name, and by the ids of their public routes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::triggers::Source;
use tokio::sync::Semaphore;

use crate::entry::Entry;
use crate::limits::{LOOKS_OF_ONE, PER_MINUTE_OF_ONE, STRETCHES_PER_MINUTE_OF_ONE};
use crate::pace::Pace;
use crate::record::TriggerId;
use crate::spaces::Address;

#[derive(Default)]
pub(crate) struct Board {
    all: BTreeMap<Address, Arc<Entry>>,
    by_id: HashMap<TriggerId, Arc<Entry>>,
    /// A tenant's triggers are made and deleted one after the other.
    turns: HashMap<TenantId, Arc<tokio::sync::Mutex<()>>>,
    /// How often a tenant's triggers are evaluated.
    paces: HashMap<TenantId, Pace>,
    /// How much of chains is read for a tenant.
    reading: HashMap<TenantId, Pace>,
    /// Room for a tenant's looks at chains.
    looks: HashMap<TenantId, Arc<Semaphore>>,
}

impl Board {
    pub(crate) fn add(&mut self, entry: Arc<Entry>) {
        self.by_id.insert(entry.id, Arc::clone(&entry));
        if let Some(before) = self.all.insert(entry.address.clone(), entry) {
            self.by_id.remove(&before.id);
        }
    }

    pub(crate) fn remove(&mut self, entry: &Entry) {
        self.by_id.remove(&entry.id);
        self.all.remove(&entry.address);
    }

    pub(crate) fn find(&self, address: &Address) -> Option<Arc<Entry>> {
        self.all.get(address).cloned()
    }

    pub(crate) fn by_id(&self, id: TriggerId) -> Option<Arc<Entry>> {
        self.by_id.get(&id).cloned()
    }

    /// A tenant's, by name.
    pub(crate) fn of(&self, tenant: TenantId) -> Vec<Arc<Entry>> {
        let first = Address { tenant, name: String::new() };
        let of_tenant = self.all.range(first..).take_while(|(address, _)| address.tenant == tenant);
        of_tenant.map(|(_, entry)| Arc::clone(entry)).collect()
    }

    /// Those of a tenant that wait for events of a topic.
    pub(crate) fn of_topic(&self, tenant: TenantId, topic: &str) -> Vec<Arc<Entry>> {
        let waits = |entry: &Arc<Entry>| match &entry.shape().record.definition.source {
            Source::Event(it) => it.topic == topic,
            _ => false,
        };
        self.of(tenant).into_iter().filter(waits).collect()
    }

    /// Those that are to be looked at by `now_ms`, and when the next one is.
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

    /// Whether so many of a tenant's triggers may be evaluated now.
    pub(crate) fn may_evaluate(&mut self, tenant: TenantId, count: usize) -> bool {
        let (count, now) = (u32::try_from(count).unwrap_or(u32::MAX), Instant::now());
        count == 0
            || self
                .paces
                .entry(tenant)
                .or_insert_with(|| Pace::new(PER_MINUTE_OF_ONE, now))
                .take_all(count, now)
    }

    /// Whether one more stretch of a chain may be read for a tenant.
    pub(crate) fn may_read(&mut self, tenant: TenantId) -> bool {
        let now = Instant::now();
        let new = || Pace::new(STRETCHES_PER_MINUTE_OF_ONE, now);
        self.reading.entry(tenant).or_insert_with(new).take(now)
    }

    /// Room for a tenant's looks at chains.
    pub(crate) fn looks(&mut self, tenant: TenantId) -> Arc<Semaphore> {
        Arc::clone(self.looks.entry(tenant).or_insert_with(|| Arc::new(Semaphore::new(LOOKS_OF_ONE))))
    }

    /// How many triggers follow a chain: of a tenant's, and of all.
    pub(crate) fn following(&self, tenant: TenantId) -> (usize, usize) {
        let follows =
            |entry: &&Arc<Entry>| matches!(entry.shape().record.definition.source, Source::Chain(_));
        let following = || self.all.values().filter(follows);
        (following().filter(|entry| entry.address.tenant == tenant).count(), following().count())
    }

    pub(crate) fn turn(&mut self, tenant: TenantId) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.turns.entry(tenant).or_default())
    }
}

//! The board: where every job is, in memory, as the index says. It is changed after the commit that changes the index, by
//! whoever holds the claim on the job; nobody else touches that job meanwhile.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::{JobId, JobState};
use tokio::time::Instant;

use crate::error::Full;
use crate::index::{Place, record_key};
use crate::lanes::Lanes;
use crate::limits::{
    MAX_BYTES_OF_ONE, MAX_COUNTED_TENANTS, MAX_DELAY_MS, MAX_JOBS, MAX_JOBS_OF_ONE, MAX_QUEUED_OF_ONE,
    WEBHOOKS_AT_ONCE, WEBHOOKS_OF_ONE,
};
use crate::record::Address;

/// Where every job is.
#[derive(Debug)]
pub(crate) struct Board {
    tenants: HashMap<TenantId, OneTenant>,
    jobs: usize,
    totals: Counts,
    /// Attempts, those that wait and those under way.
    pub(crate) attempts: Lanes,
    /// Webhooks, the same.
    pub(crate) webhooks: Lanes,
    /// How each tenant's jobs ended since the boot: kept when they are gone.
    ended: HashMap<TenantId, Ended>,
}

#[derive(Debug, Default)]
struct OneTenant {
    /// By the key of the record: the newest job first.
    jobs: BTreeMap<String, Entry>,
    /// Jobs that wait or are under way.
    open: usize,
    counts: Counts,
    /// What is charged for all of them.
    bytes: u64,
    /// Room that is taken for jobs that are being committed.
    coming: usize,
}

#[derive(Debug)]
struct Entry {
    id: JobId,
    place: Place,
    is_claimed: bool,
}

/// Jobs that wait, are under way, and are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) queued: u64,
    pub(crate) running: u64,
    pub(crate) kept: u64,
    /// Of those that are kept, the dead letters: jobs that ended without a result.
    pub(crate) dead: u64,
}

/// How jobs ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) succeeded: u64,
    pub(crate) dead: u64,
    pub(crate) cancelled: u64,
}

impl Board {
    /// An empty one: so many attempts are under way at once, and so many of one tenant's.
    pub(crate) fn new(at_once: usize, of_one: usize) -> Self {
        Self {
            tenants: HashMap::new(),
            jobs: 0,
            totals: Counts::default(),
            attempts: Lanes::new(at_once, of_one),
            webhooks: Lanes::new(WEBHOOKS_AT_ONCE, WEBHOOKS_OF_ONE),
            ended: HashMap::new(),
        }
    }

    /// Takes room for a job of so many bytes that is about to be committed; it is given back by [`Self::came`].
    ///
    /// # Errors
    /// [`Full`].
    pub(crate) fn expect(&mut self, tenant: TenantId, bytes: u64) -> Result<(), Full> {
        if self.jobs >= MAX_JOBS {
            return Err(Full::Appliance);
        }
        let one = self.tenants.entry(tenant).or_default();
        if one.open + one.coming >= MAX_QUEUED_OF_ONE {
            return Err(Full::Queue);
        }
        if one.jobs.len() + one.coming >= MAX_JOBS_OF_ONE {
            return Err(Full::Kept);
        }
        if one.bytes.saturating_add(bytes) > MAX_BYTES_OF_ONE {
            return Err(Full::Bytes);
        }
        one.coming += 1;
        one.bytes = one.bytes.saturating_add(bytes);
        self.jobs += 1;
        Ok(())
    }

    /// Gives that room back: the job stands, or it does not.
    pub(crate) fn came(&mut self, tenant: TenantId, bytes: u64) {
        if let Some(one) = self.tenants.get_mut(&tenant) {
            one.coming = one.coming.saturating_sub(1);
            one.bytes = one.bytes.saturating_sub(bytes);
            self.jobs = self.jobs.saturating_sub(1);
        }
        self.forget_if_empty(tenant);
    }

    /// Adds a job that stands in the index; nobody has a claim on it.
    pub(crate) fn add(&mut self, address: Address, place: Place, now_ms: u64) {
        let one = self.tenants.entry(address.tenant).or_default();
        let entry = Entry { id: address.id, place, is_claimed: false };
        one.charge(place, true);
        self.totals.count(place, true);
        if let Some(before) = one.jobs.insert(record_key(address.id), entry) {
            one.charge(before.place, false);
            self.totals.count(before.place, false);
        } else {
            self.jobs += 1;
        }
        self.line_up(address, place, now_ms);
    }

    /// Where a job is; none if there is none.
    pub(crate) fn find(&self, Address { tenant, id }: Address) -> Option<Place> {
        self.tenants.get(&tenant)?.jobs.get(&record_key(id)).map(|entry| entry.place)
    }

    /// Claims a job: nobody else does anything with it until it is released. None if there is no such job, or somebody has a
    /// claim on it.
    pub(crate) fn claim(&mut self, address: Address) -> Option<Place> {
        let entry = self.entry(address)?;
        if entry.is_claimed {
            return None;
        }
        entry.is_claimed = true;
        let place = entry.place;
        self.attempts.remove(address);
        self.webhooks.remove(address);
        Some(place)
    }

    /// A job that somebody has a claim on is here now; the claim stays.
    pub(crate) fn moved(&mut self, Address { tenant, id }: Address, place: Place) {
        let Some(one) = self.tenants.get_mut(&tenant) else { return };
        let Some(entry) = one.jobs.get_mut(&record_key(id)) else { return };
        let before = std::mem::replace(&mut entry.place, place);
        one.charge(before, false);
        one.charge(place, true);
        self.totals.count(before, false);
        self.totals.count(place, true);
    }

    /// Gives a claim back, with where the job is now; none where it is removed.
    pub(crate) fn release(&mut self, address: Address, place: Option<Place>, now_ms: u64) {
        let Address { tenant, id } = address;
        let Some(one) = self.tenants.get_mut(&tenant) else { return };
        let key = record_key(id);
        let Some(entry) = one.jobs.get_mut(&key) else { return };
        entry.is_claimed = false;
        let before = entry.place;
        self.totals.count(before, false);
        if let Some(place) = place {
            entry.place = place;
            one.charge(before, false);
            one.charge(place, true);
            self.totals.count(place, true);
            self.line_up(address, place, now_ms);
            return;
        }
        one.jobs.remove(&key);
        one.charge(before, false);
        self.jobs = self.jobs.saturating_sub(1);
        self.forget_if_empty(tenant);
    }

    /// Claims the next job whose attempt may begin.
    pub(crate) fn next_attempt(&mut self, now: Instant) -> Option<Address> {
        let address = self.attempts.take(now)?;
        if let Some(entry) = self.entry(address) {
            entry.is_claimed = true;
        }
        Some(address)
    }

    /// Claims the next job whose webhook is to be told.
    pub(crate) fn next_webhook(&mut self, now: Instant) -> Option<Address> {
        let address = self.webhooks.take(now)?;
        if let Some(entry) = self.entry(address) {
            entry.is_claimed = true;
        }
        Some(address)
    }

    /// Some of a tenant's jobs, the newest first, after `after`; whether there are more.
    pub(crate) fn page(
        &self,
        tenant: TenantId,
        state: Option<JobState>,
        after: Option<JobId>,
        limit: usize,
    ) -> (Vec<JobId>, bool) {
        use std::ops::Bound::{Excluded, Unbounded};
        let Some(one) = self.tenants.get(&tenant) else { return (Vec::new(), false) };
        let from = after.map_or(Unbounded, |after| Excluded(record_key(after)));
        let mut found = one
            .jobs
            .range((from, Unbounded))
            .filter(|(_, entry)| state.is_none_or(|state| entry.place.state() == state))
            .map(|(_, entry)| entry.id);
        let ids = found.by_ref().take(limit).collect();
        (ids, found.next().is_some())
    }

    /// Jobs of all tenants.
    pub(crate) fn counts(&self) -> Counts {
        self.totals
    }

    /// One tenant's jobs, and how those that have ended did.
    pub(crate) fn counts_of(&self, tenant: TenantId) -> (Counts, Ended) {
        let counts = self.tenants.get(&tenant).map(|one| one.counts);
        (counts.unwrap_or_default(), self.ended.get(&tenant).copied().unwrap_or_default())
    }

    /// Counts a job that has ended.
    pub(crate) fn ended(&mut self, tenant: TenantId, state: JobState) {
        if self.ended.len() >= MAX_COUNTED_TENANTS && !self.ended.contains_key(&tenant) {
            return;
        }
        let ended = self.ended.entry(tenant).or_default();
        match state {
            JobState::Succeeded => ended.succeeded += 1,
            JobState::Dead => ended.dead += 1,
            JobState::Cancelled => ended.cancelled += 1,
            JobState::Queued | JobState::Running => {}
        }
    }

    fn entry(&mut self, Address { tenant, id }: Address) -> Option<&mut Entry> {
        self.tenants.get_mut(&tenant)?.jobs.get_mut(&record_key(id))
    }

    /// Puts a job in the line that its place is for. What waits in memory waits by a clock that does not jump.
    fn line_up(&mut self, address: Address, place: Place, now_ms: u64) {
        let at = |due_ms: u64, now: Instant| {
            now + Duration::from_millis(due_ms.saturating_sub(now_ms).min(MAX_DELAY_MS))
        };
        let now = Instant::now();
        match place {
            Place::Queued { due_ms, .. } => self.attempts.push(address, at(due_ms, now), now),
            Place::Telling { due_ms, .. } => self.webhooks.push(address, at(due_ms, now), now),
            Place::Running { .. } | Place::Kept { .. } => {}
        }
    }

    fn forget_if_empty(&mut self, tenant: TenantId) {
        if self.tenants.get(&tenant).is_some_and(|one| one.jobs.is_empty() && one.coming == 0) {
            self.tenants.remove(&tenant);
        }
    }
}

impl OneTenant {
    fn charge(&mut self, place: Place, comes: bool) {
        self.counts.count(place, comes);
        let open = usize::from(!place.state().is_final());
        if comes {
            self.open += open;
            self.bytes = self.bytes.saturating_add(place.bytes());
        } else {
            self.open = self.open.saturating_sub(open);
            self.bytes = self.bytes.saturating_sub(place.bytes());
        }
    }
}

impl Counts {
    fn count(&mut self, place: Place, comes: bool) {
        if place.state() == JobState::Dead {
            step(&mut self.dead, comes);
        }
        let count = match place {
            Place::Queued { .. } => &mut self.queued,
            Place::Running { .. } => &mut self.running,
            Place::Telling { .. } | Place::Kept { .. } => &mut self.kept,
        };
        step(count, comes);
    }
}

fn step(count: &mut u64, up: bool) {
    *count = if up { count.saturating_add(1) } else { count.saturating_sub(1) };
}

#[cfg(test)]
mod tests;

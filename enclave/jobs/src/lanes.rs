//! Lanes: whose turn it is. Each tenant has one, first come, first served; the lanes take turns, so that one tenant's thousand
//! delay another's one by no more than what is under way.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::JobId;
use tokio::time::Instant;

use crate::record::Address;

/// What waits and is under way of one kind of work.
#[derive(Debug)]
pub(crate) struct Lanes {
    of_tenants: HashMap<TenantId, Lane>,
    /// Tenants that have something ready and are below their share, each once, in turn.
    turns: VecDeque<TenantId>,
    /// What is not ready yet.
    later: BTreeSet<(Instant, Address)>,
    /// When each that is not ready yet will be.
    due: HashMap<Address, Instant>,
    /// Numbers what comes, so that it is taken in that order.
    arrivals: u64,
    under_way: usize,
    at_once: usize,
    of_one: usize,
}

#[derive(Debug, Default)]
struct Lane {
    ready: BTreeMap<u64, JobId>,
    order: HashMap<JobId, u64>,
    under_way: usize,
    has_turn: bool,
}

impl Lanes {
    /// Empty ones: so much is under way at once, and so much of one tenant's.
    pub(crate) fn new(at_once: usize, of_one: usize) -> Self {
        Self {
            of_tenants: HashMap::new(),
            turns: VecDeque::new(),
            later: BTreeSet::new(),
            due: HashMap::new(),
            arrivals: 0,
            under_way: 0,
            at_once: at_once.max(1),
            of_one: of_one.max(1),
        }
    }

    /// Adds one that is ready at `at`. It is not there yet.
    pub(crate) fn push(&mut self, address: Address, at: Instant, now: Instant) {
        if at > now {
            self.later.insert((at, address));
            self.due.insert(address, at);
        } else {
            self.make_ready(address);
        }
    }

    fn make_ready(&mut self, Address { tenant, id }: Address) {
        self.arrivals += 1;
        let lane = self.of_tenants.entry(tenant).or_default();
        lane.ready.insert(self.arrivals, id);
        lane.order.insert(id, self.arrivals);
        self.offer_turn(tenant);
    }

    /// Takes one out that was not begun.
    pub(crate) fn remove(&mut self, address: Address) {
        if let Some(at) = self.due.remove(&address) {
            self.later.remove(&(at, address));
        }
        if let Some(lane) = self.of_tenants.get_mut(&address.tenant)
            && let Some(order) = lane.order.remove(&address.id)
        {
            lane.ready.remove(&order);
        }
        self.forget_if_idle(address.tenant);
    }

    /// The next one, if there is room for it: under way from now on, until [`Self::done`].
    pub(crate) fn take(&mut self, now: Instant) -> Option<Address> {
        while let Some((at, address)) = self.later.first().copied().filter(|(at, _)| *at <= now) {
            self.later.remove(&(at, address));
            self.due.remove(&address);
            self.make_ready(address);
        }
        if self.under_way >= self.at_once {
            return None;
        }
        while let Some(tenant) = self.turns.pop_front() {
            let Some(lane) = self.of_tenants.get_mut(&tenant) else { continue };
            lane.has_turn = false;
            if lane.under_way >= self.of_one {
                continue;
            }
            let Some((_, id)) = lane.ready.pop_first() else {
                self.forget_if_idle(tenant);
                continue;
            };
            lane.order.remove(&id);
            lane.under_way += 1;
            self.under_way += 1;
            self.offer_turn(tenant);
            return Some(Address { tenant, id });
        }
        None
    }

    /// One of the tenant's is not under way any more.
    pub(crate) fn done(&mut self, tenant: TenantId) {
        self.under_way = self.under_way.saturating_sub(1);
        if let Some(lane) = self.of_tenants.get_mut(&tenant) {
            lane.under_way = lane.under_way.saturating_sub(1);
        }
        self.offer_turn(tenant);
        self.forget_if_idle(tenant);
    }

    /// When the first that is not ready yet will be.
    pub(crate) fn next_at(&self) -> Option<Instant> {
        self.later.first().map(|(at, _)| *at)
    }

    /// How many are under way.
    pub(crate) fn under_way(&self) -> usize {
        self.under_way
    }

    fn offer_turn(&mut self, tenant: TenantId) {
        let of_one = self.of_one;
        if let Some(lane) = self.of_tenants.get_mut(&tenant)
            && !lane.has_turn
            && !lane.ready.is_empty()
            && lane.under_way < of_one
        {
            lane.has_turn = true;
            self.turns.push_back(tenant);
        }
    }

    fn forget_if_idle(&mut self, tenant: TenantId) {
        if let Some(lane) = self.of_tenants.get(&tenant)
            && lane.ready.is_empty()
            && lane.under_way == 0
            // Forgotten before its turn came, it would have two of them when it comes back.
            && !lane.has_turn
        {
            self.of_tenants.remove(&tenant);
        }
    }
}

#[cfg(test)]
mod tests;

//! What is in memory: each tenant's account as the last commit left it, and what happened since.

use std::collections::HashMap;
use std::time::Instant;

use r3e_proto::api::billing::{Amount, Balance, Currency, NO_PLAN, Quota};
use r3e_proto::api::identity::TenantId;

use crate::account::Account;
use crate::books::Head;
use crate::live::Live;
use crate::price::cost;
use crate::terms::Terms;

/// One tenant.
#[derive(Debug)]
pub(crate) struct Tenant {
    /// As the last commit left it.
    pub(crate) account: Account,
    pub(crate) live: Live,
}

/// Everything in memory.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) tenants: HashMap<TenantId, Tenant>,
    /// As the last commit left it.
    pub(crate) head: Head,
    pub(crate) unwritten: Unwritten,
}

/// How much would be lost now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Unwritten {
    /// Invocations that no commit holds,
    pub(crate) invocations: u64,
    /// and when the first of them ended.
    pub(crate) since: Option<Instant>,
}

impl State {
    pub(crate) fn new(head: Head) -> Self {
        Self { tenants: HashMap::new(), head, unwritten: Unwritten::default() }
    }

    /// The ledger's time: the clock's, unless it has seen a later one.
    pub(crate) fn now_ms(&mut self, clock_ms: u64) -> u64 {
        self.head.at_ms = self.head.at_ms.max(clock_ms);
        self.head.at_ms
    }

    /// A tenant, made where there is none.
    pub(crate) fn tenant(&mut self, id: TenantId) -> &mut Tenant {
        self.tenants
            .entry(id)
            .or_insert_with(|| Tenant { account: Account::default(), live: Live::default() })
    }

    /// A tenant's balance.
    pub(crate) fn balance(&self, tenant: TenantId, terms: &Terms) -> Balance {
        let none = (Account::default(), Live::default());
        let (account, live) = match self.tenants.get(&tenant) {
            Some(Tenant { account, live }) => (account, live),
            None => (&none.0, &none.1),
        };
        let reserved = account.reserved().unwrap_or_default();
        let (mut used, mut engaged) = (Amount::ZERO, Amount::ZERO);
        for period in &live.periods {
            let Some(kept) = account.period(period.id) else { continue };
            // Of each no more than is set aside for it: what is owed beyond that is owed, and not in any account.
            let within = |cost: Amount| cost.saturating_sub(kept.posted).min(kept.reserved);
            used = used.checked_add(within(cost(&period.plan, &period.consumed))).unwrap_or(reserved);
            engaged = engaged.checked_add(within(period.needed(account.current))).unwrap_or(reserved);
        }
        let free = reserved.saturating_sub(engaged);
        Balance {
            tenant,
            currency: terms.currency.clone(),
            plan: plan_name(account, terms).unwrap_or(NO_PLAN).to_owned(),
            available: account.available,
            reserved,
            used,
            spendable: account.available.checked_add(free).unwrap_or(account.available),
        }
    }

    /// What a tenant may use in a month.
    pub(crate) fn quota(&self, tenant: TenantId, terms: &Terms) -> Quota {
        self.tenants.get(&tenant).and_then(|tenant| tenant.account.quota).unwrap_or(terms.quota)
    }
}

/// The plan that an account is under; none charges nothing.
pub(crate) fn plan_name<'a>(account: &'a Account, terms: &'a Terms) -> Option<&'a str> {
    match account.plan.as_deref() {
        None => terms.default_plan.as_deref(),
        Some(NO_PLAN) => None,
        plan => plan,
    }
}

/// Whether what a ledger was kept in is what the configuration says now.
pub(crate) fn same_currency(kept: Option<&Currency>, terms: &Terms) -> bool {
    kept.is_none() || kept == terms.currency.as_ref()
}

//! What one commit will do: copies of the accounts that it touches, and what was used that it will hold.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use r3e_proto::api::billing::{Amount, EntryKind, Metered, NO_PLAN};
use r3e_proto::api::identity::TenantId;
use r3e_store::Write;
use serde::{Deserialize, Serialize};

use super::{account_space, month, transfer_space};
use crate::account::{Account, Draft};
use crate::books::{Head, Totals};
use crate::error::LedgerError;
use crate::ledger::Shared;
use crate::limits::{BLOCK_PART, BLOCK_TIMES, MAX_OPEN_PERIODS, TENANTS_AT_ONCE};
use crate::live::{Counters, Live, LivePeriod};
use crate::price::cost;
use crate::state::plan_name;
use crate::terms::Plan;
use crate::usage::{decode, encode};
use crate::{entries, usage};

/// A transfer, as it is kept by its reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    tenant: TenantId,
    amount: Amount,
    entry: u64,
}

/// What one commit will do.
pub(super) struct Stage {
    shared: Arc<Shared>,
    now_ms: u64,
    begun: Instant,
    before: Head,
    totals: Totals,
    /// Each with the account that it began with.
    drafts: BTreeMap<TenantId, (Account, Draft)>,
    /// More that is set aside, by tenant and period.
    drawn: Vec<(TenantId, u64, Amount)>,
    transfers: BTreeMap<String, Kept>,
    /// Whose usage this commit holds.
    used: BTreeMap<TenantId, Counters>,
    /// How many invocations that is.
    invocations: u64,
}

impl Stage {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        let now_ms = shared.now_ms();
        let before = shared.state().head.clone();
        Self {
            shared: Arc::clone(shared),
            now_ms,
            begun: Instant::now(),
            totals: before.totals.clone(),
            before,
            drafts: BTreeMap::new(),
            drawn: Vec::new(),
            transfers: BTreeMap::new(),
            used: BTreeMap::new(),
            invocations: 0,
        }
    }

    /// The copy of a tenant's account.
    pub(super) fn draft(&mut self, tenant: TenantId) -> &mut Draft {
        let (shared, now_ms) = (&self.shared, self.now_ms);
        let (_, draft) = self.drafts.entry(tenant).or_insert_with(|| {
            let account = shared.state().tenant(tenant).account.clone();
            (account.clone(), Draft::of(account, now_ms))
        });
        draft
    }

    /// Does something with a tenant's copy and the accounts that all have in common.
    fn with<T>(&mut self, tenant: TenantId, act: impl FnOnce(&mut Draft, &mut Totals) -> T) -> T {
        self.draft(tenant);
        let mut totals = self.totals.clone();
        let done = match self.drafts.get_mut(&tenant) {
            Some((_, draft)) => act(draft, &mut totals),
            // It was made just now.
            None => act(&mut Draft::of(Account::default(), self.now_ms), &mut totals),
        };
        self.totals = totals;
        done
    }

    /// What memory knows of a tenant, and its account as it stands.
    fn known<T>(&self, tenant: TenantId, look: impl FnOnce(&Account, &mut Live) -> T) -> T {
        let mut state = self.shared.state();
        let known = state.tenant(tenant);
        look(&known.account, &mut known.live)
    }

    /// Charges what a period used, and releases what nothing that runs now can come to need; at once, so that nobody is let
    /// in for it meanwhile.
    fn settle(&mut self, tenant: TenantId, id: u64) -> Result<(), LedgerError> {
        let found = self.known(tenant, |account, live| {
            let period = live.periods.iter_mut().find(|period| period.id == id)?;
            let needed = period.needed(account.current);
            let release = period.covered.saturating_sub(needed);
            period.covered = period.covered.saturating_sub(release);
            Some((period.consumed, cost(&period.plan, &period.consumed), release))
        });
        let Some((consumed, cost, release)) = found else { return Ok(()) };
        self.with(tenant, |draft, totals| {
            draft.consumed(id, consumed, cost);
            draft.settle(totals, id, release, EntryKind::Settle)
        })
    }

    /// Settles everything of a tenant's.
    fn settle_all(&mut self, tenant: TenantId) -> Result<(), LedgerError> {
        let ids: Vec<u64> = self.draft(tenant).account.periods.iter().map(|period| period.id).collect();
        ids.into_iter().try_for_each(|id| self.settle(tenant, id))
    }

    /// Opens the month under the tenant's plan, if it is not open; its fee is charged where it is not paid for.
    pub(super) fn open(&mut self, tenant: TenantId) -> Result<(), LedgerError> {
        let terms = Arc::clone(&self.shared.terms);
        let account = &self.draft(tenant).account;
        let Some(name) = plan_name(account, &terms) else { return Ok(()) };
        let plan = terms.plans.get(name).ok_or_else(|| LedgerError::NoSuchPlan(name.to_owned()))?;
        self.open_under(tenant, plan)
    }

    fn open_under(&mut self, tenant: TenantId, plan: &Plan) -> Result<(), LedgerError> {
        let (month, digest) = (month(self.now_ms), plan.digest());
        let account = &self.draft(tenant).account;
        let last = account.current.and_then(|id| account.period(id));
        let of_plan = last.filter(|period| period.plan == plan.name);
        if of_plan.is_some_and(|period| period.digest == digest && period.month == month) {
            return Ok(());
        }
        if account.periods.len() >= MAX_OPEN_PERIODS {
            return Err(LedgerError::PlanInUse);
        }
        let paid = of_plan.map(|period| period.paid_through).filter(|paid| *paid >= month);
        let (fee, paid_through) = match paid {
            Some(paid_through) => (Amount::ZERO, paid_through),
            None => (plan.fee, month.plus(plan.term_months.saturating_sub(1))),
        };
        self.settle_all(tenant)?;
        let opened = self.with(tenant, |draft, totals| {
            draft.open(totals, (&plan.name, digest), (month, paid_through), fee)
        });
        opened.map(drop)
    }

    /// Sets more aside in a period that is current: what is needed now, and for some more invocations.
    pub(super) fn draw(&mut self, tenant: TenantId, id: u64, least: Amount) -> Result<(), LedgerError> {
        let account = &self.draft(tenant).account;
        if account.current != Some(id) {
            return Ok(());
        }
        if least > account.available {
            // What older periods do not need any more may do.
            self.settle_others(tenant, id)?;
        }
        let available = self.draft(tenant).account.available;
        if least > available {
            return Err(LedgerError::Insufficient { needed: least, available });
        }
        let some = least.units().saturating_mul(BLOCK_TIMES).max(available.units() / BLOCK_PART);
        let amount = Amount::new(some.min(available.units())).map_err(|_| LedgerError::Amount)?;
        self.with(tenant, |draft, totals| draft.reserve(totals, id, amount))?;
        self.drawn.push((tenant, id, amount));
        Ok(())
    }

    fn settle_others(&mut self, tenant: TenantId, id: u64) -> Result<(), LedgerError> {
        let ids: Vec<u64> = self.draft(tenant).account.periods.iter().map(|period| period.id).collect();
        ids.into_iter().filter(|other| *other != id).try_for_each(|other| self.settle(tenant, other))
    }

    /// Puts a tenant under a plan; none is the one that charges nothing.
    pub(super) fn set_plan(&mut self, tenant: TenantId, plan: Option<&str>) -> Result<(), LedgerError> {
        let terms = Arc::clone(&self.shared.terms);
        if let Some(name) = plan {
            let plan = terms.plans.get(name).ok_or_else(|| LedgerError::NoSuchPlan(name.to_owned()))?;
            self.open_under(tenant, plan)?;
        } else {
            self.settle_all(tenant)?;
            self.draft(tenant).account.current = None;
        }
        self.draft(tenant).account.plan = Some(plan.unwrap_or(NO_PLAN).to_owned());
        Ok(())
    }

    /// A deposit or a withdrawal; its entry, and whether it was there before.
    pub(super) async fn transfer(
        &mut self,
        tenant: TenantId,
        kind: EntryKind,
        amount: Amount,
        reference: &str,
    ) -> Result<(u64, bool), LedgerError> {
        let word = if kind == EntryKind::Deposit { "deposit" } else { "withdrawal" };
        let key = format!("{word}/{reference}");
        let kept = match self.transfers.get(&key) {
            Some(kept) => Some(kept.clone()),
            None => match self.shared.store.get(&transfer_space()?, &key).await? {
                Some(record) => Some(decode::<Kept>(record.value.as_bytes())?),
                None => None,
            },
        };
        if let Some(kept) = kept {
            return if (kept.tenant, kept.amount) == (tenant, amount) {
                Ok((kept.entry, true))
            } else {
                Err(LedgerError::ReferenceTaken(reference.to_owned()))
            };
        }
        let entry = if kind == EntryKind::Deposit {
            self.with(tenant, |draft, totals| draft.deposit(totals, amount, reference))?
        } else {
            if amount > self.draft(tenant).account.available {
                self.settle_all(tenant)?;
            }
            self.with(tenant, |draft, totals| draft.withdraw(totals, amount, reference))?
        };
        self.transfers.insert(key, Kept { tenant, amount, entry });
        Ok((entry, false))
    }

    /// What was used since the last commit, and what is to be posted by now, of as many tenants as one commit takes; whether
    /// there are more.
    pub(super) fn flush(&mut self) -> Result<bool, LedgerError> {
        let due: Vec<TenantId> = {
            let state = self.shared.state();
            let due = state.tenants.iter().filter(|(_, tenant)| {
                let Live { pending, periods, .. } = &tenant.live;
                !pending.is_empty() || periods.iter().any(|period| self.is_due(&tenant.account, period))
            });
            due.map(|(id, _)| *id).take(TENANTS_AT_ONCE + 1).collect()
        };
        for tenant in due.iter().take(TENANTS_AT_ONCE) {
            self.flush_one(*tenant)?;
        }
        Ok(due.len() > TENANTS_AT_ONCE)
    }

    /// Whether something of a period is to be done by now.
    fn is_due(&self, account: &Account, period: &LivePeriod) -> bool {
        let Some(kept) = account.period(period.id) else { return false };
        let is_idle = period.running.invocations == 0;
        if account.current != Some(period.id) {
            return is_idle;
        }
        let is_old = self.now_ms.saturating_sub(account.posted_at_ms) >= self.shared.options.post_interval_ms;
        let is_over = period.month < month(self.now_ms);
        is_over || (is_old && kept.reserved > Amount::ZERO)
    }

    fn flush_one(&mut self, tenant: TenantId) -> Result<(), LedgerError> {
        let taken = self.known(tenant, |_, live| {
            live.taken = std::mem::take(&mut live.pending);
            live.taken.clone()
        });
        let sums = taken.values().flat_map(BTreeMap::values);
        let invocations = sums.fold(0u64, |sum, used| sum.saturating_add(used.invocations));
        self.invocations = self.invocations.saturating_add(invocations);
        if !taken.is_empty() {
            self.used.insert(tenant, taken);
        }
        // As it stands, not as it will: what is current until this commit stands may still let somebody in.
        let (account, periods) = self.known(tenant, |account, live| (account.clone(), live.periods.clone()));
        for period in &periods {
            let consumed = cost(&period.plan, &period.consumed);
            self.draft(tenant).consumed(period.id, period.consumed, consumed);
            if !self.is_due(&account, period) {
                continue;
            }
            self.settle(tenant, period.id)?;
            if account.current == Some(period.id) {
                // A fee that the balance does not cover keeps the next invocation out, which says so.
                match self.open(tenant) {
                    Ok(())
                    | Err(
                        LedgerError::Insufficient { .. }
                        | LedgerError::NoSuchPlan(_)
                        | LedgerError::PlanInUse,
                    ) => {}
                    Err(error) => return Err(error),
                }
            } else {
                self.draft(tenant).close(period.id);
            }
        }
        Ok(())
    }

    /// Charges what a process that ended had recorded as used, and gives back the rest. Its periods are not live.
    pub(super) fn recover(&mut self, tenant: TenantId) -> Result<(), LedgerError> {
        let terms = Arc::clone(&self.shared.terms);
        let periods = self.draft(tenant).account.periods.clone();
        for period in periods {
            let release = period.reserved.saturating_sub(period.unposted());
            self.with(tenant, |draft, totals| draft.settle(totals, period.id, release, EntryKind::Recover))?;
            let account = &mut self.draft(tenant).account;
            let is_said = terms.plans.get(&period.plan).is_some_and(|plan| plan.digest() == period.digest);
            // A plan that says something else by now goes on paid for as it was, which the last period of its name tells.
            if account.current != Some(period.id) {
                self.draft(tenant).close(period.id);
            } else if !is_said {
                tracing::info!(plan = period.plan, "a plan has changed; the month is opened anew under it");
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.used.is_empty()
            && self.transfers.is_empty()
            && self.drafts.values().all(|(before, draft)| *before == draft.account)
    }

    /// The head that this makes.
    pub(super) fn head(&self) -> Head {
        Head {
            sequence: self.before.sequence.saturating_add(1),
            at_ms: self.now_ms,
            currency: self.shared.terms.currency.clone().or_else(|| self.before.currency.clone()),
            totals: self.totals.clone(),
        }
    }

    /// All that must be written beside the head.
    pub(super) async fn writes(&self, sequence: u64) -> Result<Vec<Write>, LedgerError> {
        let (accounts, transfers) = (account_space()?, transfer_space()?);
        let mut writes = Vec::new();
        for (tenant, (before, draft)) in &self.drafts {
            if *before != draft.account {
                writes.push(Write::put(&accounts, &tenant.to_string(), encode(&draft.account)?));
                writes.extend(entries::writes(&self.shared.store, *tenant, &draft.entries).await?);
            }
        }
        for (key, kept) in &self.transfers {
            writes.push(Write::put(&transfers, key, encode(kept)?).if_absent());
        }
        for (tenant, counters) in &self.used {
            for (month, used) in counters {
                writes.extend(usage::writes(&self.shared.store, *tenant, *month, used, sequence).await?);
            }
        }
        Ok(writes)
    }

    /// It stands: the copies are the accounts from here on.
    pub(super) fn install(self, head: Head) {
        let terms = &self.shared.terms;
        let mut state = self.shared.state();
        let at_ms = state.head.at_ms.max(head.at_ms);
        state.head = Head { at_ms, ..head };
        for (tenant, (_, draft)) in self.drafts {
            let known = state.tenant(tenant);
            known.account = draft.account;
            let account = &known.account;
            known.live.periods.retain(|period| account.period(period.id).is_some());
            for kept in &account.periods {
                let is_live = known.live.periods.iter().any(|period| period.id == kept.id);
                let plan =
                    terms.plans.get(&kept.plan).filter(|plan| !is_live && plan.digest() == kept.digest);
                known.live.periods.extend(plan.map(|plan| LivePeriod {
                    id: kept.id,
                    plan: Arc::new(plan.clone()),
                    month: kept.month,
                    consumed: kept.consumed,
                    running: Metered::default(),
                    covered: kept.posted.checked_add(kept.reserved).unwrap_or(kept.posted),
                }));
            }
        }
        for (tenant, id, amount) in self.drawn {
            let periods = &mut state.tenant(tenant).live.periods;
            if let Some(period) = periods.iter_mut().find(|period| period.id == id) {
                period.covered = period.covered.checked_add(amount).unwrap_or(period.covered);
            }
        }
        for tenant in self.used.keys() {
            state.tenant(*tenant).live.taken = Counters::new();
        }
        let unwritten = &mut state.unwritten;
        unwritten.invocations = unwritten.invocations.saturating_sub(self.invocations);
        unwritten.since = (unwritten.invocations > 0).then_some(self.begun);
    }
}

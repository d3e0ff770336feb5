//! One tenant's account, and what may be done with it. All of it works on a copy, a [`Draft`], which becomes the account when
//! the commit stands that holds it.

use r3e_proto::api::billing::{
    Account as Side, Amount, Change, Entry, EntryKind, Metered, Month, Posting, Quota,
};
use serde::{Deserialize, Serialize};

use crate::books::Totals;
use crate::error::LedgerError;

/// What is kept of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Account {
    /// The plan that the operator put it under; none is the configuration's for all.
    pub(crate) plan: Option<String>,
    /// Its own quota; none is the configuration's for all.
    pub(crate) quota: Option<Quota>,
    /// The account `tenant`.
    pub(crate) available: Amount,
    /// Plans and months that are not closed, by rising id.
    pub(crate) periods: Vec<Period>,
    /// The period that invocations are admitted under.
    pub(crate) current: Option<u64>,
    /// The id of the period that was opened last.
    pub(crate) opened: u64,
    /// The number of the last entry.
    pub(crate) entries: u64,
    /// When something was posted last.
    pub(crate) posted_at_ms: u64,
}

/// One month under one plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Period {
    pub(crate) id: u64,
    /// The plan's name,
    pub(crate) plan: String,
    /// and what it said.
    pub(crate) digest: String,
    pub(crate) month: Month,
    /// The last month that its fee is paid for.
    pub(crate) paid_through: Month,
    /// What was used, and is charged for.
    pub(crate) consumed: Metered,
    /// What that costs.
    pub(crate) cost: Amount,
    /// What of it is posted.
    pub(crate) posted: Amount,
    /// Its part of the account `reservations`.
    pub(crate) reserved: Amount,
}

impl Account {
    /// The period with this id.
    pub(crate) fn period(&self, id: u64) -> Option<&Period> {
        self.periods.iter().find(|period| period.id == id)
    }

    /// The account `reservations`.
    pub(crate) fn reserved(&self) -> Option<Amount> {
        self.periods.iter().try_fold(Amount::ZERO, |sum, period| sum.checked_add(period.reserved))
    }
}

impl Period {
    /// What was used, is covered, and is not posted.
    pub(crate) fn unposted(&self) -> Amount {
        self.cost.saturating_sub(self.posted).min(self.reserved)
    }
}

/// What an entry is about, beside its postings.
#[derive(Debug, Clone, Default)]
struct About {
    reference: Option<String>,
    plan: Option<String>,
    month: Option<Month>,
}

/// A copy of an account with what is to be done to it.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) account: Account,
    /// New entries, by number.
    pub(crate) entries: Vec<Entry>,
    now_ms: u64,
}

/// A change that would break the ledger: an account below zero, or over the largest amount.
fn broken() -> LedgerError {
    LedgerError::Amount
}

impl Draft {
    pub(crate) fn of(account: Account, now_ms: u64) -> Self {
        Self { account, entries: Vec::new(), now_ms }
    }

    /// Money from outside.
    pub(crate) fn deposit(
        &mut self,
        totals: &mut Totals,
        amount: Amount,
        reference: &str,
    ) -> Result<u64, LedgerError> {
        let about = About { reference: Some(reference.to_owned()), ..About::default() };
        let postings = [(Side::Deposits, amount.less()), (Side::Tenant, amount.plus())];
        self.post(totals, EntryKind::Deposit, None, &postings, about)
    }

    /// Money that goes outside.
    pub(crate) fn withdraw(
        &mut self,
        totals: &mut Totals,
        amount: Amount,
        reference: &str,
    ) -> Result<u64, LedgerError> {
        self.require(amount)?;
        let about = About { reference: Some(reference.to_owned()), ..About::default() };
        let postings = [(Side::Tenant, amount.less()), (Side::Withdrawals, amount.plus())];
        self.post(totals, EntryKind::Withdrawal, None, &postings, about)
    }

    /// Sets money aside for a period.
    pub(crate) fn reserve(
        &mut self,
        totals: &mut Totals,
        id: u64,
        amount: Amount,
    ) -> Result<u64, LedgerError> {
        self.require(amount)?;
        let about = self.about(id);
        let is_first = self.account.reserved() == Some(Amount::ZERO);
        let postings = [(Side::Tenant, amount.less()), (Side::Reservations, amount.plus())];
        let number = self.post(totals, EntryKind::Reserve, Some(id), &postings, about)?;
        if is_first {
            self.account.posted_at_ms = self.now_ms;
        }
        Ok(number)
    }

    /// Charges what a period used and has not posted, and releases so much of the rest. No entry where that is nothing.
    pub(crate) fn settle(
        &mut self,
        totals: &mut Totals,
        id: u64,
        release: Amount,
        kind: EntryKind,
    ) -> Result<(), LedgerError> {
        let Some(charge) = self.account.period(id).map(Period::unposted) else { return Ok(()) };
        let taken = charge.checked_add(release).ok_or_else(broken)?;
        if taken == Amount::ZERO {
            return Ok(());
        }
        let mut postings = vec![(Side::Reservations, taken.less())];
        postings.extend((charge > Amount::ZERO).then_some((Side::Revenue, charge.plus())));
        postings.extend((release > Amount::ZERO).then_some((Side::Tenant, release.plus())));
        let about = self.about(id);
        self.post(totals, kind, Some(id), &postings, about)?;
        if let Some(period) = self.account.periods.iter_mut().find(|period| period.id == id) {
            period.posted = period.posted.checked_add(charge).ok_or_else(broken)?;
        }
        self.account.posted_at_ms = self.now_ms;
        Ok(())
    }

    /// Opens a month under a plan, and charges its fee where there is one.
    pub(crate) fn open(
        &mut self,
        totals: &mut Totals,
        (plan, digest): (&str, String),
        (month, paid_through): (Month, Month),
        fee: Amount,
    ) -> Result<u64, LedgerError> {
        self.require(fee)?;
        if fee > Amount::ZERO {
            let about = About { reference: None, plan: Some(plan.to_owned()), month: Some(month) };
            let postings = [(Side::Tenant, fee.less()), (Side::Revenue, fee.plus())];
            self.post(totals, EntryKind::Fee, None, &postings, about)?;
        }
        let id = self.account.opened.saturating_add(1);
        let zero = Amount::ZERO;
        self.account.periods.push(Period {
            id,
            plan: plan.to_owned(),
            digest,
            month,
            paid_through,
            consumed: Metered::default(),
            cost: zero,
            posted: zero,
            reserved: zero,
        });
        (self.account.opened, self.account.current) = (id, Some(id));
        self.account.posted_at_ms = self.now_ms;
        Ok(id)
    }

    /// Notes what a period used so far.
    pub(crate) fn consumed(&mut self, id: u64, consumed: Metered, cost: Amount) {
        if let Some(period) = self.account.periods.iter_mut().find(|period| period.id == id) {
            (period.consumed, period.cost) = (consumed, cost);
        }
    }

    /// Forgets a period that nothing is set aside for any more.
    pub(crate) fn close(&mut self, id: u64) {
        self.account.periods.retain(|period| period.id != id || period.reserved > Amount::ZERO);
    }

    fn require(&self, needed: Amount) -> Result<(), LedgerError> {
        let available = self.account.available;
        if needed > available { Err(LedgerError::Insufficient { needed, available }) } else { Ok(()) }
    }

    fn about(&self, id: u64) -> About {
        let period = self.account.period(id);
        About {
            reference: None,
            plan: period.map(|period| period.plan.clone()),
            month: period.map(|period| period.month),
        }
    }

    /// Makes an entry of postings that sum to zero. On an error nothing has changed.
    fn post(
        &mut self,
        totals: &mut Totals,
        kind: EntryKind,
        period: Option<u64>,
        postings: &[(Side, Change)],
        about: About,
    ) -> Result<u64, LedgerError> {
        let sum = postings.iter().try_fold(0i128, |sum, (_, change)| sum.checked_add(change.units()));
        if sum != Some(0) {
            return Err(broken());
        }
        let (mut account, mut after) = (self.account.clone(), totals.clone());
        for (side, change) in postings {
            match side {
                Side::Tenant => account.available = account.available.changed(*change).ok_or_else(broken)?,
                Side::Reservations => {
                    let of =
                        account.periods.iter_mut().find(|of| Some(of.id) == period).ok_or_else(broken)?;
                    of.reserved = of.reserved.changed(*change).ok_or_else(broken)?;
                }
                outside => after.change(*outside, *change).ok_or_else(broken)?,
            }
        }
        let number = account.entries.checked_add(1).ok_or_else(broken)?;
        account.entries = number;
        let About { reference, plan, month } = about;
        let postings =
            postings.iter().map(|(account, amount)| Posting { account: *account, amount: *amount });
        self.entries.push(Entry {
            number,
            at_ms: self.now_ms,
            kind,
            postings: postings.collect(),
            reference,
            plan,
            month,
        });
        (self.account, *totals) = (account, after);
        Ok(number)
    }
}

#[cfg(test)]
#[path = "account/tests.rs"]
mod tests;

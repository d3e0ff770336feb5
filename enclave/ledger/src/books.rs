//! What all tenants have in common: the accounts that are the operator's or stand for the outside, and the head that every
//! commit of the ledger replaces.

use r3e_proto::api::billing::{Account as Side, Amount, Change, Currency};
use serde::{Deserialize, Serialize};

use crate::account::Account;

/// The accounts that no tenant owns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Totals {
    /// The account `deposits` is as much below zero.
    pub(crate) deposited: Amount,
    pub(crate) withdrawn: Amount,
    pub(crate) revenue: Amount,
}

/// The record that every commit of the ledger replaces, under the condition that it is still the one before: two can never
/// both have followed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    /// Commits of the ledger so far.
    pub(crate) sequence: u64,
    /// The latest time that the ledger has seen: its own never falls, whatever a clock says after a restart.
    pub(crate) at_ms: u64,
    /// What amounts are in, from the first one on.
    pub(crate) currency: Option<Currency>,
    pub(crate) totals: Totals,
}

impl Totals {
    /// Changes an account of these; none if it cannot be.
    pub(crate) fn change(&mut self, side: Side, change: Change) -> Option<()> {
        let account = match side {
            Side::Revenue => &mut self.revenue,
            Side::Withdrawals => &mut self.withdrawn,
            // It counts what came in, and so what the account is below zero.
            Side::Deposits => {
                self.deposited = self.deposited.checked_add(change.size()).filter(|_| change.units() < 0)?;
                return Some(());
            }
            Side::Tenant | Side::Reservations => return None,
        };
        *account = account.changed(change)?;
        Some(())
    }

    /// Whether all accounts together are zero: what came in is with the tenants, the operator, or outside again.
    pub(crate) fn balance_with<'a>(&self, accounts: impl Iterator<Item = &'a Account>) -> bool {
        let mut held = Some(self.revenue.units().saturating_add(self.withdrawn.units()));
        for account in accounts {
            let theirs = account.reserved().map(|reserved| reserved.units() + account.available.units());
            held = held.zip(theirs).and_then(|(held, theirs)| held.checked_add(theirs));
        }
        held == Some(self.deposited.units())
    }
}

impl Head {
    /// Of a ledger that was never written.
    pub(crate) fn first(at_ms: u64) -> Self {
        Self { sequence: 0, at_ms, currency: None, totals: Totals::default() }
    }
}

//! Usage, price plans, balances and the ledger.
//!
//! Amounts are whole numbers of the smallest unit of the one currency that the measured configuration names, as decimal
//! text: a JSON number would lose digits in most readers.

mod amount;
mod month;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use amount::{Amount, AmountError, Change};
pub use month::{Month, MonthError};

use super::identity::TenantId;

/// The name of the plan that charges nothing: usage is metered, and quotas hold.
pub const NO_PLAN: &str = "none";

/// What was used. Each member is a sum over a calendar month (UTC).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metered {
    /// Events that a function was given.
    pub invocations: u64,
    /// Of them, those that ended with an error of the function's.
    pub failures: u64,
    /// Processor time, in microseconds.
    pub cpu_us: u64,
    /// Wall time, in microseconds.
    pub wall_us: u64,
    /// Memory: the function's limit in MiB, times the wall time in milliseconds, rounded up for each invocation.
    pub memory_mib_ms: u64,
    /// Bytes of requests that were sent by `fetch`.
    pub bytes_out: u64,
    /// Calls to the appliance.
    pub host_calls: u64,
    /// Storage: bytes kept (sources, and what functions store, with their keys), times seconds.
    pub storage_byte_s: u64,
}

impl Metered {
    /// The sum of both, each member at most the largest number there is.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        self.zip(other, u64::saturating_add)
    }

    /// What is left of each member, and nothing where there is less.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.zip(other, u64::saturating_sub)
    }

    /// The smaller of each member.
    #[must_use]
    pub fn at_most(&self, other: &Self) -> Self {
        self.zip(other, u64::min)
    }

    /// Each member of both, made one.
    fn zip(&self, other: &Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            invocations: of(self.invocations, other.invocations),
            failures: of(self.failures, other.failures),
            cpu_us: of(self.cpu_us, other.cpu_us),
            wall_us: of(self.wall_us, other.wall_us),
            memory_mib_ms: of(self.memory_mib_ms, other.memory_mib_ms),
            bytes_out: of(self.bytes_out, other.bytes_out),
            host_calls: of(self.host_calls, other.host_calls),
            storage_byte_s: of(self.storage_byte_s, other.storage_byte_s),
        }
    }
}

/// The most that a tenant may use in a calendar month (UTC). What is absent is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Quota {
    /// Of [`Metered::invocations`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invocations: Option<u64>,
    /// Of [`Metered::cpu_us`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_us: Option<u64>,
    /// Of [`Metered::wall_us`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_us: Option<u64>,
    /// Of [`Metered::memory_mib_ms`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib_ms: Option<u64>,
    /// Of [`Metered::bytes_out`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_out: Option<u64>,
    /// Of [`Metered::host_calls`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_calls: Option<u64>,
    /// Of [`Metered::storage_byte_s`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_byte_s: Option<u64>,
}

impl Quota {
    /// What is limited, what `used` has of it, and the limit.
    pub fn against(&self, used: &Metered) -> [(&'static str, u64, Option<u64>); 7] {
        [
            ("invocations", used.invocations, self.invocations),
            ("cpu_us", used.cpu_us, self.cpu_us),
            ("wall_us", used.wall_us, self.wall_us),
            ("memory_mib_ms", used.memory_mib_ms, self.memory_mib_ms),
            ("bytes_out", used.bytes_out, self.bytes_out),
            ("host_calls", used.host_calls, self.host_calls),
            ("storage_byte_s", used.storage_byte_s, self.storage_byte_s),
        ]
    }
}

/// A tenant's usage of one month: the answer to `GET /v1/usage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    /// The month.
    pub month: Month,
    /// Everything.
    pub total: Metered,
    /// By function. `*` is what more functions used than are told apart.
    pub functions: BTreeMap<String, Metered>,
    /// The most that may be used in a month.
    pub quota: Quota,
}

/// What amounts are in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Currency {
    /// Its name, as the configuration gives it.
    pub name: String,
    /// Of one unit, how many decimals the smallest one has: an amount of 1 is 10 to the minus this.
    pub decimals: u8,
}

/// A tenant's plan and money: the answer to `GET /v1/balance`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Whose.
    pub tenant: TenantId,
    /// What amounts are in; absent where the configuration names no currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The plan's name; `none` charges nothing.
    pub plan: String,
    /// The account `tenant`: what nothing is set aside of.
    pub available: Amount,
    /// The account `reservations`: what is set aside for invocations.
    pub reserved: Amount,
    /// Of `reserved`, what was used already, and is not posted yet.
    pub used: Amount,
    /// What could be spent or withdrawn now: `available` and `reserved`, less `used` and the most that invocations which
    /// run now may come to.
    pub spendable: Amount,
}

/// An account of the ledger. A tenant's entries move money between these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// The tenant's own. Never negative.
    Tenant,
    /// What is set aside of it for invocations. Never negative.
    Reservations,
    /// What the operator earned. It never falls.
    Revenue,
    /// What came from outside: as much below zero as was deposited.
    Deposits,
    /// What went outside. It never falls.
    Withdrawals,
}

/// Why money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// It came from outside.
    Deposit,
    /// It went outside.
    Withdrawal,
    /// It was set aside for invocations.
    Reserve,
    /// Of what was set aside, what was used was charged, and the rest was released or stays.
    Settle,
    /// What an appliance that ended had set aside was charged as far as it was recorded as used, and released.
    Recover,
    /// A plan's fee.
    Fee,
}

/// What an entry does to one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// By how much it changes.
    pub amount: Change,
}

/// One entry of a tenant's ledger. Its postings sum to zero; it is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// From 1 without a gap.
    pub number: u64,
    /// When, by the appliance's clock; it never falls from one entry to the next.
    pub at_ms: u64,
    /// Why.
    pub kind: EntryKind,
    /// What it does.
    pub postings: Vec<Posting>,
    /// Of a deposit or a withdrawal: what it is called outside. No other one of its kind has the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Of what is about a plan: its name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// and the month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<Month>,
}

/// A page of a tenant's ledger: the answer to `GET /v1/ledger`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerPage {
    /// Entries by rising number.
    pub entries: Vec<Entry>,
    /// The number after which the next page begins; absent at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// Puts a tenant under a plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetPlan {
    /// The plan's name in the measured configuration, or `none`.
    pub plan: String,
}

/// Gives a tenant a quota of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetQuota {
    /// The quota; null is the configuration's for all.
    pub quota: Option<Quota>,
}

/// Records money that came from outside, or went there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transfer {
    /// How much; more than zero.
    pub amount: Amount,
    /// What it is called outside: a transaction's hash, an invoice's number. The same one again is the same transfer.
    pub reference: String,
}

/// A transfer that is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its entry.
    pub entry: u64,
    /// Whether it was there before, and nothing was done.
    pub repeated: bool,
    /// The tenant's balance now.
    pub balance: Balance,
}

/// All accounts of all tenants together: the answer to `GET /v1/books`. They sum to zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// What amounts are in; absent where the configuration names no currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Of all tenants together.
    pub tenants: Amount,
    /// Of all tenants together.
    pub reservations: Amount,
    /// What the operator earned.
    pub revenue: Amount,
    /// What came from outside: the account is as much below zero.
    pub deposited: Amount,
    /// What went outside.
    pub withdrawn: Amount,
    /// Commits of the ledger so far.
    pub sequence: u64,
}

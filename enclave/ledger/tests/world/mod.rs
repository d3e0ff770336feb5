//! A ledger over a keeper of blobs in memory, with a clock that the test sets, and what every test asks of it.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use r3e_ledger::{
    Admission, BillingTable, Charge, Ledger, LedgerError, NotAdmitted, Options, Terms, Transfers,
};
use r3e_proto::api::billing::{Account, Amount, Balance, Entry, Recorded, Transfer};
use r3e_proto::api::functions::{Limits, Usage};
use r3e_proto::api::identity::TenantId;
use r3e_store::Store;

use crate::keeper::{Keeper, keys, uncached};

/// 2026-11-21T13:50:00Z.
pub(crate) const NOVEMBER_MS: u64 = 1_795_269_000_000;
/// 2026-12-01T00:00:00Z.
pub(crate) const DECEMBER_MS: u64 = 1_796_083_200_000;

pub(crate) const ALICE: TenantId = TenantId([0xa1; 16]);
pub(crate) const BOB: TenantId = TenantId([0xb0; 16]);

/// An invocation costs 10, and 1 more for each millisecond of the processor.
pub(crate) const PLANS: &str = r#"{"currency": "GAS", "decimals": 8, "plan": [
    {"name": "payg", "kind": "pay_as_you_go", "prices": {"invocations": 10000000, "cpu_us": 1000}},
    {"name": "month", "kind": "monthly", "fee": "100", "allowance": {"invocations": 3},
        "prices": {"invocations": 10000000}},
    {"name": "term", "kind": "reserved", "fee": "500", "term_months": 3, "allowance": {"invocations": 2}}]}"#;

pub(crate) struct World {
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) clock: Arc<AtomicU64>,
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    plans: String,
    options: Options,
}

/// Only what a test asks for is written.
pub(crate) fn on_request() -> Options {
    Options { flush_interval: Duration::from_hours(24), ..Options::default() }
}

fn terms(plans: &str) -> Terms {
    serde_json::from_str::<BillingTable>(plans).unwrap().terms().unwrap()
}

pub(crate) fn amount(units: u128) -> Amount {
    Amount::new(units).unwrap()
}

pub(crate) fn limits() -> Limits {
    // At most 10 and 10 ms of the processor: 20.
    Limits { timeout_ms: 100, cpu_ms: 10, memory_mib: 16, host_calls: 2, ..Limits::default() }
}

pub(crate) fn used(cpu_ms: u64) -> Usage {
    Usage { cpu_us: cpu_ms * 1_000, wall_us: 20_500, peak_memory_bytes: 1, host_calls: 1, bytes_out: 7 }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::under(PLANS, on_request()).await
    }

    pub(crate) async fn under(plans: &str, options: Options) -> Self {
        let keeper = Keeper::new();
        let clock = Arc::new(AtomicU64::new(NOVEMBER_MS));
        let store = Store::open(keeper.clone(), keys(1), uncached()).await.unwrap();
        let ledger = begin(&store, &clock, plans, options);
        Self { keeper, clock, store, ledger, plans: plans.to_owned(), options }
    }

    /// The process ends as it is, and another one begins over what the keeper has.
    pub(crate) async fn crash(&mut self) {
        let plans = self.plans.clone();
        self.crash_under(&plans).await;
    }

    /// The same, under another configuration.
    pub(crate) async fn crash_under(&mut self, plans: &str) {
        // Whatever the life before still does, it does to another keeper.
        self.keeper = Keeper::holding(self.keeper.disk());
        self.store = Store::open(self.keeper.clone(), keys(1), uncached()).await.unwrap();
        plans.clone_into(&mut self.plans);
        self.ledger = begin(&self.store, &self.clock, plans, self.options);
    }

    pub(crate) fn at(&self, unix_ms: u64) {
        self.clock.store(unix_ms, Ordering::SeqCst);
    }

    pub(crate) async fn deposit(&self, tenant: TenantId, units: u128, reference: &str) -> Recorded {
        self.try_deposit(tenant, units, reference).await.unwrap()
    }

    pub(crate) async fn try_deposit(
        &self,
        tenant: TenantId,
        units: u128,
        reference: &str,
    ) -> Result<Recorded, LedgerError> {
        let transfer = Transfer { amount: amount(units), reference: reference.to_owned() };
        self.ledger.deposit(tenant, transfer).await
    }

    pub(crate) async fn withdraw(
        &self,
        tenant: TenantId,
        units: u128,
        reference: &str,
    ) -> Result<Recorded, LedgerError> {
        let transfer = Transfer { amount: amount(units), reference: reference.to_owned() };
        self.ledger.withdraw(tenant, transfer).await
    }

    pub(crate) async fn admit(&self, tenant: TenantId, function: &str) -> Result<Admission, NotAdmitted> {
        let limits = limits();
        self.ledger.admit(&Charge { tenant, function, limits: &limits, max_bytes_out: 1_000 }).await
    }

    /// An invocation that uses so much of the processor.
    pub(crate) async fn invoke(&self, tenant: TenantId, function: &str, cpu_ms: u64) {
        self.admit(tenant, function).await.unwrap().settle(&used(cpu_ms), false);
    }

    pub(crate) async fn balance(&self, tenant: TenantId) -> Balance {
        self.ledger.balance(tenant).await.unwrap()
    }

    /// What a tenant could spend now, and what the operator earned.
    pub(crate) async fn money(&self, tenant: TenantId) -> (u128, u128) {
        let spendable = self.balance(tenant).await.spendable.units();
        (spendable, self.ledger.books().await.unwrap().revenue.units())
    }

    pub(crate) async fn entries(&self, tenant: TenantId) -> Vec<Entry> {
        let (mut entries, mut after) = (Vec::new(), 0);
        loop {
            let page = self.ledger.entries(tenant, after, 7).await.unwrap();
            assert!(page.entries.len() <= 7);
            entries.extend(page.entries);
            match page.next {
                Some(next) => after = next,
                None => return entries,
            }
        }
    }

    /// Every rule of the books: entries sum to zero, have numbers without a gap and times that never fall, never take an
    /// account below zero, and give the balances; all accounts together are zero.
    pub(crate) async fn audit(&self, tenants: &[TenantId]) {
        let (mut revenue, mut deposits, mut withdrawals) = (0, 0, 0);
        for tenant in tenants {
            let mut sums: HashMap<Account, i128> = HashMap::new();
            let mut at_ms = 0;
            for (index, entry) in self.entries(*tenant).await.iter().enumerate() {
                assert_eq!(entry.number, index as u64 + 1);
                assert!(entry.at_ms >= at_ms, "time fell");
                at_ms = entry.at_ms;
                assert_eq!(entry.postings.iter().map(|posting| posting.amount.units()).sum::<i128>(), 0);
                for posting in &entry.postings {
                    let sum = sums.entry(posting.account).or_default();
                    *sum += posting.amount.units();
                    assert!(posting.account == Account::Deposits || *sum >= 0, "{entry:?}");
                }
            }
            let sum = |account| sums.get(&account).copied().unwrap_or_default();
            let balance = self.balance(*tenant).await;
            assert_eq!(sum(Account::Tenant), balance.available.plus().units());
            assert_eq!(sum(Account::Reservations), balance.reserved.plus().units());
            assert!(balance.used <= balance.reserved);
            revenue += sum(Account::Revenue);
            deposits += sum(Account::Deposits);
            withdrawals += sum(Account::Withdrawals);
        }
        let books = self.ledger.books().await.unwrap();
        assert_eq!(revenue, books.revenue.plus().units());
        assert_eq!(deposits, books.deposited.less().units());
        assert_eq!(withdrawals, books.withdrawn.plus().units());
        let held = books.tenants.units() + books.reservations.units();
        assert_eq!(held + books.revenue.units() + books.withdrawn.units(), books.deposited.units());
    }
}

fn begin(store: &Store, clock: &Arc<AtomicU64>, plans: &str, options: Options) -> Ledger {
    let clock = Arc::clone(clock);
    Ledger::start(store.clone(), terms(plans), move || clock.load(Ordering::SeqCst), options)
}

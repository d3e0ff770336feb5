//! What invocations came to, counted for whoever watches: by function, and all together. In memory, since the process began; knows
//! nothing of how it is shown.
//!
//! An invocation takes a lock for reading and adds to atomics: invocations do not wait for one another here. The lock is taken for
//! writing when a function is counted first and when one is deleted.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use r3e_proto::api::functions::STORE_UNCONFIRMED;
use r3e_proto::api::identity::TenantId;
use r3e_proto::receipt::OUTCOME_OK;

use crate::admissions::NotAdmitted;
use crate::completed::Completed;
use crate::invoker::InvokeError;
use crate::limits::{COUNTED_FUNCTIONS_GIVEN_UP, MAX_COUNTED_FUNCTIONS};
use crate::registry::RegistryError;

/// How an invocation ends, as its receipt has it; the last one stands for a code that is not among them.
pub const OUTCOMES: [&str; 12] = [
    OUTCOME_OK,
    "function_error",
    "load_error",
    "timeout",
    "cpu_limit",
    "memory_limit",
    "output_limit",
    "host_call_limit",
    "crashed",
    "protocol",
    STORE_UNCONFIRMED,
    "other",
];

/// Why an event of a function that exists was not handed to it.
pub const REASONS: [&str; 4] = ["concurrency", "quota", "balance", "unavailable"];

/// Upper bounds of the buckets that durations are counted in, in microseconds: even steps from 1 ms to 30 s. One more bucket holds what
/// is beyond the last.
pub const DURATION_BOUNDS_US: [u64; 10] =
    [1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000];

/// Counters of all functions.
#[derive(Debug, Default)]
pub struct Counts {
    series: RwLock<AllSeries>,
    totals: Ends,
}

#[derive(Debug, Default)]
struct AllSeries {
    tenants: HashMap<TenantId, HashMap<String, Arc<Series>>>,
    functions: usize,
}

/// Those of one function.
#[derive(Debug, Default)]
struct Series {
    ends: Ends,
    durations: [AtomicU64; DURATION_BOUNDS_US.len() + 1],
    duration_us: AtomicU64,
    cpu_us: AtomicU64,
    /// When it was counted last.
    last_ms: AtomicU64,
}

/// How events ended.
#[derive(Debug, Default)]
struct Ends {
    outcomes: [AtomicU64; OUTCOMES.len()],
    reasons: [AtomicU64; REASONS.len()],
}

/// How events ended, as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ended {
    /// Invocations, in the order of [`OUTCOMES`].
    pub outcomes: [u64; OUTCOMES.len()],
    /// Events that were not handed over, in the order of [`REASONS`].
    pub reasons: [u64; REASONS.len()],
}

/// What was counted of one function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunctionCounts {
    /// How its events ended.
    pub ended: Ended,
    /// Invocations by [`DURATION_BOUNDS_US`], from the event's arrival to its end; the last beyond all of them.
    pub durations: [u64; DURATION_BOUNDS_US.len() + 1],
    /// The sum of these.
    pub duration_us: u64,
    /// CPU time, all together.
    pub cpu_us: u64,
}

impl Counts {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts an invocation that is over. `exists` says whether there is such a function: one that is deleted meanwhile is counted in the
    /// totals alone.
    pub fn completed(
        &self,
        tenant: TenantId,
        function: &str,
        completed: &Completed,
        now_ms: u64,
        exists: impl Fn() -> bool,
    ) {
        let outcome = outcome(completed.code());
        add(&self.totals.outcomes, outcome, 1);
        let Some(series) = self.series(tenant, function, now_ms, exists) else { return };
        let total_us = completed.course.total_us;
        add(&series.ends.outcomes, outcome, 1);
        add(&series.durations, DURATION_BOUNDS_US.partition_point(|bound| *bound < total_us), 1);
        series.duration_us.fetch_add(total_us, Ordering::Relaxed);
        series.cpu_us.fetch_add(completed.usage.cpu_us, Ordering::Relaxed);
        series.last_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    /// Counts an event that was not handed over. What was wrong with the event itself, or named no function, is nobody's to count.
    pub fn refused(
        &self,
        tenant: TenantId,
        function: &str,
        why: &InvokeError,
        now_ms: u64,
        exists: impl Fn() -> bool,
    ) {
        let Some(reason) = reason(why) else { return };
        add(&self.totals.reasons, reason, 1);
        let Some(series) = self.series(tenant, function, now_ms, exists) else { return };
        add(&series.ends.reasons, reason, 1);
        series.last_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    /// What was counted of a tenant's functions.
    pub fn of(&self, tenant: TenantId) -> HashMap<String, FunctionCounts> {
        let all = self.read();
        let of_tenant = all.tenants.get(&tenant).into_iter().flatten();
        of_tenant.map(|(name, series)| (name.clone(), series.shown())).collect()
    }

    /// How all events ended, also those of functions that are gone.
    pub fn totals(&self) -> Ended {
        self.totals.shown()
    }

    /// Forgets a function that was deleted: to be called once the deletion stands, so that what ends meanwhile is not counted anew.
    pub fn forget(&self, tenant: TenantId, function: &str) {
        let mut all = self.write();
        let Some(of_tenant) = all.tenants.get_mut(&tenant) else { return };
        let gone = of_tenant.remove(function).is_some();
        if of_tenant.is_empty() {
            all.tenants.remove(&tenant);
        }
        all.functions -= usize::from(gone);
    }

    fn series(
        &self,
        tenant: TenantId,
        function: &str,
        now_ms: u64,
        exists: impl Fn() -> bool,
    ) -> Option<Arc<Series>> {
        if let Some(series) = self.read().tenants.get(&tenant).and_then(|functions| functions.get(function)) {
            return Some(Arc::clone(series));
        }
        // Asked before the lock, so that names of no functions stop nobody, and again under it: whoever deletes the function forgets
        // it after that.
        if !exists() {
            return None;
        }
        let mut all = self.write();
        if !exists() {
            return None;
        }
        all.make_room();
        let AllSeries { tenants, functions } = &mut *all;
        let series = tenants.entry(tenant).or_default().entry(function.to_owned()).or_insert_with(|| {
            *functions += 1;
            Arc::new(Series { last_ms: AtomicU64::new(now_ms), ..Series::default() })
        });
        Some(Arc::clone(series))
    }

    fn read(&self) -> RwLockReadGuard<'_, AllSeries> {
        self.series.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, AllSeries> {
        self.series.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AllSeries {
    /// Where there are too many, those counted longest ago go, many at once: looking for them takes a while.
    fn make_room(&mut self) {
        if self.functions < MAX_COUNTED_FUNCTIONS {
            return;
        }
        let last_ms = |series: &Series| series.last_ms.load(Ordering::Relaxed);
        let of_all = self.tenants.values().flatten();
        let mut times: Vec<u64> = of_all.map(|(_, series)| last_ms(series)).collect();
        let (_, newest_given_up, _) = times.select_nth_unstable(COUNTED_FUNCTIONS_GIVEN_UP - 1);
        let (newest_given_up_ms, mut given_up) = (*newest_given_up, 0);
        self.tenants.retain(|_, functions| {
            functions.retain(|_, series| {
                // Of those of one moment, no more than are wanted.
                let goes = last_ms(series) <= newest_given_up_ms && given_up < COUNTED_FUNCTIONS_GIVEN_UP;
                given_up += usize::from(goes);
                !goes
            });
            !functions.is_empty()
        });
        self.functions -= given_up;
    }
}

impl Series {
    fn shown(&self) -> FunctionCounts {
        FunctionCounts {
            ended: self.ends.shown(),
            durations: loaded(&self.durations),
            duration_us: self.duration_us.load(Ordering::Relaxed),
            cpu_us: self.cpu_us.load(Ordering::Relaxed),
        }
    }
}

impl Ends {
    fn shown(&self) -> Ended {
        Ended { outcomes: loaded(&self.outcomes), reasons: loaded(&self.reasons) }
    }
}

fn loaded<const N: usize>(counters: &[AtomicU64; N]) -> [u64; N] {
    std::array::from_fn(|at| counters[at].load(Ordering::Relaxed))
}

fn add(counters: &[AtomicU64], at: usize, count: u64) {
    if let Some(counter) = counters.get(at) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

/// Its place in [`OUTCOMES`].
fn outcome(code: &str) -> usize {
    OUTCOMES.iter().position(|known| *known == code).unwrap_or(OUTCOMES.len() - 1)
}

/// Its place in [`REASONS`], if it is the function's or the appliance's business.
fn reason(error: &InvokeError) -> Option<usize> {
    let reason = match error {
        InvokeError::Overloaded { .. } => "concurrency",
        InvokeError::NotAdmitted(NotAdmitted::Quota { .. }) => "quota",
        InvokeError::NotAdmitted(NotAdmitted::Balance(_)) => "balance",
        InvokeError::NotAdmitted(NotAdmitted::NoSuchPlan(_) | NotAdmitted::Unavailable(_))
        | InvokeError::Busy(_)
        | InvokeError::Runner(_)
        | InvokeError::Output(_)
        | InvokeError::Store(_)
        | InvokeError::Registry(RegistryError::Store(_))
        | InvokeError::Audit(_)
        | InvokeError::Grant(_) => "unavailable",
        InvokeError::EventTooLarge(_)
        | InvokeError::EventNotText
        | InvokeError::Event(_)
        | InvokeError::Reference
        | InvokeError::Registry(_) => return None,
    };
    REASONS.iter().position(|known| *known == reason)
}

#[cfg(test)]
mod tests;

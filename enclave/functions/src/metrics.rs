//! What functions' invocations took, counted in memory by function and version: they begin anew with the process.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::observations::{Histogram, Metrics, VersionMetrics};
use r3e_proto::receipt::OUTCOME_OK;

use crate::completed::Completed;
use crate::limits::{MAX_ERROR_CODES, MAX_MEASURED_FUNCTIONS, MAX_MEASURED_VERSIONS};

/// The metrics of all functions. When there are too many functions, those invoked longest ago are forgotten first.
pub struct AllMetrics(Mutex<LruCache<(TenantId, String), Counted>>);

struct Counted {
    since_ms: u64,
    turned_away: u64,
    /// Those invoked last at the end.
    versions: VecDeque<VersionMetrics>,
}

impl AllMetrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let most = NonZeroUsize::new(MAX_MEASURED_FUNCTIONS).unwrap_or(NonZeroUsize::MIN);
        Self(Mutex::new(LruCache::new(most)))
    }

    /// Counts an invocation that is over.
    pub fn add(&self, tenant: TenantId, function: &str, completed: &Completed, now_ms: u64) {
        let version = hex::encode(completed.version);
        let mut functions = self.lock();
        let counted = functions.get_or_insert_mut((tenant, function.to_owned()), || Counted::begin(now_ms));
        let mut of = counted.take(version);
        let (usage, course) = (&completed.usage, &completed.course);
        of.invocations += 1;
        let code = completed.code();
        if code != OUTCOME_OK && (of.errors.contains_key(code) || of.errors.len() < MAX_ERROR_CODES) {
            *of.errors.entry(code.to_owned()).or_default() += 1;
        }
        of.latency.record(course.total_us);
        of.waiting.record(course.waiting_us);
        of.cpu.record(usage.cpu_us);
        of.cpu_us = of.cpu_us.saturating_add(usage.cpu_us);
        of.host_calls = of.host_calls.saturating_add(usage.host_calls);
        of.bytes_out = of.bytes_out.saturating_add(usage.bytes_out);
        of.peak_memory_bytes = of.peak_memory_bytes.max(usage.peak_memory_bytes);
        counted.versions.push_back(of);
    }

    /// Counts an event that was turned away. Only of a function that exists: a name costs memory.
    pub fn turned_away(&self, tenant: TenantId, function: &str, now_ms: u64) {
        let mut functions = self.lock();
        let counted = functions.get_or_insert_mut((tenant, function.to_owned()), || Counted::begin(now_ms));
        counted.turned_away += 1;
    }

    /// What was counted of one function.
    pub fn of(&self, tenant: TenantId, function: &str) -> Metrics {
        let functions = self.lock();
        let counted = functions.peek(&(tenant, function.to_owned()));
        Metrics {
            function: function.to_owned(),
            since_ms: counted.map(|counted| counted.since_ms),
            turned_away: counted.map_or(0, |counted| counted.turned_away),
            versions: counted.map(|counted| counted.versions.iter().cloned().collect()).unwrap_or_default(),
        }
    }

    /// Forgets a function that was deleted.
    pub fn forget(&self, tenant: TenantId, function: &str) {
        self.lock().pop(&(tenant, function.to_owned()));
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<(TenantId, String), Counted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for AllMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Counted {
    fn begin(now_ms: u64) -> Self {
        Self { since_ms: now_ms, turned_away: 0, versions: VecDeque::new() }
    }

    /// Takes a version's metrics out, to be put at the end; makes room for them where they begin.
    fn take(&mut self, version: String) -> VersionMetrics {
        let at = self.versions.iter().position(|of| of.version == version);
        if let Some(of) = at.and_then(|at| self.versions.remove(at)) {
            return of;
        }
        while self.versions.len() >= MAX_MEASURED_VERSIONS {
            self.versions.pop_front();
        }
        VersionMetrics {
            version,
            invocations: 0,
            errors: BTreeMap::new(),
            latency: Histogram::default(),
            waiting: Histogram::default(),
            cpu_us: 0,
            cpu: Histogram::default(),
            host_calls: 0,
            bytes_out: 0,
            peak_memory_bytes: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use r3e_proto::api::functions::{FunctionError, Outcome, Usage};

    use super::*;
    use crate::completed::Hashes;
    use crate::course::Told;

    const ALICE: TenantId = TenantId([1; 16]);
    const BOB: TenantId = TenantId([2; 16]);

    fn completed(version: u8, code: Option<&str>, total_us: u64) -> Completed {
        let outcome = match code {
            None => Outcome::Output("1".into()),
            Some(code) => {
                Outcome::Error(FunctionError { code: code.into(), message: String::new(), stack: None })
            }
        };
        let hashes = Hashes::of(b"1", &outcome, &[], false);
        let usage =
            Usage { cpu_us: 700, host_calls: 2, bytes_out: 5, peak_memory_bytes: 9, ..Usage::default() };
        let course = Told { total_us, waiting_us: total_us / 2, ..Told::default() };
        Completed {
            version: [version; 32],
            outcome,
            logs: Vec::new(),
            logs_truncated: false,
            usage,
            hashes,
            course,
        }
    }

    #[test]
    fn invocations_are_counted_by_version_and_outcome() {
        let metrics = AllMetrics::new();
        for (version, code) in [(1, None), (2, Some("timeout")), (1, Some("timeout")), (1, None)] {
            metrics.add(ALICE, "f", &completed(version, code, 4_000), 10);
        }
        metrics.turned_away(ALICE, "f", 11);
        let shown = metrics.of(ALICE, "f");
        assert_eq!((shown.since_ms, shown.turned_away), (Some(10), 1));
        let [second, first] = shown.versions.as_slice() else { panic!("{shown:?}") };
        assert_eq!(first.version, hex::encode([1; 32]), "invoked last");
        assert_eq!((first.invocations, second.invocations), (3, 1));
        assert_eq!(first.errors, BTreeMap::from([("timeout".to_owned(), 1)]));
        assert_eq!((first.latency.percentile_ms(50), first.waiting.percentile_ms(50)), (Some(5), Some(2)));
        assert_eq!((first.cpu_us, first.cpu.percentile_ms(99)), (2_100, Some(1)));
        assert_eq!((first.host_calls, first.bytes_out, first.peak_memory_bytes), (6, 15, 9));
        assert_eq!(
            metrics.of(BOB, "f"),
            Metrics { function: "f".into(), since_ms: None, turned_away: 0, versions: vec![] }
        );
        metrics.forget(ALICE, "f");
        assert!(metrics.of(ALICE, "f").versions.is_empty());
    }

    #[test]
    fn versions_and_codes_are_bounded() {
        let metrics = AllMetrics::new();
        for version in 0..=u8::try_from(MAX_MEASURED_VERSIONS).unwrap() {
            metrics.add(ALICE, "f", &completed(version, None, 1), 0);
        }
        let shown = metrics.of(ALICE, "f");
        assert_eq!(shown.versions.len(), MAX_MEASURED_VERSIONS);
        assert_eq!(shown.versions[0].version, hex::encode([1; 32]), "the one invoked longest ago went");
        for code in 0..MAX_ERROR_CODES + 5 {
            metrics.add(ALICE, "g", &completed(1, Some(&format!("code-{code}")), 1), 0);
        }
        let shown = metrics.of(ALICE, "g");
        assert_eq!(shown.versions[0].errors.len(), MAX_ERROR_CODES);
        assert_eq!(shown.versions[0].invocations, u64::try_from(MAX_ERROR_CODES + 5).unwrap());
    }
}

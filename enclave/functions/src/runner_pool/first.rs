//! The first event of a function that is not loaded, while a process waits for a function: that loads it and handles the event
//! itself, rather than load it and then make a copy of itself. Once the event is answered, the function is loaded for its next events.
//!
//! So the function is loaded twice, and whoever asked waited for neither the copy nor what is measured of the original. The second
//! load is done for nobody: it takes no turn and no memory that an event waits for, and hardly more time than the first took, which was
//! charged. A function that cannot be loaded so is loaded for the event that needs it, as if no process waited.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use r3e_runner_api::Purpose;

use super::config::{FunctionKey, Limits};
use super::engines::{Code, Engine, Source};
use super::error::InvocationError;
use super::exchange::{Account, Exchange};
use super::kept::Kept;
use super::leases::Lease;
use super::limits::{AHEAD_SLACK_MS, MAX_AHEAD_LOAD_MS, MAX_NOT_AHEAD, NOT_AHEAD_MS};
use super::memory::charge_mib;
use super::pool::Inner;
use super::run::why;

/// Functions whose first event is under way, and those that are not loaded ahead.
#[derive(Clone, Debug)]
pub(super) struct Firsts(Arc<Mutex<LruCache<FunctionKey, State>>>);

#[derive(Clone, Copy, Debug)]
enum State {
    UnderWay,
    NotAhead { until: Instant },
}

/// One of them, until this is dropped.
#[derive(Debug)]
pub(super) struct First {
    firsts: Firsts,
    key: FunctionKey,
}

/// What is to be loaded, of its own.
pub(super) struct Wanted {
    lease: Lease,
    engine: Engine,
    source: String,
    limits: Limits,
}

/// What the first load took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
}

impl Default for Firsts {
    fn default() -> Self {
        let most = NonZeroUsize::new(MAX_NOT_AHEAD).unwrap_or(NonZeroUsize::MIN);
        Self(Arc::new(Mutex::new(LruCache::new(most))))
    }
}

impl Firsts {
    /// Nothing, if an event is its function's first already, or the function is better loaded once: the others wait until it is
    /// loaded for all of them.
    pub(super) fn begin(&self, key: &FunctionKey) -> Option<First> {
        let mut states = self.lock();
        match states.get(key) {
            Some(State::UnderWay) => return None,
            Some(State::NotAhead { until }) if Instant::now() < *until => return None,
            Some(State::NotAhead { .. }) | None => {}
        }
        states.put(key.clone(), State::UnderWay);
        Some(First { firsts: self.clone(), key: key.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<FunctionKey, State>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl First {
    /// Loads the function for its next events, beside everything else. Whoever comes meanwhile waits for it, or does it.
    pub(super) fn load_for_others(self, inner: &Arc<Inner>, wanted: Wanted, took: Took) {
        if took.wall > Duration::from_millis(MAX_AHEAD_LOAD_MS) {
            return self.not_ahead();
        }
        let weak = Arc::downgrade(inner);
        tokio::spawn(async move {
            let Some(inner) = weak.upgrade() else { return };
            if let Err(error) = load(&inner, &self.key, wanted.within(took)).await {
                let FunctionKey { tenant, version } = &self.key;
                tracing::info!(%tenant, %version, %error, "a function was not loaded ahead of its next event");
                self.not_ahead();
            }
        });
    }

    fn not_ahead(&self) {
        let until = Instant::now() + Duration::from_millis(NOT_AHEAD_MS);
        self.firsts.lock().put(self.key.clone(), State::NotAhead { until });
    }
}

impl Drop for First {
    fn drop(&mut self) {
        let mut states = self.firsts.lock();
        if matches!(states.peek(&self.key), Some(State::UnderWay)) {
            states.pop(&self.key);
        }
    }
}

impl Wanted {
    /// Of what an event was asked with. None where that would have to be fetched again.
    pub(super) fn new(lease: &Lease, code: Code<'_>, limits: &Limits) -> Option<Self> {
        let Source::Here(source) = code.source else { return None };
        Some(Self { lease: lease.clone(), engine: code.engine, source: source.to_owned(), limits: *limits })
    }

    /// With as much time as a load has that takes what the first took.
    fn within(self, took: Took) -> Self {
        let most = |first: Duration| {
            let first_ms = u64::try_from(first.as_millis()).unwrap_or(u64::MAX);
            first_ms.saturating_mul(2).saturating_add(AHEAD_SLACK_MS)
        };
        let Limits { cpu_ms, wall_ms, .. } = self.limits;
        let limits = Limits {
            cpu_ms: cpu_ms.min(most(took.cpu)),
            wall_ms: wall_ms.min(most(took.wall) + 4 * AHEAD_SLACK_MS),
            ..self.limits
        };
        Self { limits, ..self }
    }
}

/// Takes what an event of the tenant's would take for it, if that is free; where it is not, nothing is done, and nothing is wrong.
async fn load(inner: &Inner, key: &FunctionKey, wanted: Wanted) -> Result<(), InvocationError> {
    let Wanted { lease, engine, source, limits } = wanted;
    if !lease.holds_for(&key.tenant) {
        return Ok(());
    }
    let mib = charge_mib(limits.memory_mib);
    let Some(_tenant) = inner.tenant_slot_at_once(&key.tenant) else { return Ok(()) };
    let Some(_tenant_memory) = inner.tenant_memory.enter_at_once(&key.tenant, mib).await else {
        return Ok(());
    };
    let Some(_slot) = inner.appliance_slot_at_once(&key.tenant) else { return Ok(()) };
    let Some(_loading) = inner.loading.enter_at_once(key, 1).await else { return Ok(()) };
    if inner.kept.family(key, &limits).is_some() {
        return Ok(());
    }
    let Some(mut blank) = Kept::blank_at_once(&inner.kept, engine, mib).await? else { return Ok(()) };
    let mut account = Account::default();
    match Exchange::new(&mut blank, &limits, &mut account).load(&source, Purpose::Copies).await {
        Ok(()) => {
            // No member of it will end soon, after which it would be weighed otherwise.
            inner.kept.settle(&lease, key, blank)?.weigh_soon();
            Ok(())
        }
        Err(broken) => Err(why(broken, blank).await),
    }
}

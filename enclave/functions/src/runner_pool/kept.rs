//! What is kept between events: families, each with a function loaded; processes of functions that asked to be used again; and
//! processes that wait for a function.
//!
//! All of it gives way: whoever waits for memory or for a place ends what was used least recently.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::config::{FunctionKey, Limits, RunnerConfig};
use super::engines::{Engine, Nurseries};
use super::error::{InvocationError, StartError};
use super::family::Family;
use super::held::{LiveCount, LiveToken};
use super::leases::{Lease, Leases};
use super::limits::{REFILL_DELAY_MS, SPARE_MIB, SWEEP_INTERVAL_MS, WATCH_INTERVAL_MS};
use super::memory::{Memory, Reserved};
use super::nursery::Nursery;
use super::process::RunnerProcess;
use super::strangers::descendants;

/// Everything that outlives an event.
#[derive(Debug)]
pub(super) struct Kept {
    nurseries: Nurseries,
    /// Every process but the nursery and those of which the others are made.
    live: LiveCount,
    /// Those that handle events, or handled some and are kept.
    handling: LiveCount,
    max_handling: usize,
    max_families: usize,
    spares: usize,
    max_idle: Duration,
    memory: Memory,
    leases: Arc<Leases>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Least recently used first.
    warm: Vec<Warm>,
    families: HashMap<FunctionKey, Arc<Family>>,
    /// Also those that are not kept, as long as an event has them.
    watched: Vec<Weak<Family>>,
    spares: Vec<RunnerProcess>,
    /// Spares that are being started.
    starting: usize,
}

#[derive(Debug)]
struct Warm {
    key: FunctionKey,
    process: RunnerProcess,
    since: Instant,
}

impl Kept {
    /// Nothing yet, and the spares under way.
    pub(super) fn new(config: &RunnerConfig, nurseries: Nurseries) -> Arc<Self> {
        // Neither nurseries nor spares have a function, and are charged what an empty process holds.
        let spares_mib = u64::try_from(config.spares).unwrap_or(u64::MAX).saturating_mul(SPARE_MIB);
        let empty_mib = u32::try_from(spares_mib.saturating_add(nurseries.empty_mib())).unwrap_or(u32::MAX);
        let max_wait = Duration::from_millis(config.max_wait_ms);
        let this = Arc::new(Self {
            nurseries,
            live: LiveCount::default(),
            handling: LiveCount::default(),
            max_handling: config.max_processes.saturating_sub(config.spares),
            max_families: config.max_families,
            spares: config.spares,
            max_idle: Duration::from_millis(config.max_idle_ms),
            memory: Memory::new(config.memory_mib.saturating_sub(empty_mib), max_wait),
            leases: Arc::default(),
            state: Mutex::default(),
        });
        Self::refill(&this);
        tokio::spawn(sweep(Arc::downgrade(&this)));
        tokio::spawn(watch(Arc::downgrade(&this)));
        this
    }

    /// Processes that handle events, or may handle others, or load or may load a function.
    pub(super) fn live_processes(&self) -> usize {
        self.live.now()
    }

    /// Processes that wait for a function.
    pub(super) fn spare_processes(&self) -> usize {
        self.lock().spares.len()
    }

    /// Function versions that are kept loaded.
    pub(super) fn loaded_functions(&self) -> usize {
        self.lock().families.len()
    }

    /// Takes on an event of `tenant`'s.
    pub(super) fn lease(&self, tenant: &Arc<str>) -> Lease {
        self.leases.take(tenant)
    }

    /// A process of the function that has handled events, and may handle another.
    pub(super) fn warm(&self, key: &FunctionKey, limits: &Limits) -> Option<RunnerProcess> {
        loop {
            let mut warm = {
                let mut state = self.lock();
                // The most recently used is the likeliest to be in the processor's caches.
                let index = state.warm.iter().rposition(|warm| warm.key == *key)?;
                state.warm.remove(index)
            };
            if warm.process.fits(limits) {
                return Some(warm.process);
            }
        }
    }

    /// The function, loaded under these limits.
    pub(super) fn family(&self, key: &FunctionKey, limits: &Limits) -> Option<Arc<Family>> {
        let mut state = self.lock();
        let family = state.families.get(key)?;
        if family.limits() == limits.of_runner() && family.is_alive() {
            return Some(Arc::clone(family));
        }
        let gone = state.families.remove(key);
        drop(state);
        drop(gone);
        None
    }

    /// Does not keep this family any longer.
    pub(super) fn drop_family(&self, family: &Arc<Family>) {
        let mut state = self.lock();
        if state.families.get(family.key()).is_some_and(|kept| Arc::ptr_eq(kept, family)) {
            state.families.remove(family.key());
        }
    }

    /// Memory of the budget; what is idle makes room for it.
    pub(super) async fn reserve(&self, mib: u32) -> Result<Reserved, InvocationError> {
        self.memory.reserve(mib, |missing| self.make_room(missing)).await
    }

    /// A process without a function, with memory for one.
    pub(super) async fn blank(
        this: &Arc<Self>,
        engine: Engine,
        mib: u32,
    ) -> Result<RunnerProcess, InvocationError> {
        let nursery = this.nurseries.of(engine)?;
        let reserved = this.reserve(mib).await?;
        let mut process = RunnerProcess::blank(nursery, this.live.token()).await?;
        process.hold(reserved);
        Ok(process)
    }

    /// The same, if there is memory for it that nobody waits for.
    pub(super) async fn blank_at_once(
        this: &Arc<Self>,
        engine: Engine,
        mib: u32,
    ) -> Result<Option<RunnerProcess>, InvocationError> {
        let nursery = this.nurseries.of(engine)?;
        let Some(reserved) = this.memory.reserve_at_once(mib) else { return Ok(None) };
        let mut process = RunnerProcess::blank(nursery, this.live.token()).await?;
        process.hold(reserved);
        Ok(Some(process))
    }

    /// One of those that are kept ready, with memory for a function of their language, and counted as one that handles events.
    pub(super) async fn lone(
        this: &Arc<Self>,
        engine: Engine,
        mib: u32,
    ) -> Result<Option<RunnerProcess>, InvocationError> {
        // What is kept ready is of the language that most functions are in.
        if engine != this.nurseries.own() || this.spare_processes() == 0 {
            return Ok(None);
        }
        let reserved = this.reserve(mib).await?;
        let Some(mut process) = this.spare() else { return Ok(None) };
        Self::refill_later(this);
        process.hold(reserved);
        this.make_place();
        process.count(this.handling.token());
        Ok(Some(process))
    }

    /// One of those that are kept ready.
    fn spare(&self) -> Option<RunnerProcess> {
        loop {
            let mut spare = self.lock().spares.pop()?;
            if spare.is_silent() {
                return Some(spare);
            }
        }
    }

    /// A new process of a family, with memory for an event, in the place of a kept one if there are as many as may be.
    pub(super) async fn member(
        &self,
        family: &Arc<Family>,
        mib: u32,
    ) -> Result<RunnerProcess, InvocationError> {
        let reserved = self.reserve(mib).await?;
        self.make_place();
        let live = vec![self.live.token(), self.handling.token()];
        Ok(family.fork(reserved, live).await?)
    }

    /// Ends a kept process if as many handle events, or are kept for more, as may be.
    fn make_place(&self) {
        let evicted = {
            let mut state = self.lock();
            let full = self.handling.now() >= self.max_handling;
            (full && !state.warm.is_empty()).then(|| state.warm.remove(0))
        };
        drop(evicted);
    }

    /// Makes a family of a process that has loaded its function, and keeps it for the function's next events, unless the
    /// function may be gone or somebody waits for the memory.
    pub(super) fn settle(
        &self,
        lease: &Lease,
        key: &FunctionKey,
        process: RunnerProcess,
    ) -> Result<Arc<Family>, StartError> {
        let family = Arc::new(process.into_family(key)?);
        let mut state = self.lock();
        state.watched.push(Arc::downgrade(&family));
        // Both are asked under the lock under which what is idle is looked through for ending.
        let kept = lease.holds_for(&key.tenant) && !self.memory.is_awaited();
        let mut replaced = None;
        if kept {
            if state.families.len() >= self.max_families {
                replaced = state.least_recent_family();
            }
            let before = state.families.insert(key.clone(), Arc::clone(&family));
            replaced = replaced.or(before);
        }
        drop(state);
        drop(replaced);
        Ok(family)
    }

    /// Keeps a process for its function's next event, under the same conditions.
    pub(super) fn keep(&self, lease: &Lease, key: &FunctionKey, process: RunnerProcess) {
        let mut state = self.lock();
        if lease.holds_for(&key.tenant) && !self.memory.is_awaited() {
            state.warm.push(Warm { key: key.clone(), process, since: Instant::now() });
        } else {
            drop(state);
            drop(process);
        }
    }

    /// Keeps nothing of one function version.
    pub(super) fn forget(&self, key: &FunctionKey) {
        // Before what is kept is looked through: what is kept after this was not leased before it.
        self.leases.end_those_of(&key.tenant);
        let mut state = self.lock();
        let gone: Vec<Warm> = state.warm.extract_if(.., |warm| warm.key == *key).collect();
        let family = state.families.remove(key);
        drop(state);
        drop((gone, family));
    }

    /// Ends the kept processes of a tenant's functions about which `name` was noted. A family knows nothing that could be noted: its
    /// function was given nothing while it was loaded.
    pub(super) fn end_those_noted(&self, tenant: &Arc<str>, name: &str) {
        // In the order of `forget`, for its reason.
        self.leases.end_those_of(tenant);
        let mut state = self.lock();
        let noted = |warm: &mut Warm| warm.key.tenant == *tenant && warm.process.notes.holds(name);
        let gone: Vec<Warm> = state.warm.extract_if(.., noted).collect();
        drop(state);
        drop(gone);
    }

    /// Ends what is idle and holds this much together, the least recently used first: processes, then families.
    fn make_room(&self, missing_mib: usize) {
        let (mut ended, mut families) = (Vec::new(), Vec::new());
        let mut found = 0;
        let mut state = self.lock();
        while found < missing_mib && !state.warm.is_empty() {
            let warm = state.warm.remove(0);
            found += warm.process.held_mib();
            ended.push(warm);
        }
        while found < missing_mib {
            let Some(family) = state.least_recent_family() else { break };
            found += family.held_mib();
            families.push(family);
        }
        drop(state);
        drop((ended, families));
    }

    /// Starts the spares that are missing. One that cannot be started is missed by the next event, which then
    /// says why.
    fn refill(this: &Arc<Self>) {
        while let Some(live) = this.reserve_spare() {
            let weak = Arc::downgrade(this);
            tokio::spawn(async move {
                let Some(this) = weak.upgrade() else { return };
                let started = match this.nurseries.of(this.nurseries.own()) {
                    Ok(nursery) => ready(nursery, live).await.map_err(InvocationError::from),
                    Err(error) => Err(error),
                };
                let mut state = this.lock();
                state.starting -= 1;
                state
                    .spares
                    .extend(started.inspect_err(|error| tracing::warn!(%error, "no spare runner")).ok());
            });
        }
    }

    /// The same, once whoever takes a spare now has probably had its answer: until then the processors are its own.
    fn refill_later(this: &Arc<Self>) {
        let weak = Arc::downgrade(this);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(REFILL_DELAY_MS)).await;
            if let Some(this) = weak.upgrade() {
                Self::refill(&this);
            }
        });
    }

    fn reserve_spare(&self) -> Option<LiveToken> {
        let mut state = self.lock();
        if state.spares.len() + state.starting >= self.spares {
            return None;
        }
        state.starting += 1;
        Some(self.live.token())
    }

    /// Ends the families that are not what was started.
    async fn watch(&self) {
        let families: Vec<Arc<Family>> = {
            let mut state = self.lock();
            state.watched.retain(|family| family.strong_count() > 0);
            state.watched.iter().filter_map(Weak::upgrade).collect()
        };
        if families.is_empty() {
            return;
        }
        let pids: BTreeSet<u32> = families.iter().map(|family| family.pid()).collect();
        // It reads a file for every process there is.
        let found = tokio::task::spawn_blocking(move || descendants(&pids)).await;
        let Ok(Ok(found)) = found else {
            tracing::error!("the processes of functions cannot be looked through");
            return;
        };
        for family in families.iter().filter(|family| family.is_alive()) {
            let processes = found.get(&family.pid()).cloned().unwrap_or_default();
            if let Some(why) = family.misconduct(&processes) {
                let FunctionKey { tenant, version } = family.key();
                tracing::error!(%tenant, %version, why, "a function's processes were ended");
                family.end();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A process that waits for a function.
async fn ready(nursery: &Nursery, live: LiveToken) -> Result<RunnerProcess, StartError> {
    let mut process = RunnerProcess::blank(nursery, live).await?;
    process.rehearse().await?;
    Ok(process)
}

impl State {
    /// Takes out the family whose last event is longest ago, of those without an event now.
    fn least_recent_family(&mut self) -> Option<Arc<Family>> {
        let idle = self.families.values().filter(|family| Arc::strong_count(family) == 1);
        let key = idle.min_by_key(|family| family.last_used())?.key().clone();
        self.families.remove(&key)
    }
}

/// Ends processes that were idle too long, while there is a pool.
async fn sweep(kept: Weak<Kept>) {
    let mut interval = tokio::time::interval(Duration::from_millis(SWEEP_INTERVAL_MS));
    loop {
        interval.tick().await;
        let Some(kept) = kept.upgrade() else { return };
        let mut state = kept.lock();
        let idle: Vec<Warm> =
            state.warm.extract_if(.., |warm| warm.since.elapsed() >= kept.max_idle).collect();
        drop(state);
        drop(idle);
        Kept::refill(&kept);
    }
}

/// Looks after the families, while there is a pool.
async fn watch(kept: Weak<Kept>) {
    let mut interval = tokio::time::interval(Duration::from_millis(WATCH_INTERVAL_MS));
    loop {
        interval.tick().await;
        let Some(kept) = kept.upgrade() else { return };
        kept.watch().await;
    }
}

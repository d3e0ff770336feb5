//! The pool: finds or starts a process for an event, and keeps it or ends it afterwards.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use r3e_runner_api::{LogRecord, json};

use super::admission::KeyedGates;
use super::config::{FunctionKey, HostCalls, Limits, NotReady, RunnerConfig, Stage};
use super::error::InvocationError;
use super::exchange::{Account, Broken, Exchange};
use super::leases::{Lease, Leases};
use super::limits::{BASE_MEMORY_MIB, SWEEP_INTERVAL_MS};
use super::memory::{Memory, charge_mib};
use super::process::{LiveCount, LiveToken, RunnerProcess};
use super::spawner::Spawner;
use crate::turnstile::{Bounds, Permit, TurnedAway, Turnstile};

/// What came of an event.
#[derive(Debug)]
pub struct Invocation {
    /// The output as JSON, or why there is none.
    pub outcome: Result<String, InvocationError>,
    /// The function's log, also of an event that failed.
    pub logs: Vec<LogRecord>,
    /// Whether log text was left out.
    pub logs_truncated: bool,
    /// What it used.
    pub usage: Usage,
}

/// What an event used, by the kernel's count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, with the load if there was one.
    pub cpu_us: u64,
    /// Time, with the load if there was one.
    pub wall_us: u64,
    /// Most memory the process held, up to the end of this event.
    pub peak_memory_bytes: u64,
    /// Host calls.
    pub host_calls: u32,
    /// Whether the function was loaded for this event.
    pub cold: bool,
}

/// Processes for functions. Dropping the pool ends them all.
#[derive(Debug)]
pub struct RunnerPool {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: RunnerConfig,
    spawner: Spawner,
    live: LiveCount,
    state: Mutex<State>,
    tenants: Turnstile<Arc<str>>,
    functions: KeyedGates<FunctionKey>,
    tenant_memory: KeyedGates<Arc<str>>,
    appliance: Turnstile<Arc<str>>,
    memory: Memory,
    leases: Arc<Leases>,
}

#[derive(Debug, Default)]
struct State {
    /// Least recently used first.
    warm: Vec<Warm>,
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

impl RunnerPool {
    /// A pool with its spares under way. Must be called within a tokio runtime, which the pool must not outlive.
    ///
    /// # Errors
    /// When the thread that starts processes cannot be started.
    pub fn new(mut config: RunnerConfig) -> io::Result<Self> {
        config.max_processes = config.max_processes.max(config.spares + 1);
        let max_wait = Duration::from_millis(config.max_wait_ms);
        let busy = config.max_processes - config.spares;
        let waiting = config.max_waiting_per_tenant;
        let tenant_mib = usize::try_from(config.max_memory_mib_per_tenant).unwrap_or(usize::MAX);
        // Spares have no function yet, and are charged what an empty process holds.
        let spares_mib = u64::try_from(config.spares).unwrap_or(u64::MAX).saturating_mul(BASE_MEMORY_MIB);
        let memory_mib = config.memory_mib.saturating_sub(u32::try_from(spares_mib).unwrap_or(u32::MAX));
        let inner = Arc::new(Inner {
            spawner: Spawner::new(config.runner_path.clone())?,
            live: LiveCount::default(),
            state: Mutex::default(),
            tenants: Turnstile::new(Bounds {
                places: usize::MAX,
                max_waiting: usize::MAX,
                max_waiting_of_one: waiting,
                max_wait,
            }),
            tenant_memory: KeyedGates::new("tenant's memory", tenant_mib, waiting, max_wait),
            functions: KeyedGates::new("function", config.max_per_function, waiting, max_wait),
            appliance: Turnstile::new(Bounds {
                places: busy,
                max_waiting: config.max_waiting,
                max_waiting_of_one: config.max_waiting,
                max_wait,
            }),
            memory: Memory::new(memory_mib, max_wait),
            leases: Arc::default(),
            config,
        });
        Inner::refill(&inner);
        tokio::spawn(sweep(Arc::downgrade(&inner)));
        Ok(Self { inner })
    }

    /// Takes on an event of a tenant's, before its function is looked up: [`Self::forget`] from then on keeps the event's
    /// process from being kept.
    pub fn lease(&self, tenant: &Arc<str>) -> Lease {
        self.inner.leases.take(tenant)
    }

    /// Hands an event, JSON text, to a process of the function; loads `source` into one when none is warm. The event is
    /// copied once it has its slot and its memory, and not while it waits.
    ///
    /// Dropping the future ends the process.
    pub async fn invoke(
        &self,
        key: &FunctionKey,
        source: &str,
        event: &str,
        limits: &Limits,
        host: &dyn HostCalls,
    ) -> Invocation {
        self.invoke_under(&self.lease(&key.tenant), key, source, event, limits, host).await
    }

    /// As [`Self::invoke`], under a lease that the tenant's event has already.
    pub async fn invoke_under(
        &self,
        lease: &Lease,
        key: &FunctionKey,
        source: &str,
        event: &str,
        limits: &Limits,
        host: &dyn HostCalls,
    ) -> Invocation {
        let mut account = Account::default();
        let mut usage = Usage::default();
        let outcome = self.run(lease, key, source, event, limits, host, &mut account, &mut usage).await;
        usage.cpu_us = micros(account.cpu);
        usage.wall_us = micros(account.wall);
        usage.host_calls = account.host_calls;
        Invocation { outcome, logs: account.logs, logs_truncated: account.logs_truncated, usage }
    }

    /// Loads a module into a process and ends it: whether it could be invoked. Top-level code of the module runs, and
    /// reaches nothing.
    ///
    /// # Errors
    /// [`InvocationError`], as [`Self::invoke`] gives it for a module that does not load.
    pub async fn check(
        &self,
        tenant: &Arc<str>,
        source: &str,
        limits: &Limits,
    ) -> Result<(), InvocationError> {
        let _tenant = self.inner.tenant_slot(tenant).await?;
        let mib = charge_mib(limits.memory_mib);
        let _tenant_memory = self.inner.tenant_memory.enter_with(tenant, mib).await?;
        let _slot = self.inner.appliance_slot(tenant).await?;
        let mut blank = Inner::take_blank(&self.inner, mib).await?;
        let loaded = Exchange::new(&mut blank, limits, &mut Account::default())?.load(source).await;
        match loaded {
            Ok(()) => Ok(()),
            Err(broken) => Err(explain(broken, blank, &mut Usage::default()).await),
        }
    }

    /// How long an event of the tenant's that came now would wait for its slots, as far as the latest events tell.
    pub fn expected_wait(&self, tenant: &Arc<str>) -> Duration {
        let own = self.inner.tenants.expected_wait(tenant, self.inner.config.max_per_tenant);
        own.max(self.inner.appliance.expected_wait(tenant, usize::MAX))
    }

    /// Processes that live now: busy, warm and spare.
    pub fn live_processes(&self) -> usize {
        self.inner.live.now()
    }

    /// Ends the warm processes of one function version: it was deleted or replaced. Those that are busy with it end with
    /// their event.
    pub fn forget(&self, key: &FunctionKey) {
        // Before the warm ones are looked through: what is kept after this was not leased before it.
        self.inner.leases.end_those_of(&key.tenant);
        let mut state = self.inner.lock();
        let gone: Vec<Warm> = state.warm.extract_if(.., |warm| warm.key == *key).collect();
        drop(state);
        drop(gone);
    }

    /// Ends the warm processes of a tenant's functions about which `name` was noted. Those that are busy end with their event.
    pub fn end_those_noted(&self, tenant: &Arc<str>, name: &str) {
        // In the order of `forget`, for its reason.
        self.inner.leases.end_those_of(tenant);
        let mut state = self.inner.lock();
        let noted = |warm: &mut Warm| warm.key.tenant == *tenant && warm.process.notes.holds(name);
        let gone: Vec<Warm> = state.warm.extract_if(.., noted).collect();
        drop(state);
        drop(gone);
    }

    #[expect(clippy::too_many_arguments, reason = "the event's parts, borrowed from two callers' frames")]
    async fn run(
        &self,
        lease: &Lease,
        key: &FunctionKey,
        source: &str,
        event: &str,
        limits: &Limits,
        host: &dyn HostCalls,
        account: &mut Account,
        usage: &mut Usage,
    ) -> Result<String, InvocationError> {
        json::check(event).map_err(InvocationError::Event)?;
        let mib = charge_mib(limits.memory_mib);
        // The function's first: an event that waits there holds nothing of its tenant's other functions.
        let _function = self.inner.functions.enter(key).await?;
        let _tenant = self.inner.tenant_slot(&key.tenant).await?;
        let _tenant_memory = self.inner.tenant_memory.enter_with(&key.tenant, mib).await?;
        let _slot = self.inner.appliance_slot(&key.tenant).await?;
        host.passed(Stage::Admitted);
        let mut process = if let Some(process) = self.take_ready(lease, key, limits, host).await? {
            process
        } else {
            usage.cold = true;
            let mut blank = Inner::take_blank(&self.inner, mib).await?;
            host.passed(Stage::Started);
            let loaded = Exchange::new(&mut blank, limits, account)?.load(source).await;
            if let Err(broken) = loaded {
                return Err(explain(broken, blank, usage).await);
            }
            host.served_by(&blank.notes).await.map_err(|NotReady| InvocationError::NotReady)?;
            blank
        };
        let done = Exchange::new(&mut process, limits, account)?.invoke(event.to_owned(), host).await;
        let output = match done {
            Ok(output) => output,
            Err(broken) => return Err(explain(broken, process, usage).await),
        };
        // A runner that ended right after its answer has no peak any more; its answer stands.
        usage.peak_memory_bytes = process.meter.peak_bytes().unwrap_or_default();
        if process.is_reusable(self.inner.config.max_events_per_process) {
            self.inner.keep(lease, key, process);
        }
        Ok(output)
    }

    /// A warm process for which the host is ready.
    async fn take_ready(
        &self,
        lease: &Lease,
        key: &FunctionKey,
        limits: &Limits,
        host: &dyn HostCalls,
    ) -> Result<Option<RunnerProcess>, InvocationError> {
        let Some(process) = self.inner.take_warm(key, limits) else { return Ok(None) };
        host.served_by(&process.notes).await.map_err(|NotReady| InvocationError::NotReady)?;
        // What was noted may have changed while the host made ready, and a process that idled would have been ended for it.
        Ok((process.notes.is_empty() || lease.holds_for(&key.tenant)).then_some(process))
    }
}

/// Says why the exchange broke. The process is ended.
async fn explain(broken: Broken, process: RunnerProcess, usage: &mut Usage) -> InvocationError {
    // A process that is gone has no peak any more.
    usage.peak_memory_bytes = process.meter.peak_bytes().unwrap_or_default();
    match broken {
        Broken::Because(error) => error,
        Broken::Closed => process.post_mortem().await,
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn tenant_slot(&self, tenant: &Arc<str>) -> Result<Permit<Arc<str>>, InvocationError> {
        let entered = self.tenants.enter(tenant, self.config.max_per_tenant).await;
        entered.map_err(|TurnedAway| InvocationError::Busy { scope: "tenant" })
    }

    async fn appliance_slot(&self, tenant: &Arc<str>) -> Result<Permit<Arc<str>>, InvocationError> {
        let entered = self.appliance.enter(tenant, usize::MAX).await;
        entered.map_err(|TurnedAway| InvocationError::Busy { scope: "appliance" })
    }

    fn take_warm(&self, key: &FunctionKey, limits: &Limits) -> Option<RunnerProcess> {
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

    /// A process without a function, with memory for one: a spare, or a new one in the place of the least recently used.
    async fn take_blank(this: &Arc<Self>, mib: u32) -> Result<RunnerProcess, InvocationError> {
        let reserved = this.memory.reserve(mib, |missing| this.make_room(missing)).await?;
        let (spare, evicted) = {
            let mut state = this.lock();
            let mut spare = state.spares.pop();
            while spare.as_mut().is_some_and(|spare| !spare.is_silent()) {
                spare = state.spares.pop();
            }
            let full = spare.is_none() && this.live.now() >= this.config.max_processes;
            let evicted = (full && !state.warm.is_empty()).then(|| state.warm.remove(0));
            (spare, evicted)
        };
        drop(evicted);
        Self::refill(this);
        let mut process = match spare {
            Some(process) => process,
            None => RunnerProcess::start(&this.spawner, this.live.token()).await?,
        };
        process.hold(reserved);
        Ok(process)
    }

    /// Ends idle processes that hold this much together, the least recently used first.
    fn make_room(&self, missing_mib: usize) {
        let mut ended = Vec::new();
        let mut found = 0;
        let mut state = self.lock();
        while found < missing_mib && !state.warm.is_empty() {
            let warm = state.warm.remove(0);
            found += warm.process.held_mib();
            ended.push(warm);
        }
        drop(state);
        drop(ended);
    }

    /// Keeps a process for its function's next event, unless the function may be gone or somebody waits for the memory.
    fn keep(&self, lease: &Lease, key: &FunctionKey, process: RunnerProcess) {
        let mut state = self.lock();
        // Both are asked under the lock under which idle processes are looked through for ending.
        if lease.holds_for(&key.tenant) && !self.memory.is_awaited() {
            state.warm.push(Warm { key: key.clone(), process, since: Instant::now() });
        } else {
            drop(state);
            drop(process);
        }
    }

    /// Starts the spares that are missing. One that cannot be started is missed by the next event, which then
    /// says why.
    fn refill(this: &Arc<Self>) {
        while let Some(live) = this.reserve_spare() {
            let weak = Arc::downgrade(this);
            tokio::spawn(async move {
                let Some(this) = weak.upgrade() else { return };
                let started = RunnerProcess::start(&this.spawner, live).await;
                let mut state = this.lock();
                state.starting -= 1;
                state
                    .spares
                    .extend(started.inspect_err(|error| tracing::warn!(%error, "no spare runner")).ok());
            });
        }
    }

    fn reserve_spare(&self) -> Option<LiveToken> {
        let mut state = self.lock();
        let missing = state.spares.len() + state.starting < self.config.spares;
        if !missing || self.live.now() >= self.config.max_processes {
            return None;
        }
        state.starting += 1;
        Some(self.live.token())
    }
}

/// Ends processes that were idle too long, while there is a pool.
async fn sweep(pool: Weak<Inner>) {
    let mut interval = tokio::time::interval(Duration::from_millis(SWEEP_INTERVAL_MS));
    loop {
        interval.tick().await;
        let Some(inner) = pool.upgrade() else { return };
        let max_idle = Duration::from_millis(inner.config.max_idle_ms);
        let mut state = inner.lock();
        let idle: Vec<Warm> = state.warm.extract_if(.., |warm| warm.since.elapsed() >= max_idle).collect();
        drop(state);
        drop(idle);
        Inner::refill(&inner);
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

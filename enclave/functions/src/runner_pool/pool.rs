//! The pool: who may have a process for an event.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use r3e_runner_api::{LogRecord, Purpose};

use super::admission::KeyedGates;
use super::config::{FunctionKey, HostCalls, Limits, RunnerConfig};
use super::engines::{Code, Engine, Nurseries};
use super::error::InvocationError;
use super::exchange::{Account, Exchange};
use super::first::Firsts;
use super::kept::Kept;
use super::leases::Lease;
use super::memory::charge_mib;
use super::run::{Asked, Run, why};
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

/// Processes, and the gates before them.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: RunnerConfig,
    pub(super) kept: Arc<Kept>,
    tenants: Turnstile<Arc<str>>,
    pub(super) functions: KeyedGates<FunctionKey>,
    pub(super) tenant_memory: KeyedGates<Arc<str>>,
    appliance: Turnstile<Arc<str>>,
    /// One event loads a function, and the others that come meanwhile find it loaded.
    pub(super) loading: KeyedGates<FunctionKey>,
    /// Functions whose first event is under way, in a process of its own.
    pub(super) firsts: Firsts,
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
        let inner = Arc::new(Inner {
            kept: Kept::new(&config, Nurseries::new(&config)?),
            // Who comes here was admitted before, so there is no number to bound.
            firsts: Firsts::default(),
            loading: KeyedGates::new("function", 1, usize::MAX, max_wait),
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
            config,
        });
        Ok(Self { inner })
    }

    /// Takes on an event of a tenant's, before its function is looked up: [`Self::forget`] from then on keeps the event's
    /// process from being kept.
    pub fn lease(&self, tenant: &Arc<str>) -> Lease {
        self.inner.kept.lease(tenant)
    }

    /// Hands an event, JSON text, to a process of the function; loads `code` into one when none is warm. The event is
    /// copied once it has its slot and its memory, and not while it waits.
    ///
    /// Dropping the future ends the process.
    pub async fn invoke(
        &self,
        key: &FunctionKey,
        code: impl Into<Code<'_>>,
        event: &str,
        limits: &Limits,
        host: &dyn HostCalls,
    ) -> Invocation {
        self.invoke_under(&self.lease(&key.tenant), key, code, event, limits, host).await
    }

    /// As [`Self::invoke`], under a lease that the tenant's event has already.
    pub async fn invoke_under(
        &self,
        lease: &Lease,
        key: &FunctionKey,
        code: impl Into<Code<'_>>,
        event: &str,
        limits: &Limits,
        host: &dyn HostCalls,
    ) -> Invocation {
        Run::new(&self.inner, Asked { lease, key, code: code.into(), limits, host }).handle(event).await
    }

    /// Loads a module into a process and ends it: whether it could be invoked. Top-level code of the module runs, and
    /// reaches nothing.
    ///
    /// # Errors
    /// [`InvocationError`], as [`Self::invoke`] gives it for a module that does not load.
    pub async fn check(
        &self,
        tenant: &Arc<str>,
        engine: Engine,
        source: &str,
        limits: &Limits,
    ) -> Result<(), InvocationError> {
        let _tenant = self.inner.tenant_slot(tenant).await?;
        let mib = charge_mib(limits.memory_mib);
        let _tenant_memory = self.inner.tenant_memory.enter_with(tenant, mib).await?;
        let _slot = self.inner.appliance_slot(tenant).await?;
        let mut blank = Kept::blank(&self.inner.kept, engine, mib).await?;
        let loaded =
            Exchange::new(&mut blank, limits, &mut Account::default()).load(source, Purpose::Copies).await;
        match loaded {
            Ok(()) => Ok(()),
            Err(broken) => Err(why(broken, blank).await),
        }
    }

    /// The slots and the memory of one event with so large a heap, for a process of the tenant's that is not the pool's.
    ///
    /// # Errors
    /// [`InvocationError::Busy`], [`InvocationError::NoRoom`].
    pub async fn room(
        &self,
        tenant: &Arc<str>,
        heap_mib: u32,
    ) -> Result<impl Sized + use<'_>, InvocationError> {
        let tenant_slot = self.inner.tenant_slot(tenant).await?;
        let mib = charge_mib(heap_mib);
        let tenant_memory = self.inner.tenant_memory.enter_with(tenant, mib).await?;
        let slot = self.inner.appliance_slot(tenant).await?;
        let memory = self.inner.kept.reserve(mib).await?;
        Ok((tenant_slot, tenant_memory, slot, memory))
    }

    /// How long an event of the tenant's that came now would wait for its slots, as far as the latest events tell.
    pub fn expected_wait(&self, tenant: &Arc<str>) -> Duration {
        let own = self.inner.tenants.expected_wait(tenant, self.inner.config.max_per_tenant);
        own.max(self.inner.appliance.expected_wait(tenant, usize::MAX))
    }

    /// Processes that live now: busy, warm and spare. Those that keep a function loaded are not among them.
    pub fn live_processes(&self) -> usize {
        self.inner.kept.live_processes()
    }

    /// Processes that wait for a function.
    pub fn spare_processes(&self) -> usize {
        self.inner.kept.spare_processes()
    }

    /// Function versions that are kept loaded, each by a process that does nothing but make copies of itself.
    pub fn loaded_functions(&self) -> usize {
        self.inner.kept.loaded_functions()
    }

    /// Ends the idle processes of one function version: it was deleted or replaced. Those that are busy with it end with
    /// their event.
    pub fn forget(&self, key: &FunctionKey) {
        self.inner.kept.forget(key);
    }

    /// Ends the idle processes of a tenant's functions about which `name` was noted. Those that are busy end with their event.
    pub fn end_those_noted(&self, tenant: &Arc<str>, name: &str) {
        self.inner.kept.end_those_noted(tenant, name);
    }
}

impl Inner {
    pub(super) async fn tenant_slot(&self, tenant: &Arc<str>) -> Result<Permit<Arc<str>>, InvocationError> {
        let entered = self.tenants.enter(tenant, self.config.max_per_tenant).await;
        entered.map_err(|TurnedAway| InvocationError::Busy { scope: "tenant" })
    }

    pub(super) fn tenant_slot_at_once(&self, tenant: &Arc<str>) -> Option<Permit<Arc<str>>> {
        self.tenants.enter_at_once(tenant, self.config.max_per_tenant)
    }

    pub(super) fn appliance_slot_at_once(&self, tenant: &Arc<str>) -> Option<Permit<Arc<str>>> {
        self.appliance.enter_at_once(tenant, usize::MAX)
    }

    pub(super) async fn appliance_slot(
        &self,
        tenant: &Arc<str>,
    ) -> Result<Permit<Arc<str>>, InvocationError> {
        let entered = self.appliance.enter(tenant, usize::MAX).await;
        entered.map_err(|TurnedAway| InvocationError::Busy { scope: "appliance" })
    }
}

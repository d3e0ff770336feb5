//! What the caller gives: the pool's settings, a function's identity and limits, and the host behind it.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use r3e_runner_api::{FunctionLimits, HostCall, HostReply};

use super::engines::{Engine, Layers};
use super::memory::charge_mib;
use super::notes::ProcessNotes;

/// Settings of a pool.
#[derive(Clone, Debug)]
pub struct RunnerConfig {
    /// The program that the pool starts for its own engine.
    pub runner_path: PathBuf,
    /// What that program runs: JavaScript, unless it is said otherwise.
    pub engine: Engine,
    /// What other engines are made of, as far as there are any.
    pub layers: Layers,
    /// Processes at once that handle events, or handled some and are kept, and spares. At least one more than `spares`.
    pub max_processes: usize,
    /// Function versions kept loaded at once, as far as memory goes.
    pub max_families: usize,
    /// Processes started ahead, without a function, so that a cold start is only a load.
    pub spares: usize,
    /// Events of one function version handled at once, whatever concurrency it declares.
    pub max_per_function: usize,
    /// Events of one tenant handled at once. Under half of all that can be, so that no tenant keeps the others waiting.
    pub max_per_tenant: usize,
    /// Memory that all processes together may come to hold, in MiB.
    pub memory_mib: u32,
    /// Memory that the processes at work for one tenant may come to hold, in MiB.
    pub max_memory_mib_per_tenant: u32,
    /// Events that may wait for a slot, in all.
    pub max_waiting: usize,
    /// Events of one tenant or function that may wait for a slot: each holds its event's bytes.
    pub max_waiting_per_tenant: usize,
    /// How long an event may wait for a slot.
    pub max_wait_ms: u64,
    /// Events after which a process is replaced.
    pub max_events_per_process: u32,
    /// How long a process without work is kept.
    pub max_idle_ms: u64,
}

impl RunnerConfig {
    /// Settings for a small machine; the path is the only thing that has no default.
    pub fn new(runner_path: PathBuf) -> Self {
        Self {
            runner_path,
            engine: Engine::default(),
            layers: Layers::default(),
            max_processes: 32,
            max_families: 2_048,
            spares: 2,
            max_per_function: 32,
            max_per_tenant: 10,
            memory_mib: 4_096,
            max_memory_mib_per_tenant: 1_366,
            max_waiting: 256,
            max_waiting_per_tenant: 64,
            max_wait_ms: 5_000,
            max_events_per_process: 10_000,
            max_idle_ms: 60_000,
        }
    }
}

impl RunnerConfig {
    /// Bounds what one tenant may hold of slots and memory at once to `percent` of all, rounded, but never less than one
    /// event of the largest function that has `largest_heap_mib`.
    #[must_use]
    pub fn with_tenant_share(self, percent: u32, largest_heap_mib: u32) -> Self {
        let busy = self.max_processes.saturating_sub(self.spares);
        let hundredths = usize::try_from(percent).unwrap_or(usize::MAX);
        let max_per_tenant = busy.saturating_mul(hundredths).saturating_add(50) / 100;
        let memory_mib = u64::from(self.memory_mib) * u64::from(percent) / 100;
        let memory_mib = u32::try_from(memory_mib).unwrap_or(u32::MAX);
        Self {
            max_per_tenant: max_per_tenant.max(1),
            max_memory_mib_per_tenant: memory_mib.max(charge_mib(largest_heap_mib)),
            ..self
        }
    }
}

/// What a process is bound to for its life. Processes of different keys share nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionKey {
    /// Whose function it is.
    pub tenant: Arc<str>,
    /// Which one, and which version of it: the digest of all that makes it.
    pub version: Arc<str>,
}

/// What one event may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time from the event's start to its end.
    pub wall_ms: u64,
    /// Processor time.
    pub cpu_ms: u64,
    /// The function's heap.
    pub memory_mib: u32,
    /// The output as JSON.
    pub output_bytes: u32,
    /// Host calls.
    pub host_calls: u32,
    /// Log text; what exceeds it is left out, and marked.
    pub log_bytes: u32,
    /// Whether a process that has handled an event may handle others of the same function version.
    pub reuse: bool,
}

impl Limits {
    /// The part that the runner itself keeps.
    pub(super) fn of_runner(&self) -> FunctionLimits {
        FunctionLimits {
            memory_mib: self.memory_mib,
            output_bytes: self.output_bytes,
            log_bytes: self.log_bytes,
        }
    }
}

/// An answer under way.
pub type HostFuture<'a> = Pin<Box<dyn Future<Output = HostReply> + Send + 'a>>;

/// Whether an event may be handed over, under way; the host keeps the reason where it may not.
pub type ReadyFuture<'a> = Pin<Box<dyn Future<Output = Result<(), NotReady>> + Send + 'a>>;

/// The host has something to do before the event, and could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotReady;

/// How far an event has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has its slots and its share of memory: it waits for no other event any more.
    Admitted,
    /// It has a process, in which its function is not loaded yet. An event that a process with the function serves passes
    /// no such stage.
    Started,
}

/// What a function's host calls reach. The implementation decides whether the function may.
pub trait HostCalls: Send + Sync {
    /// Told when the event has come to a stage.
    fn passed(&self, _stage: Stage) {}

    /// Carries out one call. Dropped half way when the event ends first.
    fn call(&self, call: HostCall) -> HostFuture<'_>;

    /// Told of the notes about the process that will serve the event, which is handed over once this is done, and not where
    /// it fails.
    fn served_by<'a>(&'a self, _notes: &'a Arc<ProcessNotes>) -> ReadyFuture<'a> {
        Box::pin(async { Ok(()) })
    }
}

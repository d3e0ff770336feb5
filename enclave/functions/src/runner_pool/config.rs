//! What the caller gives: the pool's settings, a function's identity and limits, and the host behind it.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use r3e_runner_api::{FunctionLimits, HostCall, HostReply};

/// Settings of a pool.
#[derive(Clone, Debug)]
pub struct RunnerConfig {
    /// The `r3e-runner` program.
    pub runner_path: PathBuf,
    /// Processes at once: busy, warm and spare together. At least one more than `spares`.
    pub max_processes: usize,
    /// Processes started ahead, without a function, so that a cold start is only a load.
    pub spares: usize,
    /// Events of one function version handled at once.
    pub max_per_function: usize,
    /// Events of one tenant handled at once.
    pub max_per_tenant: usize,
    /// Events that may wait for a slot: in all, and for one tenant or function.
    pub max_waiting: usize,
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
            max_processes: 32,
            spares: 2,
            max_per_function: 8,
            max_per_tenant: 16,
            max_waiting: 256,
            max_wait_ms: 5_000,
            max_events_per_process: 10_000,
            max_idle_ms: 60_000,
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

/// What a function's host calls reach. The implementation decides whether the function may.
pub trait HostCalls: Send + Sync {
    /// Carries out one call. Dropped half way when the event ends first.
    fn call(&self, call: HostCall) -> HostFuture<'_>;
}

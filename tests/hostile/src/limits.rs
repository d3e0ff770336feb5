//! Limits of the harness, each with its reason.

use std::time::Duration;

use r3e_functions::runner_pool::Limits;

/// Limits that nothing well behaved reaches, however slow the machine, and that end what hangs all the same.
pub const AMPLE: Limits = Limits {
    wall_ms: 60_000,
    cpu_ms: 20_000,
    memory_mib: 32,
    output_bytes: 100_000,
    host_calls: 100,
    log_bytes: 10_000,
    reuse: false,
};

/// Processor time of a script that must run out of it: long enough to be inside its loop, short enough that all take a
/// minute.
pub const SHORT_CPU_MS: u64 = 150;

/// Time of a script that must run out of it.
pub const SHORT_WALL_MS: u64 = 250;

/// Memory of the arena's pool: an attacker, a canary, and some.
pub const POOL_MEMORY_MIB: u32 = 1_024;

/// What a process that has loaded a function holds while a copy of it handles an event, and some. Less than an attacker is
/// charged, so that one that is charged for ever is seen.
pub const LOADED_MIB: u32 = 64;

/// For what an attack left to be gone: processes are reaped, descriptors closed and memory given back a moment after an
/// event has its outcome.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// How often something is looked at that tells nobody when it changes.
pub const POLL: Duration = Duration::from_millis(5);

/// A pool is at rest when it has looked the same for so long: a spare process takes some 50 ms to start.
pub const REST: Duration = Duration::from_millis(600);

/// Within what another tenant is to be served after a deadline, on a machine that is not busy otherwise.
pub const SERVED_WITHIN: Duration = Duration::from_millis(50);

/// By how many of the canary's own times, taken with nothing beside it, [`SERVED_WITHIN`] is widened on a machine that is
/// busy otherwise.
pub const CANARY_TIMES: u32 = 10;

/// Scripts at a time. More than two measure one another.
pub const MAX_WORKERS: usize = 2;

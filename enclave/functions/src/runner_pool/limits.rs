//! Bounds of the supervisor itself, with their reasons. A function's own are in [`super::Limits`].

/// From start to `Ready`. A start takes tens of milliseconds; a loaded machine takes a hundred times that.
pub const START_TIMEOUT_MS: u64 = 10_000;

/// The same of the process that runners are copies of. It starts once, and an interpreter with it: that takes half a second, and twenty
/// times as long where processors are emulated.
pub const NURSERY_TIMEOUT_MS: u64 = 45_000;

/// Shortest time between two looks at a busy process. A look costs some microseconds.
pub const MIN_CHECK_MS: u64 = 2;

/// Longest time between two looks at a busy process: how long it may hold too much memory.
pub const MAX_CHECK_MS: u64 = 50;

/// Resident memory of a process beyond its function's heap: the program, the prelude, copies of event and
/// output outside the engine. The process's own kernel limits are tighter; this is the second line.
pub const MEMORY_OVERHEAD_MIB: u64 = 128;

/// Resident memory of a process whose function has no heap to speak of: 15 MiB, and some slack.
pub const BASE_MEMORY_MIB: u64 = 20;

/// Resident memory of the process that Python functions are copies of: the interpreter, its library and its own memory.
pub const PYTHON_MEMORY_MIB: u64 = 128;

/// Part of its heap, in percent, that a function may keep between events before its process is replaced.
pub const RETAINED_HEAP_PERCENT: u64 = 75;

/// Bytes read from a runner at once.
pub const READ_CHUNK_BYTES: usize = 64 * 1024;

/// Between two looks for processes that were idle too long.
pub const SWEEP_INTERVAL_MS: u64 = 1_000;

/// Between two looks for processes that nobody ordered. A look reads a file for every process there is.
pub const WATCH_INTERVAL_MS: u64 = 4_000;

/// From an order to make a copy to its answer. It takes half a millisecond; a loaded machine takes a thousand times that.
pub const FORK_TIMEOUT_MS: u64 = 5_000;

/// How long the original of a copy that ended is waited for to say how.
pub const ENDING_TIMEOUT_MS: u64 = 1_000;

/// Ends of copies that are remembered until somebody asks: those at once of one original, and as many again.
pub const MAX_KEPT_ENDINGS: usize = 512;

/// What the kernel keeps for a process beside its memory, with its namespaces and its page tables, in MiB.
pub const FAMILY_KERNEL_MIB: u64 = 1;

/// Processor time that a process which has loaded its function may use in its life beside what its orders take: none is meant.
pub const FAMILY_CPU_MS: u64 = 200;

/// Processor time that one order may take it: half a millisecond, and a hundred times that where the machine is emulated.
pub const FAMILY_CPU_PER_ORDER_MS: u64 = 50;

/// What it may grow by after its function is loaded: it copies itself, and hardly needs memory for that.
pub const FAMILY_GROWTH_BYTES: u64 = 8 * 1024 * 1024;

/// Memory of a process that waits for a function, in MiB, beside what it shares with the process that it is a copy of.
pub const SPARE_MIB: u64 = 4;

/// From the end of what a process did to the look at what it alone holds.
pub const WEIGH_DELAY_MS: u64 = 20;

/// A load that takes longer is not done again ahead of the next event: who asks for that waits for it, and is charged for it.
pub const MAX_AHEAD_LOAD_MS: u64 = 250;

/// What a load ahead of the next event may take beside twice what the first took: the machine has other work.
pub const AHEAD_SLACK_MS: u64 = 50;

/// How long a function is not loaded ahead once that went wrong, or would take too long.
pub const NOT_AHEAD_MS: u64 = 600_000;

/// Functions that this is remembered of.
pub const MAX_NOT_AHEAD: usize = 4_096;

/// How long a spare that was taken is missed before another is started.
pub const REFILL_DELAY_MS: u64 = 10;

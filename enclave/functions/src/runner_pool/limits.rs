//! Bounds of the supervisor itself, with their reasons. A function's own are in [`super::Limits`].

/// From start to `Ready`. A start takes tens of milliseconds; a loaded machine takes a hundred times that.
pub const START_TIMEOUT_MS: u64 = 10_000;

/// Shortest time between two looks at a busy process. A look costs some microseconds.
pub const MIN_CHECK_MS: u64 = 2;

/// Longest time between two looks at a busy process: how long it may hold too much memory.
pub const MAX_CHECK_MS: u64 = 50;

/// Resident memory of a process beyond its function's heap: the program, the prelude, copies of event and
/// output outside the engine. The process's own kernel limits are tighter; this is the second line.
pub const MEMORY_OVERHEAD_MIB: u64 = 128;

/// Resident memory of a process whose function has no heap to speak of: 15 MiB, and some slack.
pub const BASE_MEMORY_MIB: u64 = 20;

/// Part of its heap, in percent, that a function may keep between events before its process is replaced.
pub const RETAINED_HEAP_PERCENT: u64 = 75;

/// Bytes read from a runner at once.
pub const READ_CHUNK_BYTES: usize = 64 * 1024;

/// Between two looks for processes that were idle too long.
pub const SWEEP_INTERVAL_MS: u64 = 1_000;

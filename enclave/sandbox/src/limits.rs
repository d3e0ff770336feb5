//! Every bound that the box itself keeps, with its reason. The protocol's are in `r3e-runner-api`.

/// Main thread's stack. An engine stops a script at 1 MiB; its native code below that needs room of its own.
pub(crate) const STACK_BYTES: u64 = 16 * 1024 * 1024;

/// Open descriptors: the socket, standard output and error, and a few on their way to another process.
pub(crate) const MAX_OPEN_FILES: u64 = 16;

/// Address space before a function's own limit is known. A backstop for the engine's start alone.
pub(crate) const STARTING_ADDRESS_SPACE_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// What a process may map and write beyond its function's heap: copies of the event and output outside the
/// engine, the engine's slack for unwinding out of an exhausted heap, allocator overhead.
pub(crate) const MEMORY_BEYOND_HEAP_BYTES: u64 = 96 * 1024 * 1024;

/// Smallest heap a function may be given: an engine's own objects alone take some 3 MiB.
pub const MIN_MEMORY_MIB: u32 = 8;

/// Largest heap a function may be given.
pub const MAX_MEMORY_MIB: u32 = 2048;

/// Bytes read from the socket at once.
pub(crate) const READ_CHUNK_BYTES: usize = 64 * 1024;

/// First user id given to boxed processes.
pub(crate) const FIRST_UID: u32 = 0x4000_0000;

/// User ids that are given from there on.
pub(crate) const UIDS: u32 = 0x8000_0000;

/// Copies of one function version that may live, or be dead and not yet reaped. Twice what the supervisor has at work at
/// once, at most, since the ends of some may not be told while the next begin.
pub(crate) const MAX_COPIES_OF_ONE: u64 = 512;

/// Log lines of one event: one less than the enclave bears, for the line that says more were left out.
pub(crate) const MAX_LOG_LINES: u32 = r3e_runner_api::limits::MAX_LOG_FRAMES - 1;

/// Threads and processes of one function version whose engine has threads: those of all its events at once. A runtime has four of its
/// own in each; what one event may start besides is bounded by its memory, of which each thread's stack takes some.
pub(crate) const MAX_THREADS: u64 = 2048;

/// Open files of a process that has files of its own: a compiler holds every library open that it compiles against.
pub(crate) const MAX_OPEN_SCRATCH_FILES: u64 = 64;

/// Bytes before a message of [`crate::serve_once`]: its length, as a big-endian `u32`.
pub(crate) const ONCE_PREFIX_BYTES: usize = 4;

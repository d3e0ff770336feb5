//! Every bound that the runner itself keeps, with its reason. The protocol's are in `r3e-runner-api`.

/// Main thread's stack. The engine stops a script at 1 MiB; its native code below that needs room of its own.
pub(crate) const STACK_BYTES: u64 = 16 * 1024 * 1024;

/// Open descriptors: the socket, the reactor's two or three, and standard output and error.
pub(crate) const MAX_OPEN_FILES: u64 = 16;

/// Address space before a function's own limit is known. A backstop for the engine's start alone.
pub(crate) const STARTING_ADDRESS_SPACE_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// What a process may map and write beyond its function's heap: copies of the event and output outside the
/// engine, the engine's slack for unwinding out of an exhausted heap, allocator overhead.
pub(crate) const MEMORY_BEYOND_HEAP_BYTES: u64 = 96 * 1024 * 1024;

/// Smallest heap a function may be given: the prelude alone takes about 3 MiB.
pub(crate) const MIN_MEMORY_MIB: u32 = 8;

/// Largest heap a function may be given.
pub(crate) const MAX_MEMORY_MIB: u32 = 2048;

/// Log lines of one invocation: one less than the enclave bears, for the line that says more were left out.
pub(crate) const MAX_LOG_LINES: u32 = r3e_runner_api::limits::MAX_LOG_FRAMES - 1;

/// Bytes read from the socket at once.
pub(crate) const READ_CHUNK_BYTES: usize = 64 * 1024;

/// First user id given to runners; each takes this plus its process id, so that no two share one.
pub(crate) const FIRST_UID: u32 = 0x4000_0000;

/// Host calls that may queue behind those that are out. Far above any function's budget.
pub(crate) const MAX_QUEUED_HOST_CALLS: usize = 1024;

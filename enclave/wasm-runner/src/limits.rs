//! Every bound that compiling and running WebAssembly keeps, with its reason. The box's are in `r3e-sandbox`, the protocol's in
//! `r3e-runner-api`.

use std::time::Duration;

/// Machine code of one module. The largest that may be deployed compile to two thirds of it.
pub(crate) const MAX_ARTEFACT_BYTES: usize = 24 * 1024 * 1024;

/// The longest that is waited for in one step: longer than any event may last.
pub(crate) const LONGEST_SLEEP: Duration = Duration::from_hours(24);

/// Instances of a component: its own module, and those that its build put beside it.
pub(crate) const MAX_INSTANCES: usize = 32;

/// Things to wait for that a component holds at once. Some compilers' sleep gives none back.
pub(crate) const MAX_RESOURCES: usize = 65_536;

/// Things that a component waits for at once.
pub(crate) const MAX_POLLED: usize = 1024;

/// Functions and types of WASI that a component imports. WASI 0.2 has some hundreds in all.
pub(crate) const MAX_IMPORTED: usize = 4096;

/// Bytes that one call hands over, either way: more than any message or output holds, so that what is too long is told so.
pub(crate) const MAX_LIFTED_BYTES: usize = 32 * 1024 * 1024;

/// Address space of a linear memory: all that 32 bits address, so that no access needs a check, a guard after it, and what machine
/// code and stacks take. Little of it is ever written.
pub(crate) const RESERVED_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// Stack of the module's own code. Beyond it a call traps.
pub(crate) const WASM_STACK_BYTES: usize = 2 * 1024 * 1024;

/// Stack that it runs on: the module's, and what the host's functions take below it.
pub(crate) const STACK_BYTES: usize = 3 * 1024 * 1024;

/// Elements of all tables: functions that are called by pointer. A large program has some ten thousand.
pub(crate) const MAX_TABLE_ELEMENTS: usize = 100_000;

/// Tables of all instances; compilers make one for a module.
pub(crate) const MAX_TABLES: usize = 4;

/// Buffers of one read or write.
pub(crate) const MAX_BUFFERS: u32 = 1024;

/// Bytes that one read gives, and one write takes.
pub(crate) const MAX_STREAM_BYTES: usize = 64 * 1024;

/// Things that one `poll_oneoff` waits for.
pub(crate) const MAX_SUBSCRIPTIONS: u32 = 64;

/// Random bytes that one call gives.
pub(crate) const MAX_RANDOM_BYTES: usize = 64 * 1024;

/// Memory of an interpreter before it has a function.
pub(crate) const STARTING_MEMORY_BYTES: usize = 256 * 1024 * 1024;

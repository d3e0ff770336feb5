//! Every bound that compiling and running C# keeps, with its reason. The box's are in `r3e-sandbox`, the protocol's in
//! `r3e-runner-api`.

/// What an assembly may have that a function is compiled to: in base64, with its symbols, it fits a program.
pub(crate) const MAX_ASSEMBLY_BYTES: usize = 2 * 1024 * 1024;

/// Files of the compiler: the assemblies that it compiles against, 14 MiB, the sources, and what it makes.
pub const SCRATCH_BYTES: u64 = 32 * 1024 * 1024;

/// Memory that the compiler may come to write: what a deployment is given, less its files.
pub const COMPILER_MEMORY_BYTES: u64 =
    r3e_runner_api::bundling::MEMORY_MIB as u64 * 1024 * 1024 - SCRATCH_BYTES;

/// Of it, what the compiler's heap may take; the rest is the runtime's own.
pub(crate) const COMPILER_HEAP_BYTES: u64 = 160 * 1024 * 1024;

/// Stack of the thread that the runtime is started in, and the handler runs in.
pub(crate) const STACK_BYTES: usize = 4 * 1024 * 1024;

/// What the collected heap may not be set below: the runtime starts with no less.
pub(crate) const MIN_HEAP_BYTES: u64 = 16 * 1024 * 1024;

/// What the allocator of the runtime itself asks the kernel for at once.
pub(crate) const HEAP_STEP_BYTES: i32 = 2 * 1024 * 1024;

/// Things said by the function's threads that wait for the one that speaks with the enclave: a few, so that what prints without end
/// waits for its reader.
pub(crate) const MAX_SAID: usize = 64;

/// How often what the function says is looked at while an answer of the enclave's is waited for, in milliseconds.
pub(crate) const LOOK_MS: u64 = 2;

/// Text that a function's thread may hand over at once, in UTF-16 units: the longest output, and what tells that it is too long.
pub(crate) const MAX_TEXT_UNITS: usize = 8 * 1024 * 1024;

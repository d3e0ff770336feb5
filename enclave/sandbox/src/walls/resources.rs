//! Resource limits: the kernel's own counts, under whatever the engine counts itself.

use nix::sys::resource::{Resource, setrlimit};

use super::SandboxError;
use crate::limits::{
    MAX_COPIES_OF_ONE, MAX_OPEN_FILES, MAX_OPEN_SCRATCH_FILES, MEMORY_BEYOND_HEAP_BYTES, STACK_BYTES,
    STARTING_ADDRESS_SPACE_BYTES,
};

/// Puts this process first among those that the kernel ends when memory runs out, so that no tenant's code can have the
/// process ended that holds the keys. Raising the own score needs no right.
pub(super) fn be_first_to_go() -> Result<(), SandboxError> {
    std::fs::write("/proc/self/oom_score_adj", "1000").map_err(SandboxError::Order)
}

/// Sets every limit that does not depend on the function. `reserved_bytes` of address space are never written.
pub(super) fn limit(reserved_bytes: u64) -> Result<(), SandboxError> {
    limit_to(reserved_bytes, 0, MAX_OPEN_FILES)
}

/// The same for a process that may write files of its own, as long as these.
pub(super) fn limit_with_files(file_bytes: u64) -> Result<(), SandboxError> {
    limit_to(0, file_bytes, MAX_OPEN_SCRATCH_FILES)
}

fn limit_to(reserved_bytes: u64, file_bytes: u64, open_files: u64) -> Result<(), SandboxError> {
    let table = [
        // A memory image of a crashed process would hold the tenant's data.
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_NOFILE, open_files),
        // With none, no file can be written, whatever is open.
        (Resource::RLIMIT_FSIZE, file_bytes),
        (Resource::RLIMIT_MEMLOCK, 0),
        (Resource::RLIMIT_MSGQUEUE, 0),
        (Resource::RLIMIT_RTPRIO, 0),
        (Resource::RLIMIT_NICE, 0),
        (Resource::RLIMIT_STACK, STACK_BYTES),
        (Resource::RLIMIT_AS, STARTING_ADDRESS_SPACE_BYTES.saturating_add(reserved_bytes)),
        (Resource::RLIMIT_DATA, STARTING_ADDRESS_SPACE_BYTES),
    ];
    for (resource, limit) in table {
        setrlimit(resource, limit, limit).map_err(SandboxError::Resources)?;
    }
    Ok(())
}

/// Processes of one user id that has a function: the one that has loaded it, and its copies.
pub(super) const FAMILY: u64 = 1 + MAX_COPIES_OF_ONE;

/// Sets how many processes and threads its user may have; with none, it can start no other.
pub(super) fn limit_processes(processes: u64) -> Result<(), SandboxError> {
    setrlimit(Resource::RLIMIT_NPROC, processes, processes).map_err(SandboxError::Resources)
}

/// Lowers the memory limits to what a function with this heap may use, over what is only reserved; they cannot be
/// raised again.
pub(crate) fn lower_memory(heap_bytes: u64, reserved_bytes: u64) -> Result<(), SandboxError> {
    let data = heap_bytes.saturating_add(MEMORY_BEYOND_HEAP_BYTES).min(STARTING_ADDRESS_SPACE_BYTES);
    setrlimit(Resource::RLIMIT_DATA, data, data).map_err(SandboxError::Resources)?;
    let space = data.saturating_add(STACK_BYTES + MEMORY_BEYOND_HEAP_BYTES).min(STARTING_ADDRESS_SPACE_BYTES);
    let space = space.saturating_add(reserved_bytes);
    setrlimit(Resource::RLIMIT_AS, space, space).map_err(SandboxError::Resources)
}

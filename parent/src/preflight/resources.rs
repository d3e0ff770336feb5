//! Whether a machine has what an enclave needs: a device, memory, processors, a context id.

use std::io;
use std::path::Path;

use super::machine::Machine;
use super::problem::Problem;
use crate::launch::{Described, Launch};
use crate::limits::{MIN_ENCLAVE_CID, NITRO_MEMORY_FACTOR, QEMU_MEMORY_FACTOR};

/// What QEMU signs documents with: the key, and the chain from the leaf to the root.
const SIGNING_FILES: [&str; 4] = ["key.der", "leaf.der", "ca0.der", "ca1.der"];

/// For an enclave of the Nitro hypervisor, beside `others`, and after one that holds `leftover_mib` is ended.
pub(super) fn nitro(
    launch: &Launch,
    machine: &Machine,
    image_bytes: Option<u64>,
    others: &[Described],
    leftover_mib: u64,
) -> Vec<Problem> {
    let mut problems = cid(launch);
    match machine.open_device() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Without the driver there is no pool and no page to ask for: one finding, not four.
            problems.push(Problem::DeviceMissing);
            problems.extend(memory_for(launch, image_bytes, NITRO_MEMORY_FACTOR));
            return problems;
        }
        // nitro-cli is asked whether an enclave runs; a busy device still opens.
        Err(error) => problems.push(Problem::DeviceForbidden { reason: error.to_string() }),
        Ok(()) => {}
    }
    problems.extend(memory_for(launch, image_bytes, NITRO_MEMORY_FACTOR));
    problems.extend(hugepages(launch, machine, leftover_mib));
    let pool = machine.cpu_pool().unwrap_or(0);
    let used = others.iter().map(|enclave| enclave.cpus).fold(0, u64::saturating_add);
    if launch.cpus == 0 {
        problems.push(Problem::NoCpus);
    } else if u64::from(launch.cpus) > pool.saturating_sub(used) {
        problems.push(Problem::CpuPool { cpus: launch.cpus, pool, used });
    }
    problems
}

/// For an emulated one.
pub(super) fn qemu(launch: &Launch, machine: &Machine, image_bytes: Option<u64>) -> Vec<Problem> {
    let mut problems = cid(launch);
    problems.extend(memory_for(launch, image_bytes, QEMU_MEMORY_FACTOR));
    if launch.cpus == 0 {
        problems.push(Problem::NoCpus);
    } else if u64::from(launch.cpus) > machine.cpus_online() {
        problems.push(Problem::MoreCpusThanThereAre { cpus: launch.cpus, online: machine.cpus_online() });
    }
    problems
}

/// Whether the machine has the memory for a second emulated one beside the first.
pub(super) fn memory_beside(launch: &Launch, machine: &Machine) -> Option<Problem> {
    let (memory_mib, available_mib) = (launch.memory_mib, machine.available_mib()?);
    (available_mib < memory_mib).then_some(Problem::MemoryBeside { memory_mib, available_mib })
}

/// Whether QEMU finds what it shall sign with.
pub(super) fn signing(folder: &Path) -> Vec<Problem> {
    let missing = SIGNING_FILES.iter().map(|file| folder.join(file)).filter(|path| !path.is_file());
    missing.map(|path| Problem::SigningFile { path }).collect()
}

fn cid(launch: &Launch) -> Vec<Problem> {
    let cid = launch.context_id();
    let reserved = cid < MIN_ENCLAVE_CID || cid == u32::MAX;
    if reserved { vec![Problem::CidReserved { cid }] } else { Vec::new() }
}

fn memory_for(launch: &Launch, image_bytes: Option<u64>, factor: u64) -> Option<Problem> {
    let needed_mib = image_bytes?.saturating_mul(factor).div_ceil(1 << 20);
    (launch.memory_mib < needed_mib).then_some(Problem::MemoryForImage {
        memory_mib: launch.memory_mib,
        needed_mib,
        factor,
    })
}

/// Whether the pages are there, and free once the enclave of an earlier start gives back its `leftover_mib`.
fn hugepages(launch: &Launch, machine: &Machine, leftover_mib: u64) -> Option<Problem> {
    let pages = machine.hugepages();
    let allocator_mib = machine.allocation().map(|allocation| allocation.memory_mib);
    let (memory_mib, total_mib) = (launch.memory_mib, pages.total_mib);
    let free_mib = pages.free_mib.saturating_add(leftover_mib);
    if total_mib == 0 {
        Some(Problem::NoHugepages { memory_mib, allocator_mib })
    } else if total_mib < memory_mib {
        Some(Problem::AllocatorTooSmall { memory_mib, total_mib, allocator_mib })
    } else if free_mib < memory_mib {
        Some(Problem::HugepagesInUse { memory_mib, free_mib, total_mib })
    } else {
        None
    }
}

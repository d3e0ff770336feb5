//! Memory of a process and all below it, from `/proc` (`proc_pid_smaps(5)`).

use std::fs;

use anyhow::Context as _;
use r3e_e2e::processes::below;

use crate::measured::Held;

/// The share of the memory that each of them holds.
pub(crate) fn held(roots: &[u32]) -> anyhow::Result<Held> {
    let mut held = Held { kib: 0, processes: 0 };
    for process in below(roots)? {
        // One that has ended meanwhile holds nothing.
        if let Ok(kib) = held_alone(process) {
            held.kib += kib;
            held.processes += 1;
        }
    }
    Ok(held)
}

/// The share that one of them holds, in KiB.
pub(crate) fn held_alone(process: u32) -> anyhow::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).context("the kernel tells no Pss")
}

//! Processor time and memory of a process and all below it, from `/proc` (`proc_pid_stat(5)`, `proc_pid_smaps(5)`).

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use nix::unistd::{SysconfVar, sysconf};

use crate::measured::Held;

/// Processor time that they used, those included that have ended and were waited for.
pub(crate) fn cpu(roots: &[u32]) -> anyhow::Result<Duration> {
    let ticks_a_second = sysconf(SysconfVar::CLK_TCK)?.context("the kernel tells no clock tick")?;
    let mut ticks = 0;
    for process in below(roots)? {
        // One that has ended meanwhile is counted where it was waited for.
        ticks += fs::read_to_string(format!("/proc/{process}/stat"))
            .ok()
            .and_then(|text| used(&text))
            .unwrap_or(0);
    }
    Ok(Duration::from_millis(ticks * 1_000 / u64::try_from(ticks_a_second)?))
}

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

/// Ticks in user and system mode, of the process and of those that it waited for: fields 14 to 17.
fn used(stat: &str) -> Option<u64> {
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().skip(11).take(4).map(|field| field.parse::<u64>().ok()).sum()
}

/// The processes and all that descend from them.
fn below(roots: &[u32]) -> anyhow::Result<Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
        let parent =
            stat.rsplit_once(')').and_then(|(_, fields)| fields.split_whitespace().nth(1)?.parse().ok());
        if let Some(parent) = parent {
            children.entry(parent).or_default().push(process);
        }
    }
    let (mut found, mut open) = (Vec::new(), roots.to_vec());
    while let Some(process) = open.pop() {
        found.push(process);
        open.extend(children.remove(&process).unwrap_or_default());
    }
    Ok(found)
}

//! Processor time of a process and all below it, from `/proc` (`proc_pid_stat(5)`).

use std::collections::HashMap;
use std::fs;
use std::io;
use std::time::Duration;

use nix::unistd::{SysconfVar, sysconf};

/// Processor time that they used, those included that have ended and were waited for.
///
/// # Errors
/// There is no `/proc`.
pub fn cpu(roots: &[u32]) -> io::Result<Duration> {
    let ticks_a_second =
        sysconf(SysconfVar::CLK_TCK)?.and_then(|ticks| u64::try_from(ticks).ok()).unwrap_or(100);
    // One that has ended meanwhile is counted where it was waited for.
    let of_one = |process: &u32| used(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?);
    let ticks: u64 = below(roots)?.iter().filter_map(of_one).sum();
    Ok(Duration::from_millis(ticks * 1_000 / ticks_a_second))
}

/// The processes and all that descend from them.
///
/// # Errors
/// There is no `/proc`.
pub fn below(roots: &[u32]) -> io::Result<Vec<u32>> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
        if let Some(parent) = fields(&stat).and_then(|mut fields| fields.nth(1)?.parse().ok()) {
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

/// Ticks in user and system mode, of the process and of those that it waited for: fields 14 to 17.
fn used(stat: &str) -> Option<u64> {
    fields(stat)?.skip(11).take(4).map(|field| field.parse::<u64>().ok()).sum()
}

/// The fields behind the name, which stands in parentheses and may hold anything.
fn fields(stat: &str) -> Option<impl Iterator<Item = &str>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
}

//! How much memory there is, and how much of it this process holds. An enclave has no swap: what runners may hold together has to fit beside everything else.

use std::fs;

use crate::limits::RUNNERS_MEMORY_PERCENT;

/// The kernel's account of memory (`proc_meminfo(5)`).
const MEMINFO: &str = "/proc/meminfo";
/// And of this process's (`proc_pid_status(5)`).
const STATUS: &str = "/proc/self/status";

/// The budget of all runners, in MiB: what the configuration allows, but never more than fits this machine.
pub(crate) fn runners_budget_mib(configured_mib: u32) -> u32 {
    let fits = fs::read_to_string(MEMINFO).ok().and_then(|text| fitting_mib(&text));
    match fits {
        Some(fits) if fits < configured_mib => {
            tracing::warn!(
                configured_mib,
                budget_mib = fits,
                "the enclave has too little memory for functions.max_memory_mib"
            );
            fits
        }
        Some(_) => configured_mib,
        None => {
            tracing::warn!(
                "{MEMINFO} does not say how much memory there is; functions.max_memory_mib stands unchecked"
            );
            configured_mib
        }
    }
}

/// Bytes that this process holds, without its runners; none where the kernel does not say.
pub(crate) fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string(STATUS).ok()?;
    kib(&status, "VmRSS:")?.checked_mul(1024)
}

/// The figure of one line, in KiB.
fn kib(account: &str, name: &str) -> Option<u64> {
    let figure = account.lines().find_map(|line| line.strip_prefix(name))?;
    figure.trim().strip_suffix("kB")?.trim().parse().ok()
}

fn fitting_mib(meminfo: &str) -> Option<u32> {
    let total_kib = kib(meminfo, "MemTotal:")?;
    u32::try_from((total_kib / 1024).checked_mul(RUNNERS_MEMORY_PERCENT)? / 100).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_quarters_of_the_machine_fit() {
        let text = "MemTotal:        524288 kB\nMemFree:         12345 kB\n";
        assert_eq!(fitting_mib(text), Some(384));
    }

    #[test]
    fn an_account_that_says_nothing_is_none() {
        for text in ["", "MemFree: 1 kB\n", "MemTotal: kB\n", "MemTotal: 12 MB\n", "MemTotal: -1 kB\n"] {
            assert_eq!(fitting_mib(text), None, "{text:?}");
        }
        assert_eq!(fitting_mib(&format!("MemTotal: {} kB", u64::MAX)), None);
    }

    #[test]
    fn this_process_holds_something() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 64 * 1024));
    }

    #[test]
    fn what_fits_stands_and_what_does_not_is_cut() {
        assert_eq!(runners_budget_mib(1), 1);
        assert!(runners_budget_mib(u32::MAX) < u32::MAX);
    }
}

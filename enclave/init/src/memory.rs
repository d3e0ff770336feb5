//! How much memory the machine has: the first thing to look at when an enclave does not start.

use std::fmt;
use std::fs::File;
use std::io::Read as _;

use crate::limits::MAX_MEMORY_ACCOUNT_BYTES;

/// The kernel's account, in KiB; nothing where it gives none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Memory {
    total_kib: Option<u64>,
    available_kib: Option<u64>,
}

impl Memory {
    /// As it is now.
    pub(crate) fn read() -> Self {
        let mut text = String::new();
        let read = File::open("/proc/meminfo")
            .and_then(|file| file.take(MAX_MEMORY_ACCOUNT_BYTES).read_to_string(&mut text));
        drop(read);
        Self::parse(&text)
    }

    fn parse(text: &str) -> Self {
        let value = |name: &str| {
            let rest = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            rest.trim().strip_suffix(" kB")?.parse().ok()
        };
        Self { total_kib: value("MemTotal"), available_kib: value("MemAvailable") }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.total_kib, self.available_kib) {
            (Some(total), Some(available)) => {
                write!(f, "{} MiB for programs and files, {} MiB of it free", total / 1024, available / 1024)
            }
            _ => f.write_str("its size is unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_account_is_read() {
        let text = "MemTotal:         108484 kB\nMemFree:           51244 kB\nMemAvailable:      50000 kB\n";
        let memory = Memory::parse(text);
        assert_eq!(memory, Memory { total_kib: Some(108_484), available_kib: Some(50_000) });
        assert_eq!(memory.to_string(), "105 MiB for programs and files, 48 MiB of it free");
        let memory = Memory::read();
        assert!(memory.total_kib > memory.available_kib && memory.available_kib > Some(0), "{memory:?}");
    }

    #[test]
    fn another_account_is_no_reason_to_stop() {
        for text in ["", "MemTotal: many\n", "MemTotalled: 1 kB\nMemAvailable: -1 kB\n"] {
            assert_eq!(Memory::parse(text), Memory { total_kib: None, available_kib: None }, "{text}");
        }
        assert_eq!(Memory::parse("").to_string(), "its size is unknown");
    }
}

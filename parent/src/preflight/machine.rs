//! What the kernel and the allocator's configuration say of a machine. Knows nothing of what is needed.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::limits::MAX_MACHINE_FILE_BYTES;

/// A machine, by its file system.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
}

/// Memory in huge pages, of all sizes together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Hugepages {
    pub(super) total_mib: u64,
    pub(super) free_mib: u64,
}

/// What `allocator.yaml` asks for, over all its entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Allocation {
    pub(super) memory_mib: u64,
}

impl Machine {
    /// This machine.
    pub fn this() -> Self {
        Self::at("/")
    }

    /// The machine whose file system is mounted at `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Opens the driver's device, as `nitro-cli` will.
    pub(super) fn open_device(&self) -> io::Result<()> {
        File::options().read(true).write(true).open(self.path("dev/nitro_enclaves")).map(drop)
    }

    /// Huge pages by the kernel's count.
    pub(super) fn hugepages(&self) -> Hugepages {
        let mut sum = Hugepages::default();
        let folders = fs::read_dir(self.path("sys/kernel/mm/hugepages")).into_iter().flatten().flatten();
        for folder in folders {
            let name = folder.file_name();
            let size = name.to_str().and_then(|name| name.strip_prefix("hugepages-")?.strip_suffix("kB"));
            let Some(kib) = size.and_then(|size| size.parse::<u64>().ok()) else { continue };
            let mib = |file: &str| number(&folder.path().join(file)).saturating_mul(kib) / 1024;
            sum.total_mib = sum.total_mib.saturating_add(mib("nr_hugepages"));
            sum.free_mib = sum.free_mib.saturating_add(mib("free_hugepages"));
        }
        sum
    }

    /// Memory that programs can still have, by the kernel's estimate; none where it gives none.
    pub(super) fn available_mib(&self) -> Option<u64> {
        let text = text(&self.path("proc/meminfo")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        let kib = line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?;
        Some(kib / 1024)
    }

    /// How many processors are set aside for enclaves, or none where the driver is not loaded.
    pub(super) fn cpu_pool(&self) -> Option<u64> {
        let text = text(&self.path("sys/module/nitro_enclaves/parameters/ne_cpus")).ok()?;
        Some(cpu_list(text.trim()))
    }

    /// How many processors this machine uses itself.
    pub(super) fn cpus_online(&self) -> u64 {
        text(&self.path("sys/devices/system/cpu/online")).map_or(0, |text| cpu_list(text.trim()))
    }

    /// The allocator's configuration, where there is one.
    pub(super) fn allocation(&self) -> Option<Allocation> {
        let text = text(&self.path("etc/nitro_enclaves/allocator.yaml")).ok()?;
        let mut sum = Allocation::default();
        for line in text.lines() {
            // Plain `key: number` lines, one entry or a list of them: the file knows no more.
            let line = line.split('#').next().unwrap_or_default().trim().trim_start_matches("- ");
            if let Some(("memory_mib", value)) = line.split_once(':') {
                let mib = value.trim().parse::<u64>().unwrap_or(0);
                sum.memory_mib = sum.memory_mib.saturating_add(mib);
            }
        }
        Some(sum)
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

fn text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_MACHINE_FILE_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

fn number(path: &Path) -> u64 {
    text(path).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

/// How many processors a list such as `1,3,5-7` names.
fn cpu_list(text: &str) -> u64 {
    let counts = text.split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?);
        last.checked_sub(first)?.checked_add(1)
    });
    counts.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> (tempfile::TempDir, Machine) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let machine = Machine::at(folder.path());
        (folder, machine)
    }

    #[test]
    fn lists_of_processors_are_counted() {
        for (text, count) in [
            ("", 0),
            ("1", 1),
            ("1,3", 2),
            ("2-5", 4),
            ("1,3,5-7", 5),
            ("7-5", 0),
            ("x", 0),
            ("0-18446744073709551615", 0),
        ] {
            assert_eq!(cpu_list(text), count, "{text}");
        }
    }

    #[test]
    fn what_the_kernel_says_is_summed() {
        let (_folder, machine) = machine(&[
            ("sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "256\n"),
            ("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "128\n"),
            ("sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "1\n"),
            ("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "0\n"),
            ("sys/kernel/mm/hugepages/unknown/nr_hugepages", "9\n"),
            ("sys/module/nitro_enclaves/parameters/ne_cpus", "1,3\n"),
            ("proc/meminfo", "MemTotal:       8000 kB\nMemFree:         100 kB\nMemAvailable:    4000 kB\n"),
            ("etc/nitro_enclaves/allocator.yaml", "---\n# memory_mib: 9\nmemory_mib: 1024\ncpu_count: 2\n"),
        ]);
        assert_eq!(machine.hugepages(), Hugepages { total_mib: 1536, free_mib: 256 });
        assert_eq!(machine.cpu_pool(), Some(2));
        assert_eq!(machine.allocation(), Some(Allocation { memory_mib: 1024 }));
        assert_eq!(machine.available_mib(), Some(3));
    }

    #[test]
    fn a_list_of_allocations_is_summed_and_none_is_none() {
        let list = "---\n- memory_mib: 512\n  cpu_count: 2\n- memory_mib: 256\n  cpu_pool: 2,3\n";
        let (_folder, with) = machine(&[("etc/nitro_enclaves/allocator.yaml", list)]);
        assert_eq!(with.allocation(), Some(Allocation { memory_mib: 768 }));
        let (_folder, without) = machine(&[]);
        assert_eq!((without.allocation(), without.cpu_pool()), (None, None));
        assert_eq!(without.hugepages(), Hugepages::default());
        assert!(without.open_device().is_err());
    }
}

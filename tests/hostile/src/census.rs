//! What an attack must not leave behind, as the kernel counts it: processes below this one, its descriptors, files, mounts.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

/// Folders in which anyone may make a file.
const OPEN_FOLDERS: [&str; 5] = ["/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock"];

/// Below it are the users of the machine; runners have user ids of their own above it.
const FIRST_RUNNER_UID: u32 = 0x4000_0000;

/// A count of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Processes below this one that run or can run.
    pub processes: usize,
    /// Processes below this one that ended and were not reaped.
    pub zombies: usize,
    /// Descriptors of this process.
    pub descriptors: usize,
    /// Files of a runner's user where anyone may make one.
    pub files: usize,
    /// Mounts that this process sees.
    pub mounts: usize,
}

impl Census {
    /// Counts now.
    pub fn take() -> Self {
        let (processes, zombies) = below(std::process::id());
        Self {
            processes,
            zombies,
            descriptors: entries("/proc/self/fd"),
            files: OPEN_FOLDERS.iter().map(|folder| files_of_runners(folder)).sum(),
            mounts: fs::read_to_string("/proc/self/mounts").unwrap_or_default().lines().count(),
        }
    }

    /// What there is more of than in `before`, in words; nothing if there is nothing.
    pub fn more_than(&self, before: &Self) -> Option<String> {
        let pairs = [
            ("processes", self.processes, before.processes),
            ("zombies", self.zombies, before.zombies),
            ("descriptors", self.descriptors, before.descriptors),
            ("files", self.files, before.files),
            ("mounts", self.mounts, before.mounts),
        ];
        let more: Vec<String> = pairs
            .into_iter()
            .filter(|(_, now, before)| now > before)
            .map(|(what, now, before)| format!("{now} {what}, {before} before"))
            .collect();
        (!more.is_empty()).then(|| more.join("; "))
    }
}

fn entries(folder: &str) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

fn files_of_runners(folder: &str) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.metadata().is_ok_and(|file| file.uid() >= FIRST_RUNNER_UID)).count()
}

/// Processes at any depth below one: those alive, and those that ended and were not reaped.
fn below(root: u32) -> (usize, usize) {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // It may have ended since. `id (name) state parent …`; the name may hold anything, so the last bracket counts.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        let Some((_, rest)) = stat.rsplit_once(") ") else { continue };
        let mut fields = rest.split(' ');
        let (state, parent) = (fields.next(), fields.next().and_then(|field| field.parse::<u32>().ok()));
        if let (Some(state), Some(parent)) = (state, parent) {
            all.insert(id, (parent, state == "Z" || state == "X"));
        }
    }
    let is_below = |mut id: u32| {
        while let Some((parent, _)) = all.get(&id) {
            if *parent == root {
                return true;
            }
            id = *parent;
        }
        false
    };
    let found: Vec<bool> =
        all.iter().filter(|(id, _)| is_below(**id)).map(|(_, (_, ended))| *ended).collect();
    let zombies = found.iter().filter(|ended| **ended).count();
    (found.len() - zombies, zombies)
}

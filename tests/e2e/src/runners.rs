//! The enclave's runner processes, as the operating system lists them.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What the kernel calls the program (`/proc/PID/comm` holds 15 bytes).
const NAME: &str = "r3e-runner";

/// Every process by its id, with its parent's id and its name.
fn processes() -> BTreeMap<u32, (u32, String)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended since.
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // `id (name) state parent …`; the name may hold anything, so the last bracket counts (proc(5)).
        let Some((head, rest)) = stat.rsplit_once(") ") else { continue };
        let name = head.split_once('(').map(|(_, name)| name.to_owned()).unwrap_or_default();
        let mut fields = rest.split(' ');
        let (state, parent) = (fields.next(), fields.next().and_then(|field| field.parse().ok()));
        // A zombie runs nothing any more.
        if let (Some(parent), Some("R" | "S" | "D" | "T")) = (parent, state) {
            found.insert(id, (parent, name));
        }
    }
    found
}

/// The runner processes below an enclave.
pub fn of_enclave(enclave: u32) -> Vec<u32> {
    let processes = processes();
    let is_below = |mut id: u32| {
        while let Some((parent, _)) = processes.get(&id) {
            if *parent == enclave {
                return true;
            }
            id = *parent;
        }
        false
    };
    processes.iter().filter(|(id, (_, name))| name == NAME && is_below(**id)).map(|(id, _)| *id).collect()
}

/// The runner processes among `ids` that still run.
pub fn still_running(ids: &[u32]) -> Vec<u32> {
    let processes = processes();
    ids.iter().copied().filter(|id| processes.get(id).is_some_and(|(_, name)| name == NAME)).collect()
}

/// The processor time that a process has used, in the kernel's ticks; none if it has ended.
pub fn processor_ticks(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    // utime and stime are fields 14 and 15 of proc(5); the state, here the first, is field 3.
    let mut times = rest.split(' ').skip(11).map_while(|field| field.parse::<u64>().ok());
    Some(times.next()? + times.next()?)
}

/// Kills one runner process; nothing happens if it has ended.
pub fn kill_runner(id: u32) {
    if !still_running(&[id]).is_empty() {
        let _ = kill(Pid::from_raw(id.cast_signed()), Signal::SIGKILL);
    }
}

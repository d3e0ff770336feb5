//! What a process uses, from the kernel.

use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

use super::handle::Handle;

/// Size of a page as `statm` counts them. Fixed for the platforms the appliance runs on.
const PAGE_BYTES: u64 = 4096;

/// Reads one process's use, by its number. What was read is believed only if the process lives afterwards: then the number was
/// its own all the while.
#[derive(Clone, Debug)]
pub(super) struct Meter {
    cpu: ClockId,
    handle: Arc<Handle>,
}

impl Meter {
    /// A meter for a process that lives.
    pub(super) fn new(handle: Arc<Handle>) -> io::Result<Self> {
        let pid = i32::try_from(handle.pid()).map_err(|_| io::ErrorKind::InvalidInput)?;
        let cpu = clock_getcpuclockid(Pid::from_raw(pid))?;
        Ok(Self { cpu, handle })
    }

    /// Processor time since the process started.
    pub(super) fn cpu(&self) -> io::Result<Duration> {
        let spent = clock_gettime(self.cpu)?;
        self.if_alive(spent.into())
    }

    /// Memory it holds now, in bytes, what it shares with others too.
    pub(super) fn resident_bytes(&self) -> io::Result<u64> {
        let text = self.read("statm")?;
        // Sizes in pages: the whole address space, then what is resident.
        let pages: Option<u64> = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        Ok(pages.ok_or(io::ErrorKind::InvalidData)? * PAGE_BYTES)
    }

    /// Memory that it alone holds, in bytes: what would be free without it. All that it holds, where the kernel does not
    /// tell them apart.
    pub(super) fn private_bytes(&self) -> io::Result<u64> {
        let Ok(text) = self.read("smaps_rollup") else { return self.resident_bytes() };
        let kib =
            ["Private_Clean:", "Private_Dirty:"].iter().filter_map(|name| kib(&text, name)).sum::<u64>();
        Ok(kib * 1024)
    }

    /// Most memory it ever held, in bytes.
    pub(super) fn peak_bytes(&self) -> io::Result<u64> {
        Ok(kib(&self.read("status")?, "VmHWM:").ok_or(io::ErrorKind::InvalidData)? * 1024)
    }

    fn read(&self, file: &str) -> io::Result<String> {
        self.if_alive(fs::read_to_string(format!("/proc/{}/{file}", self.handle.pid()))?)
    }

    fn if_alive<T>(&self, read: T) -> io::Result<T> {
        if self.handle.is_alive() { Ok(read) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

/// The figure on the line that begins with `name`.
fn kib(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rustix::process::{Pid as Number, PidfdFlags, pidfd_open};

    use super::*;

    #[test]
    fn measures_a_process_until_it_ends() {
        let mut child = Command::new("sh").args(["-c", "while :; do :; done"]).spawn().unwrap();
        let number = Number::from_raw(child.id().cast_signed()).unwrap();
        let handle = Arc::new(Handle::new(pidfd_open(number, PidfdFlags::empty()).unwrap()).unwrap());
        assert_eq!(handle.pid(), child.id());
        let meter = Meter::new(Arc::clone(&handle)).unwrap();
        // Long enough for the shell to be in its loop, where it takes no more memory: each of these is read by itself.
        while meter.cpu().unwrap() < Duration::from_millis(50) {}
        let (resident, private, peak) = (meter.resident_bytes(), meter.private_bytes(), meter.peak_bytes());
        let (resident, private, peak) = (resident.unwrap(), private.unwrap(), peak.unwrap());
        assert!(resident > 0 && private > 0);
        // The kernel counts pages for each processor by itself, and adds them up now and then.
        assert!(private <= resident + 256 * PAGE_BYTES, "{private} {resident}");
        assert!(peak >= resident / 2, "{peak} {resident}");
        handle.kill();
        while handle.is_alive() {}
        // Not reaped, it still has its number; but nothing is read of it any more.
        assert!(meter.cpu().is_err() && meter.resident_bytes().is_err() && meter.peak_bytes().is_err());
        child.wait().unwrap();
        assert!(meter.cpu().is_err() && meter.private_bytes().is_err());
    }
}

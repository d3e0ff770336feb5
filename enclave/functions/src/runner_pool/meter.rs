//! What a process uses, from the kernel.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// Size of a page as `statm` counts them. Fixed for the platforms the appliance runs on.
const PAGE_BYTES: u64 = 4096;

/// Reads one process's use. The number stays the process's own until it is reaped, which its owner does last.
#[derive(Debug)]
pub(super) struct Meter {
    cpu: ClockId,
    resident: File,
    status: File,
}

impl Meter {
    /// A meter for a child that was not reaped.
    pub(super) fn new(pid: u32) -> io::Result<Self> {
        let number = i32::try_from(pid).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(Self {
            cpu: clock_getcpuclockid(Pid::from_raw(number))?,
            resident: File::open(format!("/proc/{pid}/statm"))?,
            status: File::open(format!("/proc/{pid}/status"))?,
        })
    }

    /// Processor time since the process started.
    pub(super) fn cpu(&self) -> io::Result<Duration> {
        Ok(clock_gettime(self.cpu)?.into())
    }

    /// Memory it holds now, in bytes.
    pub(super) fn resident_bytes(&self) -> io::Result<u64> {
        let mut text = [0; 128];
        let read = self.resident.read_at(&mut text, 0)?;
        let text = str::from_utf8(text.get(..read).unwrap_or_default()).unwrap_or_default();
        // Sizes in pages: the whole address space, then what is resident.
        let pages: Option<u64> = text.split(' ').nth(1).and_then(|pages| pages.parse().ok());
        Ok(pages.ok_or(io::ErrorKind::InvalidData)? * PAGE_BYTES)
    }

    /// Most memory it ever held, in bytes.
    pub(super) fn peak_bytes(&self) -> io::Result<u64> {
        let mut text = [0; 4096];
        let read = self.status.read_at(&mut text, 0)?;
        let text = str::from_utf8(text.get(..read).unwrap_or_default()).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: Option<u64> = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        Ok(kib.ok_or(io::ErrorKind::InvalidData)? * 1024)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_this_process() {
        let meter = Meter::new(std::process::id()).unwrap();
        let before = meter.cpu().unwrap();
        let mut sum = 0u64;
        while meter.cpu().unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(meter.resident_bytes().unwrap() > 0);
        assert!(meter.peak_bytes().unwrap() >= meter.resident_bytes().unwrap() / 2);
    }
}

//! A handle of a process: a descriptor that stays that process's, whatever becomes of its number (`pidfd_open(2)`).
//!
//! Who has the handle may wait for the process's end and end it, without being its parent.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, pidfd_send_signal};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A process, ended when the handle is dropped.
#[derive(Debug)]
pub(super) struct Handle {
    descriptor: OwnedFd,
    pid: u32,
}

impl Handle {
    /// Takes over a handle from the kernel, which came by way of another process.
    ///
    /// # Errors
    /// It is no handle of a process, or of one that is gone.
    pub(super) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", descriptor.as_raw_fd()))?;
        let pid =
            info.lines().find_map(|line| line.strip_prefix("Pid:")).and_then(|pid| pid.trim().parse().ok());
        // A process that was reaped is shown as -1, one of another family of namespaces as 0.
        let pid: u32 = pid.filter(|pid| *pid > 0).ok_or(io::ErrorKind::NotFound)?;
        Ok(Self { descriptor, pid })
    }

    /// Its number. It is this process's as long as [`Self::is_alive`] says so afterwards.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Whether the process has not ended.
    pub(super) fn is_alive(&self) -> bool {
        let mut descriptors = [PollFd::new(&self.descriptor, PollFlags::IN)];
        matches!(poll(&mut descriptors, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(0))
    }

    /// Ends the process, and all of its family if it is the first of one.
    pub(super) fn kill(&self) {
        // It fails only for a process that has ended already.
        let _ended = pidfd_send_signal(&self.descriptor, Signal::KILL);
    }

    /// Waits for the end. To be called by one at a time.
    #[expect(
        deprecated,
        reason = "what replaces it is unsafe, for the sake of objects whose descriptor may change; one that is borrowed cannot"
    )]
    pub(super) async fn ended(&self) -> io::Result<()> {
        let watched = AsyncFd::with_interest(self.descriptor.as_fd(), Interest::READABLE)?;
        loop {
            let mut ready = watched.readable().await?;
            if !self.is_alive() {
                return Ok(());
            }
            ready.clear_ready();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.kill();
    }
}

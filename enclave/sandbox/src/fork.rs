//! Splitting the process in two.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Where one finds oneself after the split.
#[derive(Debug)]
pub(crate) enum Split {
    /// In the new process: a copy of the memory, one thread, the same descriptors.
    Copy,
    /// In the old one.
    Original {
        /// The copy's number, as this process sees it.
        pid: i32,
        /// A handle of the copy, which stays the copy's whatever becomes of its number.
        handle: OwnedFd,
    },
}

/// What a function's copies are made with, and nothing else is: the system call filter compares all of it.
pub(crate) const PLAIN: i32 = libc::CLONE_PIDFD | libc::SIGCHLD;

/// Splits this process, by `clone(2)` with these `flags`. [`PLAIN`] has to be among them; others make namespaces.
///
/// Not by the C library's `fork`: that has no namespaces and no handle, and it runs what was registered for forks.
pub(crate) fn split(flags: i32) -> io::Result<Split> {
    let mut handle: RawFd = -1;
    // SAFETY: without `CLONE_VM` the copy has memory of its own, and with a stack of null it goes on where it is. This
    // process has one thread, so no lock is held by another that the copy does not have. `handle` is where the kernel
    // writes a descriptor, in the original alone; the two pointers after it are not read under these flags, so their
    // order, which differs between processors, does not matter.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone,
            libc::c_long::from(flags),
            std::ptr::null_mut::<u8>(),
            &raw mut handle,
            std::ptr::null_mut::<u8>(),
            std::ptr::null_mut::<u8>(),
        )
    };
    match pid {
        0 => Ok(Split::Copy),
        1.. => {
            // SAFETY: the kernel has just made this descriptor for this process, and nothing else knows it.
            let handle = unsafe { OwnedFd::from_raw_fd(handle) };
            Ok(Split::Original { pid: i32::try_from(pid).unwrap_or(i32::MAX), handle })
        }
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn the_handle_is_the_copys() {
        match split(PLAIN).unwrap() {
            // SAFETY: ends the copy, which has done nothing else.
            Split::Copy => unsafe { libc::_exit(7) },
            Split::Original { pid, handle } => {
                let ended = waitid(Id::PIDFd(handle.as_fd()), WaitPidFlag::WEXITED).unwrap();
                assert_eq!(ended, WaitStatus::Exited(nix::unistd::Pid::from_raw(pid), 7));
            }
        }
    }
}

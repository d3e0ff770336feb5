//! The system calls that Rust's library has no safe name for, one function each, with nothing decided here.

use std::ffi::{CStr, CString};
use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::ptr;
use std::time::{Duration, Instant};

use crate::limits::{SEED_BYTES, SEED_LENGTH};

/// What a socket is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Readiness {
    /// Something to read, or the end.
    Read,
    /// Room to write: of a socket that connects, the outcome.
    Write,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// `struct rand_pool_info` of `random(4)`, with its buffer.
#[repr(C)]
pub(crate) struct EntropyPool {
    credit_bits: i32,
    length: i32,
    /// The bytes.
    pub(crate) bytes: [u8; SEED_BYTES],
}

impl EntropyPool {
    /// No bytes yet, to be counted as this many bits.
    pub(crate) const fn new(credit_bits: i32) -> Self {
        Self { credit_bits, length: SEED_LENGTH, bytes: [0; SEED_BYTES] }
    }
}

/// `RNDADDENTROPY` and `RNDRESEEDCRNG` of `random(4)`, which the C library's headers leave to the kernel's.
const ADD_ENTROPY: libc::c_ulong = 0x4008_5203;
const RESEED: libc::c_ulong = 0x5207;

/// `AF_VSOCK`, in the width that an address has for it.
const VSOCK_FAMILY: libc::sa_family_t = 40;

/// Mounts a file system that has no source.
pub(crate) fn mount(kind: &CStr, target: &str, flags: libc::c_ulong, options: &str) -> io::Result<()> {
    let (target, options) = (CString::new(target)?, CString::new(options)?);
    // SAFETY: every pointer is to a string that ends with a zero and lives during the call.
    check(unsafe {
        libc::mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr().cast())
    })
}

/// Makes a file system that is mounted with `flags` read only.
pub(crate) fn remount_read_only(target: &str, flags: libc::c_ulong) -> io::Result<()> {
    let (target, flags) = (CString::new(target)?, flags | libc::MS_REMOUNT | libc::MS_RDONLY);
    // SAFETY: the target is a string that ends with a zero and lives during the call; a remount reads no source, type or
    // options.
    check(unsafe { libc::mount(ptr::null(), target.as_ptr(), ptr::null(), flags, ptr::null()) })
}

/// Sets both limits of a resource.
pub(crate) fn set_limit(resource: libc::__rlimit_resource_t, value: libc::rlim_t) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: value, rlim_max: value };
    // SAFETY: the pointer is to a value that lives during the call.
    check(unsafe { libc::setrlimit(resource, &raw const limit) })
}

/// No file that a process makes can be read by another user.
pub(crate) fn keep_new_files_private() {
    // SAFETY: a call with an integer argument alone, that always succeeds.
    unsafe { libc::umask(0o077) };
}

/// Adds entropy to the kernel's generator, and makes it use it now.
pub(crate) fn add_entropy(pool: &EntropyPool) -> io::Result<()> {
    let generator = std::fs::File::options().write(true).open("/dev/random")?;
    // SAFETY: the request reads a `rand_pool_info` whose buffer is as long as it says, which `EntropyPool` is by its
    // layout and its private field; it lives during the call.
    check(unsafe { libc::ioctl(generator.as_raw_fd(), ADD_ENTROPY, ptr::from_ref(pool)) })?;
    // SAFETY: the request takes no argument.
    check(unsafe { libc::ioctl(generator.as_raw_fd(), RESEED, 0) })
}

/// An error unless the kernel's generator is seeded.
pub(crate) fn require_seeded_generator() -> io::Result<()> {
    let mut byte = 0_u8;
    // SAFETY: the buffer is one byte, and one byte is asked for.
    let drawn = unsafe { libc::getrandom((&raw mut byte).cast(), 1, libc::GRND_NONBLOCK) };
    if drawn == 1 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Connects to a vsock port within `patience`. The socket does not block.
pub(crate) fn connect_vsock(cid: u32, port: u32, patience: Duration) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: a call with integer arguments alone.
    let descriptor = unsafe { libc::socket(libc::AF_VSOCK, kind, 0) };
    check(descriptor)?;
    // SAFETY: the descriptor was just made, and nothing else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
    // SAFETY: the structure is made of integers, for which zero is a value.
    let mut address: libc::sockaddr_vm = unsafe { std::mem::zeroed() };
    address.svm_family = VSOCK_FAMILY;
    address.svm_cid = cid;
    address.svm_port = port;
    let length = size::<libc::sockaddr_vm>();
    // SAFETY: the pointer is to an address of the length given, which lives during the call.
    let connected = check(unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), length) });
    match connected {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {
            wait(socket.as_fd(), Readiness::Write, patience)?;
            outcome(&socket)?;
        }
        other => other?,
    }
    Ok(socket)
}

/// How a connection attempt ended.
fn outcome(socket: &OwnedFd) -> io::Result<()> {
    let mut error: libc::c_int = 0;
    let mut length = size::<libc::c_int>();
    // SAFETY: both pointers are to values that live during the call, the first as long as the second says.
    check(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ERROR,
            (&raw mut error).cast(),
            &raw mut length,
        )
    })?;
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

/// Waits for a socket; [`io::ErrorKind::TimedOut`] when nothing came within `patience`.
pub(crate) fn wait(socket: BorrowedFd<'_>, readiness: Readiness, patience: Duration) -> io::Result<()> {
    let events = match readiness {
        Readiness::Read => libc::POLLIN,
        Readiness::Write => libc::POLLOUT,
    };
    let started = Instant::now();
    loop {
        let left = patience.saturating_sub(started.elapsed());
        // Rounded up, or the last part of a millisecond would be waited for by asking over and over.
        let milliseconds = i32::try_from(left.as_micros().div_ceil(1000)).unwrap_or(i32::MAX);
        let mut polled = libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 };
        // SAFETY: the pointer is to one structure, which lives during the call.
        match check(unsafe { libc::poll(&raw mut polled, 1, milliseconds) }) {
            Ok(()) if polled.revents != 0 => return Ok(()),
            Ok(()) => return Err(io::ErrorKind::TimedOut.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits until some child has ended, and reaps it.
pub(crate) fn wait_for_any() -> io::Result<(u32, Exit)> {
    loop {
        let mut status: libc::c_int = 0;
        // SAFETY: the pointer is to a value that lives during the call.
        let pid = unsafe { libc::waitpid(-1, &raw mut status, 0) };
        match check(pid) {
            Ok(()) => return Ok((pid.unsigned_abs(), exit(status))),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn exit(status: libc::c_int) -> Exit {
    if libc::WIFSIGNALED(status) {
        Exit::Signal(libc::WTERMSIG(status))
    } else {
        Exit::Code(libc::WEXITSTATUS(status))
    }
}

/// Restarts the machine. Returns only with the reason why it did not.
pub(crate) fn restart() -> io::Error {
    // SAFETY: a call with an integer argument alone.
    unsafe { libc::reboot(libc::RB_AUTOBOOT) };
    io::Error::last_os_error()
}

/// The size of an argument, as the calls for sockets take it.
#[expect(clippy::cast_possible_truncation, reason = "what is passed here is a few bytes long")]
const fn size<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn an_entropy_pool_is_laid_out_as_the_kernel_reads_it() {
        assert_eq!(size_of::<EntropyPool>(), 8 + SEED_BYTES);
        assert_eq!(std::mem::offset_of!(EntropyPool, bytes), 8);
        assert_eq!(i32::from(VSOCK_FAMILY), libc::AF_VSOCK);
        assert_eq!(EntropyPool::new(0).length.unsigned_abs() as usize, SEED_BYTES);
    }

    #[test]
    fn a_wait_ends_with_the_event_or_the_time() {
        let (near, far) = UnixStream::pair().unwrap();
        let silent = wait(near.as_fd(), Readiness::Read, Duration::from_millis(5)).unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
        assert_eq!(
            wait(near.as_fd(), Readiness::Read, Duration::ZERO).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
        wait(near.as_fd(), Readiness::Write, Duration::from_mins(1)).unwrap();
        drop(far);
        wait(near.as_fd(), Readiness::Read, Duration::from_mins(1)).unwrap();
    }

    #[test]
    fn a_status_is_read_as_wait_status_is_made() {
        assert_eq!(exit(0), Exit::Code(0));
        assert_eq!(exit(3 << 8), Exit::Code(3));
        assert_eq!(exit(libc::SIGKILL), Exit::Signal(9));
        assert_eq!(exit(libc::SIGABRT | 0x80), Exit::Signal(6));
    }
}

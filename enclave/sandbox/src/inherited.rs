//! What the process was started with: the environment, the descriptors, nothing else.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use r3e_runner_api::process::{ENVIRONMENT, SOCKET_FD};
use thiserror::Error;

/// What is wrong with the way this process was started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InheritedError {
    /// The environment.
    #[error(
        "the environment is not exactly the one that runners get; found the variable {0:?} or missed one"
    )]
    Environment(OsString),
    /// The one descriptor that is wanted.
    #[error("standard input is not a Unix stream socket")]
    Socket(#[source] io::Error),
    /// Those that are not.
    #[error("the other descriptors could not be closed")]
    Close(#[source] io::Error),
    /// Standard output and error.
    #[error("/dev/null could not take the place of standard output and error")]
    Silence(#[source] io::Error),
}

/// What is left after the check.
pub(crate) struct Inherited {
    /// This process's end of the socket pair.
    pub(crate) socket: UnixStream,
    /// Ends the use of standard error once the box is about to close.
    pub(crate) silence: Silence,
}

/// `/dev/null`, opened while there still is one.
pub(crate) struct Silence(File);

/// Checks the environment and the descriptors, and closes every descriptor above standard error.
pub(crate) fn check() -> Result<Inherited, InheritedError> {
    check_environment()?;
    close_all_above(2)?;
    // SAFETY: nothing else in this process owns descriptor 0, which Rust's runtime made sure is open; if it is
    // not a socket, the check below fails and the process ends.
    let socket = UnixStream::from(unsafe { OwnedFd::from_raw_fd(SOCKET_FD) });
    check_socket(&socket).map_err(InheritedError::Socket)?;
    let null = File::options().read(true).write(true).open("/dev/null").map_err(InheritedError::Silence)?;
    replace(&null, 1)?;
    Ok(Inherited { socket, silence: Silence(null) })
}

impl Silence {
    /// From here on, standard error goes nowhere.
    pub(crate) fn apply(self) -> Result<(), InheritedError> {
        replace(&self.0, 2)
    }
}

fn check_environment() -> Result<(), InheritedError> {
    let mut missing = ENVIRONMENT.len();
    for (name, value) in std::env::vars_os() {
        let expected = ENVIRONMENT.iter().any(|(key, text)| name == **key && value == **text);
        if !expected {
            return Err(InheritedError::Environment(name));
        }
        missing = missing.saturating_sub(1);
    }
    if missing > 0 {
        return Err(InheritedError::Environment(OsString::new()));
    }
    Ok(())
}

fn check_socket(socket: &UnixStream) -> io::Result<()> {
    use nix::sys::socket::{SockType, getsockopt, sockopt};
    if getsockopt(&socket.as_fd(), sockopt::SockType)? != SockType::Stream {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a stream socket"));
    }
    // Fails for a socket of another family.
    socket.peer_addr()?;
    socket.set_nonblocking(false)
}

fn close_all_above(last_kept: u32) -> Result<(), InheritedError> {
    // SAFETY: called once, first thing in `main`, before anything in this process has opened a descriptor that it
    // will use again.
    let result = unsafe { libc::close_range(last_kept + 1, u32::MAX, 0) };
    if result != 0 {
        return Err(InheritedError::Close(io::Error::last_os_error()));
    }
    Ok(())
}

fn replace(null: &File, target: i32) -> Result<(), InheritedError> {
    // SAFETY: `target` is standard output or error, which no object of ours owns; `null` stays open.
    if unsafe { libc::dup2(null.as_raw_fd(), target) } != target {
        return Err(InheritedError::Silence(io::Error::last_os_error()));
    }
    Ok(())
}

/// Puts `socket` in the place of the socket that this process, or the one that it is a copy of, was started with, and closes
/// all above standard error.
pub(crate) fn take_the_place(socket: OwnedFd) -> io::Result<()> {
    let number = socket.into_raw_fd();
    // SAFETY: the descriptor that is replaced keeps its number and its owner, which talks over whatever has that number.
    if unsafe { libc::dup3(number, SOCKET_FD, 0) } != SOCKET_FD {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a copy has no use for any descriptor that its original had open up there, `number` among them, which nobody owns
    // any more.
    if unsafe { libc::close_range(3, u32::MAX, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

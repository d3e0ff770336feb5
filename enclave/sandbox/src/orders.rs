//! Orders to split: a process that makes copies of itself, and tells how they end.
//!
//! It has one thread and waits for two things at once: an order on the socket, and the end of a copy. The second comes as a
//! signal, which is let in only while it waits.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use r3e_runner_api::process::Ending;
use r3e_runner_api::{HostMessage, RunnerMessage};

use crate::fork::{Split, split};
use crate::link::{Link, LinkError, Received};
use crate::serve::ServeError;

/// How following orders ended.
pub(crate) enum Followed {
    /// This process is a copy; the link has its socket.
    AsCopy,
    /// The enclave closed the socket.
    Closed,
}

/// Has the end of a copy interrupt a wait, and nothing else. Before the first order, and once for all copies of copies.
pub(crate) fn hear_of_ends() -> io::Result<()> {
    // Ignored signals interrupt nothing, so there has to be a handler.
    let action = SigAction::new(SigHandler::Handler(ignore), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler does nothing, so it may interrupt anything.
    unsafe { sigaction(Signal::SIGCHLD, &action)? };
    let ends: SigSet = [Signal::SIGCHLD].into_iter().collect();
    Ok(sigprocmask(SigmaskHow::SIG_BLOCK, Some(&ends), None)?)
}

extern "C" fn ignore(_signal: i32) {}

/// Follows orders to split, by `clone(2)` with `flags`, until there is no one to give them. `before_copy` prepares what a copy
/// begins with, in the original, and is given the order's number.
pub(crate) fn follow(
    link: &mut Link,
    flags: i32,
    mut before_copy: impl FnMut(),
) -> Result<Followed, ServeError> {
    let mut copies = BTreeMap::new();
    loop {
        for (number, ending) in reap(&mut copies).map_err(LinkError::Io)? {
            link.send(&RunnerMessage::Ended { number, ending });
        }
        let (number, socket) = match link.receive_order()? {
            Received::Message((HostMessage::Fork { number }, Some(socket))) => (number, socket),
            Received::Message(_) => return Err(ServeError::OutOfTurn),
            // A copy has ended.
            Received::TimedOut => continue,
            Received::Closed => return Ok(Followed::Closed),
        };
        before_copy();
        match split(flags) {
            Ok(Split::Copy) => {
                link.turn_to(socket)?;
                return Ok(Followed::AsCopy);
            }
            Ok(Split::Original { pid, handle }) => {
                copies.insert(pid, number);
                answer(link, number, socket, &handle)?;
            }
            Err(error) => {
                let errno = error.raw_os_error().unwrap_or_default();
                link.send(&RunnerMessage::ForkFailed { number, errno });
            }
        }
        if let Some(failure) = link.take_failure() {
            return Err(failure.into());
        }
    }
}

/// The copy has its socket now, and the enclave gets its handle: this process keeps neither.
fn answer(link: &Link, number: u64, socket: OwnedFd, handle: &OwnedFd) -> Result<(), LinkError> {
    drop(socket);
    link.send_with(&RunnerMessage::Forked { number }, handle)
}

/// The copies that have ended since.
fn reap(copies: &mut BTreeMap<i32, u64>) -> io::Result<Vec<(u64, Ending)>> {
    let mut ended = Vec::new();
    while !copies.is_empty() {
        let (pid, ending) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(pid, status)) => (pid, Ending::Exited(status)),
            Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, Ending::Signaled(signal as i32)),
            Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => break,
            Ok(_) | Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        ended.extend(copies.remove(&pid.as_raw()).map(|number| (number, ending)));
    }
    Ok(ended)
}

//! Gives up every capability and every way to get one back.

use std::io;

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use super::SandboxError;
use super::namespaces::Users;

/// The capabilities that boxing a copy takes (`capabilities(7)`): to set its ids, to drop its bounding set, to make its
/// namespaces. And, under number 5, to signal what has another user id: the kernel asks for it when it ends the copies with the
/// process that they are copies of.
const FOR_BOXING: [u32; 5] = [5, 6, 7, 8, 21];

/// Drops the bounding set, takes a user id that no other process has, clears the capability sets and forbids
/// new privileges.
pub(super) fn give_up(users: Users, uid: u32) -> Result<(), SandboxError> {
    drop_bounding_set(&[])?;
    if users == Users::Machine {
        take_id(uid)?;
    }
    set_capabilities(&[])?;
    close_the_way_back()
}

/// Drops every capability but those that boxing a copy takes.
pub(super) fn keep_for_boxing() -> Result<(), SandboxError> {
    drop_bounding_set(&FOR_BOXING)?;
    set_capabilities(&FOR_BOXING)?;
    close_the_way_back()
}

fn close_the_way_back() -> Result<(), SandboxError> {
    let step = |step, result: nix::Result<()>| {
        result.map_err(|errno| SandboxError::Privileges { step, source: errno.into() })
    };
    // No other process of the same user may trace this one or read its memory.
    step("not dumpable", prctl::set_dumpable(false))?;
    // Changing the user id cleared this, so it comes after: with who started it, a process ends.
    step("death signal", prctl::set_pdeathsig(Signal::SIGKILL))?;
    step("no new privileges", prctl::set_no_new_privs())
}

fn take_id(id: u32) -> Result<(), SandboxError> {
    let failed = |step| move |errno: nix::Error| SandboxError::Privileges { step, source: errno.into() };
    let (user, group) = (Uid::from_raw(id), Gid::from_raw(id));
    setgroups(&[]).map_err(failed("groups"))?;
    setresgid(group, group, group).map_err(failed("group id"))?;
    setresuid(user, user, user).map_err(failed("user id"))
}

fn drop_bounding_set(kept: &[u32]) -> Result<(), SandboxError> {
    // The kernel answers EINVAL for the first number beyond those it knows.
    for capability in 0..=63 {
        if kept.contains(&capability) {
            continue;
        }
        // SAFETY: a call with integer arguments alone.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) } == 0 {
            continue;
        }
        let source = io::Error::last_os_error();
        if source.raw_os_error() == Some(libc::EINVAL) && capability > 0 {
            return Ok(());
        }
        return Err(SandboxError::Privileges { step: "bounding set", source });
    }
    Ok(())
}

/// `capset(2)`'s header, which the C library does not declare.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

/// Half of the three sets; version 3 of the call takes two halves, the lower one first.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapabilitySets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const LINUX_CAPABILITY_VERSION_3: u32 = 0x2008_0522;

fn set_capabilities(kept: &[u32]) -> Result<(), SandboxError> {
    let failed = |step| SandboxError::Privileges { step, source: io::Error::last_os_error() };
    // SAFETY: a call with integer arguments alone.
    let cleared = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) };
    if cleared != 0 {
        return Err(failed("ambient set"));
    }
    let header = CapabilityHeader { version: LINUX_CAPABILITY_VERSION_3, pid: 0 };
    let bits = kept.iter().fold(0, |bits, capability| bits | 1 << capability);
    let sets =
        [CapabilitySets { effective: bits, permitted: bits, inheritable: 0 }, CapabilitySets::default()];
    // SAFETY: both pointers are to values of the layout that version 3 of the call reads, alive during the call.
    let cleared = unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) };
    if cleared != 0 {
        return Err(failed("capability sets"));
    }
    Ok(())
}

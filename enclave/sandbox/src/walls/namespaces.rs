//! Namespaces of its own: no mount, interface, queue, host name or control group that anyone else sees.

use std::fs;
use std::io;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use super::SandboxError;

/// Whose user ids a process's own are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Users {
    /// The machine's: any can be taken.
    Machine,
    /// Those of a namespace of its own, in which there is but one.
    Own,
}

/// Leaves every namespace of the enclave that can be left by one process alone.
pub(super) fn enter() -> Result<Users, SandboxError> {
    let users = if geteuid().is_root() {
        Users::Machine
    } else {
        own_users().map_err(SandboxError::Namespaces)?;
        Users::Own
    };
    let flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWCGROUP;
    unshare(flags).map_err(|errno| SandboxError::Namespaces(errno.into()))?;
    Ok(users)
}

/// Outside the enclave image the supervisor may not be root. A user namespace then gives the rights that the
/// other namespaces need, over nothing but themselves.
fn own_users() -> io::Result<()> {
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

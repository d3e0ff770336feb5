//! An empty, read-only root directory, without a way back to the one before.

use nix::mount::{MsFlags, mount};
use nix::unistd::{chdir, chroot};

use super::SandboxError;

/// Any directory that is always there; it is covered in this process's mount namespace alone.
const MOUNT_POINT: &str = "/dev";

/// The same, with room for files that this process writes, and nobody else sees. Nothing in it can be run.
pub(super) fn scratch(bytes: u64) -> Result<(), SandboxError> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    // The process has a user id of its own by then, which owns nothing here.
    replace(flags, &format!("size={bytes},nr_inodes=1k,mode=0777")).map_err(SandboxError::Root)
}

/// Replaces the root. `pivot_root` does not work on an initial RAM disk, which the enclave's root is, so the new
/// root is moved over the old one.
pub(super) fn empty() -> Result<(), SandboxError> {
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    replace(flags, "size=4k,nr_inodes=1,mode=0555").map_err(SandboxError::Root)
}

fn replace(flags: MsFlags, options: &str) -> nix::Result<()> {
    const NONE: Option<&str> = None;
    // First, so that nothing done here is seen in the enclave's own mounts.
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(Some("none"), MOUNT_POINT, Some("tmpfs"), flags, Some(options))?;
    chdir(MOUNT_POINT)?;
    mount(Some("."), "/", NONE, MsFlags::MS_MOVE, NONE)?;
    chroot(".")?;
    chdir("/")
}

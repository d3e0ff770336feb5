//! An empty, read-only root directory, without a way back to the one before.

use nix::mount::{MsFlags, mount};
use nix::unistd::{chdir, chroot};

use super::SandboxError;

/// Any directory that is always there; it is covered in this process's mount namespace alone.
const MOUNT_POINT: &str = "/dev";

/// Replaces the root. `pivot_root` does not work on an initial RAM disk, which the enclave's root is, so the new
/// root is moved over the old one.
pub(super) fn empty() -> Result<(), SandboxError> {
    replace().map_err(SandboxError::Root)
}

fn replace() -> nix::Result<()> {
    const NONE: Option<&str> = None;
    // First, so that nothing done here is seen in the enclave's own mounts.
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("none"), MOUNT_POINT, Some("tmpfs"), flags, Some("size=4k,nr_inodes=1,mode=0555"))?;
    chdir(MOUNT_POINT)?;
    mount(Some("."), "/", NONE, MsFlags::MS_MOVE, NONE)?;
    chroot(".")?;
    chdir("/")
}

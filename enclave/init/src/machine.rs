//! The machine around the enclave process: what is mounted, how the kernel is set, and how it ends.

use std::ffi::CStr;
use std::fs::{Permissions, create_dir_all, set_permissions, write};
use std::io;
use std::os::unix::fs::PermissionsExt as _;

use crate::console::say;
use crate::error::InitError;
use crate::limits::{MAX_OPEN_FILES, SCRATCH};
use crate::system;

/// One file system.
struct Mount {
    kind: &'static CStr,
    target: &'static str,
    flags: libc::c_ulong,
    options: &'static str,
    /// Whether the enclave can do without it: kernels differ in control groups.
    optional: bool,
}

const LOCKED: libc::c_ulong = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;

/// Everything that is mounted, in order.
const MOUNTS: [Mount; 6] = [
    Mount {
        kind: c"devtmpfs",
        target: "/dev",
        flags: libc::MS_NOSUID | libc::MS_NOEXEC,
        options: "mode=0755",
        optional: false,
    },
    // A process of another user sees its own entries alone.
    Mount { kind: c"proc", target: "/proc", flags: LOCKED, options: "hidepid=2", optional: false },
    // Until it is settled; then read only: nothing in an enclave has a reason to change a driver's settings.
    Mount { kind: c"sysfs", target: "/sys", flags: LOCKED, options: "", optional: false },
    Mount { kind: c"tmpfs", target: "/tmp", flags: LOCKED, options: SCRATCH, optional: false },
    Mount { kind: c"tmpfs", target: "/run", flags: LOCKED, options: SCRATCH, optional: false },
    // A kernel with control groups of version 1 alone has none of these, and nothing needs them.
    Mount { kind: c"cgroup2", target: "/sys/fs/cgroup", flags: LOCKED, options: "", optional: true },
];

/// Settings of the kernel that its command line may have changed (`sysctl.*` sets any), or that a kernel may come without.
const SETTINGS: [(&str, &str); 10] = [
    // A kernel that has lost its way ends the enclave at once, whatever `panic=` says.
    ("/proc/sys/kernel/panic", "-1"),
    ("/proc/sys/kernel/panic_on_oops", "1"),
    // By a fault that no processor survives, and the keyboard controller after it. Where there is no such controller, the
    // kernel would jump into the firmware instead, and the same machine would boot once more.
    ("/sys/kernel/reboot/type", "triple"),
    // No module is loaded from here on, where a kernel has any.
    ("/proc/sys/kernel/modules_disabled", "1"),
    ("/proc/sys/kernel/sysrq", "0"),
    ("/proc/sys/kernel/dmesg_restrict", "1"),
    ("/proc/sys/kernel/randomize_va_space", "2"),
    // No process looks into another, root's neither: a runner that broke out of its box still could not read the keys.
    ("/proc/sys/kernel/yama/ptrace_scope", "3"),
    // No memory image of a process that ended is written, nor given to a program.
    ("/proc/sys/kernel/core_pattern", "core"),
    ("/proc/sys/fs/suid_dumpable", "0"),
];

/// Devices that root alone may open. The kernel gives the NSM to everyone.
const DEVICES: [&str; 2] = ["/dev/nsm", "/dev/hwrng"];

/// Mounts every file system.
pub(crate) fn mount_all() -> Result<(), InitError> {
    for mount in &MOUNTS {
        match mount_one(mount) {
            Ok(()) => {}
            // EBUSY: the kernel has mounted this one here itself.
            Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
            Err(_) if mount.optional => {}
            Err(source) => return Err(InitError::Mount { target: mount.target, source }),
        }
    }
    Ok(())
}

fn mount_one(mount: &Mount) -> io::Result<()> {
    if !mount.optional {
        create_dir_all(mount.target)?;
    }
    system::mount(mount.kind, mount.target, mount.flags, mount.options)
}

/// Makes the kernel's settings, closes the file systems to writers and takes the devices for root.
pub(crate) fn settle() -> Result<(), InitError> {
    for (path, value) in SETTINGS {
        match write(path, value) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result.map_err(|source| InitError::Setting { path, source })?,
        }
    }
    // What the image holds is what runs: nothing adds to the root, which is memory as well.
    for (target, flags) in [("/", 0), ("/sys", LOCKED)] {
        system::remount_read_only(target, flags).map_err(|source| InitError::Mount { target, source })?;
    }
    for path in DEVICES {
        set_permissions(path, Permissions::from_mode(0o600))
            .map_err(|source| InitError::Device { path, source })?;
    }
    Ok(())
}

/// Sets the limits that every process inherits.
pub(crate) fn limit_resources() -> Result<(), InitError> {
    system::set_limit(libc::RLIMIT_CORE, 0).map_err(InitError::Resources)?;
    system::set_limit(libc::RLIMIT_NOFILE, MAX_OPEN_FILES).map_err(InitError::Resources)?;
    system::keep_new_files_private();
    Ok(())
}

/// Ends the machine.
///
/// A restart is what ends an enclave: the hypervisor does not start it again, and neither does QEMU with `-no-reboot`. To
/// be switched off it would need ACPI, which it has not.
pub(crate) fn end() -> ! {
    say("the enclave ends");
    let error = system::restart();
    say(&format!("the machine did not restart ({error}): ending the first process instead"));
    // The kernel panics when its first process ends, and a panic restarts.
    std::process::exit(1)
}

//! Where the programs are that boot an image. The scripts that build them say so, and nothing else knows the folders.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::MachineError;

/// Firmware and boot code, of Debian's packages `qemu-system-data` and `seabios`.
const FIRMWARE: [&str; 2] = ["/usr/share/qemu", "/usr/share/seabios"];

/// QEMU and its vsock process.
#[derive(Debug, Clone)]
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Asks `tests/qemu/setup` for what it has built. Builds nothing.
    ///
    /// # Errors
    /// [`MachineError::Tools`] where it has built nothing, or not with the present patches and options.
    pub fn find() -> Result<Self, MachineError> {
        where_is("tests/qemu/setup").map(|folder| Self { folder })
    }

    /// QEMU.
    pub fn qemu(&self) -> PathBuf {
        self.folder.join("bin/qemu-system-x86_64")
    }

    /// The process that serves a machine's vsock.
    pub fn vsock(&self) -> PathBuf {
        self.folder.join("bin/vhost-device-vsock")
    }

    /// Folders with firmware, for QEMU's `-L`.
    pub fn firmware(&self) -> impl Iterator<Item = &'static Path> {
        FIRMWARE.iter().map(Path::new)
    }
}

/// What a script of the repository has built, as its `--where` says.
///
/// # Errors
/// [`MachineError::Tools`] where it has built nothing.
pub fn where_is(script: &'static str) -> Result<PathBuf, MachineError> {
    let failed = |problem: String| MachineError::Tools { script, problem };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(script);
    let output = Command::new(path).arg("--where").output().map_err(|error| failed(error.to_string()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout).into()) } else { Err(failed(text(&output.stderr))) }
}

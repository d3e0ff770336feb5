//! Starts the enclave, watches it, and starts it again.
//!
//! [`Appliance`] is a parent and its enclave. `supervisor` decides when there is an enclave and `state` remembers
//! it; `nitro` and `qemu` know how one is made. None of them sees what an enclave does: all they are told is that
//! it runs, and what is told could be a lie. Whether the right enclave runs is for clients to verify.

mod appliance;
mod console;
mod error;
mod host;
mod nitro;
mod nitro_cli;
mod post;
mod qemu;
mod state;
mod supervisor;

use std::path::PathBuf;

use r3e_transport::Endpoint;

pub use appliance::{Appliance, RunningAppliance};
pub use error::{ApplianceError, LaunchError};
pub(crate) use nitro_cli::{Described, NitroCli};
pub(crate) use post::{End, Post};
pub(crate) use state::{Phase, Snapshot, State};

use crate::limits::{
    DEFAULT_BOOT_TIMEOUT_MS, DEFAULT_ENCLAVE_CID, DEFAULT_ENCLAVE_CPUS, DEFAULT_ENCLAVE_MEMORY_MIB,
    DEFAULT_RESTART_FIRST_MS, DEFAULT_RESTART_MAX_MS, DEFAULT_WATCH_INTERVAL_MS,
};

/// Which enclave is started, and how.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The enclave image file.
    pub image: PathBuf,
    /// The published reference values. With them, only an image that they name is started.
    pub reference_values: Option<PathBuf>,
    /// What makes the enclave.
    pub host: Host,
    /// Its processors.
    pub cpus: u32,
    /// Its memory in MiB.
    pub memory_mib: u64,
    /// Its context id. The parent's transport must be for the same one. During an upgrade the next one is used as well.
    pub cid: u32,
    /// Opens the enclave's console and memory to this machine. Its PCRs are zeros then, and no client accepts it.
    pub debug_mode: bool,
    /// What to do when it ends.
    pub restart: Restart,
    /// For it to be up.
    pub boot_timeout_ms: u64,
    /// Between two looks at whether it runs.
    pub watch_interval_ms: u64,
    /// Whether it has the second of the two places, so that it can run beside the first: an upgrade goes from one to the other.
    pub(crate) second: bool,
}

/// What makes an enclave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// The Nitro hypervisor, by this program: a path, or a name that is looked for in `PATH`.
    Nitro {
        /// Normally `nitro-cli`.
        nitro_cli: PathBuf,
    },
    /// QEMU. It protects nothing: this machine reads all of the enclave's memory.
    Qemu {
        /// Where its programs are; without one, they are looked for.
        folder: Option<PathBuf>,
        /// Key and certificates by which it signs documents, under a test root.
        sign_with: Option<PathBuf>,
    },
}

/// What to do when the enclave ends, or does not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// Nothing: the appliance has ended.
    Never,
    /// Start it again after a wait, which doubles from the first to the longest.
    Backoff {
        /// Before the first restart.
        first_ms: u64,
        /// The longest.
        max_ms: u64,
    },
}

impl Launch {
    /// With the default for all but the image and the host.
    pub fn new(image: PathBuf, host: Host) -> Self {
        Self {
            image,
            reference_values: None,
            host,
            cpus: DEFAULT_ENCLAVE_CPUS,
            memory_mib: DEFAULT_ENCLAVE_MEMORY_MIB,
            cid: DEFAULT_ENCLAVE_CID,
            debug_mode: false,
            restart: Restart::Backoff { first_ms: DEFAULT_RESTART_FIRST_MS, max_ms: DEFAULT_RESTART_MAX_MS },
            boot_timeout_ms: DEFAULT_BOOT_TIMEOUT_MS,
            watch_interval_ms: DEFAULT_WATCH_INTERVAL_MS,
            second: false,
        }
    }

    /// The same, at the other of the two places.
    pub(crate) fn at_other_place(&self) -> Self {
        Self { second: !self.second, ..self.clone() }
    }

    /// Its context id at its place: the one that was set, or the next.
    pub(crate) fn context_id(&self) -> u32 {
        self.cid.saturating_add(self.second.into())
    }

    /// Where the enclave of this launch is, if the one at the first place is at `first`.
    pub(crate) fn endpoint(&self, first: &Endpoint) -> Endpoint {
        match first {
            first if !self.second => first.clone(),
            Endpoint::Vsock { .. } => Endpoint::Vsock { cid: self.context_id() },
            Endpoint::Unix { path } => {
                let mut name = path.as_os_str().to_owned();
                name.push("-2");
                Endpoint::Unix { path: name.into() }
            }
        }
    }

    /// The name by which `nitro-cli` knows the enclave. One that is left over under this name is ours.
    pub(crate) fn enclave_name(&self) -> String {
        let end = if self.second { "-2" } else { "" };
        format!("r3e-{}{end}", self.cid)
    }
}

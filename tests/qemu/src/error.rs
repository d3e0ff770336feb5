//! Why no machine runs.

use std::path::PathBuf;

use r3e_fake_nsm::FakeNsmError;
use thiserror::Error;

/// Why a machine does not start. What goes wrong in it afterwards is on its console.
#[derive(Debug, Error)]
pub enum MachineError {
    /// A script of the repository that says where its result is did not.
    #[error("{script}: {problem}")]
    Tools {
        /// The script.
        script: &'static str,
        /// What it said.
        problem: String,
    },
    /// A file or folder of the machine.
    #[error("{path}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A socket in this folder would have a longer path than sockets may.
    #[error("{0} is too long a path for sockets: take a folder such as /tmp/m")]
    LongPath(PathBuf),
    /// A comma would end the path within an option.
    #[error("{0} holds a comma, which a path in QEMU's options must not")]
    Comma(PathBuf),
    /// A program does not start.
    #[error("{program} does not start")]
    Spawn {
        /// Its path.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The vsock process ended, or made no socket in time.
    #[error("the vsock process is not ready: {log}")]
    Vsock {
        /// What it printed.
        log: String,
    },
    /// The test root or its chain.
    #[error("the test authority")]
    Authority(#[from] FakeNsmError),
}

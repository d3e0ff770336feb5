//! `enclave-under-test` as a process, and what a client must know to verify it.

use std::path::{Path, PathBuf};

use r3e_attestation::{ReferenceValues, TrustAnchor, UnsafeTestRoot, parse_reference_values};
use r3e_client::{Policy, PolicyBuilder};

use crate::process::{Process, log_file, whole};
use crate::programs::program;

/// An enclave's place in a folder: socket, state and log.
#[derive(Debug, Clone)]
pub struct EnclavePlace {
    folder: PathBuf,
}

impl EnclavePlace {
    /// In `folder`, whose path must be short: sockets stand in it.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The socket that stands for vsock.
    pub fn socket(&self) -> PathBuf {
        self.folder.join("enclave.sock")
    }

    /// The fake device's folder.
    pub fn state(&self) -> PathBuf {
        self.folder.join("enclave")
    }

    /// What the enclave printed, in all its lives here.
    pub fn log(&self) -> PathBuf {
        log_file(&self.folder, "enclave")
    }

    /// Whether the log, over all lives, holds `text`.
    pub fn logged(&self, text: &str) -> bool {
        whole(&self.log()).contains(text)
    }

    /// Starts it.
    pub fn start(&self) -> Process {
        let (socket, state) = (self.socket(), self.state());
        let arguments = ["--socket".as_ref(), socket.as_os_str(), "--state".as_ref(), state.as_os_str()];
        Process::start("enclave-under-test", &program("enclave-under-test"), arguments, &self.log())
    }

    /// The file of the image's reference values; it is there once the enclave has started.
    pub fn reference_values_file(&self) -> PathBuf {
        self.state().join("reference-values.json")
    }

    /// The file of the fake device's root.
    pub fn test_root_file(&self) -> PathBuf {
        self.state().join("test-root.pem")
    }

    /// The image's reference values.
    pub fn reference_values(&self) -> Vec<ReferenceValues> {
        let json = std::fs::read(self.reference_values_file()).expect("reference values");
        parse_reference_values(&json).expect("reference values")
    }

    /// The fake device's root.
    pub fn test_root(&self) -> TrustAnchor {
        let pem = std::fs::read_to_string(self.test_root_file()).expect("the test root");
        TrustAnchor::UnsafeTest(UnsafeTestRoot::from_pem(&pem).expect("the test root"))
    }

    /// A policy that accepts this image under this root, to be narrowed.
    pub fn policy_builder(&self) -> PolicyBuilder {
        Policy::builder().trust(self.test_root()).accept_releases(self.reference_values())
    }

    /// A policy that accepts this image under this root, with any configuration.
    pub fn policy(&self) -> Policy {
        Policy::new(self.policy_builder().any_configuration()).expect("a policy")
    }
}

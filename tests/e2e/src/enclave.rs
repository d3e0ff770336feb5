//! An enclave that a parent can serve, and what a client must know to verify it. Here it is `enclave-under-test`, as a
//! process; a crate that has another kind implements [`Place`] and [`Running`] for it.

use std::ffi::{OsStr, OsString};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use r3e_attestation::{ReferenceValues, TrustAnchor, UnsafeTestRoot, parse_reference_values};
use r3e_client::{Policy, PolicyBuilder};

use crate::process::{Process, log_file, whole};
use crate::programs::program;

/// Where an enclave is started, as often as a test wants.
pub trait Place: Debug {
    /// The enclave while it runs.
    type Running: Running;

    /// The socket of its vsock, by the hybrid-vsock convention.
    fn socket(&self) -> PathBuf;

    /// What it printed, in all its lives here.
    fn log(&self) -> PathBuf;

    /// What a client must know to verify it. The files are there once the enclave has started.
    fn trust(&self) -> Trust;

    /// Starts it.
    fn start(&self) -> Self::Running;
}

/// An enclave that runs. Dropped, it is ended.
pub trait Running: Debug {
    /// The process id that stands for it.
    fn id(&self) -> u32;

    /// How it ended, if it has.
    fn ended(&mut self) -> Option<ExitStatus>;

    /// Ends it, which it cannot prepare for.
    fn kill(self);

    /// Ends it the way its operator would.
    ///
    /// # Panics
    /// It did not end within `limit`.
    fn stop(self, limit: Duration) -> impl Future<Output = ()> + Send;
}

impl Running for Process {
    fn id(&self) -> u32 {
        self.id()
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.ended()
    }

    fn kill(self) {
        self.kill();
    }

    async fn stop(self, limit: Duration) {
        self.stop(limit).await;
    }
}

/// What a client must know to verify an image that attests under a test root.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The file of the image's reference values.
    pub reference_values_file: PathBuf,
    /// The file of the root, PEM.
    pub test_root_file: PathBuf,
}

impl Trust {
    /// The image's reference values.
    pub fn reference_values(&self) -> Vec<ReferenceValues> {
        let json = std::fs::read(&self.reference_values_file).expect("reference values");
        parse_reference_values(&json).expect("reference values")
    }

    /// The root.
    pub fn test_root(&self) -> TrustAnchor {
        let pem = std::fs::read_to_string(&self.test_root_file).expect("the test root");
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

/// The place of `enclave-under-test` in a folder: socket, state and log.
#[derive(Debug, Clone)]
pub struct EnclavePlace {
    folder: PathBuf,
}

impl Place for EnclavePlace {
    type Running = Process;

    fn socket(&self) -> PathBuf {
        self.socket()
    }

    fn log(&self) -> PathBuf {
        self.log()
    }

    fn trust(&self) -> Trust {
        Trust { reference_values_file: self.reference_values_file(), test_root_file: self.test_root_file() }
    }

    fn start(&self) -> Process {
        self.start()
    }
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
        self.start_with([""; 0])
    }

    /// Starts it with further arguments.
    pub fn start_with<A: AsRef<OsStr>>(&self, further: impl IntoIterator<Item = A>) -> Process {
        let mut arguments: Vec<OsString> =
            vec!["--socket".into(), self.socket().into(), "--state".into(), self.state().into()];
        arguments.extend(further.into_iter().map(|argument| argument.as_ref().to_owned()));
        Process::start("enclave-under-test", &program("enclave-under-test"), arguments, &self.log())
    }

    /// Starts another release: the same programs, with a runner that is another file, and so another PCR0.
    pub fn start_with_runner(&self, runner: &Path) -> Process {
        self.start_with(["--runner".as_ref(), runner.as_os_str()])
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
        self.trust().reference_values()
    }

    /// The fake device's root.
    pub fn test_root(&self) -> TrustAnchor {
        self.trust().test_root()
    }

    /// A policy that accepts this image under this root, to be narrowed.
    pub fn policy_builder(&self) -> PolicyBuilder {
        self.trust().policy_builder()
    }

    /// A policy that accepts this image under this root, with any configuration.
    pub fn policy(&self) -> Policy {
        self.trust().policy()
    }
}

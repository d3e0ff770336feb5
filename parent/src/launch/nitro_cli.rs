//! Speaks to `nitro-cli`: its arguments, its JSON, its time. Knows nothing of when an enclave should run.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::Launch;
use crate::finding::shown;
use crate::limits::{MAX_SHOWN_CHARS, MAX_TOOL_OUTPUT_BYTES, NITRO_CLI_TIMEOUT_MS, TOOL_GRACE_MS};

/// Why `nitro-cli` did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NitroCliError {
    /// It could not be started.
    #[error("cannot run {}: {source}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It did not end in time, and was killed.
    #[error("nitro-cli {action} did not end within {ms} ms")]
    TimedOut {
        /// What it was to do.
        action: &'static str,
        /// The limit.
        ms: u64,
    },
    /// It failed, and said why.
    #[error("nitro-cli {action} failed ({status}): {said}")]
    Failed {
        /// What it was to do.
        action: &'static str,
        /// How it ended.
        status: String,
        /// Its own words.
        said: String,
    },
    /// It succeeded, and said something else than this program understands.
    #[error("nitro-cli {action} answered with something unknown: {source}")]
    Output {
        /// What it was to do.
        action: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// One enclave, as `nitro-cli describe-enclaves` tells of it. Older versions give no name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Described {
    #[serde(rename = "EnclaveName", default)]
    pub(crate) name: Option<String>,
    #[serde(rename = "EnclaveID")]
    pub(crate) id: String,
    #[serde(rename = "EnclaveCID")]
    pub(crate) cid: u64,
    #[serde(rename = "NumberOfCPUs")]
    pub(crate) cpus: u64,
    #[serde(rename = "MemoryMiB")]
    pub(crate) memory_mib: u64,
    /// `RUNNING`, `TERMINATING` or `EMPTY`.
    #[serde(rename = "State")]
    pub(crate) state: String,
}

/// What `nitro-cli run-enclave` answers, as far as it is used.
#[derive(Debug, Deserialize)]
pub(crate) struct Started {
    #[serde(rename = "EnclaveID")]
    pub(crate) id: String,
    #[serde(rename = "EnclaveCID")]
    pub(crate) cid: u64,
}

/// What `nitro-cli terminate-enclave` answers, as far as it is used.
#[derive(Debug, Deserialize)]
struct Terminated {
    #[serde(rename = "Terminated")]
    terminated: bool,
}

/// The program.
#[derive(Debug, Clone)]
pub(crate) struct NitroCli {
    program: PathBuf,
}

impl NitroCli {
    pub(crate) fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// Its path.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// The enclaves of this machine that this user may see.
    pub(crate) async fn describe(&self) -> Result<Vec<Described>, NitroCliError> {
        self.ask("describe-enclaves", &[], NITRO_CLI_TIMEOUT_MS).await
    }

    /// Starts an enclave, and waits for its heartbeat, which `nitro-cli` takes itself.
    pub(crate) async fn run(&self, launch: &Launch) -> Result<Started, NitroCliError> {
        let (cpus, memory, cid) =
            (launch.cpus.to_string(), launch.memory_mib.to_string(), launch.context_id().to_string());
        let name = launch.enclave_name();
        let mut arguments: Vec<&OsStr> = vec!["--eif-path".as_ref(), launch.image.as_ref()];
        for (option, value) in [
            ("--cpu-count", &cpus),
            ("--memory", &memory),
            ("--enclave-cid", &cid),
            ("--enclave-name", &name),
        ] {
            arguments.extend([OsStr::new(option), value.as_ref()]);
        }
        if launch.debug_mode {
            arguments.push("--debug-mode".as_ref());
        }
        self.ask("run-enclave", &arguments, launch.boot_timeout_ms).await
    }

    /// Ends an enclave. False: it says that it did not.
    pub(crate) async fn terminate(&self, id: &str) -> Result<bool, NitroCliError> {
        let arguments = ["--enclave-id".as_ref(), id.as_ref()];
        let answer: Terminated = self.ask("terminate-enclave", &arguments, NITRO_CLI_TIMEOUT_MS).await?;
        Ok(answer.terminated)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        action: &'static str,
        arguments: &[&OsStr],
        limit_ms: u64,
    ) -> Result<T, NitroCliError> {
        let (output, said) = (Kept::default(), Kept::default());
        let asking = async {
            let mut child = Command::new(&self.program)
                .arg(action)
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .kill_on_drop(true)
                .spawn()?;
            let streams = (child.stdout.take(), child.stderr.take());
            let keeping = async { tokio::join!(output.keep(streams.0), said.keep(streams.1)) };
            tokio::pin!(keeping);
            // The enclave's own process is a child of nitro-cli's and may hold the streams for as long as it runs.
            tokio::select! {
                status = child.wait() => {
                    let _ = timeout(Duration::from_millis(TOOL_GRACE_MS), &mut keeping).await;
                    status
                }
                _ = &mut keeping => child.wait().await,
            }
        };
        let status = timeout(Duration::from_millis(limit_ms), asking)
            .await
            .map_err(|_| NitroCliError::TimedOut { action, ms: limit_ms })?
            .map_err(|source| NitroCliError::Spawn { program: self.program.clone(), source })?;
        if !status.success() {
            let said = shown(&said.bytes(), MAX_SHOWN_CHARS);
            return Err(NitroCliError::Failed { action, status: status.to_string(), said });
        }
        serde_json::from_slice(&output.bytes()).map_err(|source| NitroCliError::Output { action, source })
    }
}

/// What a stream has said so far, up to a limit.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<u8>>);

impl Kept {
    async fn keep<R: AsyncRead + Unpin>(&self, stream: Option<R>) {
        let Some(mut stream) = stream else { return };
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let room = MAX_TOOL_OUTPUT_BYTES - kept.len();
            kept.extend(buffer.iter().take(length.min(room)));
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

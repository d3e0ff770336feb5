//! Starts processes, on a thread of its own.
//!
//! A runner asks the kernel to end it when its parent ends, and to the kernel the parent is the thread that
//! started it. This thread lives exactly as long as the pool, so no runner outlives either.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::mpsc;
use std::{io, thread};

use r3e_runner_api::process::ENVIRONMENT;
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::error::StartError;

/// A process that was just started, and the socket to it.
pub(super) struct Spawned {
    pub(super) child: Child,
    pub(super) stream: UnixStream,
}

/// The thread's other end.
#[derive(Debug)]
pub(super) struct Spawner {
    requests: mpsc::Sender<oneshot::Sender<io::Result<Spawned>>>,
}

impl Spawner {
    /// Starts the thread. Must be called within a tokio runtime, which then watches the processes.
    pub(super) fn new(runner_path: PathBuf, arguments: Vec<OsString>) -> io::Result<Self> {
        let (requests, received) = mpsc::channel::<oneshot::Sender<io::Result<Spawned>>>();
        let runtime = Handle::current();
        thread::Builder::new().name("runner-spawner".to_owned()).spawn(move || {
            let _within = runtime.enter();
            for request in received {
                // Whoever asked may have given up; the process then ends with its handle.
                let _unclaimed = request.send(spawn(&runner_path, &arguments));
            }
        })?;
        Ok(Self { requests })
    }

    /// Starts one process.
    pub(super) async fn spawn(&self) -> Result<Spawned, StartError> {
        let (reply, spawned) = oneshot::channel();
        self.requests.send(reply).map_err(|_| StartError::ShuttingDown)?;
        spawned.await.map_err(|_| StartError::ShuttingDown)?.map_err(StartError::Spawn)
    }
}

fn spawn(runner_path: &Path, arguments: &[OsString]) -> io::Result<Spawned> {
    let (ours, theirs) = StdUnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let child = Command::new(runner_path)
        .args(arguments)
        .env_clear()
        .envs(ENVIRONMENT.iter().copied())
        .current_dir("/")
        // Standard input is the socket (`r3e_runner_api::process::SOCKET_FD`). Standard error is heard until the
        // sandbox closes: a start that fails says why there.
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()?;
    Ok(Spawned { child, stream: UnixStream::from_std(ours)? })
}

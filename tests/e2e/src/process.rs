//! A program that runs until it is told otherwise, with its log in a file. It is ended by its process id, never by name.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

/// How much of a log is shown when a test fails.
const SHOWN_LOG_BYTES: usize = 6_000;
const POLL: Duration = Duration::from_millis(10);

/// A running program. Dropped, it is killed and reaped.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    /// Starts `program` with an empty environment; what it prints is appended to `log`.
    pub fn start<A: AsRef<OsStr>>(
        name: &'static str,
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        log: &Path,
    ) -> Self {
        let log = OpenOptions::new().create(true).append(true).open(log).expect("the log file");
        let child = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        Self { name, child }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the state of a child")
    }

    /// Sends it a signal; nothing happens if it has ended.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended().is_none() {
            let id = Pid::from_raw(self.child.id().cast_signed());
            kill(id, signal).unwrap_or_else(|error| panic!("{signal} to {}: {error}", self.name));
        }
    }

    /// Kills it, which it cannot prepare for.
    pub fn kill(mut self) {
        self.signal(Signal::SIGKILL);
        self.child.wait().expect("the end of a killed child");
    }

    /// Waits for it to end by itself.
    ///
    /// # Panics
    /// It has not ended after `limit`.
    pub async fn wait(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            match self.ended() {
                Some(status) => return status,
                None if Instant::now() > deadline => panic!("{} did not end within {limit:?}", self.name),
                None => sleep(POLL).await,
            }
        }
    }

    /// Asks it to end (SIGTERM), and waits.
    ///
    /// # Panics
    /// It did not end within `limit`, or ended with a failure.
    pub async fn stop(mut self, limit: Duration) {
        self.signal(Signal::SIGTERM);
        let status = self.wait(limit).await;
        assert!(
            status.success(),
            "{} ended with {:?} (signal {:?})",
            self.name,
            status.code(),
            status.signal()
        );
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // It may end between the two; then there is nothing to kill.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The last part of a log.
pub fn tail(log: &Path) -> String {
    let mut text = Vec::new();
    match File::open(log).and_then(|mut file| file.read_to_end(&mut text)) {
        Ok(_) => {
            let start = text.len().saturating_sub(SHOWN_LOG_BYTES);
            String::from_utf8_lossy(&text[start..]).into_owned()
        }
        Err(error) => format!("no log: {error}"),
    }
}

/// A log as a whole.
pub fn whole(log: &Path) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}

/// A log's file within a folder.
pub fn log_file(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.log"))
}

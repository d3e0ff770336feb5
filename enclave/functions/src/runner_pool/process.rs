//! One runner process, from its start to its end.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use r3e_runner_api::process::EXIT_OUT_OF_MEMORY;
use r3e_runner_api::{FunctionLimits, RunnerEvent, Session};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::runtime::Handle;

use super::config::Limits;
use super::error::{InvocationError, StartError};
use super::limits::{BASE_MEMORY_MIB, READ_CHUNK_BYTES, RETAINED_HEAP_PERCENT, START_TIMEOUT_MS};
use super::memory::Reserved;
use super::meter::Meter;
use super::notes::ProcessNotes;
use super::spawner::Spawner;

/// A count of processes that are meant to live.
#[derive(Clone, Debug, Default)]
pub(super) struct LiveCount(Arc<AtomicUsize>);

impl LiveCount {
    /// How many there are.
    pub(super) fn now(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// Counts one more, until the token is dropped.
    pub(super) fn token(&self) -> LiveToken {
        self.0.fetch_add(1, Ordering::AcqRel);
        LiveToken(Arc::clone(&self.0))
    }
}

/// One of the count.
#[derive(Debug)]
pub(super) struct LiveToken(Arc<AtomicUsize>);

impl Drop for LiveToken {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A process, its socket and its conversation. Dropping it ends the process and reaps it.
#[derive(Debug)]
pub(super) struct RunnerProcess {
    /// Nothing once the process was reaped.
    child: Option<Child>,
    pub(super) stream: UnixStream,
    pub(super) session: Session,
    pub(super) meter: Meter,
    pub(super) chunk: Box<[u8]>,
    /// What the caller noted about it.
    pub(super) notes: Arc<ProcessNotes>,
    /// What it was loaded with, or is being.
    limits: Option<FunctionLimits>,
    events: u32,
    /// Given back once the process was reaped.
    memory: Option<Reserved>,
    _live: LiveToken,
}

impl RunnerProcess {
    /// Starts a process and waits until it is boxed.
    pub(super) async fn start(spawner: &Spawner, live: LiveToken) -> Result<Self, StartError> {
        let started = spawner.spawn().await?;
        // A child that was not waited for has its number.
        let pid = started.child.id().ok_or(StartError::ShuttingDown)?;
        let mut process = Self {
            child: Some(started.child),
            stream: started.stream,
            session: Session::new(),
            meter: Meter::new(pid).map_err(StartError::Meter)?,
            chunk: vec![0; READ_CHUNK_BYTES].into_boxed_slice(),
            notes: Arc::default(),
            limits: None,
            events: 0,
            memory: None,
            _live: live,
        };
        let patience = Duration::from_millis(START_TIMEOUT_MS);
        match tokio::time::timeout(patience, process.until_ready()).await {
            Ok(Ok(())) => Ok(process),
            Ok(Err(Some(error))) => Err(error),
            Ok(Err(None)) => Err(match process.end().await {
                Ok(status) => StartError::Ended { status },
                Err(error) => StartError::Io(error),
            }),
            Err(_elapsed) => Err(StartError::TimedOut),
        }
    }

    /// Waits for `Ready`. An error of nothing means that the socket was closed.
    async fn until_ready(&mut self) -> Result<(), Option<StartError>> {
        loop {
            // Nothing but `Ready` passes the session at this point.
            if let Some(RunnerEvent::Ready) = self.session.next_event().map_err(StartError::Protocol)? {
                return Ok(());
            }
            self.stream.readable().await.map_err(StartError::Io)?;
            if !self.read().map_err(StartError::Io)? {
                return Err(None);
            }
        }
    }

    /// Moves what has come into the session. False when the socket is closed.
    pub(super) fn read(&mut self) -> std::io::Result<bool> {
        match self.stream.try_read(&mut self.chunk) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.session.push(self.chunk.get(..count).unwrap_or_default());
                Ok(true)
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(true),
            // The other end was closed with bytes unread in it.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives the process its reserved memory, to be held until it is reaped.
    pub(super) fn hold(&mut self, memory: Reserved) {
        self.memory = Some(memory);
    }

    /// MiB that it holds of the budget.
    pub(super) fn held_mib(&self) -> usize {
        self.memory.as_ref().map_or(0, Reserved::num_permits)
    }

    /// Notes what the process is loaded with.
    pub(super) fn set_limits(&mut self, limits: FunctionLimits) {
        self.limits = Some(limits);
    }

    /// Whether an event under these limits may come to this process as it is: loaded with the same, alive, and
    /// silent since its last event.
    pub(super) fn fits(&mut self, limits: &Limits) -> bool {
        self.limits == Some(limits.of_runner()) && self.session.is_idle() && self.is_silent()
    }

    /// Whether the process lives and has said nothing unasked. One that was killed while nobody used it must not cost
    /// the next event, so the kernel is asked as well: its word on the socket may not have come here yet.
    pub(super) fn is_silent(&mut self) -> bool {
        let read = self.stream.try_read(&mut self.chunk);
        matches!(read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock)
            && self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Whether the process may be kept after an event that went well.
    pub(super) fn is_reusable(&mut self, max_events: u32) -> bool {
        self.events += 1;
        let Some(limits) = self.limits else { return false };
        let heap = u64::from(limits.memory_mib) * RETAINED_HEAP_PERCENT / 100;
        let max_bytes = (BASE_MEMORY_MIB + heap) * 1024 * 1024;
        self.events < max_events
            && self.session.is_idle()
            && self.session.outstanding_calls() == 0
            && self.meter.resident_bytes().is_ok_and(|bytes| bytes <= max_bytes)
    }

    /// Ends the process and tells how it ended: by itself if it had, else by the kill.
    pub(super) async fn end(mut self) -> std::io::Result<ExitStatus> {
        let Some(mut child) = self.child.take() else { return Err(std::io::ErrorKind::NotFound.into()) };
        child.start_kill()?;
        child.wait().await
    }

    /// Ends a process whose socket was found closed, and says why it closed.
    pub(super) async fn post_mortem(self) -> InvocationError {
        let max_mib = self.limits.map_or(0, |limits| limits.memory_mib);
        match self.end().await {
            Ok(status) => match status.signal() {
                Some(signal) => InvocationError::Crashed { signal },
                None if status.code() == Some(EXIT_OUT_OF_MEMORY) => InvocationError::Memory { max_mib },
                None => InvocationError::Exited { status: status.code().unwrap_or_default() },
            },
            Err(error) => InvocationError::Io(error),
        }
    }
}

impl Drop for RunnerProcess {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // It fails only for a process that has ended already.
        let _ended = child.start_kill();
        // Without a runtime the process is still killed; who ends the runtime reaps with its own end.
        if let Ok(runtime) = Handle::try_current() {
            let memory = self.memory.take();
            runtime.spawn(async move {
                // What it held is free when it is gone, not when it was told to go.
                let _reaped = child.wait().await;
                drop(memory);
            });
        }
    }
}

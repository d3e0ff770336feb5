//! One process that loads a function or handles its events, from its start to its end.

use std::sync::Arc;
use std::time::Duration;

use r3e_runner_api::process::{EXIT_OUT_OF_MEMORY, Ending};
use r3e_runner_api::{FunctionLimits, Session};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::config::{FunctionKey, Limits};
use super::error::{InvocationError, StartError};
use super::family::{Family, Member};
use super::forker::{Copy, Forker};
use super::held::{Held, LiveToken};
use super::limits::{BASE_MEMORY_MIB, READ_CHUNK_BYTES, RETAINED_HEAP_PERCENT, START_TIMEOUT_MS};
use super::memory::Reserved;
use super::meter::Meter;
use super::notes::ProcessNotes;
use super::nursery::{Nursery, status_of, until_ready};

/// The signal that ends what does not end by itself.
const SIGKILL: i32 = 9;

/// A process, its socket and its conversation. Dropping it ends the process.
#[derive(Debug)]
pub(super) struct RunnerProcess {
    held: Held,
    pub(super) stream: UnixStream,
    pub(super) session: Session,
    pub(super) meter: Meter,
    pub(super) chunk: Box<[u8]>,
    /// What the caller noted about it.
    pub(super) notes: Arc<ProcessNotes>,
    /// What it was loaded with, or is being.
    limits: Option<FunctionLimits>,
    events: u32,
    /// Whose copy it is, and the number it has there.
    original: Arc<Forker>,
    number: u64,
}

impl RunnerProcess {
    /// A process without a function, boxed.
    pub(super) async fn blank(nursery: &Nursery, live: LiveToken) -> Result<Self, StartError> {
        let (copy, original) = nursery.copy().await?;
        let mut process = Self::new(copy, original, Session::new(), vec![live])?;
        if process.is_ready().await? {
            return Ok(process);
        }
        Err(StartError::Ended { status: status_of(process.end().await) })
    }

    /// Has the process get ready for a function whose events it will handle.
    pub(super) async fn rehearse(&mut self) -> Result<(), StartError> {
        let order = self.session.rehearse().map_err(StartError::Protocol)?;
        // The few bytes fit what nothing was written to before.
        self.stream.writable().await.map_err(StartError::Io)?;
        let sent = self.stream.try_write(&order).map_err(StartError::Io)?;
        if sent < order.len() {
            return Err(StartError::Io(std::io::ErrorKind::WriteZero.into()));
        }
        if self.is_ready().await? { Ok(()) } else { Err(StartError::Gone) }
    }

    /// Waits until it says that it is ready. False when it has closed its socket instead.
    async fn is_ready(&mut self) -> Result<bool, StartError> {
        let ready = until_ready(&self.stream, &mut self.session, &mut self.chunk);
        let said = timeout(Duration::from_millis(START_TIMEOUT_MS), ready).await;
        Ok(said.map_err(|_elapsed| StartError::TimedOut)??.is_some())
    }

    /// A copy of a process that has loaded a function under these limits, ready for its events.
    pub(super) fn of_family(
        copy: Copy,
        family: &Arc<Family>,
        member: Member,
        memory: Reserved,
        live: Vec<LiveToken>,
    ) -> Result<Self, StartError> {
        let (original, session) = (Arc::clone(family.forker()), Session::of_copy(family.limits()));
        let mut process = Self::new(copy, original, session, live)?;
        process.limits = Some(family.limits());
        process.held.join(member);
        process.held.reserve(memory);
        Ok(process)
    }

    fn new(
        copy: Copy,
        original: Arc<Forker>,
        session: Session,
        live: Vec<LiveToken>,
    ) -> Result<Self, StartError> {
        let held = Held::new(copy.handle, live);
        Ok(Self {
            meter: Meter::new(Arc::clone(&held.handle)).map_err(StartError::Meter)?,
            held,
            stream: copy.stream,
            session,
            chunk: vec![0; READ_CHUNK_BYTES].into_boxed_slice(),
            notes: Arc::default(),
            limits: None,
            events: 0,
            original,
            number: copy.number,
        })
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

    /// Gives the process its reserved memory, to be held until it has ended.
    pub(super) fn hold(&mut self, memory: Reserved) {
        self.held.reserve(memory);
    }

    /// Counts it in another way as well.
    pub(super) fn count(&mut self, live: LiveToken) {
        self.held.count(live);
    }

    /// MiB that it holds of the budget.
    pub(super) fn held_mib(&self) -> usize {
        self.held.mib()
    }

    /// Notes what the process is loaded with.
    pub(super) fn set_limits(&mut self, limits: FunctionLimits) {
        self.limits = Some(limits);
    }

    /// Processor time that it had used when it was handed to its present use: none, for a copy that is new.
    pub(super) fn cpu_before(&self) -> std::io::Result<Duration> {
        if self.held.is_member() && self.events == 0 { Ok(Duration::ZERO) } else { self.meter.cpu() }
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
            && self.held.handle.is_alive()
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

    /// Goes on with a process that has loaded its function as one that makes copies.
    pub(super) fn into_family(self, key: &FunctionKey) -> Result<Family, StartError> {
        let limits = self.limits.ok_or(StartError::Gone)?;
        let forker = Forker::new(self.stream, self.session, self.chunk);
        Family::new(key, limits, forker, self.held, self.meter)
    }

    /// Ends the process and tells how it ended: by itself if it had, else by the kill.
    pub(super) async fn end(self) -> Ending {
        self.held.handle.kill();
        self.original.how_ended(self.number).await.unwrap_or(Ending::Signaled(SIGKILL))
    }

    /// Ends a process whose socket was found closed, and says why it closed.
    pub(super) async fn post_mortem(self) -> InvocationError {
        let max_mib = self.limits.map_or(0, |limits| limits.memory_mib);
        match self.end().await {
            Ending::Signaled(signal) => InvocationError::Crashed { signal },
            Ending::Exited(EXIT_OUT_OF_MEMORY) => InvocationError::Memory { max_mib },
            Ending::Exited(status) => InvocationError::Exited { status },
        }
    }
}

//! The process that all others are copies of: started once, with an engine and without a function. It runs our own code alone.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use r3e_runner_api::process::{Ending, Identity};
use r3e_runner_api::{RunnerEvent, Session};
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::error::StartError;
use super::forker::{Copy, Forker};
use super::limits::{NURSERY_TIMEOUT_MS, READ_CHUNK_BYTES};
use super::spawner::Spawner;

/// Where copies without a function come from.
#[derive(Debug)]
pub(super) struct Nursery {
    spawner: Spawner,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    forker: Arc<Forker>,
    /// Ends with this.
    child: std::sync::Mutex<Child>,
}

impl Nursery {
    /// One that is started when the first copy is wanted.
    pub(super) fn new(spawner: Spawner) -> Self {
        Self { spawner, running: Mutex::default() }
    }

    /// A copy, boxed and without a function, and the process that knows how it will end.
    pub(super) async fn copy(&self) -> Result<(Copy, Arc<Forker>), StartError> {
        let mut running = self.running.lock().await;
        // The one that ran may have ended since it was last used, which is no news of the one that is started in its place.
        if running.as_mut().is_some_and(Running::lives) {
            match Self::copy_of(&mut running).await {
                made @ (Ok(_) | Err(StartError::Refused(_))) => return made,
                Err(error) => {
                    tracing::warn!(%error, "the process that runners are copies of is started anew");
                }
            }
        }
        *running = Some(Running::start(&self.spawner).await?);
        Self::copy_of(&mut running).await
    }

    async fn copy_of(running: &mut Option<Running>) -> Result<(Copy, Arc<Forker>), StartError> {
        let Some(forker) = running.as_ref().map(|running| Arc::clone(&running.forker)) else {
            return Err(StartError::Gone);
        };
        let made = forker.fork().await;
        if matches!(&made, Err(error) if !matches!(error, StartError::Refused(_))) {
            // It ends, and all of its copies with it: whatever went wrong, what is started next begins anew.
            *running = None;
        }
        Ok((made?, forker))
    }
}

impl Running {
    async fn start(spawner: &Spawner) -> Result<Self, StartError> {
        let started = spawner.spawn().await?;
        let mut child = started.child;
        let (stream, mut session) = (started.stream, Session::new());
        let mut chunk = vec![0; READ_CHUNK_BYTES].into_boxed_slice();
        let patience = Duration::from_millis(NURSERY_TIMEOUT_MS);
        let identity = timeout(patience, until_ready(&stream, &mut session, &mut chunk)).await;
        match identity.map_err(|_elapsed| StartError::TimedOut)?? {
            Some(Identity::OwnUser) => {}
            Some(Identity::OwnUserNamespace) => tracing::warn!(
                "runners have a user namespace each, but no user id: whoever started this process is not root"
            ),
            None => {
                // It has closed its socket, or is about to end.
                let _ended = child.start_kill();
                let status = child.wait().await.map_err(StartError::Io)?;
                return Err(StartError::Ended { status });
            }
        }
        let forker = Arc::new(Forker::new(stream, session, chunk));
        Ok(Self { forker, child: std::sync::Mutex::new(child) })
    }

    fn lives(&mut self) -> bool {
        let child = self.child.get_mut().unwrap_or_else(PoisonError::into_inner);
        matches!(child.try_wait(), Ok(None))
    }
}

/// Waits for `Ready`. Nothing means that the socket was closed.
pub(super) async fn until_ready(
    stream: &UnixStream,
    session: &mut Session,
    chunk: &mut [u8],
) -> Result<Option<Identity>, StartError> {
    loop {
        // Nothing but `Ready` passes the session at this point.
        if let Some(RunnerEvent::Ready(identity)) = session.next_event().map_err(StartError::Protocol)? {
            return Ok(Some(identity));
        }
        stream.readable().await.map_err(StartError::Io)?;
        match stream.try_read(chunk) {
            Ok(0) => return Ok(None),
            Ok(count) => session.push(chunk.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(StartError::Io(error)),
        }
    }
}

/// An ending as the kernel tells it of one's own children (`wait(2)`).
pub(super) fn status_of(ending: Ending) -> ExitStatus {
    ExitStatus::from_raw(match ending {
        Ending::Exited(status) => (status & 0xff) << 8,
        Ending::Signaled(signal) => signal & 0x7f,
    })
}

//! The one thread that talks to the driver, and the bounded queue in front of it.
//!
//! Knows nothing of what the requests mean.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::driver::{NsmDriver, Request, Response};
use crate::error::{AttesterError, NsmError};
use crate::limits::MAX_CALL_TIMEOUT;
use crate::stats::Counters;

/// The sending half. When the last one is dropped, the thread ends and drops the driver.
#[derive(Debug)]
pub(crate) struct Queue {
    jobs: SyncSender<Job>,
    capacity: usize,
    counters: Arc<Counters>,
}

/// An answer of the device, and the moment it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    pub(crate) answered_at: Instant,
}

/// What the device answered. Entropy leaves the thread already in memory that is wiped on drop, so
/// that an answer whose caller has left is wiped too.
pub(crate) enum Outcome {
    Random(Zeroizing<Vec<u8>>),
    Refused(NsmError),
    Other(Response),
}

struct Job {
    /// Before `reply`, so that it is free again when the caller learns that its request is dropped.
    place: Place,
    request: Request,
    deadline: Instant,
    reply: oneshot::Sender<Answer>,
}

/// A place in the queue, counted for as long as it is held, even if the thread dies.
struct Place(Arc<Counters>);

impl Place {
    fn take(counters: &Arc<Counters>) -> Self {
        counters.queued();
        Self(Arc::clone(counters))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.unqueued();
    }
}

impl Queue {
    /// Starts the thread. At most `capacity` requests wait while one is with the device.
    pub(crate) fn start<D: NsmDriver>(
        driver: D,
        capacity: usize,
        counters: Arc<Counters>,
    ) -> Result<Self, AttesterError> {
        let (jobs, waiting) = sync_channel(capacity);
        let thread_counters = Arc::clone(&counters);
        thread::Builder::new()
            .name("nsm".to_owned())
            .spawn(move || serve(&driver, &waiting, &thread_counters))
            .map_err(AttesterError::ThreadStart)?;
        Ok(Self { jobs, capacity, counters })
    }

    /// Queues the request and waits for its answer, at most `timeout` in all.
    ///
    /// If the caller stops waiting, by deadline or by dropping the future, before the device has
    /// begun, the request is never sent.
    pub(crate) async fn call(&self, request: Request, timeout: Duration) -> Result<Answer, AttesterError> {
        let timeout = timeout.min(MAX_CALL_TIMEOUT);
        let deadline = Instant::now() + timeout;
        let (reply, answer) = oneshot::channel();
        let place = Place::take(&self.counters);
        if let Err(error) = self.jobs.try_send(Job { place, request, deadline, reply }) {
            return Err(match error {
                TrySendError::Full(_) => {
                    self.counters.rejected();
                    AttesterError::Busy { capacity: self.capacity }
                }
                TrySendError::Disconnected(_) => AttesterError::Stopped,
            });
        }
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(Ok(answer)) => Ok(answer),
            // The thread drops a reply unanswered when the deadline has passed, or when it dies.
            Ok(Err(_)) if Instant::now() < deadline => Err(AttesterError::Stopped),
            Ok(Err(_)) | Err(_) => Err(AttesterError::Deadline {
                timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            }),
        }
    }
}

fn serve(driver: &impl NsmDriver, waiting: &Receiver<Job>, counters: &Counters) {
    while let Ok(Job { place, request, deadline, reply }) = waiting.recv() {
        drop(place);
        let started = Instant::now();
        if reply.is_closed() || started >= deadline {
            counters.abandoned();
            continue;
        }
        let response = driver.process(request);
        let answered_at = Instant::now();
        counters.answered(answered_at.duration_since(started));
        let outcome = match response {
            Response::GetRandom { random } => Outcome::Random(Zeroizing::new(random)),
            Response::Error(code) => {
                counters.error();
                Outcome::Refused(code.into())
            }
            other => Outcome::Other(other),
        };
        // A caller that left while the device worked is no error here.
        drop(reply.send(Answer { outcome, answered_at }));
    }
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Random(random) => write!(formatter, "Random({} bytes)", random.len()),
            Self::Refused(error) => formatter.debug_tuple("Refused").field(error).finish(),
            Self::Other(response) => formatter.debug_tuple("Other").field(response).finish(),
        }
    }
}

//! The parent as the keeper of blobs: one connection, several requests on their way at once, each answer checked
//! against its question. A lost connection is made again with a growing pause; what was on its way then fails with
//! an unknown outcome, which is the caller's to settle.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use r3e_proto::{
    host::blob::{BlobName, Commit, HeadDigest, Operation, Outcome, Request, Response},
    limits::MAX_HOST_FRAME_BYTES,
};
use r3e_transport::{
    EnclaveTransport, Stream,
    frame::{read_frame, write_frame},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, BufReader},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::{Instant, sleep, timeout},
};

use crate::{
    blobs::{BlobError, BlobFuture, BlobStore, CommitAnswer, LinkError, Page},
    limits::{MAX_IN_FLIGHT, MAX_WAITING_REQUESTS, REQUEST_TIMEOUT_MS},
    settle::backoff,
};

/// The parent's blob store, over the transport.
#[derive(Debug, Clone)]
pub struct ParentBlobs {
    asks: mpsc::Sender<Ask>,
    ids: Arc<AtomicU64>,
    timeout_ms: u64,
}

impl ParentBlobs {
    /// Asks at the parent's `port`; each request may take [`REQUEST_TIMEOUT_MS`]. Connects when first asked. Must
    /// be called within a tokio runtime, which carries the connection until the last clone is dropped.
    pub fn new(transport: EnclaveTransport, port: u32) -> Self {
        Self::with_timeout(transport, port, REQUEST_TIMEOUT_MS)
    }

    /// The same, with `timeout_ms` for each request.
    pub fn with_timeout(transport: EnclaveTransport, port: u32, timeout_ms: u64) -> Self {
        let (asks, waiting) = mpsc::channel(MAX_WAITING_REQUESTS);
        tokio::spawn(keep_connected(transport, port, timeout_ms, waiting));
        Self { asks, ids: Arc::new(AtomicU64::new(1)), timeout_ms }
    }

    /// The value of the parent's slot, if any. It is the parent's word, and may be anything of at most
    /// `r3e_proto::limits::MAX_SLOT_BYTES`.
    ///
    /// # Errors
    /// [`BlobError`]: no answer that can be used; ask again.
    pub async fn slot_read(&self) -> Result<Option<Vec<u8>>, BlobError> {
        match self.ask(Operation::SlotRead).await? {
            Outcome::Slot(value) => Ok(value),
            _ => Err(other_kind()),
        }
    }

    /// Writes the slot, if the SHA-256 of the value that stands is `expected` (none: nothing stands yet). Answered
    /// once it is durable. `value` has at most `r3e_proto::limits::MAX_SLOT_BYTES`, or the parent gives up the
    /// connection.
    ///
    /// # Errors
    /// [`BlobError`]: whether it was written is unknown; [`Self::slot_read`] tells.
    pub async fn slot_write(
        &self,
        expected: Option<HeadDigest>,
        value: Vec<u8>,
    ) -> Result<CommitAnswer, BlobError> {
        match self.ask(Operation::SlotWrite { expected, value }).await? {
            Outcome::Committed => Ok(CommitAnswer::Committed),
            Outcome::Conflict => Ok(CommitAnswer::Conflict),
            _ => Err(other_kind()),
        }
    }

    /// Ids are never used twice, whatever connection carries them.
    fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    async fn ask(&self, operation: Operation) -> Result<Outcome, BlobError> {
        let id = self.next_id();
        self.send(id, Request { id, operation }.encode()).await
    }

    async fn send(&self, id: u64, body: Vec<u8>) -> Result<Outcome, BlobError> {
        let (answer, outcome) = oneshot::channel();
        self.asks.try_send(Ask { id, body, answer }).map_err(|_| BlobError::Busy)?;
        match timeout(Duration::from_millis(self.timeout_ms), outcome).await {
            Ok(Ok(Ok(Outcome::Failed(message)))) => Err(BlobError::Failed { message }),
            Ok(Ok(answered)) => answered.map_err(BlobError::Lost),
            // The task that owned the question has ended with its runtime.
            Ok(Err(_)) => Err(BlobError::Lost(Arc::new(NOT_RUNNING))),
            Err(_) => Err(BlobError::TimedOut { timeout_ms: self.timeout_ms }),
        }
    }
}

impl BlobStore for ParentBlobs {
    fn head(&self) -> BlobFuture<'_, Option<Vec<u8>>> {
        Box::pin(async {
            match self.ask(Operation::Head).await? {
                Outcome::Head(head) => Ok(head),
                _ => Err(other_kind()),
            }
        })
    }

    fn read(&self, name: BlobName) -> BlobFuture<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            match self.ask(Operation::Read { name }).await? {
                Outcome::Read(blob) => Ok(blob),
                _ => Err(other_kind()),
            }
        })
    }

    fn list(&self, after: Option<BlobName>) -> BlobFuture<'_, Page> {
        Box::pin(async move {
            match self.ask(Operation::List { after }).await? {
                Outcome::List { records, more } => Ok(Page { records, more }),
                _ => Err(other_kind()),
            }
        })
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> BlobFuture<'a, CommitAnswer> {
        Box::pin(async {
            let id = self.next_id();
            let mut body = Vec::new();
            Request::encode_commit(id, commit, &mut body);
            match self.send(id, body).await? {
                Outcome::Committed => Ok(CommitAnswer::Committed),
                Outcome::Conflict => Ok(CommitAnswer::Conflict),
                _ => Err(other_kind()),
            }
        })
    }
}

type Answer = Result<Outcome, Arc<LinkError>>;

/// A question that waits for the connection.
#[derive(Debug)]
struct Ask {
    id: u64,
    /// The request, encoded.
    body: Vec<u8>,
    answer: oneshot::Sender<Answer>,
}

const OTHER_KIND: LinkError = LinkError::Protocol { rule: "an answer is of its question's kind" };
const NO_QUESTION: LinkError = LinkError::Protocol { rule: "an answer has the id of an open question" };
const NOT_RUNNING: LinkError = LinkError::Protocol { rule: "the runtime that carries the connection runs" };

fn other_kind() -> BlobError {
    BlobError::Lost(Arc::new(OTHER_KIND))
}

/// Makes a connection whenever there is a question and none stands.
async fn keep_connected(
    transport: EnclaveTransport,
    port: u32,
    timeout_ms: u64,
    mut asks: mpsc::Receiver<Ask>,
) {
    let mut failures = 0;
    while let Some(first) = asks.recv().await {
        let cause = match transport.dial_parent(port).await {
            Ok(stream) => {
                let (cause, answered) = serve(stream, first, &mut asks, timeout_ms).await;
                if answered {
                    failures = 0;
                }
                cause
            }
            Err(error) => {
                let cause = Arc::new(LinkError::Dial(error));
                let _ = first.answer.send(Err(Arc::clone(&cause)));
                // Those behind it would only meet the same.
                while let Ok(ask) = asks.try_recv() {
                    let _ = ask.answer.send(Err(Arc::clone(&cause)));
                }
                Some(cause)
            }
        };
        let Some(cause) = cause else { return };
        failures += 1;
        tracing::warn!(%cause, failures, "the connection to the parent's blob store ended");
        sleep(backoff(failures)).await;
    }
}

/// Carries questions and answers until the connection fails: why it did, or none when nobody asks any more; and
/// whether it carried an answer.
async fn serve(
    stream: Stream,
    first: Ask,
    asks: &mut mpsc::Receiver<Ask>,
    timeout_ms: u64,
) -> (Option<Arc<LinkError>>, bool) {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = BufReader::new(reader);
    let flight = Flight::default();
    let ended = tokio::select! {
        ended = send_questions(&mut writer, first, asks, &flight) => ended,
        error = take_answers(&mut reader, &flight) => Some(error),
        error = flight.watch(timeout_ms) => Some(error),
    };
    let cause = ended.map(Arc::new);
    let lost = cause.clone().unwrap_or_else(|| Arc::new(NOT_RUNNING));
    let mut state = flight.state();
    for (_, open) in state.open.drain() {
        let _ = open.answer.send(Err(Arc::clone(&lost)));
    }
    (cause, state.answered)
}

async fn send_questions(
    writer: &mut (impl AsyncWrite + Unpin),
    first: Ask,
    asks: &mut mpsc::Receiver<Ask>,
    flight: &Flight,
) -> Option<LinkError> {
    let mut next = Some(first);
    while let Some(ask) = next {
        // Never closed while the flight lives.
        let place = Arc::clone(&flight.places).acquire_owned().await.ok()?;
        if !ask.answer.is_closed() {
            let open = Open { answer: ask.answer, since: Instant::now(), _place: place };
            flight.state().open.insert(ask.id, open);
            if let Err(error) = write_frame(writer, &ask.body, MAX_HOST_FRAME_BYTES).await {
                return Some(error.into());
            }
        }
        next = asks.recv().await;
    }
    // Nobody asks any more; those who asked before may still be answered.
    while !flight.state().open.is_empty() {
        sleep(Duration::from_millis(10)).await;
    }
    None
}

async fn take_answers(reader: &mut (impl AsyncRead + Unpin), flight: &Flight) -> LinkError {
    loop {
        let response = match read_frame(reader, MAX_HOST_FRAME_BYTES).await {
            Ok(body) => Response::decode(&body),
            Err(error) => return error.into(),
        };
        let Response { id, outcome } = match response {
            Ok(response) => response,
            Err(error) => return error.into(),
        };
        let mut state = flight.state();
        match state.open.remove(&id) {
            None => return NO_QUESTION,
            Some(open) => {
                state.answered = true;
                let _ = open.answer.send(Ok(outcome));
            }
        }
    }
}

/// The questions on their way.
struct Flight {
    state: Mutex<FlightState>,
    places: Arc<Semaphore>,
}

#[derive(Default)]
struct FlightState {
    open: HashMap<u64, Open>,
    answered: bool,
}

struct Open {
    answer: oneshot::Sender<Answer>,
    since: Instant,
    _place: OwnedSemaphorePermit,
}

impl Default for Flight {
    fn default() -> Self {
        Self { state: Mutex::default(), places: Arc::new(Semaphore::new(MAX_IN_FLIGHT)) }
    }
}

impl Flight {
    fn state(&self) -> MutexGuard<'_, FlightState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends when a question has been open for too long: the parent is stuck, or does not read.
    async fn watch(&self, timeout_ms: u64) -> LinkError {
        let limit = Duration::from_millis(timeout_ms);
        loop {
            sleep(limit / 4).await;
            if self.state().open.values().any(|open| open.since.elapsed() >= limit) {
                return LinkError::Stalled { timeout_ms };
            }
        }
    }
}

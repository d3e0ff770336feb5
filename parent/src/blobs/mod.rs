//! Keeps the enclave's sealed records: reads requests from the enclave, answers each in order.
//!
//! Requests may be pipelined; the answers come in the order of the requests. [`keep`] says what a store is, [`embedded`]
//! (with its [`journal`]) and [`postgres`] are the two there are, [`keeper`] is the one thread that uses it, [`commits`] sees whether an
//! enclave has committed. Names are blinded and records sealed before they come here.

mod commits;
mod embedded;
mod journal;
mod keep;
mod keeper;
mod open;
pub(crate) mod postgres;

use std::sync::Arc;
use std::time::Duration;

use r3e_proto::host::blob::{Operation, Outcome, Request, Response};
use r3e_proto::limits::{MAX_BLOB_BYTES, MAX_HOST_FRAME_BYTES, MAX_LIST_BYTES, MAX_SLOT_BYTES};
use r3e_transport::Stream;
use r3e_transport::frame::{FrameError, read_frame, write_frame};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::time::timeout;
use tracing::warn;

pub(crate) use commits::Commits;
pub(crate) use embedded::Embedded;
pub use embedded::StoreOpenError;
pub use journal::JournalError;
pub(crate) use keep::{Snapshot, Store, StoreError};
pub(crate) use keeper::{Handle, Keeper, in_words};
pub(crate) use open::{OpenStore, STORE_FOLDER};

use crate::counters::Counters;
use crate::limits::{BLOB_ANSWER_TIMEOUT_MS, MAX_BLOB_BYTES_IN_FLIGHT, MAX_PIPELINED_REQUESTS};

/// The blob store's front, shared by its connections.
#[derive(Debug)]
pub(crate) struct Blobs {
    handle: Handle,
    counters: Arc<Counters>,
}

/// A request on its way: what its answer needs.
struct Pending {
    id: u64,
    outcome: oneshot::Receiver<Outcome>,
    /// Its share of the connection's memory, in KiB.
    room: OwnedSemaphorePermit,
}

impl Blobs {
    /// In front of `handle`.
    pub(crate) fn new(handle: Handle, counters: Arc<Counters>) -> Self {
        Self { handle, counters }
    }

    /// Serves one connection until the enclave closes it or breaks the protocol. `commits` sees those of this enclave.
    pub(crate) async fn serve(self: Arc<Self>, stream: Stream, commits: Arc<Commits>) {
        let (reader, mut writer) = tokio::io::split(stream);
        let mut reader = BufReader::new(reader);
        let (pending, answers) = mpsc::channel(MAX_PIPELINED_REQUESTS);
        let reading = async {
            let ended = self.read_requests(&mut reader, pending, &commits).await;
            if let Err(reason) = &ended {
                self.counters.blobs.malformed.add(1);
                warn!(%reason, "closed a blob connection");
            }
        };
        tokio::pin!(reading);
        let writing = write_answers(&mut writer, answers);
        tokio::pin!(writing);
        // Requests may end first and leave answers to be written. An answer that cannot be written ends both.
        tokio::select! {
            () = &mut reading => {
                if let Err(error) = writing.await {
                    warn!(%error, "a blob answer was not taken");
                }
            }
            Err(error) = &mut writing => warn!(%error, "a blob answer was not taken"),
        }
    }

    /// Hands on each request, in order. Waits while too much of this connection is in flight; others go on.
    async fn read_requests<R: AsyncRead + Unpin>(
        &self,
        reader: &mut R,
        pending: mpsc::Sender<Pending>,
        commits: &Arc<Commits>,
    ) -> Result<(), String> {
        let room = Arc::new(Semaphore::new(MAX_BLOB_BYTES_IN_FLIGHT / 1024));
        loop {
            let body = match read_frame(reader, MAX_HOST_FRAME_BYTES).await {
                Ok(body) => body,
                Err(FrameError::Closed) => return Ok(()),
                Err(error) => return Err(error.to_string()),
            };
            let Request { id, operation } = Request::decode(&body).map_err(|error| error.to_string())?;
            let held = body.len().max(answer_bytes(&operation));
            drop(body);
            let kibibytes = u32::try_from(held / 1024 + 1).unwrap_or(u32::MAX);
            // Neither the semaphore nor the writing end is ever closed while this runs.
            let Ok(room) = Arc::clone(&room).acquire_many_owned(kibibytes).await else { return Ok(()) };
            let outcome = commits.submit(&self.handle, operation).await;
            if pending.send(Pending { id, outcome, room }).await.is_err() {
                return Ok(());
            }
        }
    }
}

/// The most bytes that the answer to `operation` can hold.
fn answer_bytes(operation: &Operation) -> usize {
    match operation {
        Operation::List { .. } => MAX_LIST_BYTES,
        Operation::Read { .. } => MAX_BLOB_BYTES,
        Operation::SlotRead => MAX_SLOT_BYTES,
        Operation::Head | Operation::Commit(_) | Operation::SlotWrite { .. } => 0,
    }
}

async fn write_answers<W: AsyncWrite + Unpin>(
    writer: &mut W,
    mut answers: mpsc::Receiver<Pending>,
) -> Result<(), FrameError> {
    while let Some(Pending { id, outcome, room }) = answers.recv().await {
        let outcome = outcome.await.unwrap_or_else(|_| Outcome::Failed("the store has stopped".into()));
        let body = Response { id, outcome }.encode();
        let sending = write_frame(writer, &body, MAX_HOST_FRAME_BYTES);
        timeout(Duration::from_millis(BLOB_ANSWER_TIMEOUT_MS), sending)
            .await
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
        drop(room);
    }
    writer.shutdown().await?;
    Ok(())
}

//! The one thread that owns the store. Requests that wait while it syncs share the next sync.
//!
//! All requests of a group are answered after its sync, so that no answer, not even to a read, tells of a commit that a
//! crash could undo.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use r3e_proto::host::blob::{Operation, Outcome};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::store::{Applied, Store};
use crate::counters::Counters;
use crate::limits::MAX_GROUP_REQUESTS;

/// The thread. It ends when every [`Handle`] is gone.
#[derive(Debug)]
pub(crate) struct Writer {
    thread: JoinHandle<()>,
}

/// Submits requests to the thread.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    jobs: mpsc::Sender<Job>,
}

#[derive(Debug)]
struct Job {
    operation: Operation,
    answer: oneshot::Sender<Outcome>,
}

/// Why the thread did not start.
#[derive(Debug)]
pub(crate) enum StartError {
    /// The store could not be opened.
    Store(fjall::Error),
    /// The system refused a thread.
    Thread(io::Error),
}

impl Writer {
    /// Opens the store in the folder `path` and starts its thread. Blocks while an earlier journal is read.
    pub(crate) fn start(path: &Path, counters: Arc<Counters>) -> Result<(Self, Handle), StartError> {
        let store = Store::open(path).map_err(StartError::Store)?;
        counters.blobs.disk_bytes.set(store.disk_bytes());
        let (jobs, waiting) = mpsc::channel(MAX_GROUP_REQUESTS);
        let thread = std::thread::Builder::new()
            .name("blob-store".into())
            .spawn(move || serve(store, waiting, &counters))
            .map_err(StartError::Thread)?;
        Ok((Self { thread }, Handle { jobs }))
    }

    /// Waits until the thread has answered what was submitted, and closed the store. Blocks.
    pub(crate) fn join(self) {
        if self.thread.join().is_err() {
            error!("the blob store's thread panicked");
        }
    }
}

impl Handle {
    /// Submits a request. The receiver fails only if the thread has ended.
    pub(crate) async fn submit(&self, operation: Operation) -> oneshot::Receiver<Outcome> {
        let (answer, outcome) = oneshot::channel();
        // On failure the job is dropped, and with it the sender: the receiver tells.
        let _ = self.jobs.send(Job { operation, answer }).await;
        outcome
    }
}

fn serve(mut store: Store, mut waiting: mpsc::Receiver<Job>, counters: &Counters) {
    while let Some(first) = waiting.blocking_recv() {
        let mut answers = Vec::new();
        let mut unsynced = false;
        let mut next = Some(first);
        while let Some(Job { operation, answer }) = next {
            let outcome = execute(&mut store, operation, counters);
            unsynced |= matches!(outcome, Outcome::Committed);
            answers.push((answer, outcome));
            next = if answers.len() < MAX_GROUP_REQUESTS { waiting.try_recv().ok() } else { None };
        }
        if unsynced {
            counters.blobs.syncs.add(1);
            counters.blobs.disk_bytes.set(store.disk_bytes());
            if let Err(error) = store.sync() {
                for (_, outcome) in &mut answers {
                    *outcome = failed(&error, counters);
                }
            }
        }
        if store.is_stopped() && !counters.blobs.stopped.is_raised() {
            counters.blobs.stopped.raise();
            error!("a write to the blob store failed: it refuses everything until r3e-parent is restarted");
        }
        for (answer, outcome) in answers {
            count(&outcome, counters);
            // The connection may be gone; the commit stands all the same.
            let _ = answer.send(outcome);
        }
    }
}

fn execute(store: &mut Store, operation: Operation, counters: &Counters) -> Outcome {
    let done = match operation {
        Operation::Head => store.head().map(Outcome::Head),
        Operation::Read { name } => store.read(&name).map(Outcome::Read),
        Operation::List { after } => {
            store.list(after.as_ref()).map(|page| Outcome::List { records: page.records, more: page.more })
        }
        Operation::Commit(commit) => {
            let bytes: usize = commit.puts.iter().map(|(_, record)| record.len()).sum();
            store.apply(commit).map(|applied| match applied {
                Applied::Written => {
                    counters.blobs.bytes_committed.add(bytes as u64);
                    Outcome::Committed
                }
                Applied::Conflict => Outcome::Conflict,
            })
        }
        Operation::SlotRead => store.slot().map(Outcome::Slot),
        Operation::SlotWrite { expected, value } => {
            store.write_slot(expected, value).map(|applied| match applied {
                Applied::Written => Outcome::Committed,
                Applied::Conflict => Outcome::Conflict,
            })
        }
    };
    done.unwrap_or_else(|error| failed(&error, counters))
}

fn failed(reason: &impl Display, counters: &Counters) -> Outcome {
    error!(%reason, "the blob store failed");
    counters.blobs.failures.add(1);
    Outcome::Failed(reason.to_string())
}

fn count(outcome: &Outcome, counters: &Counters) {
    match outcome {
        Outcome::Committed => counters.blobs.commits.add(1),
        Outcome::Conflict => counters.blobs.conflicts.add(1),
        Outcome::Head(_) | Outcome::Read(_) | Outcome::List { .. } | Outcome::Slot(_) => {
            counters.blobs.reads.add(1);
        }
        Outcome::Failed(_) => {}
    }
}

//! The one thread that owns the store. Requests that wait while it makes others durable share the next sync, or the next
//! transaction.
//!
//! All requests of a group are answered after it is durable, so that no answer, not even to a read, tells of a commit
//! that a crash could undo.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use r3e_proto::host::blob::{Operation, Outcome};
use tokio::sync::{mpsc, oneshot};
use tracing::{error, warn};

use super::keep::{Applied, Snapshot, Store, StoreError};
use crate::counters::Counters;
use crate::limits::MAX_GROUP_REQUESTS;

/// The thread. It ends when every [`Handle`] is gone.
#[derive(Debug)]
pub(crate) struct Keeper {
    thread: JoinHandle<()>,
}

/// Submits requests to the thread.
#[derive(Debug, Clone)]
pub(crate) struct Handle {
    jobs: mpsc::Sender<Job>,
}

enum Job {
    Ask { operation: Operation, answer: oneshot::Sender<Outcome> },
    Snapshot { answer: oneshot::Sender<Result<Box<dyn Snapshot>, StoreError>> },
}

impl Keeper {
    /// Starts the thread, which owns `store` from here on.
    pub(crate) fn start(store: Box<dyn Store>, counters: Arc<Counters>) -> io::Result<(Self, Handle)> {
        let (jobs, waiting) = mpsc::channel(MAX_GROUP_REQUESTS);
        // A runtime of its own: a disk blocks it, and a database is spoken to without anyone else's delay.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new()
            .name("blob-store".into())
            .spawn(move || runtime.block_on(serve(store, waiting, &counters)))?;
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
        let _ = self.jobs.send(Job::Ask { operation, answer }).await;
        outcome
    }

    /// Everything as it stands, and durable, at one moment between two groups. None if the thread has ended.
    pub(crate) async fn snapshot(&self) -> Option<Result<Box<dyn Snapshot>, StoreError>> {
        let (answer, snapshot) = oneshot::channel();
        self.jobs.send(Job::Snapshot { answer }).await.ok()?;
        snapshot.await.ok()
    }
}

async fn serve(mut store: Box<dyn Store>, mut waiting: mpsc::Receiver<Job>, counters: &Counters) {
    rest(&mut *store, counters).await;
    while let Some(first) = waiting.recv().await {
        let mut answers = Vec::new();
        let mut wants_snapshot = None;
        let mut next = Some(first);
        while let Some(job) = next {
            let (operation, answer) = match job {
                Job::Ask { operation, answer } => (operation, answer),
                Job::Snapshot { answer } => {
                    wants_snapshot = Some(answer);
                    break;
                }
            };
            let done = execute(&mut *store, operation, counters).await;
            let goes_on = done.as_ref().map_or_else(StoreError::is_of_the_request, |_| true);
            answers.push((answer, done.unwrap_or_else(|error| failed(&error, counters))));
            let has_room = goes_on && answers.len() < MAX_GROUP_REQUESTS;
            next = if has_room { waiting.try_recv().ok() } else { None };
        }
        match store.finish().await {
            Ok(false) => {}
            Ok(true) => counters.blobs.syncs.add(1),
            // Nothing is known of the group, so no answer that rests on it may leave.
            Err(error) => {
                for (_, outcome) in &mut answers {
                    if !matches!(outcome, Outcome::Failed(_)) {
                        *outcome = failed(&error, counters);
                    }
                }
            }
        }
        look_after(&*store, counters);
        for (answer, outcome) in answers {
            count(&outcome, counters);
            // The connection may be gone; the commit stands all the same.
            let _ = answer.send(outcome);
        }
        if let Some(answer) = wants_snapshot {
            let _ = answer.send(store.snapshot().await);
        }
        rest(&mut *store, counters).await;
    }
}

/// Lets the store do what nobody waits for. What fails there is known by what the store answers from then on.
async fn rest(store: &mut dyn Store, counters: &Counters) {
    if let Err(reason) = store.rest().await
        && !counters.blobs.stopped.is_raised()
    {
        let _ = failed(&reason, counters);
    }
    if let Some(bytes) = store.disk_bytes() {
        counters.blobs.disk_bytes.set(bytes);
    }
    look_after(store, counters);
}

/// Says once that the store has stopped.
fn look_after(store: &dyn Store, counters: &Counters) {
    if store.is_stopped() && !counters.blobs.stopped.is_raised() {
        counters.blobs.stopped.raise();
        error!("a write to the blob store failed: it refuses everything until r3e-parent is restarted");
    }
}

async fn execute(
    store: &mut dyn Store,
    operation: Operation,
    counters: &Counters,
) -> Result<Outcome, StoreError> {
    Ok(match operation {
        Operation::Head => Outcome::Head(store.head().await?),
        Operation::Read { name } => Outcome::Read(store.read(name).await?),
        Operation::List { after } => {
            let page = store.list(after).await?;
            Outcome::List { records: page.records, more: page.more }
        }
        Operation::Commit(commit) => {
            let bytes: usize = commit.puts.iter().map(|(_, record)| record.len()).sum();
            let applied = store.apply(commit).await?;
            if applied == Applied::Written {
                counters.blobs.bytes_committed.add(bytes as u64);
            }
            outcome_of(applied)
        }
        Operation::SlotRead => Outcome::Slot(store.slot().await?),
        Operation::SlotWrite { expected, value } => outcome_of(store.write_slot(expected, value).await?),
    })
}

fn outcome_of(applied: Applied) -> Outcome {
    match applied {
        Applied::Written => Outcome::Committed,
        Applied::Conflict => Outcome::Conflict,
    }
}

fn failed(reason: &StoreError, counters: &Counters) -> Outcome {
    let words = in_words(reason);
    if reason.is_of_the_lease() {
        warn!(reason = words, "refused a request of the enclave's");
        counters.blobs.fenced.add(1);
    } else {
        error!(reason = words, "the blob store failed");
        counters.blobs.failures.add(1);
    }
    Outcome::Failed(words)
}

/// An error with its causes, each once.
pub(crate) fn in_words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(below) = cause {
        let said = below.to_string();
        if !words.contains(&said) {
            words = format!("{words}: {said}");
        }
        cause = below.source();
    }
    words
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

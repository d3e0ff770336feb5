//! The way between the store and its parent. It loses answers and commits on demand, and can be cut at any point of a
//! commit: the store then hears nothing any more, as if its enclave had ended there.

use std::sync::Mutex;

use r3e_proto::host::blob::{BlobName, Commit};
use r3e_store::{BlobError, BlobFuture, BlobStore, CommitAnswer, Page, ParentBlobs};
use tokio::sync::watch;

/// What happens to the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is lost before it arrives.
    LostBefore,
    /// It is applied, and the answer is lost.
    LostAfter,
    /// `Conflict` is answered, and nothing was done.
    FalseConflict,
    /// It does not arrive, and nothing else ever does.
    CutBefore,
    /// It is applied, and nothing else ever arrives, not even its answer.
    CutAfter,
}

/// The way.
#[derive(Debug)]
pub struct Between {
    blobs: ParentBlobs,
    fault: Mutex<Option<Fault>>,
    cut: watch::Sender<Cut>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    /// It is open.
    No,
    /// Who asks waits.
    Silent,
    /// Who asks is told that there is no connection, so that what still waits can end.
    Released,
}

impl Between {
    /// In front of `blobs`.
    pub fn new(blobs: ParentBlobs) -> Self {
        Self { blobs, fault: Mutex::default(), cut: watch::Sender::new(Cut::No) }
    }

    /// What the next commit meets; a fault that met none is forgotten.
    pub fn fail_next(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
    }

    /// Whether it was cut.
    pub fn is_cut(&self) -> bool {
        *self.cut.borrow() != Cut::No
    }

    /// Cuts it for good. Whatever still waits for an answer ends.
    pub fn release(&self) {
        self.cut.send_replace(Cut::Released);
    }

    async fn passage(&self) -> Result<(), BlobError> {
        let mut cut = self.cut.subscribe();
        // The sender lives in `self`.
        let state = *cut.wait_for(|cut| *cut != Cut::Silent).await.unwrap();
        if state == Cut::No { Ok(()) } else { Err(lost()) }
    }

    async fn cut(&self) -> BlobError {
        self.cut.send_replace(Cut::Silent);
        self.passage().await.err().unwrap_or_else(lost)
    }

    async fn pass(&self, commit: &Commit) -> Result<CommitAnswer, BlobError> {
        self.passage().await?;
        let fault = self.fault.lock().unwrap().take();
        match fault {
            None => self.blobs.commit(commit).await,
            Some(Fault::LostBefore) => Err(lost()),
            Some(Fault::FalseConflict) => Ok(CommitAnswer::Conflict),
            Some(Fault::CutBefore) => Err(self.cut().await),
            Some(Fault::LostAfter) => {
                self.blobs.commit(commit).await?;
                Err(lost())
            }
            Some(Fault::CutAfter) => {
                self.blobs.commit(commit).await?;
                Err(self.cut().await)
            }
        }
    }
}

fn lost() -> BlobError {
    BlobError::TimedOut { timeout_ms: 0 }
}

impl BlobStore for Between {
    fn head(&self) -> BlobFuture<'_, Option<Vec<u8>>> {
        Box::pin(async {
            self.passage().await?;
            self.blobs.head().await
        })
    }

    fn read(&self, name: BlobName) -> BlobFuture<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            self.passage().await?;
            self.blobs.read(name).await
        })
    }

    fn list(&self, after: Option<BlobName>) -> BlobFuture<'_, Page> {
        Box::pin(async move {
            self.passage().await?;
            self.blobs.list(after).await
        })
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> BlobFuture<'a, CommitAnswer> {
        Box::pin(self.pass(commit))
    }
}

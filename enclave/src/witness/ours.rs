//! What this process had recorded last, and what tells that another one did: a verified answer that names a later commit, or
//! another one of the same sequence.

use std::sync::{Mutex, MutexGuard, PoisonError};

use r3e_proto::witness::Commit;
use tokio::sync::watch;

/// Against which every answer is held, whoever waits for it.
pub(super) struct Ours {
    /// None until a state is opened, when nothing that is remembered is another's yet.
    latest: Mutex<Option<Commit>>,
    overtaken: watch::Sender<Option<Commit>>,
}

impl Ours {
    pub(super) fn new() -> Self {
        Self { latest: Mutex::default(), overtaken: watch::Sender::new(None) }
    }

    /// A boot begins, with whatever is remembered.
    pub(super) fn begin(&self) {
        *self.lock() = None;
        self.overtaken.send_replace(None);
    }

    /// This process has `commit` recorded.
    pub(super) fn recording(&self, commit: Commit) {
        *self.lock() = Some(commit);
    }

    /// A peer answered that it remembers `last`.
    pub(super) fn heard(&self, last: Commit) {
        let latest = self.lock();
        if latest.is_some_and(|ours| last.sequence >= ours.sequence && last != ours) {
            tracing::error!(
                sequence = last.sequence,
                "a witness peer remembers another commit than this appliance's"
            );
            self.overtaken.send_replace(Some(last));
        }
    }

    /// Ends when such an answer came.
    pub(super) async fn overtaken(&self) -> Commit {
        let mut overtaken = self.overtaken.subscribe();
        loop {
            if let Some(by) = *overtaken.borrow_and_update() {
                return by;
            }
            // The sender lives in `self`: it cannot end before us.
            drop(overtaken.changed().await);
        }
    }

    // Nothing that holds it can leave it half changed.
    fn lock(&self) -> MutexGuard<'_, Option<Commit>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

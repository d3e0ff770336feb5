//! A store that stands still while its state is handed to another, and goes on if that one does not. How the committer
//! rests is its own business (`commit::frozen`).

use std::time::Duration;

use tokio::{sync::oneshot, time::timeout};

use crate::{
    commit::{Frozen, Job},
    error::StoreError,
    store::Store,
};

impl Store {
    /// Makes no commit any more, until [`Self::thaw`]: those before it are settled when this returns, writers are answered
    /// [`StoreError::Frozen`] from then on, and reads go on. It takes its turn behind all that waits, however much that is.
    /// If the future is dropped, it may be frozen or not; after an error it is not.
    ///
    /// # Errors
    /// [`StoreError::Unconfirmed`]: it goes on, try again. Those of a store that is of no more use.
    pub async fn freeze(&self) -> Result<Frozen, StoreError> {
        self.shared.intact()?;
        let (answer, mut outcome) = oneshot::channel();
        let asked = async {
            self.jobs.send(Job::Freeze(answer)).await.map_err(|_| self.shared.gone())?;
            (&mut outcome).await.map_err(|_| self.shared.gone())
        };
        let deadline = Duration::from_millis(self.shared.options.commit_deadline_ms);
        if let Ok(frozen) = timeout(deadline, asked).await {
            return frozen;
        }
        // Either the answer is there already, or the committer finds that nobody waits for it, and goes on.
        outcome.close();
        outcome.try_recv().map_err(|_| StoreError::Unconfirmed)
    }

    /// Commits again, beginning with a commit that changes nothing; its sequence. Waits for the parent as long as it takes,
    /// since whose state it is depends on that.
    ///
    /// # Errors
    /// [`StoreError::Tampered`], as of any commit: [`HeadForked`](crate::Tampered::HeadForked) where whoever it was handed to has committed.
    /// [`StoreError::Closed`].
    pub async fn thaw(&self) -> Result<u64, StoreError> {
        let (answer, outcome) = oneshot::channel();
        self.jobs.send(Job::Thaw(answer)).await.map_err(|_| self.shared.gone())?;
        outcome.await.map_err(|_| self.shared.gone())?
    }
}

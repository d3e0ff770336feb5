//! The committer at rest: what is asked of it while the state is being handed to another enclave of the same root secret.
//!
//! From the answer to `freeze` until `thaw` no commit is made, the store's own included, so that the head which was named
//! stands until somebody else commits. A thaw begins with a commit that changes nothing: it stands only if nobody did.

use tokio::sync::oneshot;

use super::{Batch, Committer, Job, Stop};
use crate::{error::StoreError, plan::Plan, trie::Digest};

/// A state that stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frozen {
    /// The sequence of the last commit.
    pub sequence: u64,
    /// SHA-256 of its sealed head.
    pub head: Digest,
}

impl Committer {
    /// Rests until the store is thawed; says whether there is anything left to do then.
    pub(super) async fn rest(&mut self, answer: oneshot::Sender<Frozen>) -> bool {
        self.shared.frozen.send_replace(true);
        let goes_on = self.rest_frozen(answer).await;
        self.shared.frozen.send_replace(false);
        goes_on
    }

    async fn rest_frozen(&mut self, answer: oneshot::Sender<Frozen>) -> bool {
        let frozen = {
            let index = self.shared.index();
            Frozen { sequence: index.sequence(), head: index.head_digest() }
        };
        // Whoever asked has given up meanwhile: then nobody is there to thaw it.
        if answer.send(frozen).is_err() {
            return true;
        }
        while let Some(job) = self.next_job().await {
            match job {
                Job::Batch(Batch { answer, .. }) => drop(answer.send(Err(StoreError::Frozen))),
                Job::Rotate(answer) => drop(answer.send(Err(StoreError::Frozen))),
                Job::Prove { name, answer } => self.prove(&name, answer),
                Job::Freeze(answer) => drop(answer.send(frozen)),
                Job::Thaw(answer) => {
                    let outcome = self.thaw().await;
                    let goes_on = outcome.is_ok();
                    drop(answer.send(outcome));
                    return goes_on;
                }
            }
        }
        false
    }

    async fn thaw(&mut self) -> Result<u64, StoreError> {
        self.shared.intact()?;
        match self.commit_alone(Plan::new(self.standing().writes)).await {
            Ok(()) => Ok(self.standing().sequence),
            Err(Stop::Tampered(found)) => Err(found.into()),
            Err(Stop::Closed) => Err(StoreError::Closed),
        }
    }
}

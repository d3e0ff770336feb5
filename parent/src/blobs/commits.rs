//! Whether one enclave has committed: a successor that has is the appliance, and nothing goes back to the one before.
//!
//! The store knows no enclaves, so it is seen here, in front of it. Once an enclave has committed, or if nobody asks, a
//! commit costs nothing more.

use std::sync::Arc;
use std::time::Duration;

use r3e_proto::host::blob::{HeadDigest, Operation, Outcome};
use tokio::sync::{oneshot, watch};
use tokio::time::{sleep, timeout};

use super::keep::digest;
use super::{Blobs, Handle};
use crate::limits::{HEAD_LOOK_MS, HEAD_LOOK_TIMEOUT_MS, MAX_UNSETTLED_COMMITS};

/// One enclave's commits, up to the first that stands.
#[derive(Debug)]
pub(crate) struct Commits(watch::Sender<Tried>);

/// What is known of them.
#[derive(Debug, Default)]
struct Tried {
    stands: bool,
    shut: bool,
    in_flight: usize,
    /// The heads of commits that failed without a word on whether they stand.
    unsettled: Vec<HeadDigest>,
}

/// A commit on its way to the store. Dropped before it is there, it was none.
struct InFlight {
    commits: Arc<Commits>,
    head: HeadDigest,
}

/// What becomes of a commit that an enclave asks for.
enum Admitted {
    /// The store's business alone.
    Unwatched,
    Watched(InFlight),
    Refused,
}

impl Commits {
    /// Of an enclave of which nobody asks.
    pub(crate) fn unwatched() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(Tried { stands: true, ..Tried::default() })))
    }

    /// Of an enclave that has made none.
    pub(crate) fn watched() -> Arc<Self> {
        Arc::new(Self(watch::Sender::new(Tried::default())))
    }

    /// Whether one stands.
    pub(crate) fn stand(&self) -> bool {
        self.0.borrow().stands
    }

    /// Waits until one stands.
    pub(crate) async fn made(&self) {
        // The sender is this one's own.
        let _ = self.0.subscribe().wait_for(|tried| tried.stands).await;
    }

    /// Lets no first commit through any more, unless one stands already. Waits for those on their way; where the store
    /// cannot say of one whether it stands, its head does. Whether one stands is certain afterwards, unless the store does not
    /// answer at all.
    pub(crate) async fn close(&self, blobs: &Blobs) -> bool {
        self.0.send_modify(|tried| tried.shut = true);
        let (stands, unsettled) = match self.0.subscribe().wait_for(|tried| tried.in_flight == 0).await {
            Ok(tried) => (tried.stands, tried.unsettled.clone()),
            Err(_) => (self.stand(), Vec::new()),
        };
        if stands || unsettled.is_empty() {
            return stands;
        }
        let looking = timeout(Duration::from_millis(HEAD_LOOK_TIMEOUT_MS), head(&blobs.handle)).await;
        // No other enclave commits after it, so if it stands it is the last.
        let stands = looking.is_ok_and(|head| head.is_some_and(|head| unsettled.contains(&head)));
        self.0.send_modify(|tried| tried.stands = stands);
        stands
    }

    /// Submits `operation`, and sees what becomes of it, even where its connection does not.
    pub(super) async fn submit(
        self: &Arc<Self>,
        store: &Handle,
        operation: Operation,
    ) -> oneshot::Receiver<Outcome> {
        let watched = match &operation {
            Operation::Commit(commit) => self.admit(&commit.head),
            _ => Admitted::Unwatched,
        };
        let in_flight = match watched {
            Admitted::Unwatched => return store.submit(operation).await,
            Admitted::Refused => {
                let (answer, outcome) = oneshot::channel();
                // It is received below.
                let _ = answer.send(Outcome::Failed("the upgrade to this enclave was given up".to_owned()));
                return outcome;
            }
            Admitted::Watched(in_flight) => in_flight,
        };
        let submitted = store.submit(operation).await;
        let (answer, outcome) = oneshot::channel();
        tokio::spawn(async move {
            let settled = submitted.await.ok();
            in_flight.settle(settled.as_ref());
            if let Some(settled) = settled {
                // The connection may be gone.
                let _ = answer.send(settled);
            }
        });
        outcome
    }

    fn admit(self: &Arc<Self>, head: &[u8]) -> Admitted {
        // The most frequent case, and a lock that others read as well.
        if self.stand() {
            return Admitted::Unwatched;
        }
        let mut admitted = Admitted::Refused;
        self.0.send_if_modified(|tried| {
            if tried.stands {
                admitted = Admitted::Unwatched;
            } else if !tried.shut && tried.unsettled.len() + tried.in_flight < MAX_UNSETTLED_COMMITS {
                tried.in_flight += 1;
                admitted = Admitted::Watched(InFlight { commits: Arc::clone(self), head: digest(head) });
            }
            false
        });
        admitted
    }
}

impl InFlight {
    fn settle(self, outcome: Option<&Outcome>) {
        self.commits.0.send_modify(|tried| match outcome {
            Some(Outcome::Committed) => tried.stands = true,
            Some(Outcome::Conflict) => {}
            _ => tried.unsettled.push(self.head),
        });
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.commits.0.send_modify(|tried| tried.in_flight -= 1);
    }
}

/// The digest of the head that stands, once the store tells it.
async fn head(store: &Handle) -> Option<HeadDigest> {
    loop {
        if let Ok(Outcome::Head(head)) = store.submit(Operation::Head).await.await {
            return head.as_deref().map(digest);
        }
        sleep(Duration::from_millis(HEAD_LOOK_MS)).await;
    }
}

#[cfg(test)]
mod tests {
    use r3e_proto::host::blob::{BlobName, Commit};
    use tokio::task::JoinHandle;

    use super::super::Keeper;
    use super::super::keep::{Applied, Page, Snapshot, Store, StoreError, StoreFuture, at_once};
    use super::*;
    use crate::counters::Counters;

    /// What a store does with each commit.
    #[derive(Clone, Copy)]
    enum Does {
        /// It stands, and says so.
        Stands,
        /// It stands, and the store cannot say so.
        StandsUntold,
        /// It does not stand, and the store cannot say so.
        FailsUntold,
        Conflicts,
    }

    /// Nothing but a head.
    struct Head {
        head: Option<Vec<u8>>,
        does: Does,
    }

    impl Store for Head {
        fn head(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
            at_once(Ok(self.head.clone()))
        }

        fn read(&mut self, _: BlobName) -> StoreFuture<'_, Option<Vec<u8>>> {
            at_once(Ok(None))
        }

        fn list(&mut self, _: Option<BlobName>) -> StoreFuture<'_, Page> {
            at_once(Ok(Page { records: vec![], more: false }))
        }

        fn apply(&mut self, commit: Commit) -> StoreFuture<'_, Applied> {
            if let Does::Stands | Does::StandsUntold = self.does {
                self.head = Some(commit.head);
            }
            at_once(match self.does {
                Does::Stands => Ok(Applied::Written),
                Does::Conflicts => Ok(Applied::Conflict),
                Does::StandsUntold | Does::FailsUntold => Err(StoreError::GivenUp),
            })
        }

        fn slot(&mut self) -> StoreFuture<'_, Option<Vec<u8>>> {
            at_once(Ok(None))
        }

        fn write_slot(&mut self, _: Option<HeadDigest>, _: Vec<u8>) -> StoreFuture<'_, Applied> {
            at_once(Ok(Applied::Written))
        }

        fn finish(&mut self) -> StoreFuture<'_, bool> {
            at_once(Ok(true))
        }

        fn snapshot(&mut self) -> StoreFuture<'_, Box<dyn Snapshot>> {
            at_once(Err(StoreError::GivenUp))
        }
    }

    fn store(does: Does) -> Blobs {
        let counters = Arc::<Counters>::default();
        let head = Box::new(Head { head: Some(b"old".to_vec()), does });
        Blobs::new(Keeper::start(head, Arc::clone(&counters)).unwrap().1, counters)
    }

    fn commit() -> Operation {
        let head = b"new".to_vec();
        Operation::Commit(Commit { expected: None, head, puts: vec![], deletes: vec![] })
    }

    async fn ask(commits: &Arc<Commits>, blobs: &Blobs, operation: Operation) -> Outcome {
        commits.submit(&blobs.handle, operation).await.await.unwrap()
    }

    #[tokio::test]
    async fn the_first_commit_that_stands_is_seen_and_no_other_request() {
        let (blobs, commits) = (store(Does::Stands), Commits::watched());
        let made: JoinHandle<()> = tokio::spawn({
            let commits = Arc::clone(&commits);
            async move { commits.made().await }
        });
        ask(&commits, &blobs, Operation::Head).await;
        ask(&commits, &blobs, Operation::SlotWrite { expected: None, value: vec![] }).await;
        assert!(!commits.stand());
        // The connection that asked may be gone by then.
        drop(commits.submit(&blobs.handle, commit()).await);
        made.await.unwrap();
        assert!(commits.stand() && commits.close(&blobs).await);
        assert_eq!(ask(&commits, &blobs, commit()).await, Outcome::Committed, "and it goes on");
    }

    #[tokio::test]
    async fn one_on_its_way_is_waited_for_and_none_comes_after_the_end() {
        let (blobs, commits) = (store(Does::Stands), Commits::watched());
        let on_its_way = commits.submit(&blobs.handle, commit()).await;
        assert!(commits.close(&blobs).await, "it was on its way");
        assert_eq!(on_its_way.await, Ok(Outcome::Committed));

        for does in [Does::Stands, Does::Conflicts] {
            let (blobs, commits) = (store(does), Commits::watched());
            if let Does::Conflicts = does {
                assert_eq!(ask(&commits, &blobs, commit()).await, Outcome::Conflict);
            }
            assert!(!commits.close(&blobs).await);
            assert!(matches!(ask(&commits, &blobs, commit()).await, Outcome::Failed(_)));
            assert_eq!(ask(&commits, &blobs, Operation::Head).await, Outcome::Head(Some(b"old".to_vec())));
            assert!(!commits.stand());
        }
    }

    #[tokio::test]
    async fn where_the_store_cannot_say_the_head_does() {
        for (does, stands) in [(Does::StandsUntold, true), (Does::FailsUntold, false)] {
            let (blobs, commits) = (store(does), Commits::watched());
            assert!(matches!(ask(&commits, &blobs, commit()).await, Outcome::Failed(_)));
            assert!(!commits.stand());
            assert_eq!(commits.close(&blobs).await, stands);
            assert_eq!(commits.stand(), stands);
        }
    }

    #[tokio::test]
    async fn an_enclave_that_is_not_asked_about_is_not_watched() {
        let (blobs, commits) = (store(Does::FailsUntold), Commits::unwatched());
        for _ in 0..=MAX_UNSETTLED_COMMITS {
            assert!(matches!(ask(&commits, &blobs, commit()).await, Outcome::Failed(_)));
        }
        assert!(commits.close(&blobs).await);
        assert!(commits.0.borrow().unsettled.is_empty());
    }
}

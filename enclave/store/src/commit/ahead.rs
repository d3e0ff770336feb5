//! While the parent makes one commit durable, the next one is planned, sealed and encoded; it leaves once the one before it
//! stands and is recorded. So the processor and the disk work at once, and still no commit is made over one that is not
//! known to stand: a failure meets one commit, and what was built over it is dropped with the store.

use std::sync::Arc;

use tokio::task::yield_now;

use super::{Committer, Group, Stop};
use crate::{
    limits::{AHEAD_PART, MAX_QUEUED_BATCHES, MIN_AHEAD},
    offer::Offer,
    settle::{Settled, classify, settle},
    store::Shared,
    witness::Confirmed,
};

impl Committer {
    /// Brings `offer`, which so many wait for, to its end; and the group that was built meanwhile, unless it goes `alone`.
    pub(super) async fn see_through(
        &mut self,
        offer: &Offer,
        waiting: usize,
        alone: bool,
    ) -> (Result<(), Stop>, Option<Result<Group, Stop>>) {
        let shared = Arc::clone(&self.shared);
        shared.index_mut().pending = offer.changes.keys().copied().collect();
        let handles = self.way_back.0.clone();
        let standing = stands(&shared, offer, || handles.strong_count() == 0);
        tokio::pin!(standing);
        // It shall be on its way before this task takes the processor for the next one.
        tokio::select! {
            biased;
            outcome = &mut standing => return (outcome, None),
            () = yield_now() => {}
        }
        let enough = MIN_AHEAD.max(waiting / AHEAD_PART);
        let mut ahead = None;
        let mut takes = !alone && self.may_go_ahead(offer);
        loop {
            if takes && self.queue.len() >= enough {
                ahead = self.group_ahead(offer);
                takes = false;
            }
            tokio::select! {
                biased;
                outcome = &mut standing => return (outcome, ahead),
                job = self.jobs.recv(), if takes => {
                    // At the end nobody asks any more.
                    takes = job.is_some() && self.queue.len() < MAX_QUEUED_BATCHES;
                    self.queue.extend(job);
                    while takes && let Ok(job) = self.jobs.try_recv() {
                        self.queue.push_back(job);
                        takes = self.queue.len() < MAX_QUEUED_BATCHES;
                    }
                }
            }
        }
    }

    /// Whether the next commit may be an ordinary one: the store's own work is done on the state that stands.
    fn may_go_ahead(&self, offer: &Offer) -> bool {
        let head = &offer.sealed.head;
        let due = self.upkeep.due(head, &self.shared.index(), &self.shared.options);
        due.is_none() && !self.is_worn(head) && self.freezing.is_none()
    }

    /// The batches that wait, as a group that follows `offer`; none if something else comes first.
    fn group_ahead(&mut self, offer: &Offer) -> Option<Result<Group, Stop>> {
        let (plan, waiting) = self.gather(Some(offer));
        if waiting.is_empty() {
            return None;
        }
        let built = if plan.is_empty() { None } else { Some(self.build(Some(offer), plan, None)) };
        Some(built.transpose().map(|offer| Group { offer, waiting, alone: false }))
    }
}

/// Offers a commit until it stands and is recorded.
async fn stands(shared: &Shared, offer: &Offer, abandoned: impl Fn() -> bool) -> Result<(), Stop> {
    match settle(&*shared.blobs, &offer.commit, &offer.sealed.digest, |_| abandoned()).await {
        Settled::Committed => {}
        Settled::Overtaken(found) => {
            let committed = shared.index().sequence();
            let found = classify(&shared.keys, found.as_deref(), committed);
            return Err(Stop::Tampered(shared.condemn(found)));
        }
        Settled::GivenUp(_) => return Err(Stop::Closed),
    }
    match shared.guard.confirm(&offer.sealed, &abandoned).await {
        Confirmed::Stands => Ok(()),
        Confirmed::Overtaken(found) => Err(Stop::Tampered(shared.condemn(found))),
        Confirmed::GivenUp => Err(Stop::Closed),
    }
}

//! The committer: one task through which every write goes. It merges the batches that wait into one commit, adds what
//! the store has to do itself, offers it to the parent, and only when it stands makes it visible and answers the writers.
//! Meanwhile it builds the next one (`ahead`), so that one commit is under way and one may be ready.

mod ahead;
mod frozen;

use std::{collections::VecDeque, sync::Arc};

use r3e_proto::host::blob::BlobName;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::{JoinSet, yield_now},
};

pub use frozen::Frozen;

use crate::{
    error::{StoreError, Tampered},
    head::Head,
    limits::MAX_QUEUED_BATCHES,
    offer::{Offer, build},
    plan::{Ground, Plan},
    proof::Proven,
    reseal::reseal,
    store::Shared,
    trie::Trie,
    upkeep::{Chore, Upkeep},
    write::{Committed, Write},
};

/// What the committer is asked for.
pub(crate) enum Job {
    /// A batch of writes.
    Batch(Batch),
    /// A new epoch; answered with its number.
    Rotate(oneshot::Sender<Result<u32, StoreError>>),
    /// A proof of what stands under a name.
    Prove { name: BlobName, answer: oneshot::Sender<Proven> },
    /// No commit from here on; answered when those before it stand.
    Freeze(oneshot::Sender<Frozen>),
    /// Commits again; answered with the sequence of the commit that it begins with.
    Thaw(oneshot::Sender<Result<u64, StoreError>>),
}

/// A batch that waits, and who waits for it.
pub(crate) struct Batch {
    pub(crate) writes: Vec<Write>,
    /// Sealed bytes, at most.
    pub(crate) bytes: usize,
    pub(crate) answer: oneshot::Sender<Result<Committed, StoreError>>,
    /// Its share of the queue, given back when the job is done.
    pub(crate) room: OwnedSemaphorePermit,
}

/// Who waits for the end of a commit.
enum Waiting {
    /// A writer whose batch was planned or refused.
    Writer {
        answer: oneshot::Sender<Result<Committed, StoreError>>,
        planned: Result<Vec<Option<u64>>, StoreError>,
        _room: OwnedSemaphorePermit,
    },
    Rotation(oneshot::Sender<Result<u32, StoreError>>),
}

/// Why the committer ends.
enum Stop {
    Tampered(Tampered),
    /// No handle of the store is left, or the cryptographic library failed: what was not acknowledged is open.
    Closed,
}

/// Batches that go into one commit together.
struct Group {
    /// None if it changes nothing.
    offer: Option<Offer>,
    waiting: Vec<Waiting>,
    /// Whether nothing may be built before it stands: it does what looks at the state that stands, or changes its epochs.
    alone: bool,
}

/// What comes next.
enum Next {
    Job(Job),
    /// Nobody waits, and the store has something to do.
    Alone,
    End,
}

/// The state that only the committer changes.
pub(crate) struct Committer {
    shared: Arc<Shared>,
    trie: Trie,
    upkeep: Upkeep,
    jobs: mpsc::Receiver<Job>,
    /// Jobs that were taken from there, and wait for their turn.
    queue: VecDeque<Job>,
    /// Who wants no commit after this one.
    freezing: Option<oneshot::Sender<Frozen>>,
    /// For the task that re-seals: how it reaches this one, and its share of the queue.
    way_back: (mpsc::WeakSender<Job>, Arc<Semaphore>),
    /// That task, if records are moving to a new epoch. It ends with this one.
    resealing: JoinSet<()>,
}

impl Committer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        (trie, upkeep): (Trie, Upkeep),
        jobs: mpsc::Receiver<Job>,
        way_back: (mpsc::WeakSender<Job>, Arc<Semaphore>),
    ) -> Self {
        Self {
            shared,
            trie,
            upkeep,
            jobs,
            queue: VecDeque::new(),
            freezing: None,
            way_back,
            resealing: JoinSet::new(),
        }
    }

    /// Serves writers until no handle of the store is left, or the store must close.
    pub(crate) async fn run(mut self) {
        let mut ahead = None;
        loop {
            self.reseal_if_needed();
            // Who waits when this ends learns why when the queue goes with this task.
            let group = match ahead.take() {
                Some(group) => group,
                None => match self.group().await {
                    Some(group) => group,
                    None => return,
                },
            };
            let Ok(Group { offer, waiting, alone }) = group else { return };
            // A reader may have closed the store meanwhile.
            if self.shared.tampered.get().is_some() {
                return;
            }
            let outcome = match offer {
                None => Ok(()),
                Some(offer) => {
                    let outcome;
                    (outcome, ahead) = self.see_through(&offer, waiting.len(), alone).await;
                    outcome.and_then(|()| self.publish(offer))
                }
            };
            self.answer(waiting, &outcome);
            if outcome.is_err() {
                return;
            }
            if let Some(answer) = self.freezing.take()
                && !self.rest(answer).await
            {
                return;
            }
        }
    }

    /// The next group, and what the store has to do itself; none at the end.
    async fn group(&mut self) -> Option<Result<Group, Stop>> {
        let next = self.next().await;
        if self.shared.tampered.get().is_some() {
            return None;
        }
        let (plan, waiting) = match next {
            Next::Job(first) => {
                self.queue.push_front(first);
                self.let_come().await;
                self.gather(None)
            }
            Next::Alone => (Plan::new(self.standing().writes), Vec::new()),
            Next::End => return None,
        };
        let chore = self.due();
        let alone = plan.rotates || chore.is_some();
        let offer =
            if plan.is_empty() && chore.is_none() { None } else { Some(self.build(None, plan, chore)) };
        Some(offer.transpose().map(|offer| Group { offer, waiting, alone }))
    }

    fn answer(&self, waiting: Vec<Waiting>, outcome: &Result<(), Stop>) {
        let Head { sequence, epochs, .. } = self.standing();
        let failure = || match outcome {
            Ok(()) => None,
            Err(Stop::Tampered(found)) => Some(StoreError::Tampered(*found)),
            Err(Stop::Closed) => Some(StoreError::Closed),
        };
        for waiting in waiting {
            match waiting {
                Waiting::Writer { answer, planned, .. } => {
                    // A conflict, too, is answered only now: what it was decided on had not been durable before.
                    let _ = answer.send(
                        failure()
                            .map_or_else(|| planned.map(|versions| Committed { sequence, versions }), Err),
                    );
                }
                Waiting::Rotation(answer) => {
                    let _ = answer.send(failure().map_or(Ok(epochs.current), Err));
                }
            }
        }
    }

    async fn next(&mut self) -> Next {
        if !self.queue.is_empty() || self.due().is_none() {
            return self.next_job().await.map_or(Next::End, Next::Job);
        }
        match self.jobs.try_recv() {
            Ok(job) => Next::Job(job),
            Err(mpsc::error::TryRecvError::Empty) => Next::Alone,
            Err(mpsc::error::TryRecvError::Disconnected) => Next::End,
        }
    }

    /// Takes what comes at once: those that were answered just now write again, and shall not wait for a commit of their
    /// own. Who writes alone waits for nobody.
    async fn let_come(&mut self) {
        let mut before = 0;
        while before < self.queue.len() && self.queue.len() < MAX_QUEUED_BATCHES {
            before = self.queue.len();
            yield_now().await;
            while self.queue.len() < MAX_QUEUED_BATCHES
                && let Ok(job) = self.jobs.try_recv()
            {
                self.queue.push_back(job);
            }
        }
    }

    async fn next_job(&mut self) -> Option<Job> {
        match self.queue.pop_front() {
            Some(job) => Some(job),
            None => self.jobs.recv().await,
        }
    }

    fn due(&self) -> Option<Chore> {
        let index = self.shared.index();
        let head = index.head.as_ref()?.head;
        self.upkeep.due(&head, &index, &self.shared.options)
    }

    /// The head of the last commit.
    fn standing(&self) -> Head {
        self.shared.index().head.as_ref().map_or(Head::NONE, |head| head.head)
    }

    /// All that waits and fits, in order: over `under_way`, if a commit is, only batches.
    fn gather(&mut self, under_way: Option<&Offer>) -> (Plan, Vec<Waiting>) {
        let shared = Arc::clone(&self.shared);
        let standing = under_way.map_or_else(|| self.standing(), |offer| offer.sealed.head);
        let index = shared.index();
        let ground = Ground { index: &index, under_way: under_way.map(|offer| &offer.changes) };
        let mut plan = Plan::new(standing.writes);
        let mut waiting = Vec::new();
        while let Some(job) = self.queue.pop_front().or_else(|| self.jobs.try_recv().ok()) {
            match job {
                // Who no longer waits was told that nothing is known; then nothing shall happen.
                Job::Batch(batch) if batch.answer.is_closed() => {}
                Job::Batch(batch) if plan.fits(batch.writes.len(), batch.bytes) => {
                    let Batch { writes, answer, room, .. } = batch;
                    let planned = plan.admit(ground, &shared.keys, writes, shared.options.max_records);
                    waiting.push(Waiting::Writer { answer, planned, _room: room });
                }
                job if under_way.is_some() || matches!(job, Job::Batch(_)) => {
                    self.queue.push_front(job);
                    break;
                }
                Job::Batch(_) => {}
                Job::Rotate(answer) if standing.is_rotating() => {
                    let _ = answer.send(Err(StoreError::Rotating { oldest: standing.epochs.oldest }));
                }
                Job::Rotate(answer) => {
                    plan.rotates = true;
                    waiting.push(Waiting::Rotation(answer));
                }
                // The trie is that of the last commit until the next one is built.
                Job::Prove { name, answer } => self.prove(&name, answer),
                Job::Freeze(answer) => {
                    self.freezing = Some(answer);
                    break;
                }
                // It was not frozen.
                Job::Thaw(answer) => drop(answer.send(Ok(standing.sequence))),
            }
        }
        if self.is_worn(&standing) && !plan.is_empty() {
            plan.rotates = true;
        }
        (plan, waiting)
    }

    /// Whether the epoch has sealed so much that the next one shall begin.
    fn is_worn(&self, standing: &Head) -> bool {
        standing.epochs.sealings >= self.shared.options.max_sealings && !standing.is_rotating()
    }

    /// A proof against the root of the last commit.
    fn prove(&mut self, name: &BlobName, answer: oneshot::Sender<Proven>) {
        let Head { sequence, root, .. } = self.standing();
        let proof = self.trie.prove(name);
        let _ = answer.send(Proven { name: *name, sequence, root, proof });
    }

    /// Builds a commit over the one that is under way, or over the one that stands.
    fn build(&mut self, under_way: Option<&Offer>, plan: Plan, chore: Option<Chore>) -> Result<Offer, Stop> {
        let standing = match under_way {
            Some(offer) => Some(offer.sealed.clone()),
            None => self.shared.index().head.clone(),
        };
        let state = (&mut self.trie, &mut self.upkeep);
        build(&self.shared, state, standing.as_ref(), plan, chore).map_err(|error| {
            tracing::error!(%error, "the committer cannot seal; the store closes");
            Stop::Closed
        })
    }

    /// Makes a commit of `plan`, and nothing else meanwhile.
    async fn commit_alone(&mut self, plan: Plan) -> Result<(), Stop> {
        let offer = self.build(None, plan, None)?;
        self.see_through(&offer, 0, true).await.0?;
        self.publish(offer)
    }

    /// Makes a durable commit visible.
    fn publish(&self, offer: Offer) -> Result<(), Stop> {
        let shared = &self.shared;
        let (before, epochs) = (self.standing().epochs, offer.sealed.head.epochs);
        publish(shared, offer, &self.upkeep);
        let retires = before.oldest < epochs.oldest;
        if retires && shared.keys.hold(epochs.oldest..=epochs.current).is_err() {
            // Only the current key is held after a retirement, and it was held before.
            return Err(Stop::Closed);
        }
        Ok(())
    }

    fn reseal_if_needed(&mut self) {
        let epoch = self.standing().epochs.current;
        if self.shared.index().older_than(epoch) == 0 {
            return;
        }
        while self.resealing.try_join_next().is_some() {}
        if self.resealing.is_empty() {
            let (jobs, room) = self.way_back.clone();
            self.resealing.spawn(reseal(Arc::clone(&self.shared), jobs, room, epoch));
        }
    }
}

/// Makes a durable commit visible.
fn publish(shared: &Shared, offer: Offer, upkeep: &Upkeep) {
    let Offer { changes, entries, sealed, .. } = offer;
    let sequence = sealed.head.sequence;
    {
        let mut index = shared.index_mut();
        let mut cache = shared.cache();
        for (name, planned) in changes {
            if let (Some((version, value)), Some(entry)) = (planned.after, entries.get(&name)) {
                index.insert(&planned.namespace, &planned.key, *entry);
                // A value that was only sealed again is not in use for that.
                if !planned.resealed {
                    cache.put(name, version, value);
                }
            } else {
                index.remove(&planned.namespace, &planned.key);
                cache.remove(&name);
            }
        }
        index.pending.clear();
        index.head = Some(sealed);
        upkeep.report(&mut index, &shared.options);
    }
    shared.commits.send_replace(sequence);
}

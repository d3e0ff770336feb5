//! The committer: one task through which every write goes. It merges the batches that wait into one commit, adds what
//! the store has to do itself, offers it to the parent, and only when it stands makes it visible and answers the writers.

mod frozen;

use std::sync::Arc;

use r3e_proto::host::blob::BlobName;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinSet,
};

pub use frozen::Frozen;

use crate::{
    error::{StoreError, Tampered},
    head::Head,
    offer::{Offer, build},
    plan::Plan,
    proof::Proven,
    reseal::reseal,
    settle::{Settled, classify, settle},
    store::Shared,
    trie::Trie,
    upkeep::{Chore, Upkeep},
    witness::Confirmed,
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
    /// A job that did not fit the group before.
    held: Option<Batch>,
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
        Self { shared, trie, upkeep, jobs, held: None, freezing: None, way_back, resealing: JoinSet::new() }
    }

    /// Serves writers until no handle of the store is left, or the store must close.
    pub(crate) async fn run(mut self) {
        loop {
            self.reseal_if_needed();
            let next = self.next().await;
            // A reader may have closed the store meanwhile. Who waits learns it when the queue goes with this task.
            if self.shared.tampered.get().is_some() {
                return;
            }
            let (plan, waiting) = match next {
                Next::Job(first) => self.gather(first),
                Next::Alone => (Plan::new(self.standing().writes), Vec::new()),
                Next::End => return,
            };
            let chore = self.due();
            let nothing = plan.is_empty() && chore.is_none();
            let outcome = if nothing { Ok(()) } else { self.commit(plan, chore).await };
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
        if let Some(batch) = self.held.take() {
            return Next::Job(Job::Batch(batch));
        }
        if self.due().is_none() {
            return self.jobs.recv().await.map_or(Next::End, Next::Job);
        }
        match self.jobs.try_recv() {
            Ok(job) => Next::Job(job),
            Err(mpsc::error::TryRecvError::Empty) => Next::Alone,
            Err(mpsc::error::TryRecvError::Disconnected) => Next::End,
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

    /// `first` and all that waits behind it and fits.
    fn gather(&mut self, first: Job) -> (Plan, Vec<Waiting>) {
        let shared = Arc::clone(&self.shared);
        let standing = self.standing();
        let index = shared.index();
        let mut plan = Plan::new(standing.writes);
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Batch(batch) if !plan.fits(batch.writes.len(), batch.bytes) => {
                    self.held = Some(batch);
                    break;
                }
                // Who no longer waits was told that nothing is known; then nothing shall happen.
                Job::Batch(batch) if batch.answer.is_closed() => {}
                Job::Batch(Batch { writes, answer, room, .. }) => {
                    let planned = plan.admit(&index, &shared.keys, writes, shared.options.max_records);
                    waiting.push(Waiting::Writer { answer, planned, _room: room });
                }
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
            next = self.jobs.try_recv().ok();
        }
        let worn = standing.epochs.sealings >= shared.options.max_sealings && !standing.is_rotating();
        if worn && !plan.is_empty() {
            plan.rotates = true;
        }
        (plan, waiting)
    }

    /// A proof against the root of the last commit.
    fn prove(&mut self, name: &BlobName, answer: oneshot::Sender<Proven>) {
        let Head { sequence, root, .. } = self.standing();
        let proof = self.trie.prove(name);
        let _ = answer.send(Proven { name: *name, sequence, root, proof });
    }

    async fn commit(&mut self, plan: Plan, chore: Option<Chore>) -> Result<(), Stop> {
        let shared = Arc::clone(&self.shared);
        let offer = build(&shared, &mut self.trie, &mut self.upkeep, plan, chore).map_err(|error| {
            tracing::error!(%error, "the committer cannot seal; the store closes");
            Stop::Closed
        })?;
        shared.index_mut().pending = offer.changes.keys().copied().collect();
        let abandoned = |_| self.jobs.is_closed();
        match settle(&*shared.blobs, &offer.commit, &offer.sealed.digest, abandoned).await {
            Settled::Committed => {}
            Settled::Overtaken(found) => {
                let committed = shared.index().sequence();
                return Err(Stop::Tampered(shared.condemn(classify(
                    &shared.keys,
                    found.as_deref(),
                    committed,
                ))));
            }
            Settled::GivenUp(_) => return Err(Stop::Closed),
        }
        match shared.guard.confirm(&offer.sealed, || self.jobs.is_closed()).await {
            Confirmed::Stands => {}
            Confirmed::Overtaken(found) => return Err(Stop::Tampered(shared.condemn(found))),
            Confirmed::GivenUp => return Err(Stop::Closed),
        }
        let epochs = offer.sealed.head.epochs;
        publish(&shared, offer, &self.upkeep);
        if chore == Some(Chore::Retire) && shared.keys.hold(epochs.oldest..=epochs.current).is_err() {
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

//! The committer: one task through which every write goes. It merges the batches that wait into one commit, offers
//! it to the parent, and only when it stands makes it visible and answers the writers.

use std::{collections::HashMap, sync::Arc};

use r3e_proto::host::blob::{BlobName, Commit};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::{
    error::{StoreError, Tampered},
    head::{Head, SealedHead},
    index::Entry,
    plan::{Plan, Planned},
    settle::{Settled, classify, settle},
    store::Shared,
    trie::{Digest, Trie, digest_of},
    write::{Committed, Write},
};

/// A batch that waits, and who waits for it.
pub(crate) struct Job {
    pub(crate) writes: Vec<Write>,
    /// Sealed bytes, at most.
    pub(crate) bytes: usize,
    pub(crate) answer: oneshot::Sender<Result<Committed, StoreError>>,
    /// Its share of the queue, given back when the job is done.
    pub(crate) room: OwnedSemaphorePermit,
}

/// A writer whose batch was planned or refused.
struct Waiting {
    answer: oneshot::Sender<Result<Committed, StoreError>>,
    planned: Result<Vec<Option<u64>>, StoreError>,
    _room: OwnedSemaphorePermit,
}

/// Why the committer ends.
enum Stop {
    Tampered(Tampered),
    /// No handle of the store is left, or the cryptographic library failed: what was not acknowledged is open.
    Closed,
}

/// The state that only the committer changes.
pub(crate) struct Committer {
    shared: Arc<Shared>,
    trie: Trie,
    jobs: mpsc::Receiver<Job>,
    /// A job that did not fit the group before.
    held: Option<Job>,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, trie: Trie, jobs: mpsc::Receiver<Job>) -> Self {
        Self { shared, trie, jobs, held: None }
    }

    /// Serves writers until no handle of the store is left, or the store must close.
    pub(crate) async fn run(mut self) {
        while let Some(first) = self.next().await {
            let (plan, waiting) = self.gather(first);
            let outcome = if plan.is_empty() { Ok(()) } else { self.commit(plan).await };
            let sequence = self.shared.index().sequence();
            for Waiting { answer, planned, .. } in waiting {
                // A conflict, too, is answered only now: what it was decided on had not been durable before.
                let _ = answer.send(match outcome {
                    Ok(()) => planned.map(|versions| Committed { sequence, versions }),
                    Err(Stop::Tampered(found)) => Err(StoreError::Tampered(found)),
                    Err(Stop::Closed) => Err(StoreError::Closed),
                });
            }
            if outcome.is_err() || self.shared.tampered.get().is_some() {
                break;
            }
        }
    }

    async fn next(&mut self) -> Option<Job> {
        match self.held.take() {
            Some(job) => Some(job),
            None => self.jobs.recv().await,
        }
    }

    /// `first` and all that waits behind it and fits.
    fn gather(&mut self, first: Job) -> (Plan, Vec<Waiting>) {
        let shared = Arc::clone(&self.shared);
        let index = shared.index();
        let writes = index.head.as_ref().map_or(0, |head| head.head.writes);
        let mut plan = Plan::new(writes);
        let mut waiting = Vec::new();
        let mut next = Some(first);
        while let Some(job) = next {
            if !plan.fits(job.writes.len(), job.bytes) {
                self.held = Some(job);
                break;
            }
            // Who no longer waits was told that nothing is known; then nothing shall happen.
            if !job.answer.is_closed() {
                let planned = plan.admit(&index, &shared.keys, job.writes, shared.options.max_records);
                waiting.push(Waiting { answer: job.answer, planned, _room: job.room });
            }
            next = self.jobs.try_recv().ok();
        }
        (plan, waiting)
    }

    async fn commit(&mut self, plan: Plan) -> Result<(), Stop> {
        let shared = Arc::clone(&self.shared);
        let Offer { commit, changes, digests, sealed } = self.build(plan).map_err(|error| {
            tracing::error!(%error, "the committer cannot seal; the store closes");
            Stop::Closed
        })?;
        shared.index_mut().pending = changes.keys().copied().collect();
        let abandoned = |_| self.jobs.is_closed();
        match settle(&*shared.blobs, &commit, &sealed.digest, abandoned).await {
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
        publish(&shared, changes, &digests, sealed);
        Ok(())
    }

    /// Seals a plan. The trie moves on with it: from here the commit either stands or the store closes.
    fn build(&mut self, plan: Plan) -> Result<Offer, StoreError> {
        let keys = &self.shared.keys;
        let (changes, writes) = plan.into_changes();
        let standing = self.shared.index().head.as_ref().map(|head| (head.head, head.digest));
        let expected = standing.map(|(_, digest)| digest);
        let (mut puts, mut deletes) = (Vec::new(), Vec::new());
        let mut digests = HashMap::with_capacity(changes.len());
        for (name, planned) in &changes {
            match &planned.after {
                Some((version, value)) => {
                    let blob = keys.seal_record(name, *version, &planned.namespace, &planned.key, value)?;
                    digests.insert(*name, digest_of(&blob));
                    puts.push((*name, blob));
                }
                None if planned.stood => deletes.push(*name),
                // Written and deleted within the group: the parent never learns of it.
                None => {}
            }
        }
        for (name, digest) in &digests {
            self.trie.insert(*name, *digest);
        }
        for name in &deletes {
            self.trie.remove(name);
        }
        let head = Head {
            sequence: standing.map_or(0, |(head, _)| head.sequence) + 1,
            previous: expected.unwrap_or_default(),
            root: self.trie.root(),
            records: self.trie.len() as u64,
            writes,
        };
        let sealed = head.seal(keys)?;
        let commit = Commit { expected, head: sealed.blob.clone(), puts, deletes };
        Ok(Offer { commit, changes, digests, sealed })
    }
}

/// A commit, and what it will change here once it stands.
struct Offer {
    commit: Commit,
    changes: HashMap<BlobName, Planned>,
    digests: HashMap<BlobName, Digest>,
    sealed: SealedHead,
}

/// Makes a durable commit visible.
fn publish(
    shared: &Shared,
    changes: HashMap<BlobName, Planned>,
    digests: &HashMap<BlobName, Digest>,
    sealed: SealedHead,
) {
    let sequence = sealed.head.sequence;
    {
        let mut index = shared.index_mut();
        let mut cache = shared.cache();
        for (name, planned) in changes {
            if let (Some((version, value)), Some(digest)) = (planned.after, digests.get(&name)) {
                let entry = Entry { name, digest: *digest, version, bytes: value.len() };
                index.insert(planned.namespace, planned.key, entry);
                cache.put(name, version, value);
            } else {
                index.remove(&planned.namespace, &planned.key);
                cache.remove(&name);
            }
        }
        index.pending.clear();
        index.head = Some(sealed);
    }
    shared.commits.send_replace(sequence);
}

//! The store as its users see it: reads that are verified, writes that are durable when they are answered.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, mpsc, oneshot, watch},
    time::timeout,
};

use crate::{
    blobs::BlobStore,
    boot::{Expected, boot},
    cache::Cache,
    commit::{Batch, Committer, Job},
    error::{StoreError, Tampered},
    index::{Index, Listed},
    limits::{
        CACHE_BYTES, COMMIT_DEADLINE_MS, MAX_QUEUED_BATCHES, MAX_QUEUED_BYTES, MAX_RECORDS, MAX_SCAN,
        MAX_SEALINGS, MAX_STALE_MS, MIN_TAIL, PAGE_BYTES, WITNESS_WATCH_MS,
    },
    name::{Namespace, checked_key},
    proof::Proven,
    record::{Record, Value},
    seal::StoreKeys,
    trie::Digest,
    watch::keep_watch,
    witness::{Guard, Witnessing},
    write::{Committed, Write, checked_batch},
};

/// What may be set for one store; the default is [`crate::limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Plaintext kept in memory for reads, in bytes; 0 keeps none.
    pub cache_bytes: usize,
    /// Records in the whole store.
    pub max_records: usize,
    /// How long a writer waits for its commit.
    pub commit_deadline_ms: u64,
    /// Commits and changes in the tail before a checkpoint is written, where the records are few.
    pub min_tail: u64,
    /// Bytes of a checkpoint's page, before the seal.
    pub page_bytes: usize,
    /// Sealings under one epoch before a new one begins by itself.
    pub max_sealings: u64,
    /// How long the witness is left alone where nothing is committed.
    pub witness_watch_ms: u64,
    /// How long after the witness confirmed last anything is read.
    pub max_stale_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            cache_bytes: CACHE_BYTES,
            max_records: MAX_RECORDS,
            commit_deadline_ms: COMMIT_DEADLINE_MS,
            min_tail: MIN_TAIL,
            page_bytes: PAGE_BYTES,
            max_sealings: MAX_SEALINGS,
            witness_watch_ms: WITNESS_WATCH_MS,
            max_stale_ms: MAX_STALE_MS,
        }
    }
}

/// A handle of the sealed state. Clones share it; when the last one is dropped, the committer ends.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    pub(crate) jobs: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
}

impl Store {
    /// Reads the index of what `blobs` keeps and verifies it, or starts a new state where there is none. Must be
    /// called within a tokio runtime, which carries the committer.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: try again. [`StoreError::Tampered`]: says what was found.
    pub async fn open(
        blobs: Arc<dyn BlobStore>,
        keys: StoreKeys,
        options: Options,
    ) -> Result<Self, StoreError> {
        Self::open_witnessed(blobs, keys, options, Witnessing::default()).await
    }

    /// The same, with a witness: what it holds must not be later than what `blobs` keeps, and from here on each commit is
    /// recorded with it before it is acknowledged.
    ///
    /// # Errors
    /// Those of [`Self::open`]; [`StoreError::Unwitnessed`]: try again; [`Tampered::RolledBack`], [`Tampered::Forked`].
    pub async fn open_witnessed(
        blobs: Arc<dyn BlobStore>,
        keys: StoreKeys,
        options: Options,
        witnessing: Witnessing,
    ) -> Result<Self, StoreError> {
        Self::begin(blobs, keys, options, witnessing, None).await
    }

    /// The same, of a state that another enclave of the same root secret handed over: the head that stands must be exactly
    /// the expected one, and the first commit follows it, so that the other commits nothing any more from then on. After
    /// an error that says so it can be tried again with the same `expected`.
    ///
    /// # Errors
    /// Those of [`Self::open_witnessed`]; [`StoreError::OtherHead`]: the other went on, or the parent shows another state.
    pub async fn open_at(
        blobs: Arc<dyn BlobStore>,
        keys: StoreKeys,
        options: Options,
        witnessing: Witnessing,
        expected: &mut Expected,
    ) -> Result<Self, StoreError> {
        Self::begin(blobs, keys, options, witnessing, Some(expected)).await
    }

    async fn begin(
        blobs: Arc<dyn BlobStore>,
        keys: StoreKeys,
        options: Options,
        witnessing: Witnessing,
        expected: Option<&mut Expected>,
    ) -> Result<Self, StoreError> {
        let guard = Guard::new(witnessing);
        let mut booted = boot(&*blobs, &keys, &guard, expected).await?;
        booted.upkeep.report(&mut booted.index, &options);
        let (commits, _) = watch::channel(booted.index.sequence());
        let shared = Arc::new(Shared {
            blobs,
            keys,
            options,
            guard,
            index: RwLock::new(booted.index),
            cache: Mutex::new(Cache::new(options.cache_bytes)),
            commits,
            frozen: watch::Sender::new(false),
            tampered: OnceLock::new(),
        });
        keep_watch(&shared);
        let (jobs, waiting) = mpsc::channel(MAX_QUEUED_BATCHES);
        let room = Arc::new(Semaphore::new(MAX_QUEUED_BYTES));
        let way_back = (jobs.downgrade(), Arc::clone(&room));
        let state = (booted.trie, booted.upkeep);
        tokio::spawn(Committer::new(Arc::clone(&shared), state, waiting, way_back).run());
        Ok(Self { shared, jobs, room })
    }

    /// The record under `key`, verified; none if there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Busy`], [`StoreError::Stale`], [`StoreError::Tampered`]; a key that is not
    /// allowed.
    pub async fn get(&self, namespace: &Namespace, key: &str) -> Result<Option<Record>, StoreError> {
        checked_key(key)?;
        self.shared.get(namespace, key).await
    }

    /// Writes `value` under `key`, over what stands there; the record's new version.
    ///
    /// # Errors
    /// Those of [`Self::batch`].
    pub async fn put(
        &self,
        namespace: &Namespace,
        key: &str,
        value: impl Into<Value>,
    ) -> Result<u64, StoreError> {
        self.one(Write::put(namespace, key, value)).await
    }

    /// Writes `value` under `key` if there is no such record; its version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if there is one; those of [`Self::batch`].
    pub async fn put_if_absent(
        &self,
        namespace: &Namespace,
        key: &str,
        value: impl Into<Value>,
    ) -> Result<u64, StoreError> {
        self.one(Write::put(namespace, key, value).if_absent()).await
    }

    /// Writes `value` under `key` if the record has exactly the version `expected`; its new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it has another or is not there; those of [`Self::batch`].
    pub async fn compare_and_swap(
        &self,
        namespace: &Namespace,
        key: &str,
        expected: u64,
        value: impl Into<Value>,
    ) -> Result<u64, StoreError> {
        self.one(Write::put(namespace, key, value).if_version(expected)).await
    }

    /// Deletes the record under `key`; one that is not there is no error.
    ///
    /// # Errors
    /// Those of [`Self::batch`].
    pub async fn delete(&self, namespace: &Namespace, key: &str) -> Result<(), StoreError> {
        self.batch(vec![Write::delete(namespace, key)]).await.map(|_| ())
    }

    /// Applies all of `writes` in order, or none. When this returns, they are durable and visible. If the future is
    /// dropped before, they may be applied or not.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::Full`], [`StoreError::TooLarge`], [`StoreError::Name`]: nothing was
    /// written. [`StoreError::Busy`], [`StoreError::Unwitnessed`], [`StoreError::Stale`]: nothing was written, try again.
    /// [`StoreError::Unconfirmed`]: read before you write again. [`StoreError::Tampered`], [`StoreError::Closed`]: the store is
    /// of no more use.
    pub async fn batch(&self, writes: Vec<Write>) -> Result<Committed, StoreError> {
        self.shared.intact()?;
        self.shared.guard.confirms(self.shared.options.commit_deadline_ms)?;
        // A write under a condition, and one that changes nothing, tell of the state without a commit.
        self.shared.current()?;
        let bytes = checked_batch(&writes)?;
        let room = u32::try_from(bytes).map_err(|_| StoreError::Busy)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(room).map_err(|_| StoreError::Busy)?;
        let (answer, outcome) = oneshot::channel();
        self.ask(Job::Batch(Batch { writes, bytes, answer, room }), outcome).await?
    }

    /// Begins a new epoch: from the commit on that this waits for, everything is sealed under its key. Records of the
    /// epoch before move to it in the background; when the last one has, the key of the epoch before is wiped.
    ///
    /// # Errors
    /// [`StoreError::Rotating`]: an older epoch is still in use. Those of [`Self::batch`].
    pub async fn rotate(&self) -> Result<u32, StoreError> {
        self.shared.intact()?;
        self.shared.guard.confirms(self.shared.options.commit_deadline_ms)?;
        let (answer, outcome) = oneshot::channel();
        self.ask(Job::Rotate(answer), outcome).await?
    }

    /// A proof of what stands under `key`, or that nothing does, against the root of the last commit.
    ///
    /// # Errors
    /// A key that is not allowed; [`StoreError::Unconfirmed`] if a commit that is under way takes too long; those of
    /// a store that is of no more use.
    pub async fn prove(&self, namespace: &Namespace, key: &str) -> Result<Proven, StoreError> {
        checked_key(key)?;
        self.shared.current()?;
        let name = self.shared.keys.blinded(namespace, key);
        let (answer, outcome) = oneshot::channel();
        let proven = self.ask(Job::Prove { name, answer }, outcome).await?;
        self.shared.current()?;
        Ok(proven)
    }

    /// Hands a job to the committer, and waits for its answer.
    async fn ask<T>(&self, job: Job, outcome: oneshot::Receiver<T>) -> Result<T, StoreError> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Busy,
            mpsc::error::TrySendError::Closed(_) => self.shared.gone(),
        })?;
        let deadline = Duration::from_millis(self.shared.options.commit_deadline_ms);
        match timeout(deadline, outcome).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(self.shared.gone()),
            Err(_) => Err(StoreError::Unconfirmed),
        }
    }

    /// The records of `namespace` whose keys start with `prefix` and follow `after`, by rising key, at most `limit`
    /// and at most [`MAX_SCAN`]. From memory: no value is read.
    ///
    /// # Errors
    /// [`StoreError::Tampered`], [`StoreError::Stale`].
    pub fn scan(
        &self,
        namespace: &Namespace,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Listed>, StoreError> {
        self.shared.current()?;
        Ok(self.shared.index().scan(namespace, prefix, after, limit.min(MAX_SCAN)))
    }

    /// All records of `namespace`, by rising key. From memory. What is put and deleted meanwhile may be among them or not.
    ///
    /// # Errors
    /// Those of [`Self::scan`].
    pub fn scan_all(&self, namespace: &Namespace) -> Result<Vec<Listed>, StoreError> {
        let mut all: Vec<Listed> = Vec::new();
        loop {
            let after = all.last().map(|last| last.key.clone());
            let page = self.scan(namespace, "", after.as_deref(), MAX_SCAN)?;
            if page.is_empty() {
                return Ok(all);
            }
            all.extend(page);
        }
    }

    /// The sequence of the last commit. It rises with every commit and every boot, and a later state never has a
    /// lower one: a witness that remembers it tells a rolled-back state.
    pub fn sequence(&self) -> u64 {
        self.shared.index().sequence()
    }

    /// SHA-256 of the sealed head of the last commit.
    pub fn head_digest(&self) -> Digest {
        self.shared.index().head_digest()
    }

    /// How many records there are.
    pub fn records(&self) -> usize {
        self.shared.index().records()
    }

    /// Waits until the store is closed because of what the parent answered; what that was.
    pub async fn until_tampered(&self) -> Tampered {
        let mut changes = self.shared.commits.subscribe();
        loop {
            if let Some(found) = self.tampered() {
                return found;
            }
            // The sender lives in `self`: it cannot end before us.
            drop(changes.changed().await);
        }
    }

    /// Whether anything is read here.
    ///
    /// # Errors
    /// [`StoreError::Tampered`], [`StoreError::Stale`]: why not.
    pub fn current(&self) -> Result<(), StoreError> {
        self.shared.current()
    }

    /// What closes the store, once it is awaited, for what was found out elsewhere: that this is not the latest state. While it is being handed
    /// over nothing is found out; it counts if the state comes back. Does not keep the store.
    pub fn condemning(&self, found: Tampered) -> impl Future<Output = ()> + Send + use<> {
        let (mut frozen, shared) = (self.shared.frozen.subscribe(), Arc::downgrade(&self.shared));
        async move {
            if frozen.wait_for(|frozen| !frozen).await.is_ok()
                && let Some(shared) = shared.upgrade()
                && shared.intact().is_ok()
            {
                shared.condemn(found);
            }
        }
    }

    /// What closed the store, if anything did.
    pub fn tampered(&self) -> Option<Tampered> {
        self.shared.tampered.get().copied()
    }

    async fn one(&self, write: Write) -> Result<u64, StoreError> {
        let committed = self.batch(vec![write]).await?;
        committed.versions.first().copied().flatten().ok_or(StoreError::Closed)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Store")
            .field("sequence", &self.sequence())
            .field("records", &self.records())
            .field("tampered", &self.tampered())
            .finish_non_exhaustive()
    }
}

/// What readers and the committer share.
pub(crate) struct Shared {
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) keys: StoreKeys,
    pub(crate) options: Options,
    pub(crate) guard: Guard,
    index: RwLock<Index>,
    cache: Mutex<Cache>,
    /// The sequence of the last commit.
    pub(crate) commits: watch::Sender<u64>,
    /// Whether the state is being handed to another enclave.
    pub(crate) frozen: watch::Sender<bool>,
    /// Set once, and then the store refuses everything.
    pub(crate) tampered: OnceLock<Tampered>,
}

impl Shared {
    // Nothing that holds these locks can leave them half changed by a panic: a poisoned lock is as good as another.
    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the store for good; what closed it first.
    pub(crate) fn condemn(&self, found: Tampered) -> Tampered {
        let first = *self.tampered.get_or_init(|| found);
        // Wakes the readers that wait for a commit which will not come.
        self.commits.send_modify(|_| {});
        tracing::error!(reason = %found, "the sealed state is not what was committed; the store refuses everything");
        first
    }

    pub(crate) fn intact(&self) -> Result<(), StoreError> {
        self.tampered.get().map_or(Ok(()), |found| Err(StoreError::Tampered(*found)))
    }

    /// Intact, and confirmed by the witness not too long ago.
    pub(crate) fn current(&self) -> Result<(), StoreError> {
        self.intact()?;
        self.guard.current(self.options.max_stale_ms)
    }

    /// Why the committer does not answer.
    pub(crate) fn gone(&self) -> StoreError {
        self.intact().err().unwrap_or(StoreError::Closed)
    }
}

//! A keeper of blobs in memory. Honest unless told otherwise: `edit` changes what it keeps behind the store's back,
//! `fail_next` and `answer_lists_with` change what it says.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use r3e_keys::RootSecret;
use r3e_proto::host::blob::{BlobName, Commit};
use r3e_store::{
    BlobError, BlobFuture, BlobStore, CommitAnswer, Namespace, Options, Page, Store, StoreError, StoreKeys,
    Summary,
};
use sha2::{Digest, Sha256};
use tokio::sync::RwLock;
use zeroize::Zeroizing;

/// What a keeper has on its disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Disk {
    pub(crate) head: Option<Vec<u8>>,
    pub(crate) records: BTreeMap<BlobName, Vec<u8>>,
}

/// Whether the store keeps this for itself: such names end in a number, which is small; other names are HMACs.
pub(crate) fn is_note(name: &BlobName) -> bool {
    name[24..28] == [0; 4]
}

impl Disk {
    /// What users of the store wrote.
    pub(crate) fn written(&self) -> BTreeMap<BlobName, Vec<u8>> {
        self.records
            .iter()
            .filter(|(name, _)| !is_note(name))
            .map(|(name, blob)| (*name, blob.clone()))
            .collect()
    }

    /// What the store keeps for itself, by name: the pages of a checkpoint together, and the notes of commits.
    pub(crate) fn notes(&self) -> BTreeMap<BlobName, Vec<u8>> {
        self.records
            .iter()
            .filter(|(name, _)| is_note(name))
            .map(|(name, blob)| (*name, blob.clone()))
            .collect()
    }
}

/// What happens to the next commit, or to the next question for the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is lost before the commit arrives.
    LostBefore,
    /// The commit is applied, and the answer is lost.
    LostAfter,
    /// `Committed` is answered, and nothing was done.
    Lie,
    /// `Conflict` is answered, and nothing was done.
    FalseConflict,
    /// The store of the keeper says that it failed, and nothing was done.
    Failed,
}

type ReadHook = Box<dyn Fn(&BlobName, Option<Vec<u8>>) -> Option<Vec<u8>> + Send + Sync>;
type ListHook = Box<dyn Fn(Option<BlobName>, Page) -> Page + Send + Sync>;

pub(crate) struct Keeper {
    disk: Mutex<Disk>,
    pub(crate) slot: Mutex<Option<Vec<u8>>>,
    faults: Mutex<VecDeque<Fault>>,
    /// Questions for the head that go unanswered.
    pub(crate) heads_lost: AtomicUsize,
    list_hook: Mutex<Option<ListHook>>,
    read_hook: Mutex<Option<ReadHook>>,
    pub(crate) page_records: usize,
    /// Held for writing, it stops every commit before it is applied.
    pub(crate) gate: RwLock<()>,
    pub(crate) commits: AtomicUsize,
    pub(crate) reads: AtomicUsize,
    /// Reads that go unanswered.
    pub(crate) reads_lost: AtomicUsize,
    pub(crate) lists: AtomicUsize,
    /// The disk after each commit, if it is kept.
    history: Mutex<Option<Vec<Disk>>>,
}

impl Keeper {
    pub(crate) fn new() -> Arc<Self> {
        Self::holding(Disk::default())
    }

    pub(crate) fn holding(disk: Disk) -> Arc<Self> {
        Arc::new(Self {
            disk: Mutex::new(disk),
            slot: Mutex::default(),
            faults: Mutex::default(),
            heads_lost: AtomicUsize::new(0),
            list_hook: Mutex::default(),
            read_hook: Mutex::default(),
            page_records: 7,
            gate: RwLock::default(),
            commits: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
            reads_lost: AtomicUsize::new(0),
            lists: AtomicUsize::new(0),
            history: Mutex::default(),
        })
    }

    pub(crate) fn disk(&self) -> Disk {
        self.disk.lock().unwrap().clone()
    }

    pub(crate) fn edit(&self, change: impl FnOnce(&mut Disk)) {
        change(&mut self.disk.lock().unwrap());
    }

    /// Keeps the disk after each commit from now on.
    pub(crate) fn remember(&self) {
        *self.history.lock().unwrap() = Some(Vec::new());
    }

    /// What was kept of it.
    pub(crate) fn history(&self) -> Vec<Disk> {
        self.history.lock().unwrap().take().unwrap()
    }

    pub(crate) fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    pub(crate) fn answer_lists_with(
        &self,
        hook: impl Fn(Option<BlobName>, Page) -> Page + Send + Sync + 'static,
    ) {
        *self.list_hook.lock().unwrap() = Some(Box::new(hook));
    }

    pub(crate) fn answer_reads_with(
        &self,
        hook: impl Fn(&BlobName, Option<Vec<u8>>) -> Option<Vec<u8>> + Send + Sync + 'static,
    ) {
        *self.read_hook.lock().unwrap() = Some(Box::new(hook));
    }

    /// Whether every fault has happened.
    pub(crate) fn has_no_faults_left(&self) -> bool {
        self.faults.lock().unwrap().is_empty()
    }

    fn apply(&self, commit: &Commit) -> CommitAnswer {
        let mut disk = self.disk.lock().unwrap();
        let standing = disk.head.as_ref().map(|head| <[u8; 32]>::from(Sha256::digest(head)));
        if standing != commit.expected {
            return CommitAnswer::Conflict;
        }
        disk.head = Some(commit.head.clone());
        disk.records.extend(commit.puts.iter().cloned());
        for name in &commit.deletes {
            disk.records.remove(name);
        }
        self.commits.fetch_add(1, Ordering::SeqCst);
        if let Some(history) = &mut *self.history.lock().unwrap() {
            history.push(disk.clone());
        }
        CommitAnswer::Committed
    }
}

pub(crate) fn lost() -> BlobError {
    BlobError::TimedOut { timeout_ms: 0 }
}

impl BlobStore for Keeper {
    fn head(&self) -> BlobFuture<'_, Option<Vec<u8>>> {
        Box::pin(async {
            let left = self.heads_lost.load(Ordering::SeqCst);
            if left > 0 {
                self.heads_lost.store(left - 1, Ordering::SeqCst);
                return Err(lost());
            }
            Ok(self.disk.lock().unwrap().head.clone())
        })
    }

    fn read(&self, name: BlobName) -> BlobFuture<'_, Option<Vec<u8>>> {
        Box::pin(async move {
            self.reads.fetch_add(1, Ordering::SeqCst);
            let left = self.reads_lost.load(Ordering::SeqCst);
            if left > 0 {
                self.reads_lost.store(left - 1, Ordering::SeqCst);
                return Err(lost());
            }
            let blob = self.disk.lock().unwrap().records.get(&name).cloned();
            // The commit of another task may come between the reading and the answer.
            tokio::task::yield_now().await;
            Ok(match &*self.read_hook.lock().unwrap() {
                Some(hook) => hook(&name, blob),
                None => blob,
            })
        })
    }

    fn list(&self, after: Option<BlobName>) -> BlobFuture<'_, Page> {
        Box::pin(async move {
            self.lists.fetch_add(1, Ordering::SeqCst);
            let disk = self.disk.lock().unwrap();
            let mut rest = disk.records.iter().filter(|(name, _)| after.is_none_or(|after| **name > after));
            let records =
                rest.by_ref().take(self.page_records).map(|(name, blob)| (*name, blob.clone())).collect();
            let page = Page { records, more: rest.next().is_some() };
            Ok(match &*self.list_hook.lock().unwrap() {
                Some(hook) => hook(after, page),
                None => page,
            })
        })
    }

    fn commit<'a>(&'a self, commit: &'a Commit) -> BlobFuture<'a, CommitAnswer> {
        Box::pin(async {
            tokio::task::yield_now().await;
            let _open = self.gate.read().await;
            let fault = self.faults.lock().unwrap().pop_front();
            match fault {
                None => Ok(self.apply(commit)),
                Some(Fault::LostBefore) => Err(lost()),
                Some(Fault::LostAfter) => {
                    self.apply(commit);
                    Err(lost())
                }
                Some(Fault::Lie) => Ok(CommitAnswer::Committed),
                Some(Fault::FalseConflict) => Ok(CommitAnswer::Conflict),
                Some(Fault::Failed) => Err(BlobError::Failed { message: "disk full".into() }),
            }
        })
    }
}

pub(crate) fn root(seed: u8) -> RootSecret {
    RootSecret::from_recovered(&Zeroizing::new([seed; 32]))
}

pub(crate) fn keys(seed: u8) -> StoreKeys {
    StoreKeys::derive(&root(seed)).unwrap()
}

/// No cache, so that every read goes to the keeper.
pub(crate) fn uncached() -> Options {
    Options { cache_bytes: 0, ..Options::default() }
}

/// No cache, and checkpoints of small pages all the time.
pub(crate) fn busy() -> Options {
    Options { min_tail: 6, page_bytes: 200, ..uncached() }
}

pub(crate) async fn open(keeper: &Arc<Keeper>) -> Result<Store, StoreError> {
    Store::open(keeper.clone(), keys(1), uncached()).await
}

pub(crate) fn space() -> Namespace {
    Namespace::of_tenant("secrets", "acme").unwrap()
}

/// Lets every other task run as far as it can.
pub(crate) async fn others_run() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Waits until `settled` holds of the store's summary. A test that waits in vain hangs, and says where.
pub(crate) async fn until(store: &Store, settled: impl Fn(&Summary) -> bool) {
    while !settled(&store.summary()) {
        assert_eq!(store.tampered(), None);
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

/// Waits until the record is there. A test that waits in vain hangs, and says where.
pub(crate) async fn until_written(store: &Store, key: &str) {
    while store.get(&space(), key).await.unwrap().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

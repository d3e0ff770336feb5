//! The feeds of all tenants, as the rest of the appliance sees them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r3e_proto::api::feeds::{
    Feed, HistoryPage, Next, Publication, RoundCounts, SetFeed, SignedReport, Target,
};
use r3e_proto::api::identity::TenantId;
use r3e_proto::report::Report;
use r3e_store::Store;
use tokio::sync::{Notify, OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::board::Board;
use crate::definition::{Shape, is_feed_name};
use crate::entry::Entry;
use crate::error::FeedsError;
use crate::fetches::{Fetches, NowMs};
use crate::limits::{MAX_HISTORY_PAGE, MAX_WAIT, READ_AT_ONCE, WAITING_OF_ONE};
use crate::outside::{Signer, Tenants, Web};
use crate::reading::Which;
use crate::record::Record;
use crate::spaces::{self, Address};
use crate::stream::Reports;
use crate::totals::{Counting, Totals};
use crate::{shown, ticks};

/// What [`Feeds`] are made of.
pub struct FeedsParts {
    /// Where they lie.
    pub store: Store,
    /// The time, in Unix milliseconds.
    pub now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// Where venues are asked.
    pub web: Arc<dyn Web>,
    /// Who may act.
    pub tenants: Arc<dyn Tenants>,
    /// Who signs.
    pub signer: Arc<dyn Signer>,
}

/// What a feed said last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest {
    /// What its answer is the price of: `BASE/QUOTE`.
    pub pair: String,
    /// What it said.
    pub report: Report,
    /// Whether the last second is over in which that is valid.
    pub is_stale: bool,
    /// The contracts that the feed's reports are signed for.
    pub targets: Vec<Target>,
}

/// How a feed goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measures {
    /// Its name.
    pub name: String,
    /// Whether it asks nobody.
    pub is_paused: bool,
    /// The latest report: its sequence, and when its sources were compared, in Unix seconds.
    pub latest: Option<(u64, u64)>,
    /// What its rounds came to, since the boot.
    pub rounds: RoundCounts,
}

impl Measures {
    fn of(entry: &Entry) -> Self {
        let latest = entry.latest().map(|kept| *kept.report());
        Self {
            name: entry.address.name.clone(),
            is_paused: entry.shape().record.paused,
            latest: latest.map(|report| (report.sequence, report.observed_at_s)),
            rounds: entry.counts(),
        }
    }
}

/// The feeds of all tenants. Dropped, nobody is asked any more.
pub struct Feeds {
    inner: Arc<Inner>,
}

/// What its tasks share.
pub(crate) struct Inner {
    pub(crate) store: Store,
    now_ms: NowMs,
    pub(crate) fetches: Arc<Fetches>,
    pub(crate) tenants: Arc<dyn Tenants>,
    pub(crate) signer: Arc<dyn Signer>,
    board: Mutex<Board>,
    /// Told when a feed was made.
    pub(crate) made: watch::Sender<()>,
    /// One was made, changed or deleted.
    pub(crate) defined: watch::Sender<()>,
    /// A round may be due sooner than it was.
    pub(crate) wake: Notify,
    pub(crate) closed: watch::Sender<bool>,
    pub(crate) counting: Counting,
}

impl Feeds {
    /// The feeds in the store. They have their rounds from here on. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The store's.
    pub async fn start(parts: FeedsParts) -> Result<Self, FeedsError> {
        let FeedsParts { store, now_ms, web, tenants, signer } = parts;
        let inner = Arc::new(Inner {
            store,
            fetches: Arc::new(Fetches::new(web, Arc::clone(&now_ms))),
            now_ms,
            tenants,
            signer,
            board: Mutex::default(),
            made: watch::Sender::new(()),
            defined: watch::Sender::new(()),
            wake: Notify::new(),
            closed: watch::Sender::new(false),
            counting: Counting::default(),
        });
        let mut reading = JoinSet::new();
        for address in spaces::all(&inner.store)? {
            while reading.len() >= READ_AT_ONCE {
                join(&mut reading).await?;
            }
            let inner = Arc::clone(&inner);
            reading.spawn(async move { inner.load(address).await });
        }
        while !reading.is_empty() {
            join(&mut reading).await?;
        }
        tokio::spawn(ticks::keep_going(Arc::clone(&inner)));
        Ok(Self { inner })
    }

    /// A tenant's feeds, by name.
    pub async fn list(&self, tenant: TenantId) -> Vec<Feed> {
        let entries = self.inner.board().of(tenant);
        let mut feeds = Vec::with_capacity(entries.len());
        for entry in entries {
            feeds.push(shown::feed(&entry).await);
        }
        feeds
    }

    /// How a tenant's feeds go, by name, from memory.
    pub fn measures(&self, tenant: TenantId) -> Vec<Measures> {
        // Not under the lock, which every round takes.
        let entries = self.inner.board().of(tenant);
        entries.iter().map(|entry| Measures::of(entry)).collect()
    }

    /// How many feeds there are, of all tenants.
    pub fn count(&self) -> usize {
        self.inner.board().len()
    }

    /// What all their rounds came to, since the boot.
    pub fn totals(&self) -> Totals {
        self.inner.counting.totals()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`].
    pub async fn show(&self, tenant: TenantId, name: &str) -> Result<Feed, FeedsError> {
        Ok(shown::feed(&*self.inner.find(tenant, name)?).await)
    }

    /// Makes a feed, or gives it another definition. Goes on if the future is dropped.
    ///
    /// # Errors
    /// [`FeedsError::Invalid`], [`FeedsError::TooMany`], [`FeedsError::Full`], [`FeedsError::Unavailable`]; the store's.
    pub async fn set(&self, tenant: TenantId, name: &str, set: SetFeed) -> Result<Feed, FeedsError> {
        if !is_feed_name(name) {
            return Err(FeedsError::Invalid("a feed's name has at most 32 characters".to_owned()));
        }
        let address = Address { tenant, name: name.to_owned() };
        self.change(tenant, move |inner| async move { inner.set(address, set).await }).await
    }

    /// Deletes a feed with its reports. A feed that is made under its name later goes on behind its last sequence. Goes on if the future
    /// is dropped.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`], [`FeedsError::Unavailable`]; the store's.
    pub async fn delete(&self, tenant: TenantId, name: &str) -> Result<(), FeedsError> {
        let entry = self.inner.find(tenant, name)?;
        self.change(tenant, move |inner| async move { inner.delete(&entry).await }).await
    }

    /// Has a feed ask nobody, or ask again. Its reports stay. Goes on if the future is dropped.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`], [`FeedsError::Unavailable`]; the store's.
    pub async fn pause(&self, tenant: TenantId, name: &str, paused: bool) -> Result<Feed, FeedsError> {
        let entry = self.inner.find(tenant, name)?;
        self.change(tenant, move |inner| async move {
            let before = entry.shape();
            if before.record.paused == paused {
                return Ok(shown::feed(&entry).await);
            }
            let record = Record { paused, changed_at_ms: inner.now_ms(), ..before.record.clone() };
            let shape = if before.live.is_some() { Shape::of(record)? } else { Shape::broken(record) };
            inner.reshape(&entry, shape).await
        })
        .await
    }

    /// One report, signed for each of the feed's targets.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`], [`FeedsError::NoReport`], [`FeedsError::Signing`]; the store's.
    pub async fn report(
        &self,
        tenant: TenantId,
        name: &str,
        which: Which,
    ) -> Result<SignedReport, FeedsError> {
        let entry = self.inner.find(tenant, name)?;
        self.inner.report(&entry, which).await
    }

    /// The latest report of a public feed, for anyone.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`], also of a feed that is not public, and of a tenant that is suspended; [`FeedsError::NoReport`], [`FeedsError::Signing`].
    pub async fn public_report(&self, tenant: TenantId, name: &str) -> Result<SignedReport, FeedsError> {
        let entry = self.inner.find(tenant, name)?;
        let is_active = self.inner.tenants.is_active(tenant).await.map_err(FeedsError::Unavailable)?;
        if !is_active || !entry.shape().record.public {
            return Err(FeedsError::NotFound(name.to_owned()));
        }
        self.inner.report(&entry, Which::Latest).await
    }

    /// Whether a tenant has a feed that anyone may read.
    pub fn has_public(&self, tenant: TenantId) -> bool {
        self.inner.board().of(tenant).iter().any(|entry| entry.shape().record.public)
    }

    /// The latest report once its sequence is over `after`; none where that is not so within `wait`, at most [`MAX_WAIT`].
    ///
    /// # Errors
    /// [`FeedsError::NotFound`], [`FeedsError::TooMany`], [`FeedsError::Stopping`], [`FeedsError::Signing`].
    pub async fn next(
        &self,
        tenant: TenantId,
        name: &str,
        after: u64,
        wait: Duration,
    ) -> Result<Next, FeedsError> {
        let entry = self.inner.find(tenant, name)?;
        let _place = self.place(tenant)?;
        let (mut told, mut closed) = (entry.told(), self.inner.closed.subscribe());
        let newer = timeout(wait.min(MAX_WAIT), told.wait_for(|sequence| *sequence > after));
        let is_newer = tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return Err(FeedsError::Stopping),
            waited = newer => matches!(waited, Ok(Ok(_))),
        };
        // It may have been deleted meanwhile.
        if !self.inner.is_there(&entry) {
            return Err(FeedsError::NotFound(name.to_owned()));
        }
        let latest = entry.latest().filter(|_| is_newer);
        let report = latest.map(|kept| self.inner.signed(&entry, kept).map(Arc::unwrap_or_clone));
        Ok(Next { report: report.transpose()? })
    }

    /// All reports behind `after` that are kept, and then each as it comes; without `after`, from the latest one on.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`], [`FeedsError::TooMany`].
    pub fn stream(&self, tenant: TenantId, name: &str, after: Option<u64>) -> Result<Reports, FeedsError> {
        let entry = self.inner.find(tenant, name)?;
        let place = self.place(tenant)?;
        let latest = entry.latest().map_or(0, |kept| kept.report().sequence);
        let last = after.unwrap_or(latest.saturating_sub(1));
        Ok(Reports::new(Arc::clone(&self.inner), entry, last, place))
    }

    /// Reports before a sequence, the latest first; at most [`MAX_HISTORY_PAGE`].
    ///
    /// # Errors
    /// [`FeedsError::NotFound`]; the store's.
    pub async fn history(
        &self,
        tenant: TenantId,
        name: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<HistoryPage, FeedsError> {
        let entry = self.inner.find(tenant, name)?;
        self.inner.history(&entry, before, limit.clamp(1, MAX_HISTORY_PAGE)).await
    }

    /// For what follows feeds inside the appliance: the sequence of a feed's latest report, now and from now on. It ends when the feed
    /// is deleted and nobody uses it any more. What was missed in between is in the history.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`].
    pub fn follow(&self, tenant: TenantId, name: &str) -> Result<watch::Receiver<u64>, FeedsError> {
        Ok(self.inner.find(tenant, name)?.told())
    }

    /// For what follows feeds inside the appliance: the next of a feed's reports behind a sequence that are kept, the oldest first: those
    /// of one page. Empty where there is none.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`]; the store's.
    pub async fn behind(
        &self,
        tenant: TenantId,
        name: &str,
        sequence: u64,
    ) -> Result<Vec<Report>, FeedsError> {
        let entry = self.inner.find(tenant, name)?;
        self.inner.behind(&entry, sequence).await
    }

    /// Waits until there is a feed of this name.
    pub async fn appears(&self, tenant: TenantId, name: &str) {
        let mut made = self.inner.made.subscribe();
        while self.inner.find(tenant, name).is_err() {
            if made.changed().await.is_err() {
                return;
            }
        }
    }

    /// Whose reports are brought where: now, and whenever [`Self::defined`] says so.
    pub fn publications(&self) -> Vec<(TenantId, String, Publication)> {
        let entries = self.inner.board().all();
        let of = |entry: &Arc<Entry>| {
            let (tenant, name) = (entry.address.tenant, entry.address.name.clone());
            // One that is paused brings nothing, either.
            let shape = entry.shape();
            let publish = if shape.record.paused { Vec::new() } else { shape.record.publish.clone() };
            publish.into_iter().map(move |one| (tenant, name.clone(), one))
        };
        entries.iter().flat_map(of).collect()
    }

    /// Tells when a feed is made, changed or deleted.
    pub fn defined(&self) -> watch::Receiver<()> {
        self.inner.defined.subscribe()
    }

    /// The latest report of a feed, if it has published. From memory.
    ///
    /// # Errors
    /// [`FeedsError::NotFound`].
    pub fn latest(&self, tenant: TenantId, name: &str) -> Result<Option<Latest>, FeedsError> {
        let entry = self.inner.find(tenant, name)?;
        let shape = entry.shape();
        let (pair, targets) = (shape.record.definition.pair.to_string(), shape.record.targets.clone());
        let now_s = self.inner.now_ms() / 1_000;
        Ok(entry.latest().map(|kept| {
            let report = *kept.report();
            Latest { pair, is_stale: report.valid_until_s < now_s, report, targets }
        }))
    }

    /// Has no more rounds, and ends what waits for reports: the appliance stops, or was handed over.
    pub fn close(&self) {
        self.inner.closed.send_replace(true);
    }

    /// A place among the requests of a tenant's that wait.
    fn place(&self, tenant: TenantId) -> Result<OwnedSemaphorePermit, FeedsError> {
        let places = self.inner.board().waiting(tenant);
        let what = "requests that wait for a report";
        places.try_acquire_owned().map_err(|_| FeedsError::TooMany { what, max: WAITING_OF_ONE })
    }

    /// One change of a tenant's after the other, to its end.
    async fn change<T, F>(
        &self,
        tenant: TenantId,
        change: impl FnOnce(Arc<Inner>) -> F,
    ) -> Result<T, FeedsError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, FeedsError>> + Send + 'static,
    {
        let turn = self.inner.board().turn(tenant);
        let changing = change(Arc::clone(&self.inner));
        let changed = tokio::spawn(async move {
            let _turn = turn.lock().await;
            changing.await
        });
        changed.await.unwrap_or(Err(FeedsError::Stopping))
    }
}

impl Drop for Feeds {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    pub(crate) fn now_ms(&self) -> u64 {
        (self.now_ms)()
    }

    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a feed is the one that its name means.
    pub(crate) fn is_there(&self, entry: &Arc<Entry>) -> bool {
        self.board().find(&entry.address).is_some_and(|found| Arc::ptr_eq(&found, entry))
    }

    fn find(&self, tenant: TenantId, name: &str) -> Result<Arc<Entry>, FeedsError> {
        let found = self.board().find(&Address { tenant, name: name.to_owned() });
        found.ok_or_else(|| FeedsError::NotFound(name.to_owned()))
    }
}

async fn join(reading: &mut JoinSet<Result<(), FeedsError>>) -> Result<(), FeedsError> {
    match reading.join_next().await {
        Some(read) => read.unwrap_or(Err(FeedsError::Stopping)),
        None => Ok(()),
    }
}

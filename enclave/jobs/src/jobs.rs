//! The jobs of all tenants, as the rest of the appliance sees them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r3e_keys::ReportKey;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::jobs::{Enqueued, Job, JobCounts, JobDetails, JobId, JobPage, JobState, Origin};
use r3e_store::Store;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::timeout;

use crate::board::Board;
use crate::changes::{Changed, Phase, carry_through};
use crate::dispatch::{self, Work};
use crate::enqueue::{NewJob, With, take_in};
use crate::error::JobsError;
use crate::index::Place;
use crate::limits::{DEFAULT_AT_ONCE, MAX_PAGE};
use crate::outside::{Courier, Invocations};
use crate::record::Address;
use crate::spaces::{self, Spaces};
use crate::tallies::Tallies;
use crate::{recovery, sweep};

/// What [`Jobs`] are made of.
pub struct JobsParts {
    /// Where they lie.
    pub store: Store,
    /// The time, in Unix milliseconds. It may jump: what waits in memory waits by another clock.
    pub now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Who runs functions.
    pub invocations: Arc<dyn Invocations>,
    /// Who tells others that a job has ended.
    pub courier: Arc<dyn Courier>,
    /// What signs the notices that they are told by.
    pub report_key: Arc<ReportKey>,
    /// What the operator decides.
    pub settings: Settings,
}

/// What the operator decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Attempts under way at once, of all tenants.
    pub at_once: usize,
    /// The same of one tenant.
    pub of_one: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { at_once: DEFAULT_AT_ONCE, of_one: DEFAULT_AT_ONCE / 4 }
    }
}

/// The jobs of one tenant, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CountsOfOne {
    /// They wait.
    pub queued: u64,
    /// An attempt is under way.
    pub running: u64,
    /// They ended without a result, and are kept.
    pub dead_letters: u64,
    /// Ended with a result, since the boot.
    pub succeeded: u64,
    /// Ended without one, since the boot.
    pub dead: u64,
    /// Cancelled, since the boot.
    pub cancelled: u64,
}

/// The jobs of all tenants. Dropped, nothing more is begun, and what is under way is left to whoever opens the state next.
pub struct Jobs {
    inner: Arc<Inner>,
}

/// What its tasks share.
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) spaces: Spaces,
    now_ms: Box<dyn Fn() -> u64 + Send + Sync>,
    pub(crate) invocations: Arc<dyn Invocations>,
    pub(crate) courier: Arc<dyn Courier>,
    pub(crate) report_key: Arc<ReportKey>,
    board: Mutex<Board>,
    pub(crate) tallies: Tallies,
    pub(crate) phase: watch::Sender<Phase>,
    /// There is more to do, for each kind of work.
    pub(crate) attempts_wake: Notify,
    pub(crate) webhooks_wake: Notify,
    /// An attempt has ended.
    pub(crate) ended: Notify,
}

impl Jobs {
    /// The jobs in the store, and the tasks that work on them; attempts that were under way when the state was left are settled
    /// first of all. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The store's.
    pub fn start(parts: JobsParts) -> Result<Self, JobsError> {
        let JobsParts { store, now_ms, invocations, courier, report_key, settings } = parts;
        let spaces = Spaces::new()?;
        let all = spaces.all(&store)?;
        let inner = Arc::new(Inner {
            store,
            spaces,
            now_ms,
            invocations,
            courier,
            report_key,
            board: Mutex::new(Board::new(settings.at_once, settings.of_one)),
            tallies: Tallies::default(),
            phase: watch::Sender::new(Phase::Open),
            attempts_wake: Notify::new(),
            webhooks_wake: Notify::new(),
            ended: Notify::new(),
        });
        let interrupted = recovery::take_over(&inner, all);
        tokio::spawn(recovery::settle(Arc::clone(&inner), interrupted));
        tokio::spawn(dispatch::keep_at(Arc::clone(&inner), Work::Attempts));
        tokio::spawn(dispatch::keep_at(Arc::clone(&inner), Work::Webhooks));
        tokio::spawn(sweep::keep_sweeping(Arc::clone(&inner)));
        Ok(Self { inner })
    }

    /// Takes a job in: when this returns, it is durable, and ends with exactly one recorded outcome unless it is cancelled.
    /// Goes on if the future is dropped.
    ///
    /// # Errors
    /// [`JobsError::Invalid`], [`JobsError::NoFunction`], [`JobsError::KeyReused`], [`JobsError::Full`]: there is no such job. The store's: there is none
    /// either, except for [`r3e_store::StoreError::Unconfirmed`] and [`r3e_store::StoreError::Unavailable`], after which there may be: ask again with the
    /// same idempotency key.
    pub async fn enqueue(&self, tenant: TenantId, new: NewJob) -> Result<Enqueued, JobsError> {
        self.enqueue_with(tenant, new, Box::new(|_| Ok(Vec::new()))).await
    }

    /// The same, with other records that stand exactly if the job does: they are part of its commit. Where the job is an earlier
    /// one's ([`Enqueued::repeated`]), they are not written.
    ///
    /// # Errors
    /// Those of [`Self::enqueue`]; [`JobsError::Overtaken`] where the condition of one of the writes does not hold: there is no
    /// such job.
    pub async fn enqueue_with(
        &self,
        tenant: TenantId,
        new: NewJob,
        with: With,
    ) -> Result<Enqueued, JobsError> {
        let (answer, answered) = oneshot::channel();
        tokio::spawn(take_in(Arc::clone(&self.inner), tenant, new, with, answer));
        answered.await.unwrap_or(Err(JobsError::Stopping))
    }

    /// Does again what a job did that has ended: a new job with the same function, event, policy and webhook, which names its
    /// origin.
    ///
    /// # Errors
    /// [`JobsError::NotFound`], [`JobsError::NotEnded`]; those of [`Self::enqueue`].
    pub async fn replay(
        &self,
        tenant: TenantId,
        id: JobId,
        idempotency_key: Option<String>,
    ) -> Result<Enqueued, JobsError> {
        let address = Address { tenant, id };
        let job = self.job(address).await?;
        if !job.state.is_final() {
            return Err(JobsError::NotEnded { id, state: job.state });
        }
        let event = spaces::read_event(&self.inner.store, address).await?.ok_or(JobsError::NotFound(id))?;
        let new = NewJob {
            function: job.function,
            event: event.as_bytes().to_vec(),
            policy: job.policy,
            webhook: job.webhook.map(|webhook| webhook.url),
            keep_ms: job.keep_ms,
            idempotency_key,
            origin: Origin::Replay(id),
            hops: job.hops,
        };
        self.enqueue(tenant, new).await
    }

    /// Some of the tenant's jobs, the newest first: those in `state`, where one is named, that are older than `after`; at most
    /// `limit`, and at most [`MAX_PAGE`].
    ///
    /// # Errors
    /// The store's.
    pub async fn list(
        &self,
        tenant: TenantId,
        state: Option<JobState>,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<JobPage, JobsError> {
        let (ids, has_more) = self.inner.board().page(tenant, state, after, limit.clamp(1, MAX_PAGE));
        let next = ids.last().copied().filter(|_| has_more);
        let mut jobs = Vec::with_capacity(ids.len());
        for id in ids {
            // One that is removed meanwhile is left out, and one that went on meanwhile is another state's.
            if let Some(standing) = spaces::read(&self.inner.store, Address { tenant, id }).await?
                && state.is_none_or(|state| standing.record.job.state == state)
            {
                jobs.push(standing.record.job);
            }
        }
        Ok(JobPage { jobs, next })
    }

    /// One of the tenant's jobs, with its outcome once it has ended.
    ///
    /// # Errors
    /// [`JobsError::NotFound`]; the store's.
    pub async fn show(&self, tenant: TenantId, id: JobId) -> Result<JobDetails, JobsError> {
        let address = Address { tenant, id };
        let job = self.job(address).await?;
        // An ended job does not change its outcome any more.
        let outcome =
            if job.state.is_final() { spaces::read_outcome(&self.inner.store, address).await? } else { None };
        Ok(JobDetails { job, outcome })
    }

    /// Cancels a job that waits. One that is cancelled already is no error. Goes on if the future is dropped.
    ///
    /// # Errors
    /// [`JobsError::NotFound`], [`JobsError::Begun`]; the store's.
    pub async fn cancel(&self, tenant: TenantId, id: JobId) -> Result<Job, JobsError> {
        let inner = Arc::clone(&self.inner);
        let cancelling = tokio::spawn(async move { inner.cancel(Address { tenant, id }).await });
        cancelling.await.unwrap_or(Err(JobsError::Stopping))
    }

    /// Begins no more attempts, and waits so long for those under way. What is not done by then goes on, and is recorded if the
    /// store still takes it; whoever opens the state next settles what is not.
    pub async fn pause(&self, patience: Duration) {
        {
            // Under the lock that an attempt is taken under: none is begun after this.
            let _board = self.inner.board();
            self.inner.move_to(Phase::Paused);
        }
        let all_ended = async {
            loop {
                let ended = self.inner.ended.notified();
                tokio::pin!(ended);
                // From here on no end is missed.
                ended.as_mut().enable();
                if self.inner.board().attempts.under_way() == 0 {
                    return;
                }
                ended.await;
            }
        };
        if timeout(patience, all_ended).await.is_err() {
            let left = self.inner.board().attempts.under_way();
            tracing::info!(left, "attempts of jobs are still under way");
        }
    }

    /// Begins attempts again.
    pub fn resume(&self) {
        self.inner.move_to(Phase::Open);
        self.inner.wake();
    }

    /// How many jobs there are, and what was done with them since the boot.
    pub fn counts(&self) -> JobCounts {
        let now = self.inner.board().counts();
        let tallies = &self.inner.tallies;
        JobCounts {
            queued: now.queued,
            running: now.running,
            kept: now.kept,
            enqueued: tallies.enqueued.count(),
            begun: tallies.begun.count(),
            succeeded: tallies.succeeded.count(),
            dead: tallies.dead.count(),
            cancelled: tallies.cancelled.count(),
            retried: tallies.retried.count(),
            interrupted: tallies.interrupted.count(),
            removed: tallies.removed.count(),
            webhooks_delivered: tallies.webhooks_delivered.count(),
            webhooks_failed: tallies.webhooks_failed.count(),
        }
    }

    /// How many jobs a tenant has, and how those ended that did since the boot.
    pub fn counts_of(&self, tenant: TenantId) -> CountsOfOne {
        let (now, ended) = self.inner.board().counts_of(tenant);
        CountsOfOne {
            queued: now.queued,
            running: now.running,
            dead_letters: now.dead,
            succeeded: ended.succeeded,
            dead: ended.dead,
            cancelled: ended.cancelled,
        }
    }

    async fn job(&self, address: Address) -> Result<Job, JobsError> {
        let found = spaces::read(&self.inner.store, address).await?;
        found.map(|standing| standing.record.job).ok_or(JobsError::NotFound(address.id))
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.inner.phase.send_replace(Phase::Closed);
    }
}

impl Inner {
    pub(crate) fn now_ms(&self) -> u64 {
        (self.now_ms)()
    }

    pub(crate) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something may be ready now.
    pub(crate) fn wake(&self) {
        self.attempts_wake.notify_one();
        self.webhooks_wake.notify_one();
    }

    /// Gives a claim back, with where the job is now.
    pub(crate) fn release(&self, address: Address, place: Option<Place>) {
        let now_ms = self.now_ms();
        self.board().release(address, place, now_ms);
        self.wake();
    }

    /// From a closed state there is no way back.
    fn move_to(&self, next: Phase) {
        self.phase.send_if_modified(|phase| {
            let moves = *phase != Phase::Closed && *phase != next;
            if moves {
                *phase = next;
            }
            moves
        });
    }

    async fn cancel(&self, address: Address) -> Result<Job, JobsError> {
        let id = address.id;
        let missing = || JobsError::NotFound(id);
        let place = self.board().find(address).ok_or_else(missing)?;
        if place.state() != JobState::Queued {
            let job = spaces::read(&self.store, address).await?.ok_or_else(missing)?.record.job;
            let is_cancelled = job.state == JobState::Cancelled;
            return if is_cancelled { Ok(job) } else { Err(JobsError::Begun { id, state: job.state }) };
        }
        // Whoever has the claim is about to begin it.
        let begun = || JobsError::Begun { id, state: JobState::Running };
        let place = self.board().claim(address).ok_or_else(begun)?;
        let read = spaces::read(&self.store, address).await;
        let standing = match read {
            Ok(Some(standing)) if standing.record.job.state == JobState::Queued => standing,
            other => {
                let (place, error) = match other {
                    Ok(Some(other)) => {
                        (Some(other.record.place()), JobsError::Begun { id, state: other.record.job.state })
                    }
                    Ok(None) => (None, missing()),
                    Err(error) => (Some(place), error),
                };
                self.release(address, place);
                return Err(error);
            }
        };
        let mut record = standing.record.clone();
        record.cancel(self.now_ms());
        let steps = self.spaces.step(address, &standing, &record, None);
        let (writes, wanted) = match steps.and_then(|writes| Ok((writes, record.encode()?))) {
            Ok(both) => both,
            Err(error) => {
                self.release(address, Some(place));
                return Err(error);
            }
        };
        match carry_through(&self.store, &self.phase, address, &writes, Some(&wanted)).await {
            Ok(Changed::Stands(_)) => {
                self.tallies.cancelled.add();
                self.board().ended(address.tenant, JobState::Cancelled);
                self.release(address, Some(record.place()));
                Ok(record.job)
            }
            Ok(Changed::Other(found)) => {
                let state = found.as_ref().map(|found| found.record.job.state);
                self.release(address, found.map(|found| found.record.place()));
                state.map_or_else(|| Err(missing()), |state| Err(JobsError::Begun { id, state }))
            }
            Err(_) => Err(JobsError::Stopping),
        }
    }
}

//! The ledger as the appliance uses it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use r3e_proto::api::billing::{
    Amount, Balance, Books, LedgerPage, Metered, Month, NO_PLAN, Quota, UsageReport,
};
use r3e_proto::api::identity::TenantId;
use r3e_store::Store;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::admission::{Admission, Charge, NotAdmitted};
use crate::books::Head;
use crate::error::LedgerError;
use crate::limits::{
    FLUSH_INTERVAL, FLUSH_INVOCATIONS, MAX_QUEUED_JOBS, MAX_UNWRITTEN_AGE, MAX_UNWRITTEN_INVOCATIONS,
    POST_INTERVAL_MS, WRITE_TIMEOUT,
};
use crate::live::{Let, Wait};
use crate::state::State;
use crate::terms::Terms;
use crate::writer::{Done, Job, Writer};
use crate::{entries, storage, usage};

/// Times that an invocation's admission has something done before it, and meets others who did the same.
const MAX_ADMISSION_TRIES: usize = 16;

/// What may be set for one ledger; the default is [`crate::limits`].
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Between two writes of what was used.
    pub flush_interval: Duration,
    /// How old what was used may become before it is posted as an entry.
    pub post_interval_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { flush_interval: FLUSH_INTERVAL, post_interval_ms: POST_INTERVAL_MS }
    }
}

/// A handle of the ledger. Clones share it. When the last one is dropped, what was used since the last write is lost: call
/// [`Self::flush`] before.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(crate) shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
}

/// Whether the records were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    Reading,
    Ready,
    /// Nothing is admitted or changed any more.
    Closed(String),
}

/// What admissions and the writer share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) terms: Arc<Terms>,
    pub(crate) options: Options,
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
    state: Mutex<State>,
    pub(crate) stage: watch::Sender<Stage>,
    /// Rung when so much was used that it is to be written at once.
    pub(crate) full: Notify,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("stage", &*self.stage.borrow()).finish_non_exhaustive()
    }
}

impl Ledger {
    /// The ledger in `store`, under `terms`. Its records are read in the background, and what an ended process had set aside
    /// is given back; whoever asks before that waits. `clock` gives milliseconds since the Unix epoch. Must be called within
    /// a tokio runtime, which carries the writer.
    pub fn start(
        store: Store,
        terms: Terms,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
        options: Options,
    ) -> Self {
        let in_memory = Mutex::new(State::new(Head::first(clock())));
        let (stage, _) = watch::channel(Stage::Reading);
        let shared = Shared {
            store,
            terms: Arc::new(terms),
            options,
            clock: Box::new(clock),
            state: in_memory,
            stage,
            full: Notify::new(),
        };
        let shared = Arc::new(shared);
        let (jobs, waiting) = mpsc::channel(MAX_QUEUED_JOBS);
        tokio::spawn(Writer::new(Arc::clone(&shared), waiting).run());
        Self { shared, jobs }
    }

    /// Lets an invocation in. Without a plan that charges, and with one as long as enough is set aside, this waits for
    /// nothing; otherwise for a commit.
    ///
    /// # Errors
    /// [`NotAdmitted`]: it must not run.
    pub async fn admit(&self, charge: &Charge<'_>) -> Result<Admission, NotAdmitted> {
        let most = charge.most();
        for _ in 0..MAX_ADMISSION_TRIES {
            let wait = match self.shared.try_admit(charge, &most) {
                Ok(of) => return Ok(Admission::new(Arc::clone(&self.shared), charge, most, of)),
                Err(wait) => wait,
            };
            let tenant = charge.tenant;
            match wait {
                Wait::Refused(refused) => return Err(refused),
                Wait::Load => self.load(tenant).await,
                Wait::Open => self.ask(|answer| Job::Open { tenant, answer }).await,
                Wait::Draw(period, least) => {
                    self.ask(|answer| Job::Draw { tenant, period, least, answer }).await
                }
            }?;
        }
        Err(NotAdmitted::Unavailable("too many invocations begin at once".to_owned()))
    }

    /// A tenant's balance and plan.
    ///
    /// # Errors
    /// [`LedgerError::NotReady`], [`LedgerError::Closed`].
    pub async fn balance(&self, tenant: TenantId) -> Result<Balance, LedgerError> {
        self.ready().await?;
        Ok(self.shared.state().balance(tenant, &self.shared.terms))
    }

    /// What a tenant may use in a month.
    ///
    /// # Errors
    /// Those of [`Self::balance`].
    pub async fn quota(&self, tenant: TenantId) -> Result<Quota, LedgerError> {
        self.ready().await?;
        Ok(self.shared.state().quota(tenant, &self.shared.terms))
    }

    /// What a tenant used in a month, the one that is under way where none is named.
    ///
    /// # Errors
    /// Those of [`Self::balance`]; the store's.
    pub async fn usage(&self, tenant: TenantId, month: Option<Month>) -> Result<UsageReport, LedgerError> {
        self.ready().await?;
        let month = month.unwrap_or_else(|| self.shared.month());
        let mut record = usage::read(&self.shared.store, tenant, month).await?;
        let state = self.shared.state();
        if let Some(known) = state.tenants.get(&tenant) {
            // What a commit holds that this process has not taken note of yet is in the record already.
            let taken = known.live.taken.get(&month).filter(|_| record.sequence <= state.head.sequence);
            for used in taken.into_iter().chain(known.live.pending.get(&month)) {
                record.add(used);
            }
        }
        let quota = state.quota(tenant, &self.shared.terms);
        Ok(UsageReport { month, total: record.total(), functions: record.functions, quota })
    }

    /// A tenant's entries after a number, at most `limit`.
    ///
    /// # Errors
    /// Those of [`Self::balance`]; the store's.
    pub async fn entries(
        &self,
        tenant: TenantId,
        after: u64,
        limit: usize,
    ) -> Result<LedgerPage, LedgerError> {
        self.ready().await?;
        let last = self.shared.state().tenants.get(&tenant).map_or(0, |tenant| tenant.account.entries);
        entries::page(&self.shared.store, tenant, last, after, limit).await
    }

    /// All accounts of all tenants together.
    ///
    /// # Errors
    /// Those of [`Self::balance`].
    pub async fn books(&self) -> Result<Books, LedgerError> {
        self.ready().await?;
        let state = self.shared.state();
        let (mut tenants, mut reservations) = (Amount::ZERO, Amount::ZERO);
        for tenant in state.tenants.values() {
            let reserved = tenant.account.reserved().ok_or(LedgerError::Amount)?;
            tenants = tenants.checked_add(tenant.account.available).ok_or(LedgerError::Amount)?;
            reservations = reservations.checked_add(reserved).ok_or(LedgerError::Amount)?;
        }
        let Head { sequence, totals, .. } = state.head.clone();
        let (revenue, deposited, withdrawn) = (totals.revenue, totals.deposited, totals.withdrawn);
        let currency = self.shared.terms.currency.clone();
        Ok(Books { currency, tenants, reservations, revenue, deposited, withdrawn, sequence })
    }

    /// Puts a tenant under a plan, and charges its fee where it has one: from the next invocation on.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchPlan`], [`LedgerError::Insufficient`] for the fee, [`LedgerError::PlanInUse`]: nothing changed.
    /// [`LedgerError::Unconfirmed`]; those of [`Self::balance`].
    pub async fn set_plan(&self, tenant: TenantId, plan: &str) -> Result<Balance, LedgerError> {
        if plan != NO_PLAN && !self.shared.terms.plans.contains_key(plan) {
            return Err(LedgerError::NoSuchPlan(plan.to_owned()));
        }
        self.ready().await?;
        let plan = plan.to_owned();
        self.ask_ledger(|answer| Job::SetPlan { tenant, plan, answer }).await?;
        self.balance(tenant).await
    }

    /// Gives a tenant a quota of its own; none is the configuration's.
    ///
    /// # Errors
    /// [`LedgerError::Unconfirmed`]; those of [`Self::balance`].
    pub async fn set_quota(&self, tenant: TenantId, quota: Option<Quota>) -> Result<Quota, LedgerError> {
        self.ready().await?;
        self.ask_ledger(|answer| Job::SetQuota { tenant, quota, answer }).await?;
        self.quota(tenant).await
    }

    /// Writes what was used so far.
    ///
    /// # Errors
    /// [`LedgerError::Unconfirmed`]; those of [`Self::balance`].
    pub async fn flush(&self) -> Result<(), LedgerError> {
        self.ready().await?;
        self.ask_ledger(|answer| Job::Flush { answer }).await.map(drop)
    }

    /// Counts what a tenant keeps in storage now as if it had kept it for so long.
    ///
    /// # Errors
    /// Those of [`Self::balance`]; the store's.
    pub async fn measure_storage(&self, tenant: TenantId, kept_for: Duration) -> Result<(), LedgerError> {
        self.load(tenant).await.map_err(|error| LedgerError::Closed(error.to_string()))?;
        let kept = storage::kept(&self.shared.store, tenant)?;
        let mut state = self.shared.state();
        let month = self.shared.month_of(&mut state);
        let known = state.tenant(tenant);
        for (function, bytes) in kept {
            let storage_byte_s = bytes.saturating_mul(kept_for.as_secs());
            let used = Metered { storage_byte_s, ..Metered::default() };
            known.live.stored(known.account.current, month, &function, &used);
        }
        Ok(())
    }

    /// Waits until the records were read.
    pub(crate) async fn ready(&self) -> Result<(), LedgerError> {
        if *self.shared.stage.borrow() == Stage::Ready {
            return Ok(());
        }
        let mut stage = self.shared.stage.subscribe();
        let read = timeout(WRITE_TIMEOUT, stage.wait_for(|stage| *stage != Stage::Reading)).await;
        match read {
            Ok(Ok(stage)) => match &*stage {
                Stage::Closed(reason) => Err(LedgerError::Closed(reason.clone())),
                Stage::Ready | Stage::Reading => Ok(()),
            },
            Ok(Err(_)) | Err(_) => Err(LedgerError::NotReady),
        }
    }

    /// Reads what a tenant has used in the month that is under way.
    async fn load(&self, tenant: TenantId) -> Result<(), NotAdmitted> {
        let unavailable = |error: LedgerError| NotAdmitted::Unavailable(error.to_string());
        self.ready().await.map_err(unavailable)?;
        let month = self.shared.month();
        let record = usage::read(&self.shared.store, tenant, month).await.map_err(unavailable)?;
        let mut state = self.shared.state();
        let live = &mut state.tenant(tenant).live;
        if !live.loaded {
            (live.loaded, live.month, live.used) = (true, month, record.total());
        }
        Ok(())
    }

    async fn ask(&self, job: impl FnOnce(Done) -> Job) -> Result<(), NotAdmitted> {
        self.ask_ledger(job).await.map(drop).map_err(|error| match error {
            LedgerError::Insufficient { needed, available } => NotAdmitted::Balance { needed, available },
            LedgerError::NoSuchPlan(plan) => NotAdmitted::NoSuchPlan(plan),
            other => NotAdmitted::Unavailable(other.to_string()),
        })
    }

    /// Has the writer do something, and waits until it stands.
    pub(crate) async fn ask_ledger(&self, job: impl FnOnce(Done) -> Job) -> Result<(u64, bool), LedgerError> {
        let (answer, outcome) = oneshot::channel();
        self.jobs.try_send(job(answer)).map_err(|_| LedgerError::NotReady)?;
        match timeout(WRITE_TIMEOUT, outcome).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(self.shared.closed()),
            Err(_) => Err(LedgerError::Unconfirmed),
        }
    }
}

impl Shared {
    // Nothing that holds this lock can leave it half changed by a panic: a poisoned lock is as good as another.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ledger's time.
    pub(crate) fn now_ms(&self) -> u64 {
        let clock = (self.clock)();
        self.state().now_ms(clock)
    }

    fn month(&self) -> Month {
        Month::of(self.now_ms())
    }

    fn month_of(&self, state: &mut State) -> Month {
        Month::of(state.now_ms((self.clock)()))
    }

    /// Why the writer does not answer.
    fn closed(&self) -> LedgerError {
        match &*self.stage.borrow() {
            Stage::Closed(reason) => LedgerError::Closed(reason.clone()),
            Stage::Reading | Stage::Ready => LedgerError::Unconfirmed,
        }
    }

    fn try_admit(&self, charge: &Charge<'_>, most: &Metered) -> Result<Let, Wait> {
        let refused = |reason: &str| Wait::Refused(NotAdmitted::Unavailable(reason.to_owned()));
        if let Stage::Closed(reason) = &*self.stage.borrow() {
            return Err(refused(reason));
        }
        let clock = (self.clock)();
        let mut state = self.state();
        let unwritten = state.unwritten;
        let old = unwritten.since.is_some_and(|since| since.elapsed() > MAX_UNWRITTEN_AGE);
        if old || unwritten.invocations >= MAX_UNWRITTEN_INVOCATIONS {
            return Err(refused("the store does not take what was used before"));
        }
        let now_ms = state.now_ms(clock);
        let Some(tenant) = state.tenants.get_mut(&charge.tenant) else { return Err(Wait::Load) };
        tenant.live.admit(&tenant.account, &self.terms, now_ms, most)
    }

    /// An invocation that was let in has ended.
    pub(crate) fn ended(
        &self,
        tenant: TenantId,
        of: Let,
        function: &str,
        most: &Metered,
        used: Option<&Metered>,
    ) {
        let mut state = self.state();
        state.tenant(tenant).live.ended(of, function, most, used);
        if used.is_some() {
            let unwritten = &mut state.unwritten;
            unwritten.invocations = unwritten.invocations.saturating_add(1);
            unwritten.since.get_or_insert_with(Instant::now);
            if unwritten.invocations == FLUSH_INVOCATIONS {
                self.full.notify_one();
            }
        }
    }
}

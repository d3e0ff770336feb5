//! The writer: one task through which every change of the sealed records goes, one commit at a time.
//!
//! It takes what waits, stages it over copies of the accounts, and commits it with a new head, under the condition that the
//! head is still the one that it knows. A commit that was not confirmed is made again: if it stood after all, the condition
//! fails and the head that stands is its own. So each is there once, or not at all, and only when it stands do the copies
//! become the accounts.

mod read;
mod stage;

use std::sync::Arc;

use r3e_proto::api::billing::{Amount, EntryKind, Month, NO_PLAN, Quota};
use r3e_proto::api::identity::TenantId;
use r3e_store::{Namespace, StoreError, Write};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::books::Head;
use crate::error::LedgerError;
use crate::ledger::{Shared, Stage as Reading};
use crate::limits::{JOBS_AT_ONCE, RETRY_PAUSE};
use crate::usage::{decode, encode};
use stage::Stage;

/// What a job answers: the number of its entry, and whether it was there before.
pub(crate) type Answer = Result<(u64, bool), LedgerError>;
/// Who waits for it.
pub(crate) type Done = oneshot::Sender<Answer>;

/// What the writer is asked for.
#[derive(Debug)]
pub(crate) enum Job {
    /// Opens the month under the tenant's plan.
    Open {
        tenant: TenantId,
        answer: Done,
    },
    /// Sets more aside in a period, by at least this.
    Draw {
        tenant: TenantId,
        period: u64,
        least: Amount,
        answer: Done,
    },
    /// A deposit or a withdrawal.
    Transfer {
        tenant: TenantId,
        kind: EntryKind,
        amount: Amount,
        reference: String,
        answer: Done,
    },
    SetPlan {
        tenant: TenantId,
        plan: String,
        answer: Done,
    },
    SetQuota {
        tenant: TenantId,
        quota: Option<Quota>,
        answer: Done,
    },
    /// Writes what was used.
    Flush {
        answer: Done,
    },
}

/// The task.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    jobs: mpsc::Receiver<Job>,
    /// The version of the head's record; none before the first commit.
    version: Option<u64>,
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, jobs: mpsc::Receiver<Job>) -> Self {
        Self { shared, jobs, version: None }
    }

    /// Serves until no handle of the ledger is left, or nothing can be written any more.
    pub(crate) async fn run(mut self) {
        let ended = match self.read().await {
            Ok(()) => {
                self.shared.stage.send_replace(Reading::Ready);
                self.serve().await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = ended {
            if self.jobs.is_closed() {
                return;
            }
            tracing::error!(%error, "the ledger closes: no invocation is admitted");
            self.shared.stage.send_replace(Reading::Closed(error.to_string()));
        }
    }

    async fn serve(&mut self) -> Result<(), LedgerError> {
        let mut ticks = interval(self.shared.options.flush_interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one is at once, and there is nothing to write.
        ticks.tick().await;
        let shared = Arc::clone(&self.shared);
        loop {
            let first = tokio::select! {
                job = self.jobs.recv() => match job {
                    Some(job) => Some(job),
                    None => return Ok(()),
                },
                _ = ticks.tick() => None,
                () = shared.full.notified() => None,
            };
            let mut jobs = Vec::from_iter(first);
            let mut flush = jobs.is_empty();
            while jobs.len() < JOBS_AT_ONCE
                && let Ok(job) = self.jobs.try_recv()
            {
                jobs.push(job);
            }
            let mut stage = Stage::of(&self.shared);
            let mut answers = Vec::with_capacity(jobs.len());
            for job in jobs {
                let (answer, outcome) = self.take(&mut stage, job, &mut flush).await?;
                answers.push((answer, outcome));
            }
            let more = if flush { stage.flush()? } else { false };
            self.commit(stage).await?;
            if more {
                self.flush_all().await?;
            }
            for (answer, outcome) in answers {
                let _ = answer.send(outcome);
            }
        }
    }

    /// Stages one job. What it asks for may be refused; what fails otherwise ends the writer.
    async fn take(
        &self,
        stage: &mut Stage,
        job: Job,
        flush: &mut bool,
    ) -> Result<(Done, Answer), LedgerError> {
        let (answer, outcome) = match job {
            Job::Open { tenant, answer } => (answer, stage.open(tenant).map(|()| (0, false))),
            Job::Draw { tenant, period, least, answer } => {
                (answer, stage.draw(tenant, period, least).map(|()| (0, false)))
            }
            Job::SetPlan { tenant, plan, answer } => {
                let plan = Some(plan).filter(|plan| plan != NO_PLAN);
                (answer, stage.set_plan(tenant, plan.as_deref()).map(|()| (0, false)))
            }
            Job::SetQuota { tenant, quota, answer } => {
                stage.draft(tenant).account.quota = quota;
                (answer, Ok((0, false)))
            }
            Job::Transfer { tenant, kind, amount, reference, answer } => {
                (answer, stage.transfer(tenant, kind, amount, &reference).await)
            }
            Job::Flush { answer } => {
                *flush = true;
                (answer, Ok((0, false)))
            }
        };
        match outcome {
            Err(error @ (LedgerError::Closed(_) | LedgerError::Store(_))) if is_final(&error) => Err(error),
            outcome => Ok((answer, outcome)),
        }
    }

    /// Writes what was used, in as many commits as that takes.
    async fn flush_all(&mut self) -> Result<(), LedgerError> {
        loop {
            let mut stage = Stage::of(&self.shared);
            let more = stage.flush()?;
            self.commit(stage).await?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Commits what is staged, however often that must be tried, and makes it what is known.
    async fn commit(&mut self, stage: Stage) -> Result<(), LedgerError> {
        if stage.is_empty() {
            return Ok(());
        }
        let head = stage.head();
        let space = head_space()?;
        let put = Write::put(&space, HEAD_KEY, encode(&head)?);
        let put = match self.version {
            Some(version) => put.if_version(version),
            None => put.if_absent(),
        };
        let mut writes = vec![put];
        loop {
            match stage.writes(head.sequence).await {
                Ok(staged) => break writes.extend(staged),
                Err(error) if is_final(&error) => return Err(error),
                Err(_) => self.pause().await?,
            }
        }
        self.version = Some(self.write(&head, writes).await?);
        stage.install(head);
        Ok(())
    }

    /// Has the store take the writes; the version of the head's record.
    async fn write(&self, head: &Head, writes: Vec<Write>) -> Result<u64, LedgerError> {
        loop {
            match self.shared.store.batch(writes.clone()).await {
                Ok(committed) => {
                    let version = committed.versions.first().copied().flatten();
                    return version.ok_or_else(|| LedgerError::Closed("the head was not written".into()));
                }
                Err(StoreError::Conflict { .. }) => match self.head().await? {
                    // An earlier try of this very commit stood.
                    Some((found, version)) if found == *head => return Ok(version),
                    _ => return Err(LedgerError::Closed("another process writes this ledger".into())),
                },
                Err(error) => {
                    let error = LedgerError::Store(error);
                    if is_final(&error) {
                        return Err(error);
                    }
                    tracing::debug!(%error, "the ledger's commit is tried again");
                    self.pause().await?;
                }
            }
        }
    }

    /// Before something is tried again. Whoever is left without a ledger to write for holds no store any longer: an appliance
    /// that has given way forgets its keys.
    async fn pause(&self) -> Result<(), LedgerError> {
        if self.jobs.is_closed() {
            return Err(LedgerError::Closed("no handle is left".into()));
        }
        sleep(RETRY_PAUSE).await;
        Ok(())
    }

    /// The head that stands, and the version of its record.
    async fn head(&self) -> Result<Option<(Head, u64)>, LedgerError> {
        let space = head_space()?;
        let record = loop {
            match self.shared.store.get(&space, HEAD_KEY).await {
                Ok(record) => break record,
                Err(error) => {
                    let error = LedgerError::Store(error);
                    if is_final(&error) {
                        return Err(error);
                    }
                    self.pause().await?;
                }
            }
        };
        record.map(|record| Ok((decode(record.value.as_bytes())?, record.version))).transpose()
    }
}

const HEAD_KEY: &str = "head";

fn head_space() -> Result<Namespace, StoreError> {
    Namespace::of_appliance("ledger")
}

/// Where accounts are, by tenant.
fn account_space() -> Result<Namespace, StoreError> {
    Namespace::of_appliance("ledger-accounts")
}

/// Where transfers are, by kind and reference.
fn transfer_space() -> Result<Namespace, StoreError> {
    Namespace::of_appliance("ledger-transfers")
}

/// The month of the ledger's time.
fn month(now_ms: u64) -> Month {
    Month::of(now_ms)
}

/// Whether trying again cannot help.
fn is_final(error: &LedgerError) -> bool {
    match error {
        // Somebody may delete something.
        LedgerError::Store(StoreError::Full { .. }) => false,
        LedgerError::Store(error) => !error.may_pass(),
        LedgerError::Closed(_) => true,
        _ => false,
    }
}

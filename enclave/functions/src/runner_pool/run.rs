//! One event, from its turn to its answer: which process it gets, and what that is told. What it used is counted whatever comes of it.

use std::sync::Arc;
use std::time::Duration;

use r3e_runner_api::{Purpose, json};

use super::config::{FunctionKey, HostCalls, Limits, NotReady, Stage};
use super::engines::{Code, Source};
use super::error::{InvocationError, StartError};
use super::exchange::{Account, Broken, Exchange};
use super::family::Family;
use super::first::{First, Took, Wanted};
use super::kept::Kept;
use super::leases::Lease;
use super::memory::charge_mib;
use super::pool::{Inner, Invocation, Usage};
use super::process::RunnerProcess;

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) lease: &'a Lease,
    pub(super) key: &'a FunctionKey,
    pub(super) code: Code<'a>,
    pub(super) limits: &'a Limits,
    pub(super) host: &'a dyn HostCalls,
}

/// One event under way.
pub(super) struct Run<'a> {
    inner: &'a Arc<Inner>,
    asked: Asked<'a>,
    account: Account,
    usage: Usage,
    /// Where the event is its function's first, and its process has loaded the function.
    first: Option<(First, Took)>,
}

impl<'a> Run<'a> {
    pub(super) fn new(inner: &'a Arc<Inner>, asked: Asked<'a>) -> Self {
        Self { inner, asked, account: Account::default(), usage: Usage::default(), first: None }
    }

    /// Hands the event, JSON text, to a process of the function.
    pub(super) async fn handle(mut self, event: &str) -> Invocation {
        let outcome = self.outcome(event).await;
        // Nothing is held for the event any more.
        if let Some((first, took)) = self.first.take()
            && !is_broken(&outcome)
        {
            let Asked { lease, code, limits, .. } = self.asked;
            if let Some(wanted) = Wanted::new(lease, code, limits) {
                first.load_for_others(self.inner, wanted, took);
            }
        }
        let Self { account, mut usage, .. } = self;
        usage.cpu_us = micros(account.cpu);
        usage.wall_us = micros(account.wall);
        usage.host_calls = account.host_calls;
        Invocation { outcome, logs: account.logs, logs_truncated: account.logs_truncated, usage }
    }

    async fn outcome(&mut self, event: &str) -> Result<String, InvocationError> {
        let Asked { lease, key, limits, host, .. } = self.asked;
        json::check(event).map_err(InvocationError::Event)?;
        // The function's first: an event that waits there holds nothing of its tenant's other functions.
        let _function = self.inner.functions.enter(key).await?;
        let _tenant = self.inner.tenant_slot(&key.tenant).await?;
        let _tenant_memory = self.inner.tenant_memory.enter_with(&key.tenant, self.mib()).await?;
        let _slot = self.inner.appliance_slot(&key.tenant).await?;
        host.passed(Stage::Admitted);
        let mut process = if let Some(process) = self.take_ready().await? {
            process
        } else {
            let process = self.start().await?;
            host.served_by(&process.notes).await.map_err(|NotReady| InvocationError::NotReady)?;
            process
        };
        let exchange = Exchange::new(&mut process, limits, &mut self.account);
        let output = match exchange.invoke(event.to_owned(), host).await {
            Ok(output) => output,
            Err(broken) => return Err(self.explain(broken, process).await),
        };
        // A runner that ended right after its answer has no peak any more; its answer stands.
        self.usage.peak_memory_bytes = process.meter.peak_bytes().unwrap_or_default();
        if limits.reuse && process.is_reusable(self.inner.config.max_events_per_process) {
            self.inner.kept.keep(lease, key, process);
        }
        Ok(output)
    }

    /// A process that has handled events of the function, for which the host is ready.
    async fn take_ready(&self) -> Result<Option<RunnerProcess>, InvocationError> {
        let Asked { lease, key, limits, host, .. } = self.asked;
        if !limits.reuse {
            return Ok(None);
        }
        let Some(process) = self.inner.kept.warm(key, limits) else { return Ok(None) };
        host.served_by(&process.notes).await.map_err(|NotReady| InvocationError::NotReady)?;
        // What was noted may have changed while the host made ready, and a process that idled would have been ended for it.
        Ok((process.notes.is_empty() || lease.holds_for(&key.tenant)).then_some(process))
    }

    /// A new process of the function, which is loaded first if it is not.
    async fn start(&mut self) -> Result<RunnerProcess, InvocationError> {
        let Asked { key, code, limits, .. } = self.asked;
        if let Some(family) = self.inner.kept.family(key, limits) {
            match self.inner.kept.member(&family, self.mib()).await {
                // It has ended, or was ended for what it did; what is loaded anew knows nothing of that.
                Err(InvocationError::Start(error)) if !matches!(error, StartError::Refused(_)) => {
                    tracing::warn!(%error, "a function is loaded anew");
                    self.inner.kept.drop_family(&family);
                }
                made => return made,
            }
        }
        if let Some(first) = self.inner.firsts.begin(key)
            && let Some(blank) = Kept::lone(&self.inner.kept, code.engine, self.mib()).await?
        {
            let process = self.load_into(blank, Purpose::Events).await?;
            let Account { cpu, wall, .. } = self.account;
            self.first = Some((first, Took { cpu, wall }));
            return Ok(process);
        }
        let loading = self.inner.loading.enter(key).await?;
        let family = match self.inner.kept.family(key, limits) {
            Some(family) => family,
            None => self.load().await?,
        };
        drop(loading);
        self.inner.kept.member(&family, self.mib()).await
    }

    /// A process that has loaded the function and makes copies of itself.
    async fn load(&mut self) -> Result<Arc<Family>, InvocationError> {
        let Asked { lease, key, code, .. } = self.asked;
        let blank = Kept::blank(&self.inner.kept, code.engine, self.mib()).await?;
        let loaded = self.load_into(blank, Purpose::Copies).await?;
        Ok(self.inner.kept.settle(lease, key, loaded)?)
    }

    async fn load_into(
        &mut self,
        mut blank: RunnerProcess,
        purpose: Purpose,
    ) -> Result<RunnerProcess, InvocationError> {
        let Asked { code, limits, host, .. } = self.asked;
        let fetched;
        let source = match code.source {
            Source::Here(text) => text,
            Source::Late(late) => {
                fetched = late.fetch().await.ok_or(InvocationError::NotReady)?;
                (*fetched).as_ref()
            }
        };
        self.usage.cold = true;
        host.passed(Stage::Started);
        let exchange = Exchange::new(&mut blank, limits, &mut self.account);
        match exchange.load(source, purpose).await {
            Ok(()) => Ok(blank),
            Err(broken) => Err(self.explain(broken, blank).await),
        }
    }

    /// Says why the exchange broke. The process is ended.
    async fn explain(&mut self, broken: Broken, process: RunnerProcess) -> InvocationError {
        // A process that is gone has no peak any more.
        self.usage.peak_memory_bytes = process.meter.peak_bytes().unwrap_or_default();
        why(broken, process).await
    }

    fn mib(&self) -> u32 {
        charge_mib(self.asked.limits.memory_mib)
    }
}

/// Why an exchange broke. The process is ended.
pub(super) async fn why(broken: Broken, process: RunnerProcess) -> InvocationError {
    match broken {
        Broken::Because(error) => error,
        Broken::Closed => process.post_mortem().await,
    }
}

/// Whether a process did what none of ours does: its function is not loaded before it is asked for again.
fn is_broken(outcome: &Result<String, InvocationError>) -> bool {
    use InvocationError::{Crashed, Exited, Protocol};
    matches!(outcome, Err(Crashed { .. } | Exited { .. } | Protocol(_)))
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

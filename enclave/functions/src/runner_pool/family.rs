//! A process that has loaded a function, and the copies of it that handle the function's events.
//!
//! It is the first of its own namespace of processes: with it ends the whole family. It has nothing to do but to follow orders, so
//! that what it uses besides, and any process that was not ordered, says that it is not what was started.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use r3e_runner_api::FunctionLimits;
use tokio::runtime::Handle as Runtime;

use super::config::FunctionKey;
use super::error::StartError;
use super::forker::Forker;
use super::handle::Handle;
use super::held::{Held, LiveToken};
use super::limits::{
    FAMILY_CPU_MS, FAMILY_CPU_PER_ORDER_MS, FAMILY_GROWTH_BYTES, FAMILY_KERNEL_MIB, WEIGH_DELAY_MS,
};
use super::memory::Reserved;
use super::meter::Meter;
use super::process::RunnerProcess;

/// One function version, loaded.
#[derive(Debug)]
pub(super) struct Family {
    key: FunctionKey,
    limits: FunctionLimits,
    forker: Arc<Forker>,
    held: Held,
    meter: Meter,
    /// When it was loaded.
    resident_bytes: u64,
    cpu: Duration,
    orders: AtomicU64,
    is_weighed: AtomicBool,
    watch: Mutex<Watch>,
}

#[derive(Debug)]
struct Watch {
    used: Instant,
    /// By number: those that were ordered and are not ended.
    members: BTreeSet<u32>,
    /// By number: those that were not, when last looked for.
    strangers: BTreeSet<u32>,
}

/// A copy's place among the members.
#[derive(Debug)]
pub(super) struct Member {
    family: Arc<Family>,
    pid: u32,
}

impl Family {
    /// The family of a process that has just loaded a function. From here on it is charged what it holds, what it shares too, and no
    /// longer all that it could have come to hold while it loaded.
    pub(super) fn new(
        key: &FunctionKey,
        limits: FunctionLimits,
        forker: Forker,
        mut held: Held,
        meter: Meter,
    ) -> Result<Self, StartError> {
        let resident_bytes = meter.resident_bytes().map_err(StartError::Meter)?;
        held.retire();
        held.shrink_to(charge_of(resident_bytes));
        let watch = Watch { used: Instant::now(), members: BTreeSet::new(), strangers: BTreeSet::new() };
        Ok(Self {
            key: key.clone(),
            limits,
            forker: Arc::new(forker),
            held,
            resident_bytes,
            cpu: meter.cpu().map_err(StartError::Meter)?,
            meter,
            orders: AtomicU64::new(0),
            is_weighed: AtomicBool::new(false),
            watch: Mutex::new(watch),
        })
    }

    /// Whose function it is, and which.
    pub(super) fn key(&self) -> &FunctionKey {
        &self.key
    }

    /// What it was loaded under.
    pub(super) fn limits(&self) -> FunctionLimits {
        self.limits
    }

    /// Who makes its copies.
    pub(super) fn forker(&self) -> &Arc<Forker> {
        &self.forker
    }

    /// MiB that it holds of the budget, its members not counted.
    pub(super) fn held_mib(&self) -> usize {
        self.held.mib()
    }

    /// Whether it has not ended.
    pub(super) fn is_alive(&self) -> bool {
        self.held.handle.is_alive()
    }

    /// Ends it with all of its members.
    pub(super) fn end(&self) {
        self.held.handle.kill();
    }

    /// When it was last given an order.
    pub(super) fn last_used(&self) -> Instant {
        self.watch().used
    }

    /// A process for an event of the function, which holds `memory` until it has ended.
    ///
    /// # Errors
    /// [`StartError`]; unless it is [`StartError::Refused`], the family has ended.
    pub(super) async fn fork(
        self: &Arc<Self>,
        memory: Reserved,
        live: Vec<LiveToken>,
    ) -> Result<RunnerProcess, StartError> {
        self.orders.fetch_add(1, Ordering::AcqRel);
        let forked = match self.forker.fork().await {
            Ok(copy) => self.admit(&copy.handle).map(|member| (copy, member)),
            Err(error) => Err(error),
        };
        match forked {
            Ok((copy, member)) => RunnerProcess::of_family(copy, self, member, memory, live),
            Err(error) => {
                if !matches!(error, StartError::Refused(_)) {
                    self.end();
                }
                Err(error)
            }
        }
    }

    /// A process can hand over no other's handle than its own copy's; but the same one twice would have one metered for
    /// the other.
    fn admit(self: &Arc<Self>, handle: &Handle) -> Result<Member, StartError> {
        let pid = handle.pid();
        // One that has ended already would have another, which lives, go unmetered.
        if !handle.is_alive() {
            return Err(StartError::Gone);
        }
        let mut watch = self.watch();
        watch.used = Instant::now();
        if pid == self.held.handle.pid() || !watch.members.insert(pid) {
            return Err(StartError::NoHandle);
        }
        Ok(Member { family: Arc::clone(self), pid })
    }

    /// Why it is not what was started, if it is not. `processes` are the numbers of those that live and descend from it.
    pub(super) fn misconduct(&self, processes: &BTreeSet<u32>) -> Option<&'static str> {
        let mut watch = self.watch();
        let strangers: BTreeSet<u32> = processes.difference(&watch.members).copied().collect();
        // One that is on its way in, or out, is a stranger for a moment.
        let stays = strangers.iter().any(|pid| watch.strangers.contains(pid));
        watch.strangers = strangers;
        drop(watch);
        if stays {
            return Some("it has processes that were not ordered");
        }
        let orders = u32::try_from(self.orders.load(Ordering::Acquire)).unwrap_or(u32::MAX);
        let due = Duration::from_millis(FAMILY_CPU_PER_ORDER_MS).saturating_mul(orders);
        let allowed = self.cpu + due + Duration::from_millis(FAMILY_CPU_MS);
        if self.meter.cpu().is_ok_and(|cpu| cpu > allowed) {
            return Some("it uses processor time that nothing was ordered for");
        }
        let grown =
            self.meter.resident_bytes().is_ok_and(|now| now > self.resident_bytes + FAMILY_GROWTH_BYTES);
        grown.then_some("it grows without anything that was ordered")
    }

    /// Has it charged what it alone holds, beside everything else.
    pub(super) fn weigh_soon(self: &Arc<Self>) {
        // Without a runtime there is no pool any more that the memory could go back to.
        let family = Arc::downgrade(self);
        if let Ok(runtime) = Runtime::try_current() {
            runtime.spawn(async move {
                // Whoever asks has it, too, for a moment.
                tokio::time::sleep(Duration::from_millis(WEIGH_DELAY_MS)).await;
                tokio::task::spawn_blocking(move || family.upgrade().iter().for_each(Self::weigh)).await
            });
        }
    }

    /// Charges it what it alone holds, once that can be told: while a member lives, the kernel counts what both hold as shared. It
    /// takes the kernel as long as a quarter of a load, for which nobody is to wait.
    fn weigh(self: &Arc<Self>) {
        // Whoever gives it orders has it, and so has every member; the pool that keeps it, and this.
        let is_alone = || Arc::strong_count(self) <= 2;
        let orders = self.orders.load(Ordering::Acquire);
        if !is_alone() {
            return;
        }
        let Ok(own_bytes) = self.meter.private_bytes() else { return };
        if is_alone()
            && self.orders.load(Ordering::Acquire) == orders
            && !self.is_weighed.swap(true, Ordering::AcqRel)
        {
            self.held.shrink_to(charge_of(own_bytes));
        }
    }

    /// Its number, by which its descendants are found.
    pub(super) fn pid(&self) -> u32 {
        self.held.handle.pid()
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let is_last = {
            let mut watch = self.family.watch();
            watch.members.remove(&self.pid);
            watch.members.is_empty()
        };
        if is_last && !self.family.is_weighed.load(Ordering::Acquire) {
            self.family.weigh_soon();
        }
    }
}

/// What a process that holds so much is charged, in MiB.
fn charge_of(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(1024 * 1024) + FAMILY_KERNEL_MIB).unwrap_or(usize::MAX)
}

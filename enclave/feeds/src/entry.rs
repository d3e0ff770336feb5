//! One feed in memory.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use r3e_proto::api::feeds::{Round, RoundCounts, SignedReport};
use tokio::sync::watch;

use crate::definition::Shape;
use crate::record::{Kept, Page, Progress};
use crate::spaces::{Address, Stored};
use crate::totals::add;

/// There is no next time.
const NEVER: u64 = u64::MAX;

/// One feed.
pub(crate) struct Entry {
    pub(crate) address: Address,
    shape: Mutex<Arc<Shape>>,
    /// Held by whoever publishes or changes it.
    pub(crate) standing: tokio::sync::Mutex<Standing>,
    /// When its next round is.
    next_ms: AtomicU64,
    seen: Mutex<Seen>,
    /// The sequence of the latest report that stands.
    told: watch::Sender<u64>,
}

/// What stands in the store; of the state, what was learnt since then, too.
pub(crate) struct Standing {
    pub(crate) progress: Progress,
    pub(crate) progress_version: u64,
    pub(crate) record_version: u64,
    pub(crate) page: Page,
    /// It may be another one there.
    pub(crate) is_stale: bool,
    /// It was deleted.
    pub(crate) is_gone: bool,
}

/// What is shown of it.
#[derive(Default)]
struct Seen {
    latest: Option<Kept>,
    round: Option<Round>,
    rounds: RoundCounts,
    /// The latest report as it was signed, and for which definition.
    signed: Option<(Arc<Shape>, Arc<SignedReport>)>,
}

impl Standing {
    /// One that is yet to be read.
    pub(crate) fn unread() -> Self {
        Self {
            progress: Progress::default(),
            progress_version: 0,
            record_version: 0,
            page: Page::default(),
            is_stale: true,
            is_gone: false,
        }
    }

    /// What was read.
    pub(crate) fn read(&mut self, stored: Stored) {
        self.progress = stored.progress;
        self.progress_version = stored.progress_version;
        self.record_version = stored.record_version;
        self.page = stored.page;
        self.is_stale = false;
    }
}

impl Entry {
    pub(crate) fn new(address: Address, shape: Shape) -> Arc<Self> {
        Arc::new(Self {
            address,
            shape: Mutex::new(Arc::new(shape)),
            standing: tokio::sync::Mutex::new(Standing::unread()),
            next_ms: AtomicU64::new(NEVER),
            seen: Mutex::default(),
            told: watch::Sender::new(0),
        })
    }

    /// What it is now.
    pub(crate) fn shape(&self) -> Arc<Shape> {
        Arc::clone(&lock(&self.shape))
    }

    /// Makes it something else.
    pub(crate) fn reshape(&self, shape: Shape) {
        *lock(&self.shape) = Arc::new(shape);
    }

    /// Its next round is at once, unless it is paused.
    pub(crate) fn plan_now(&self, now_ms: u64) {
        let next_ms = if self.shape().record.paused { NEVER } else { now_ms };
        self.next_ms.store(next_ms, Ordering::Release);
    }

    /// Its next round is at the next whole multiple of its interval, so that feeds which ask the same ask it together.
    pub(crate) fn plan(&self, now_ms: u64) {
        let record = &self.shape().record;
        let behind = (now_ms / record.interval_ms.max(1)).saturating_add(1);
        let next_ms = if record.paused { NEVER } else { behind.saturating_mul(record.interval_ms) };
        // What was planned meanwhile comes first.
        self.next_ms.fetch_min(next_ms, Ordering::AcqRel);
    }

    /// Takes it off the plan: it has its round.
    pub(crate) fn take(&self) {
        self.next_ms.store(NEVER, Ordering::Release);
    }

    pub(crate) fn next_ms(&self) -> u64 {
        self.next_ms.load(Ordering::Acquire)
    }

    /// Takes note of a round.
    pub(crate) fn saw(&self, round: Round) {
        let mut seen = lock(&self.seen);
        add(&mut seen.rounds, round.outcome);
        seen.round = Some(round);
    }

    /// What became of the last round, and how many there were.
    pub(crate) fn rounds(&self) -> (Option<Round>, RoundCounts) {
        let seen = lock(&self.seen);
        (seen.round.clone(), seen.rounds)
    }

    /// How many rounds there were.
    pub(crate) fn counts(&self) -> RoundCounts {
        lock(&self.seen).rounds
    }

    /// Takes note of the latest report that stands, and tells whoever waits for it.
    pub(crate) fn tell(&self, kept: Kept) {
        let mut seen = lock(&self.seen);
        let sequence = kept.report().sequence;
        if seen.latest.is_none_or(|latest| latest.report().sequence < sequence) {
            seen.latest = Some(kept);
        }
        drop(seen);
        self.told.send_if_modified(|told| {
            let is_newer = *told < sequence;
            *told = sequence.max(*told);
            is_newer
        });
    }

    /// Wakes whoever waits for a report: none will come.
    pub(crate) fn end(&self) {
        self.told.send_replace(u64::MAX);
    }

    /// The latest report that stands.
    pub(crate) fn latest(&self) -> Option<Kept> {
        lock(&self.seen).latest
    }

    /// The sequence of the latest report, now and from now on.
    pub(crate) fn told(&self) -> watch::Receiver<u64> {
        self.told.subscribe()
    }

    /// A report as it was signed for a definition, if that was the last one signed.
    pub(crate) fn signed(&self, shape: &Arc<Shape>, sequence: u64) -> Option<Arc<SignedReport>> {
        let seen = lock(&self.seen);
        let (of, signed) = seen.signed.as_ref()?;
        (Arc::ptr_eq(of, shape) && signed.report.sequence == sequence).then(|| Arc::clone(signed))
    }

    /// Keeps the latest report as it was signed.
    pub(crate) fn keep_signed(&self, shape: Arc<Shape>, signed: Arc<SignedReport>) {
        let mut seen = lock(&self.seen);
        if seen.latest.is_some_and(|latest| latest.report().sequence == signed.report.sequence) {
            seen.signed = Some((shape, signed));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

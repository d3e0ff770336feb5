//! One trigger in memory.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use r3e_proto::api::triggers::{ChainProgress, Missed, Passed, Source, Trigger};
use tokio::sync::watch;

use crate::definition::Shape;
use crate::error::TriggersError;
use crate::limits::{LATE_MS, MAX_DOUBLINGS, RETRY_MS, TRIES_FOR_EACH};
use crate::pace::Pace;
use crate::price::{Condition, Judged};
use crate::record::{Ahead, Followed, Record, State, TriggerId};
use crate::schedule::Tick;
use crate::spaces::Address;

/// There is no next time.
const NEVER: u64 = u64::MAX;

/// One trigger.
pub(crate) struct Entry {
    pub(crate) address: Address,
    pub(crate) id: TriggerId,
    shape: Mutex<Arc<Shape>>,
    /// Told when it becomes something else, or is deleted.
    changed: watch::Sender<()>,
    /// Held by whoever fires or changes it.
    pub(crate) standing: tokio::sync::Mutex<Standing>,
    /// The last tick that is settled, as the state has it.
    settled_ms: AtomicU64,
    /// When it is to be looked at next.
    next_ms: AtomicU64,
    paces: Mutex<Paces>,
    pub(crate) passed: Counts,
    /// Held by whoever reads its chain, or judges its feed's reports.
    pub(crate) following: tokio::sync::Mutex<()>,
    /// Whether more could be read of its chain at once.
    pub(crate) lags: AtomicBool,
    trouble: Mutex<Trouble>,
}

/// How reading its chain, or its feed, goes wrong.
#[derive(Debug, Default)]
struct Trouble {
    why: Option<String>,
    /// Times in a row.
    times: u32,
}

/// What stands in the store.
pub(crate) struct Standing {
    pub(crate) state: State,
    pub(crate) state_version: u64,
    pub(crate) record_version: u64,
    /// It may be another one there.
    pub(crate) is_stale: bool,
    /// It was deleted.
    pub(crate) is_gone: bool,
    /// How far it is beyond what the state says.
    pub(crate) ahead: Option<Ahead>,
    /// When the state was last told how far.
    pub(crate) kept: Instant,
}

impl Standing {
    /// One that was read, or is yet to be.
    pub(crate) fn new(state: State, state_version: u64, record_version: u64, is_stale: bool) -> Self {
        let (is_gone, ahead, kept) = (false, None, Instant::now());
        Self { state, state_version, record_version, is_stale, is_gone, ahead, kept }
    }

    /// How far its chain is read, of the record since `since_ms`.
    pub(crate) fn followed(&self, since_ms: u64) -> Option<&Followed> {
        let followed = match &self.ahead {
            Some(Ahead::Read(followed)) => Some(followed),
            _ => self.state.followed.as_ref(),
        };
        followed.filter(|followed| followed.since_ms == since_ms)
    }

    /// How far its feed's reports are judged.
    pub(crate) fn judged(&self, record: &Record) -> Judged {
        match &self.ahead {
            Some(Ahead::Judged(judged)) => begun(Some(judged), record),
            _ => self.kept_judged(record),
        }
    }

    /// The same, as the state says.
    pub(crate) fn kept_judged(&self, record: &Record) -> Judged {
        begun(self.state.judged.as_ref(), record)
    }
}

/// How far reports are judged for what a trigger is now.
fn begun(judged: Option<&Judged>, record: &Record) -> Judged {
    let judged = judged.filter(|judged| judged.since_ms == record.since_ms).cloned();
    let judged = judged.unwrap_or_else(|| Judged::nothing(record.since_ms));
    Judged { sequence: judged.sequence.max(record.begins_behind), ..judged }
}

struct Paces {
    /// Requests that are looked at.
    tries: Pace,
    /// Those of them that are taken.
    taken: Pace,
}

/// What is counted since the boot.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) filtered: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) limited: AtomicU64,
}

impl Entry {
    pub(crate) fn new(address: Address, shape: Shape, standing: Standing) -> Arc<Self> {
        let paces = Mutex::new(Paces::of(&shape));
        Arc::new(Self {
            address,
            id: shape.record.id,
            settled_ms: AtomicU64::new(standing.state.tick_ms),
            shape: Mutex::new(Arc::new(shape)),
            changed: watch::Sender::new(()),
            standing: tokio::sync::Mutex::new(standing),
            next_ms: AtomicU64::new(NEVER),
            paces,
            passed: Counts::default(),
            following: tokio::sync::Mutex::default(),
            lags: AtomicBool::new(false),
            trouble: Mutex::default(),
        })
    }

    /// What it is now.
    pub(crate) fn shape(&self) -> Arc<Shape> {
        Arc::clone(&lock(&self.shape))
    }

    /// Makes it something else.
    pub(crate) fn reshape(&self, shape: Shape) {
        if shape.record.definition.source != self.shape().record.definition.source {
            *lock(&self.paces) = Paces::of(&shape);
        }
        *lock(&self.shape) = Arc::new(shape);
        self.end_looks();
    }

    /// Ends what waits for a feed by what the trigger was until now.
    pub(crate) fn end_looks(&self) {
        self.changed.send_replace(());
    }

    /// Whether it became something else, from here on.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Whether one more request is looked at.
    pub(crate) fn may_try(&self) -> bool {
        self.is_taken(|paces| &mut paces.tries)
    }

    /// Whether one more request is taken.
    pub(crate) fn may_fire(&self) -> bool {
        self.is_taken(|paces| &mut paces.taken)
    }

    fn is_taken(&self, which: impl Fn(&mut Paces) -> &mut Pace) -> bool {
        let is_taken = which(&mut lock(&self.paces)).take(Instant::now());
        if !is_taken {
            self.passed.limited.fetch_add(1, Ordering::Relaxed);
        }
        is_taken
    }

    /// The tick that is to fire now, if any is.
    pub(crate) fn due(&self, now_ms: u64) -> Option<Tick> {
        let shape = self.shape();
        let schedule = shape.schedule.as_ref().filter(|_| !shape.record.paused)?;
        let Source::Cron(cron) = &shape.record.definition.source else { return None };
        let since_ms = shape.record.since_ms.max(self.settled_ms.load(Ordering::Acquire));
        let tick = schedule.due(&self.id.0, since_ms, now_ms)?;
        let is_late = now_ms.saturating_sub(tick.fires_ms) > LATE_MS;
        (cron.missed == Missed::Once || !is_late).then_some(tick)
    }

    /// Whether it is the function's `maker`, which may change it.
    ///
    /// # Errors
    /// [`TriggersError::NotItsOwn`].
    pub(crate) fn require_maker(&self, maker: &str) -> Result<(), TriggersError> {
        if self.shape().record.definition.made_by.as_deref() == Some(maker) {
            return Ok(());
        }
        Err(TriggersError::NotItsOwn(self.address.name.clone()))
    }

    /// Whether it follows a chain now.
    pub(crate) fn follows(&self) -> bool {
        let shape = self.shape();
        matches!(shape.record.definition.source, Source::Chain(_)) && !shape.record.paused
    }

    /// What its feed's reports must be to fire, where it judges any now.
    pub(crate) fn judges(&self) -> Option<Condition> {
        let shape = self.shape();
        shape.condition.filter(|_| !shape.record.paused)
    }

    /// Its chain or its feed was read, or not: why. Gives the pause before it is tried again, twice as long each time.
    pub(crate) fn heard(&self, trouble: Option<String>) -> Duration {
        let mut standing = lock(&self.trouble);
        standing.times = if trouble.is_some() { standing.times.saturating_add(1) } else { 0 };
        standing.why = trouble;
        let doubled = 1 << standing.times.saturating_sub(1).min(MAX_DOUBLINGS);
        Duration::from_millis(RETRY_MS * doubled)
    }

    fn trouble(&self) -> Option<String> {
        lock(&self.trouble).why.clone()
    }

    /// It is looked at after a pause, or never by itself.
    pub(crate) fn plan_after(&self, now_ms: u64, pause: Option<Duration>) {
        let pause_ms = pause.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(NEVER));
        let next_ms = pause_ms.map_or(NEVER, |pause_ms| now_ms.saturating_add(pause_ms));
        // What was planned meanwhile comes first.
        self.next_ms.fetch_min(next_ms, Ordering::AcqRel);
    }

    /// Decides when it is looked at next: now, or after a pause, where a tick is due.
    pub(crate) fn plan(&self, now_ms: u64, after_failure: bool) {
        let next_ms = if self.follows() || self.judges().is_some() {
            now_ms
        } else if self.due(now_ms).is_some() {
            now_ms + if after_failure { RETRY_MS } else { 0 }
        } else {
            self.coming(now_ms).map_or(NEVER, |tick| tick.fires_ms)
        };
        self.next_ms.store(next_ms, Ordering::Release);
    }

    /// Takes it off the plan: it is being looked at.
    pub(crate) fn take(&self) {
        self.next_ms.store(NEVER, Ordering::Release);
    }

    pub(crate) fn next_ms(&self) -> u64 {
        self.next_ms.load(Ordering::Acquire)
    }

    pub(crate) fn settled(&self, tick_ms: u64) {
        self.settled_ms.fetch_max(tick_ms, Ordering::AcqRel);
    }

    fn coming(&self, now_ms: u64) -> Option<Tick> {
        let shape = self.shape();
        let schedule = shape.schedule.as_ref().filter(|_| !shape.record.paused)?;
        schedule.coming(&self.id.0, now_ms)
    }

    /// As its tenant is shown it.
    pub(crate) async fn shown(&self, now_ms: u64) -> Trigger {
        let standing = self.standing.lock().await;
        let shape = self.shape();
        let record = &shape.record;
        let is_http = matches!(record.definition.source, Source::Http(_));
        let is_chain = matches!(record.definition.source, Source::Chain(_));
        let followed = standing.followed(record.since_ms);
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Trigger {
            name: self.address.name.clone(),
            definition: record.definition.clone(),
            paused: record.paused,
            hook: is_http.then(|| format!("/v1/hooks/{}", String::from(self.id))),
            next_at_ms: self.coming(now_ms).map(|tick| tick.fires_ms),
            created_at_ms: record.created_at_ms,
            changed_at_ms: record.changed_at_ms,
            chain: is_chain.then(|| ChainProgress {
                next_block: followed.map(|followed| followed.next_block),
                stopped: followed.and_then(|followed| followed.stopped.clone()),
                trouble: self.trouble(),
            }),
            price: shape.condition.map(|condition| standing.judged(record).shown(condition, self.trouble())),
            fired: standing.state.fired,
            passed: Passed {
                filtered: count(&self.passed.filtered),
                failed: count(&self.passed.failed),
                refused: count(&self.passed.refused),
                limited: count(&self.passed.limited),
            },
        }
    }
}

impl Paces {
    fn of(shape: &Shape) -> Self {
        let per_minute = match &shape.record.definition.source {
            Source::Http(http) => http.per_minute,
            _ => 1,
        };
        let now = Instant::now();
        Self {
            tries: Pace::new(per_minute.saturating_mul(TRIES_FOR_EACH), now),
            taken: Pace::new(per_minute, now),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

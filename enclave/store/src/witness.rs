//! The rollback witness: whoever remembers, out of the parent's reach, how far this store was.
//!
//! A whole older state, head and records together, is genuine in every part: nothing in it tells its age. So the store
//! tells a witness of every commit before it acknowledges it, and asks the witness before it opens.
//!
//! ```text
//! open      parent's head --> witness: last? --> that head, or the one after it --> record --> commit of the boot --> record
//! commit    parent's fsync --> record --> visible and acknowledged
//! ```
//!
//! A commit stands before it is recorded, and no commit is made over one that is not. So whenever enclave, parent or
//! witness stop, an honest parent shows the head that the witness holds, or its one successor. Nothing else is opened. In
//! particular a higher sequence does not do: a parent that keeps the witness from answering could otherwise have a copy of
//! the state booted again and again, until its sequence is above that of the branch on which clients were served.
//!
//! What was read is as old as the last confirmation at most: `watch` has the head that stands confirmed again where nothing
//! is committed, and [`Guard::current`] says how long ago that was.
//!
//! This module knows nothing of who the witness is, or of how a restore is ordered.

use std::{
    cmp::Ordering,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turn, watch},
    time::{Instant, sleep},
};

use crate::{
    error::{StoreError, Tampered},
    head::{Head, SealedHead},
    index::{Index, Listed},
    limits::MAX_GIVEN_UP,
    name::Namespace,
    settle::backoff,
    trie::Digest,
};

/// What a witness answers, boxed so that the trait can be a trait object.
pub type WitnessFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, WitnessError>> + Send + 'a>>;

/// What a witness found out by itself.
pub type OvertakenFuture<'a> = Pin<Box<dyn Future<Output = Witnessed> + Send + 'a>>;

/// A commit, as a witness remembers it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Witnessed {
    /// The head's sequence.
    pub sequence: u64,
    /// SHA-256 of the sealed head.
    pub head: Digest,
}

/// Remembers the latest commit. Every call may be made again after any error.
pub trait Witness: Send + Sync {
    /// The latest commit that was recorded; none if none was. No answer may be given that could miss one which `record`
    /// confirmed.
    fn last(&self) -> WitnessFuture<'_, Option<Witnessed>>;

    /// Remembers `witnessed`, unless a later commit or another one of the same sequence is remembered: then
    /// [`WitnessError::Overtaken`]. It stands for all commits before it.
    fn record(&self, witnessed: Witnessed) -> WitnessFuture<'_, ()>;

    /// Ends when it is found, proven, that a later commit is remembered than the one that `record` was called with last, or
    /// another one of the same sequence: in whatever answer, whoever waited for it. A question of `last` begins anew. A
    /// witness that finds out nothing by itself never ends it.
    fn overtaken(&self) -> OvertakenFuture<'_> {
        Box::pin(std::future::pending())
    }
}

/// Why a witness did not confirm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// It does not answer, or too few of those that make it up do. It may pass.
    #[error("{reason}")]
    Unavailable {
        /// Who does not answer and why, for the log and for the operator.
        reason: String,
    },
    /// It holds, proven, what this store did not commit: a later commit, or another one of the same sequence.
    #[error("another commit is recorded: {by:?}")]
    Overtaken {
        /// That commit.
        by: Witnessed,
    },
}

/// A state that may be opened although the witness holds a later one. Whoever passes it has checked who orders it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restore {
    /// The head to be restored, and no other.
    pub state: Witnessed,
    /// The sequence that is given up for it: the witness's, or its own where that is higher.
    pub over: u64,
    /// The time, to be kept with the state, in Unix milliseconds.
    pub at_ms: u64,
}

/// That a state was restored, as its head says from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// The sequence that was gone back to.
    pub from: u64,
    /// The sequence that the witness held. The restored state goes on above it.
    pub over: u64,
    /// When, in Unix milliseconds.
    pub at_ms: u64,
    /// How far the sequence is ahead of the number of commits, by this restore and those before it.
    pub(crate) ahead: u64,
    /// The head that the witness held.
    pub(crate) over_head: Digest,
}

/// A store's witness, and what may be restored against its word.
#[derive(Clone, Default)]
pub struct Witnessing {
    /// None: a rolled-back state is not noticed here.
    pub witness: Option<Arc<dyn Witness>>,
    /// Used where the witness holds a later state, or the chain a later anchor, and only there.
    pub restore: Option<Restore>,
    /// The last anchor that a chain holds.
    pub anchored: Option<Anchored>,
}

/// Whether a state with these records knows of something.
pub type Knows = Arc<dyn Fn(&[Listed]) -> bool + Send + Sync>;

/// An anchor: a commit that the appliance wrote down in its state, before it signed it for a chain that remembers it. No state is opened that is
/// not later, or does not have it written down, but by order.
#[derive(Clone)]
pub struct Anchored {
    /// The commit.
    pub commit: Witnessed,
    /// Where anchors are written down.
    pub namespace: Namespace,
    /// Whether a state with these records there knows of it.
    pub is_known: Knows,
}

/// How the next commit may follow a head that was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) sequence: u64,
    pub(crate) restored: Option<Restored>,
    /// What must be recorded before: the head that was judged, but for one that is restored.
    pub(crate) record: Option<Witnessed>,
}

/// How the recording of a commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmed {
    Stands,
    Overtaken(Tampered),
    /// Nobody waits any more.
    GivenUp,
}

/// The witness as the store uses it.
pub(crate) struct Guard {
    witnessing: Witnessing,
    /// What was given to it last. Held while it is asked: two questions at once would be taken for two branches.
    latest: Turn<Option<Witnessed>>,
    /// How many wait to have a commit recorded, to whom a mere look gives way.
    waiting: watch::Sender<usize>,
    /// When the last question that it confirmed was asked.
    confirmed: Mutex<Option<Instant>>,
    failing: Mutex<Option<Failing>>,
}

/// Since when it does not confirm, and why.
struct Failing {
    since: Instant,
    reason: String,
}

impl Guard {
    pub(crate) fn new(witnessing: Witnessing) -> Self {
        Self {
            witnessing,
            latest: Turn::default(),
            waiting: watch::Sender::new(0),
            confirmed: Mutex::default(),
            failing: Mutex::default(),
        }
    }

    pub(crate) fn witness(&self) -> Option<&Arc<dyn Witness>> {
        self.witnessing.witness.as_ref()
    }

    /// Whether `standing`, whose sealed form has the digest `digest`, may be opened.
    pub(crate) async fn judge(
        &self,
        standing: &Head,
        digest: Option<Digest>,
        index: &Index,
    ) -> Result<Passed, StoreError> {
        let passed = self.judge_by_witness(standing, digest).await?;
        let Some(Anchored { commit, namespace, is_known }) = &self.witnessing.anchored else {
            return Ok(passed);
        };
        let is_over = passed.restored.is_some_and(|restored| restored.over >= commit.sequence);
        let knows = || is_known(&index.scan(namespace, "", None, usize::MAX));
        if is_over || (standing.sequence > commit.sequence && knows()) {
            return Ok(passed);
        }
        // Signed anchors may be out that the chain does not hold yet: an order may give up more than it does.
        let may_give_up =
            |over: u64, least: u64| (least..=least.saturating_add(MAX_GIVEN_UP)).contains(&over);
        if let Some(restored) = self.ordered(standing, digest, commit, may_give_up) {
            // All that was given up, so that no anchor of it is held against what follows.
            let over = restored.sequence.saturating_sub(1);
            let said = restored.restored.map(|said| Restored { over, ..said });
            return Ok(Passed { record: passed.record, restored: said, ..restored });
        }
        if let Some(Restore { state, over, .. }) = self.witnessing.restore
            && digest == Some(state.head)
        {
            let least = commit.sequence.max(standing.sequence);
            tracing::warn!(
                over,
                least,
                most_above = MAX_GIVEN_UP,
                "the order gives up too little, or far too much"
            );
        }
        let head = digest.unwrap_or_default();
        Err(Tampered::NotAnchored { held: standing.sequence, head, anchored: commit.sequence }.into())
    }

    async fn judge_by_witness(&self, standing: &Head, digest: Option<Digest>) -> Result<Passed, StoreError> {
        let held = digest.map(|head| Witnessed { sequence: standing.sequence, head });
        let next = standing.sequence.saturating_add(1);
        let passed = Passed { sequence: next, restored: standing.restored, record: None };
        let Some(witness) = &self.witnessing.witness else { return Ok(passed) };
        match (witness.last().await.map_err(|error| unwitnessed(&error))?, held) {
            (None, _) => Ok(Passed { record: held, ..passed }),
            // Recorded anew too: what the witness tells of may be known to fewer than would confirm it.
            (last, _) if last == held => Ok(Passed { record: held, ..passed }),
            (Some(last), Some(_)) if follows(standing, &last) => Ok(Passed { record: held, ..passed }),
            (Some(last), _) => {
                // Exactly: from the moment it was followed, more is held, and it is no order for that.
                let passed = self.ordered(standing, digest, &last, |over, least| over == least);
                passed.ok_or_else(|| refusal(standing, digest, &last).into())
            }
        }
    }

    /// How a state goes on that an order opens against the word that `last` was the latest; none where there is no such order. What it gives up
    /// is held against the floor that it must.
    fn ordered(
        &self,
        standing: &Head,
        digest: Option<Digest>,
        last: &Witnessed,
        may_give_up: impl Fn(u64, u64) -> bool,
    ) -> Option<Passed> {
        let shown = Witnessed { sequence: standing.sequence, head: digest? };
        let floor = last.sequence.max(standing.sequence);
        let is_order = |order: &Restore| order.state == shown && may_give_up(order.over, floor);
        let found = self.witnessing.restore.filter(is_order)?;
        // Above all that the witness or a client can have seen, so that nothing they hold has to go down.
        let next = standing.sequence.saturating_add(1);
        let sequence = found.over.saturating_add(1);
        let (from, over_head) = (standing.sequence, last.head);
        let ahead = standing.restored.map_or(0, |restored| restored.ahead);
        let ahead = ahead.saturating_add(sequence - next);
        let restored = Restored { from, over: last.sequence, at_ms: found.at_ms, ahead, over_head };
        tracing::warn!(from, over = found.over, "a state is restored by order");
        Some(Passed { sequence, restored: Some(restored), record: None })
    }

    /// Records at a boot: once, since a boot is tried again whole.
    pub(crate) async fn record(&self, witnessed: Witnessed) -> Result<(), StoreError> {
        let Some(witness) = &self.witnessing.witness else { return Ok(()) };
        self.give(&**witness, witnessed).await.map_err(|error| match error {
            WitnessError::Overtaken { by } => overtaken(&witnessed, &by).into(),
            error => unwitnessed(&error),
        })
    }

    async fn give(&self, witness: &dyn Witness, witnessed: Witnessed) -> Result<(), WitnessError> {
        self.waiting.send_modify(|waiting| *waiting += 1);
        let mut latest = self.latest.lock().await;
        self.waiting.send_modify(|waiting| *waiting -= 1);
        *latest = Some(witnessed);
        self.ask(witness, witnessed).await
    }

    async fn ask(&self, witness: &dyn Witness, latest: Witnessed) -> Result<(), WitnessError> {
        let asked = Instant::now();
        witness.record(latest).await?;
        *lock(&self.confirmed) = Some(asked);
        Ok(())
    }

    /// Has what was given last confirmed again. Gives way where something else is to be recorded.
    pub(crate) async fn look(&self) -> Result<(), Look> {
        let Some(witness) = self.witness() else { return Ok(()) };
        let latest = self.latest.lock().await;
        // A store that is open has given something.
        let Some(witnessed) = *latest else { return Ok(()) };
        let mut waiting = self.waiting.subscribe();
        let asked = tokio::select! {
            biased;
            _ = waiting.wait_for(|waiting| *waiting > 0) => return Ok(()),
            asked = self.ask(&**witness, witnessed) => asked,
        };
        match asked {
            Ok(()) => {
                self.confirms_again();
                Ok(())
            }
            Err(WitnessError::Overtaken { by }) => Err(Look::Overtaken(overtaken(&witnessed, &by))),
            Err(error) => {
                self.fails(error.to_string());
                Err(Look::Unconfirmed)
            }
        }
    }

    /// Records a commit that the parent made durable, until the witness confirms it. After each failure `give_up` is
    /// asked.
    pub(crate) async fn confirm(&self, sealed: &SealedHead, give_up: impl Fn() -> bool) -> Confirmed {
        let Some(witness) = &self.witnessing.witness else { return Confirmed::Stands };
        let mut failures = 0;
        loop {
            match self.give(&**witness, sealed.witnessed()).await {
                Ok(()) => {
                    self.confirms_again();
                    return Confirmed::Stands;
                }
                Err(WitnessError::Overtaken { by }) => {
                    return Confirmed::Overtaken(overtaken(&sealed.witnessed(), &by));
                }
                Err(error) => self.fails(error.to_string()),
            }
            failures += 1;
            if give_up() {
                return Confirmed::GivenUp;
            }
            sleep(backoff(failures)).await;
        }
    }

    /// Whether a new write has a chance: not where the witness has confirmed nothing for as long as a writer waits. What is
    /// refused here was not written, and those who wait already are answered as the witness comes back.
    pub(crate) fn confirms(&self, deadline_ms: u64) -> Result<(), StoreError> {
        // Most stores ask this for each write, and have none.
        if self.witnessing.witness.is_none() {
            return Ok(());
        }
        match &*lock(&self.failing) {
            Some(failing) if failing.since.elapsed() >= Duration::from_millis(deadline_ms) => {
                Err(StoreError::Unwitnessed { reason: failing.reason.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Whether the witness has confirmed within so long that what stands may be read.
    pub(crate) fn current(&self, max_stale_ms: u64) -> Result<(), StoreError> {
        if self.witnessing.witness.is_none() {
            return Ok(());
        }
        let ago = lock(&self.confirmed).map(|asked| asked.elapsed());
        match ago {
            Some(ago) if ago <= Duration::from_millis(max_stale_ms) => Ok(()),
            ago => Err(StoreError::Stale {
                confirmed_s_ago: ago.unwrap_or_default().as_secs(),
                reason: lock(&self.failing)
                    .as_ref()
                    .map_or_else(|| "no answer yet".to_owned(), |failing| failing.reason.clone()),
            }),
        }
    }

    fn confirms_again(&self) {
        if lock(&self.failing).take().is_some() {
            tracing::info!("the rollback witness confirms again");
        }
    }

    fn fails(&self, reason: String) {
        let mut failing = lock(&self.failing);
        if failing.is_none() {
            tracing::warn!(%reason, "the rollback witness does not confirm");
        }
        let since = failing.as_ref().map_or_else(Instant::now, |failing| failing.since);
        *failing = Some(Failing { since, reason });
    }
}

/// How a look at the witness ended that confirmed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    Overtaken(Tampered),
    Unconfirmed,
}

// Nothing that holds one can leave it half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether `standing` is the one commit that may stand after `last` without being recorded.
fn follows(standing: &Head, last: &Witnessed) -> bool {
    let over = |restored: Restored| restored.over == last.sequence && restored.over_head == last.head;
    let is_behind = standing.previous == last.head;
    let next = last.sequence.checked_add(1) == Some(standing.sequence) && is_behind;
    // The first commit of a restored state follows, in the witness's order, the one that it was ordered to go over; or the one that it was made
    // of, where it was ordered to go over an anchor.
    let first = |restored: Restored| standing.sequence == restored.over.max(restored.from).saturating_add(1);
    next || standing.restored.is_some_and(|restored| (over(restored) || is_behind) && first(restored))
}

fn refusal(standing: &Head, digest: Option<Digest>, last: &Witnessed) -> Tampered {
    let (held, witnessed) = (standing.sequence, last.sequence);
    match held.cmp(&witnessed) {
        Ordering::Less => Tampered::RolledBack { held, head: digest.unwrap_or_default(), witnessed },
        Ordering::Equal => Tampered::Forked { sequence: held },
        Ordering::Greater => Tampered::NotWitnessed { held, head: digest.unwrap_or_default(), witnessed },
    }
}

/// What the witness's word means to a process that committed `held`.
pub(crate) fn overtaken(held: &Witnessed, by: &Witnessed) -> Tampered {
    let Witnessed { sequence, head } = *held;
    if by.sequence > sequence {
        Tampered::RolledBack { held: sequence, head, witnessed: by.sequence }
    } else {
        Tampered::Forked { sequence }
    }
}

fn unwitnessed(error: &WitnessError) -> StoreError {
    StoreError::Unwitnessed { reason: error.to_string() }
}

impl fmt::Debug for Witnessed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "sequence {}, head {}", self.sequence, Hex(&self.head))
    }
}

/// A digest as people compare it.
pub(crate) struct Hex<'a>(pub(crate) &'a Digest);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

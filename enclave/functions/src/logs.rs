//! The logs of the latest invocations, with where their time went, in memory: they are a help while one writes a function, and
//! are gone with the process. What must last is in the receipt, which holds the log's hash.

use std::collections::{HashMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lru::LruCache;
use r3e_proto::api::functions::LogEntry;
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::observations::{LogPage, Trace};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::limits::{MAX_FOLLOW_MS, MAX_FOLLOWERS, MAX_KEPT_LOG_BYTES, MAX_KEPT_LOGS, MAX_LOGGED_FUNCTIONS};

/// The kept logs of all functions. When there are too many functions, those invoked longest ago are forgotten first.
pub struct Logs {
    /// Drawn at random for each process, so that no cursor of another one is taken for one of this.
    epoch: [u8; 16],
    kept: Mutex<All>,
}

struct All {
    functions: LruCache<(TenantId, String), Kept>,
    /// Questions that wait, by tenant.
    followers: HashMap<TenantId, usize>,
    /// Logs that were begun.
    begun: u64,
}

struct Kept {
    /// What its cursors begin with: another one for each log that was begun.
    epoch: String,
    /// The number of the latest entry, from 1.
    latest: u64,
    entries: VecDeque<One>,
    bytes: usize,
    changed: Arc<Notify>,
}

struct One {
    number: u64,
    entry: LogEntry,
    trace: Trace,
}

/// As many questions of the tenant's wait for more of a log as may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyFollowers;

impl Logs {
    /// No logs yet. `epoch` is drawn at random.
    pub fn new(epoch: [u8; 16]) -> Self {
        let most = NonZeroUsize::new(MAX_LOGGED_FUNCTIONS).unwrap_or(NonZeroUsize::MIN);
        let kept = All { functions: LruCache::new(most), followers: HashMap::new(), begun: 0 };
        Self { epoch, kept: Mutex::new(kept) }
    }

    /// Keeps the log of one more invocation, with its trace.
    pub fn add(&self, tenant: TenantId, function: &str, entry: LogEntry, trace: Trace) {
        let mut all = self.lock();
        let kept = all.of(&self.epoch, tenant, function);
        kept.latest += 1;
        kept.bytes += bytes_of(&entry, &trace);
        kept.entries.push_back(One { number: kept.latest, entry, trace });
        while kept.entries.len() > MAX_KEPT_LOGS || kept.bytes > MAX_KEPT_LOG_BYTES {
            let Some(oldest) = kept.entries.pop_front() else { break };
            kept.bytes -= bytes_of(&oldest.entry, &oldest.trace);
        }
        kept.changed.notify_waiters();
    }

    /// The kept log of one function after `cursor`; all of it where that is none, or is of another log.
    pub fn page(&self, tenant: TenantId, function: &str, cursor: Option<&str>) -> LogPage {
        self.lock().of(&self.epoch, tenant, function).page(cursor)
    }

    /// The same, once there is something after `cursor`, or after `wait_ms`, at most [`MAX_FOLLOW_MS`].
    ///
    /// # Errors
    /// [`TooManyFollowers`].
    pub async fn follow(
        &self,
        tenant: TenantId,
        function: &str,
        cursor: Option<&str>,
        wait_ms: u64,
    ) -> Result<LogPage, TooManyFollowers> {
        let until = Instant::now() + Duration::from_millis(wait_ms.min(MAX_FOLLOW_MS));
        let _follower = self.follower(tenant)?;
        loop {
            let changed = {
                let mut all = self.lock();
                let kept = all.of(&self.epoch, tenant, function);
                let page = kept.page(cursor);
                if page.gap || !page.entries.is_empty() || Instant::now() >= until {
                    return Ok(page);
                }
                Arc::clone(&kept.changed).notified_owned()
            };
            // What was added since the lock was given back is heard of, too. Where the time is over, the next look says so.
            drop(timeout_at(until, changed).await);
        }
    }

    /// Where the time of one invocation went; none if it is not kept.
    pub fn trace(&self, tenant: TenantId, function: &str, invocation: &str) -> Option<Trace> {
        let all = self.lock();
        let kept = all.functions.peek(&(tenant, function.to_owned()))?;
        kept.entries.iter().find(|one| one.trace.invocation == invocation).map(|one| one.trace.clone())
    }

    /// Forgets the logs of a function that was deleted.
    pub fn forget(&self, tenant: TenantId, function: &str) {
        self.lock().functions.pop(&(tenant, function.to_owned()));
    }

    fn follower(&self, tenant: TenantId) -> Result<Follower<'_>, TooManyFollowers> {
        let mut all = self.lock();
        let followers = all.followers.entry(tenant).or_default();
        if *followers >= MAX_FOLLOWERS {
            return Err(TooManyFollowers);
        }
        *followers += 1;
        Ok(Follower { logs: self, tenant })
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that waits, until dropped.
struct Follower<'a> {
    logs: &'a Logs,
    tenant: TenantId,
}

impl Drop for Follower<'_> {
    fn drop(&mut self) {
        let mut all = self.logs.lock();
        if let Some(followers) = all.followers.get_mut(&self.tenant) {
            *followers -= 1;
            if *followers == 0 {
                all.followers.remove(&self.tenant);
            }
        }
    }
}

impl All {
    fn of(&mut self, epoch: &[u8; 16], tenant: TenantId, function: &str) -> &mut Kept {
        let begun = &mut self.begun;
        self.functions.get_or_insert_mut((tenant, function.to_owned()), || {
            *begun += 1;
            // Hashed, so that a cursor tells nobody how many logs others have begun.
            let digest = Sha256::new().chain_update(epoch).chain_update(begun.to_be_bytes()).finalize();
            let epoch = hex::encode(digest.get(..8).unwrap_or_default());
            Kept { epoch, latest: 0, entries: VecDeque::new(), bytes: 0, changed: Arc::default() }
        })
    }
}

impl Kept {
    fn page(&self, cursor: Option<&str>) -> LogPage {
        let after = cursor.map(|cursor| {
            let (epoch, number) = cursor.split_once('-')?;
            let number: u64 = number.parse().ok()?;
            (epoch == self.epoch && number <= self.latest).then_some(number)
        });
        let first = self.entries.front().map_or(self.latest + 1, |one| one.number);
        let gap = match after {
            None => false,
            Some(None) => true,
            Some(Some(number)) => first > number + 1,
        };
        let after = after.flatten().unwrap_or(0);
        let entries = self.entries.iter().filter(|one| one.number > after).map(|one| one.entry.clone());
        LogPage { entries: entries.collect(), cursor: format!("{}-{}", self.epoch, self.latest), gap }
    }
}

/// What an entry and its trace take in memory, near enough: their texts, and each line's own structure.
fn bytes_of(entry: &LogEntry, trace: &Trace) -> usize {
    const LINE_BYTES: usize = 64;
    const SPAN_BYTES: usize = 160;
    let lines: usize = entry.lines.iter().map(|line| line.text.len() + LINE_BYTES).sum();
    let details: usize = trace.spans.iter().filter_map(|span| span.detail.as_ref()).map(String::len).sum();
    let texts = 2 * (entry.invocation.len() + entry.version.len() + entry.outcome.len());
    lines + details + trace.spans.len() * SPAN_BYTES + texts + LINE_BYTES
}

#[cfg(test)]
mod tests;

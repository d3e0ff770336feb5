//! Brings feeds' reports to their contracts: for each feed and contract one transaction at a time, of the newest report there is. What comes
//! meanwhile is passed over; a contract takes rising sequences, and gaps among them.

mod evm;
mod neo;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r3e_attester::TrustedClock;
use r3e_feeds::{Feeds, Which};
use r3e_proto::api::feeds::{Publication, Published, SignedReport, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::keccak256;
use r3e_store::Store;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::chains::NeoSending;
use super::transactions::Transactions;
use super::{ByWallets, ServiceError, Wallets};
use crate::limits::{
    MAX_PUBLISH_TRIES, PUBLISH_AFTER_TROUBLE, PUBLISH_LEAST_LIFE, PUBLISH_LONGEST_PAUSE, PUBLISH_LOOK,
    PUBLISH_MOST_LIFE,
};

/// What brings reports to contracts, until it is dropped.
pub(crate) struct Publisher(Arc<Inner>);

struct Inner {
    feeds: Arc<Feeds>,
    transactions: Arc<Transactions>,
    neo: NeoParts,
    clock: TrustedClock,
    states: Mutex<BTreeMap<Key, Published>>,
    closed: watch::Sender<bool>,
}

/// What reports are brought to Neo N3 by.
pub(crate) struct NeoParts {
    pub(crate) networks: NeoSending,
    pub(crate) wallets: Arc<Wallets>,
    pub(crate) signer: Arc<ByWallets>,
    pub(crate) store: Store,
}

/// One feed's reports for one contract.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    tenant: TenantId,
    feed: String,
    target: Target,
}

/// What became of a report.
enum Fate {
    /// It is in a block, or one that nobody waits for any more made way for a newer one.
    Done,
    /// It cost gas and is not there, and again it would: the next report is waited for.
    Reverted(String),
    /// It is not there, and may be tried again.
    Lost(String),
    /// It is too old to be brought.
    Stale,
}

impl Publisher {
    /// Brings what feeds publish from here on, and what they published last. Must be called within a tokio runtime.
    pub(crate) fn start(
        feeds: &Arc<Feeds>,
        transactions: &Arc<Transactions>,
        neo: NeoParts,
        clock: &TrustedClock,
    ) -> Self {
        let inner = Arc::new(Inner {
            feeds: Arc::clone(feeds),
            transactions: Arc::clone(transactions),
            neo,
            clock: clock.clone(),
            states: Mutex::default(),
            closed: watch::Sender::new(false),
        });
        tokio::spawn(keep_going(Arc::clone(&inner)));
        Self(inner)
    }

    /// How far a feed's publications are.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn show(&self, tenant: TenantId, feed: &str) -> Result<Vec<Published>, ServiceError> {
        let shown = self.0.feeds.show(tenant, feed).await?;
        let states = self.0.states();
        let of = |one: &Publication| {
            let key = Key { tenant, feed: feed.to_owned(), target: one.target };
            states.get(&key).cloned().unwrap_or_else(|| key.nothing())
        };
        Ok(shown.publish.iter().map(of).collect())
    }

    /// Brings nothing more.
    pub(crate) fn close(&self) {
        self.0.closed.send_replace(true);
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    fn states(&self) -> MutexGuard<'_, BTreeMap<Key, Published>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, key: &Key, with: impl FnOnce(&mut Published)) {
        with(self.states().entry(key.clone()).or_insert_with(|| key.nothing()));
    }

    fn is_in_trouble(&self, key: &Key, why: String) {
        self.note(key, |it| it.trouble = Some(why));
    }

    /// Brings each newer report, as long as there is the feed.
    async fn bring(&self, key: &Key, one: &Publication) -> Result<(), ServiceError> {
        let mut told = self.feeds.follow(key.tenant, &key.feed)?;
        // Where how it is paid for was changed, it goes on behind what was brought.
        let mut done = self.states().get(key).map_or(0, |known| known.sequence);
        let (mut attempted, mut tries, mut pause) = (0, 0, PUBLISH_AFTER_TROUBLE);
        loop {
            let newest = told.wait_for(|sequence| *sequence > done).await.map(|newest| *newest);
            if newest.is_err() || newest.is_ok_and(|newest| newest == u64::MAX) {
                // The feed is no more.
                return Ok(());
            }
            let report = self.feeds.report(key.tenant, &key.feed, Which::Latest).await?;
            let sequence = report.report.sequence;
            tries = if sequence == attempted { tries } else { 0 };
            attempted = sequence;
            let begun = Instant::now();
            let fate = match key.target {
                Target::Evm(_) => self.bring_to_evm(key, one, &report, tries, &mut told).await,
                Target::Neo(target) => self.bring_to_neo(key, one, target, &report).await,
            };
            // A transaction that was over before this life began is not waited for.
            let is_old = matches!(key.target, Target::Evm(_)) && begun.elapsed() < PUBLISH_LOOK;
            let (why, may_be_sooner) = match fate {
                Ok(Fate::Done) => {
                    (done, pause) = (sequence, PUBLISH_AFTER_TROUBLE);
                    continue;
                }
                Ok(Fate::Reverted(why)) => {
                    done = sequence;
                    (why, false)
                }
                Ok(Fate::Stale) => {
                    done = sequence;
                    ("it is not valid long enough to be brought there".to_owned(), true)
                }
                Ok(Fate::Lost(why)) => {
                    tries += 1;
                    done = if tries > MAX_PUBLISH_TRIES { sequence } else { done };
                    if is_old {
                        continue;
                    }
                    (why, true)
                }
                Err(error) => (error.to_string(), true),
            };
            self.is_in_trouble(key, format!("report {sequence} is not there: {why}"));
            sleep(PUBLISH_AFTER_TROUBLE).await;
            tokio::select! {
                () = newer_than(&mut told, sequence), if may_be_sooner => {}
                () = sleep(pause) => {}
            }
            pause = (pause * 2).min(PUBLISH_LONGEST_PAUSE);
        }
    }

    /// How long the report is worth bringing: what waits longer is replaced by nothing, and the newest is brought in its place.
    fn left(&self, signed: &SignedReport) -> Option<Duration> {
        let until_ms = signed.report.valid_until_s.saturating_mul(1_000);
        let left = Duration::from_millis(until_ms.saturating_sub(self.clock.now_ms()));
        (left >= PUBLISH_LEAST_LIFE).then_some(left.min(PUBLISH_MOST_LIFE))
    }
}

impl Key {
    /// A short name of it: the feed's own may be cut, its hash with the contract's is not.
    fn short(&self) -> String {
        let [first, second, third, fourth, ..] =
            keccak256(&[self.feed.as_bytes(), b"\0", self.target.to_string().as_bytes()]);
        let feed: String = self.feed.chars().take(24).collect();
        format!("{feed}-{}", hex::encode([first, second, third, fourth]))
    }

    fn nothing(&self) -> Published {
        Published { target: self.target, sequence: 0, transaction: None, trouble: None }
    }
}

async fn newer_than(told: &mut watch::Receiver<u64>, sequence: u64) {
    if told.wait_for(|newest| *newest > sequence).await.is_err() {
        // Where nobody is left to tell, there is no newer one.
        std::future::pending::<()>().await;
    }
}

/// Has a task for each publication, as feeds are made, changed and deleted.
async fn keep_going(inner: Arc<Inner>) {
    let (mut defined, mut closed) = (inner.feeds.defined(), inner.closed.subscribe());
    let mut running: BTreeMap<Key, (Publication, JoinSet<()>)> = BTreeMap::new();
    loop {
        let mut wanted = BTreeMap::new();
        for (tenant, feed, one) in inner.feeds.publications() {
            wanted.insert(Key { tenant, feed, target: one.target }, one);
        }
        let is_over = |(key, (one, _)): &(&Key, &(Publication, _))| wanted.get(*key) != Some(one);
        let over: Vec<Key> = running.iter().filter(is_over).map(|(key, _)| key.clone()).collect();
        for key in over {
            if let Some((_, mut task)) = running.remove(&key) {
                task.shutdown().await;
                // On Neo N3 what was signed can still come to a block: its record stays, so that nothing else is signed meanwhile.
                if matches!(key.target, Target::Evm(_)) {
                    inner.withdraw_from_evm(&key);
                }
            }
        }
        inner.states().retain(|key, _| wanted.contains_key(key));
        for (key, one) in wanted {
            running.entry(key.clone()).or_insert_with(|| {
                let mut task = JoinSet::new();
                task.spawn(insist(Arc::clone(&inner), key, one.clone()));
                (one, task)
            });
        }
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            defined = defined.changed() => if defined.is_err() { return },
        }
    }
}

/// Goes on after a fault, and with a feed that was made anew under its name, until it is ended.
async fn insist(inner: Arc<Inner>, key: Key, one: Publication) {
    loop {
        let mut task = JoinSet::new();
        let (brings, of, by) = (Arc::clone(&inner), key.clone(), one.clone());
        task.spawn(async move { brings.bring(&of, &by).await });
        match task.join_next().await {
            Some(Ok(Ok(()))) | None => {}
            Some(Ok(Err(error))) => inner.is_in_trouble(&key, error.to_string()),
            Some(Err(error)) => {
                tracing::error!(%error, "bringing a report to its contract broke");
                inner.is_in_trouble(&key, "it broke by a fault of the appliance".to_owned());
            }
        }
        sleep(PUBLISH_AFTER_TROUBLE).await;
    }
}

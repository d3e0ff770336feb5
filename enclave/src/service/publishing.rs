//! Brings feeds' reports to their contracts: for each feed and contract one transaction at a time, of the newest report there is. What comes
//! meanwhile is passed over; a contract takes rising sequences, and gaps among them.
//!
//! Nothing of it is kept: a transaction's name has the report's sequence and the number of the try, so that the next life finds how far the last one was.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r3e_attester::TrustedClock;
use r3e_feeds::{Feeds, Which};
use r3e_proto::api::feeds::{Publication, Published, SignedReport, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::{
    Call, Inclusion, Kind, Outcome, Reason, SendTransaction, Stage, Transaction,
};
use r3e_proto::api::wallets::{HexBytes, Wei, keccak256};
use r3e_proto::report::EvmTarget;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::ServiceError;
use super::transactions::{OWN_NAMES, Transactions};
use crate::limits::{
    MAX_PUBLISH_TRIES, PUBLISH_AFTER_TROUBLE, PUBLISH_LEAST_LIFE, PUBLISH_LONGEST_PAUSE, PUBLISH_LOOK,
    PUBLISH_MOST_LIFE, PUBLISH_PATIENCE, PUBLISH_WITHDRAWING,
};

/// What brings reports to contracts, until it is dropped.
pub(crate) struct Publisher(Arc<Inner>);

struct Inner {
    feeds: Arc<Feeds>,
    transactions: Arc<Transactions>,
    clock: TrustedClock,
    states: Mutex<BTreeMap<Key, Published>>,
    closed: watch::Sender<bool>,
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
    pub(crate) fn start(feeds: &Arc<Feeds>, transactions: &Arc<Transactions>, clock: &TrustedClock) -> Self {
        let inner = Arc::new(Inner {
            feeds: Arc::clone(feeds),
            transactions: Arc::clone(transactions),
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
            let fate = self.bring_one(key, one, &report, tries, &mut told).await;
            // One that was over before this life began is not waited for.
            let is_old = begun.elapsed() < PUBLISH_LOOK;
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

    /// One report, until a block has it that is final, or one has it and there is a newer report, or there is a newer one for long and nothing
    /// was signed for this.
    async fn bring_one(
        &self,
        key: &Key,
        one: &Publication,
        signed: &SignedReport,
        number: u32,
        told: &mut watch::Receiver<u64>,
    ) -> Result<Fate, ServiceError> {
        let sequence = signed.report.sequence;
        let name = key.transaction(sequence, number);
        self.note(key, |it| it.transaction = Some(name.clone()));
        let mut at = match self.transactions.show(key.tenant, &name).await {
            // Of another life, or from before it was changed how it is paid for.
            Ok(there) if is_paid_so(one, &there) => there,
            Ok(there) => {
                let there = self.transactions.withdraw(key.tenant, &there.name).await?;
                if there.stage == Stage::Ended && !matches!(self.ended(key, sequence, &there), Fate::Done) {
                    return Ok(Fate::Lost("it is paid for otherwise by now".to_owned()));
                }
                there
            }
            Err(ServiceError::NotFound { .. }) => {
                let Some(left) = self.left(signed) else {
                    return Ok(Fate::Stale);
                };
                self.transactions.send_own(key.tenant, &name, transaction(one, signed, left)?).await?
            }
            Err(error) => return Err(error),
        };
        let patience = Instant::now() + PUBLISH_PATIENCE;
        loop {
            if at.stage == Stage::Ended {
                return Ok(self.ended(key, sequence, &at));
            }
            let is_newer = *told.borrow() > sequence;
            match at.included.as_ref().map(|inclusion| why_not(&at, inclusion)) {
                // It is there; whether its block becomes final is waited for as long as nothing newer is.
                Some(None) => {
                    self.note(key, |it| (it.sequence, it.trouble) = (sequence, None));
                    if is_newer {
                        return Ok(Fate::Done);
                    }
                }
                Some(Some(fate)) => return Ok(fate),
                None => self.note(key, |it| it.trouble.clone_from(&at.trouble)),
            }
            if is_newer && at.stage == Stage::Waiting && Instant::now() >= patience {
                at = self.transactions.withdraw(key.tenant, &name).await?;
                if at.stage == Stage::Ended {
                    return Ok(Fate::Done);
                }
            }
            sleep(PUBLISH_LOOK).await;
            at = self.transactions.show(key.tenant, &name).await?;
        }
    }

    fn ended(&self, key: &Key, sequence: u64, at: &Transaction) -> Fate {
        let lost = |why: &str| Fate::Lost(why.to_owned());
        match &at.outcome {
            Some(Outcome::Included(inclusion)) => {
                let Some(fate) = why_not(at, inclusion) else {
                    self.note(key, |it| (it.sequence, it.trouble) = (sequence, None));
                    return Fate::Done;
                };
                fate
            }
            Some(Outcome::Abandoned(Reason::NotTaken(why))) => Fate::Lost(format!("no node takes it: {why}")),
            // Whoever cancels what was signed does not want it there.
            Some(Outcome::Abandoned(Reason::Cancelled)) if at.nonce.is_some() => {
                Fate::Reverted("it was cancelled".to_owned())
            }
            Some(Outcome::Abandoned(_)) => lost("its time was over"),
            Some(Outcome::Refused { code, message }) => {
                Fate::Lost(format!("the wallet does not sign: {message} ({code})"))
            }
            Some(Outcome::Displaced) => lost("something else of the wallet's key took its place"),
            _ => lost("its transaction has not ended"),
        }
    }

    /// How long the report is worth bringing: what waits longer is replaced by nothing, and the newest is brought in its place.
    fn left(&self, signed: &SignedReport) -> Option<Duration> {
        let until_ms = signed.report.valid_until_s.saturating_mul(1_000);
        let left = Duration::from_millis(until_ms.saturating_sub(self.clock.now_ms()));
        (left >= PUBLISH_LEAST_LIFE).then_some(left.min(PUBLISH_MOST_LIFE))
    }

    /// Gives up what was begun for a publication that is none any more, if nothing was signed for it. What was on its way to the store when it was ended
    /// comes through later: so it is looked for again, for a while.
    fn withdraw(self: &Arc<Self>, key: &Key) {
        let Some(name) = self.states().get(key).and_then(|state| state.transaction.clone()) else { return };
        let (inner, tenant) = (Arc::clone(self), key.tenant);
        tokio::spawn(async move {
            let until = Instant::now() + PUBLISH_WITHDRAWING;
            while Instant::now() < until && !*inner.closed.borrow() {
                if let Err(error) = inner.transactions.withdraw(tenant, &name).await {
                    tracing::debug!(%error, "a report on its way to a contract is not withdrawn yet");
                }
                sleep(PUBLISH_AFTER_TROUBLE).await;
            }
        });
    }
}

impl Key {
    fn nothing(&self) -> Published {
        Published { target: self.target, sequence: 0, transaction: None, trouble: None }
    }

    /// The name of a report's transaction, 64 characters at the most: the feed's own may be cut, its hash with the contract's is not.
    fn transaction(&self, sequence: u64, number: u32) -> String {
        let [first, second, third, fourth, ..] =
            keccak256(&[self.feed.as_bytes(), b"\0", self.target.to_string().as_bytes()]);
        let digest = hex::encode([first, second, third, fourth]);
        let feed: String = self.feed.chars().take(24).collect();
        format!("{OWN_NAMES}{feed}-{digest}-{sequence}-{number}")
    }
}

/// Whether a transaction is paid for as the publication says now.
fn is_paid_so(one: &Publication, at: &Transaction) -> bool {
    at.wallet == one.wallet && at.call.gas_limit == one.gas_limit && at.call.fee_limit == one.fee_limit
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
                inner.withdraw(&key);
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

fn transaction(
    one: &Publication,
    signed: &SignedReport,
    left: Duration,
) -> Result<SendTransaction, ServiceError> {
    let internal = |what: &str| ServiceError::Internal(what.to_owned());
    let Target::Evm(EvmTarget { chain_id, contract }) = one.target else {
        return Err(internal("a publication is on no chain like Ethereum"));
    };
    let signature = signed.signatures.iter().find(|signature| signature.target == one.target);
    let signature = signature.ok_or_else(|| internal("a report is not signed for its contract"))?;
    let data = EvmTarget::transmit_call(&signed.report, &signature.signature.0);
    let data = data.ok_or_else(|| internal("a report's signature is none"))?;
    let call = Call {
        to: Some(contract),
        value: Wei(0),
        data: HexBytes(data),
        gas_limit: one.gas_limit,
        fee_limit: one.fee_limit,
    };
    let timeout_ms = u64::try_from(left.as_millis()).ok();
    Ok(SendTransaction { wallet: one.wallet.clone(), chain_id, call, timeout_ms })
}

/// What a block has of a transaction, if it is not the report.
fn why_not(at: &Transaction, inclusion: &Inclusion) -> Option<Fate> {
    let kind = at.attempts.iter().find(|attempt| attempt.hash == inclusion.hash).map(|attempt| attempt.kind);
    match (kind, inclusion.succeeded) {
        (Some(Kind::Noop), _) => Some(Fate::Lost("its time was over, and nothing took its place".to_owned())),
        (_, true) => None,
        (_, false) => {
            let why = "it was reverted: another may have brought it first, or its contract does not take it";
            Some(Fate::Reverted(why.to_owned()))
        }
    }
}

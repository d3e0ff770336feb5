//! Brings feeds' reports to their contracts: for each feed and contract one transaction at a time, of the newest report there is. What comes
//! meanwhile is passed over; a contract takes rising sequences, and gaps among them.
//!
//! Nothing of it is kept: a transaction's name has the report's sequence, so that the next life asks for the same one again.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r3e_attester::TrustedClock;
use r3e_feeds::{Feeds, Which};
use r3e_proto::api::feeds::{Publication, Published, SignedReport, Target};
use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::{Call, Outcome, Reason, SendTransaction, Stage, Transaction};
use r3e_proto::api::wallets::{HexBytes, Wei, keccak256};
use r3e_proto::report::EvmTarget;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::ServiceError;
use super::transactions::{OWN_NAMES, Transactions};
use crate::limits::{
    PUBLISH_AFTER_TROUBLE, PUBLISH_LEAST_LIFE, PUBLISH_LONGEST_PAUSE, PUBLISH_LOOK, PUBLISH_MOST_LIFE,
};

/// What brings reports to contracts.
pub(crate) struct Publisher {
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
    target: String,
}

impl Publisher {
    /// Brings what feeds publish from here on, and what they published last. Must be called within a tokio runtime.
    pub(crate) fn start(
        feeds: &Arc<Feeds>,
        transactions: &Arc<Transactions>,
        clock: &TrustedClock,
    ) -> Arc<Self> {
        let publisher = Arc::new(Self {
            feeds: Arc::clone(feeds),
            transactions: Arc::clone(transactions),
            clock: clock.clone(),
            states: Mutex::default(),
            closed: watch::Sender::new(false),
        });
        tokio::spawn(keep_going(Arc::clone(&publisher)));
        publisher
    }

    /// How far a feed's publications are.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub(crate) async fn show(&self, tenant: TenantId, feed: &str) -> Result<Vec<Published>, ServiceError> {
        let shown = self.feeds.show(tenant, feed).await?;
        let states = self.states();
        let of = |one: &Publication| {
            let nothing = Published { target: one.target, sequence: 0, transaction: None, trouble: None };
            states.get(&Key::of(tenant, feed, one)).cloned().unwrap_or(nothing)
        };
        Ok(shown.publish.iter().map(of).collect())
    }

    /// Brings nothing more.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    fn states(&self) -> MutexGuard<'_, BTreeMap<Key, Published>> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, key: &Key, target: Target, with: impl FnOnce(&mut Published)) {
        let mut states = self.states();
        let nothing = || Published { target, sequence: 0, transaction: None, trouble: None };
        with(states.entry(key.clone()).or_insert_with(nothing));
    }

    /// Brings each newer report, as long as there is the feed.
    async fn bring(&self, key: &Key, one: &Publication) -> Result<(), ServiceError> {
        let mut told = self.feeds.follow(key.tenant, &key.feed)?;
        // Where how it is paid for was changed, it goes on behind what was brought.
        let mut brought = self.states().get(key).map_or(0, |known| known.sequence);
        let mut pause = PUBLISH_AFTER_TROUBLE;
        loop {
            let newest = told.wait_for(|sequence| *sequence > brought).await.map(|newest| *newest);
            if newest.is_err() || newest.is_ok_and(|newest| newest == u64::MAX) {
                // The feed is no more.
                return Ok(());
            }
            let report = self.feeds.report(key.tenant, &key.feed, Which::Latest).await?;
            let newer = async {
                let sequence = report.report.sequence;
                // Where nobody is left to tell, there is no newer one.
                if told.wait_for(|newest| *newest > sequence).await.is_err() {
                    std::future::pending::<()>().await;
                }
            };
            match self.bring_one(key, one, &report, newer).await {
                Ok(trouble) => {
                    brought = report.report.sequence;
                    pause = PUBLISH_AFTER_TROUBLE;
                    self.note(key, one.target, |it| (it.sequence, it.trouble) = (brought, trouble));
                }
                Err(error) => {
                    self.note(key, one.target, |it| it.trouble = Some(error.to_string()));
                    sleep(pause).await;
                    pause = (pause * 2).min(PUBLISH_LONGEST_PAUSE);
                }
            }
        }
    }

    /// One report, until a block has it, or a newer one is there before anything was signed for it. Gives why it is not there, if it is
    /// not.
    async fn bring_one(
        &self,
        key: &Key,
        one: &Publication,
        signed: &SignedReport,
        newer: impl Future<Output = ()>,
    ) -> Result<Option<String>, ServiceError> {
        let sequence = signed.report.sequence;
        let Some(left) = self.left(signed) else {
            return Ok(Some(format!("report {sequence} is not valid long enough to be brought there")));
        };
        let (name, request) = (key.transaction(one, sequence), transaction(one, signed, left)?);
        self.note(key, one.target, |it| it.transaction = Some(name.clone()));
        let mut at = self.transactions.send_own(key.tenant, &name, request).await?;
        let mut newer = pin!(newer);
        loop {
            match at.stage {
                Stage::Ended => {
                    return Ok(why_not(&at).map(|why| format!("report {sequence} is not there: {why}")));
                }
                // It will be there, or the next one is; whether its block is final, nothing here waits for.
                Stage::Included => return Ok(None),
                _ => {}
            }
            self.note(key, one.target, |it| it.trouble.clone_from(&at.trouble));
            tokio::select! {
                () = &mut newer, if at.stage == Stage::Waiting => {
                    // Nothing was signed, and what it says is old.
                    self.transactions.cancel(key.tenant, &name).await?;
                    return Ok(Some(format!("report {sequence} made way for a newer one")));
                }
                () = sleep(PUBLISH_LOOK) => {}
            }
            at = self.transactions.show(key.tenant, &name).await?;
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
    fn of(tenant: TenantId, feed: &str, one: &Publication) -> Self {
        Self { tenant, feed: feed.to_owned(), target: one.target.to_string() }
    }

    /// The name of a report's transaction, 64 characters at the most. It says who pays what: under one name there is one call.
    fn transaction(&self, one: &Publication, sequence: u64) -> String {
        let text = serde_json::to_vec(one).unwrap_or_default();
        let [first, second, third, fourth, ..] = keccak256(&[&text]);
        let digest = hex::encode([first, second, third, fourth]);
        format!("{OWN_NAMES}{}-{digest}-{sequence}", self.feed)
    }
}

/// Has a task for each publication, as feeds are made, changed and deleted.
async fn keep_going(publisher: Arc<Publisher>) {
    let (mut defined, mut closed) = (publisher.feeds.defined(), publisher.closed.subscribe());
    let mut running: BTreeMap<Key, (Publication, JoinSet<()>)> = BTreeMap::new();
    loop {
        let mut wanted = BTreeMap::new();
        for (tenant, feed, one) in publisher.feeds.publications() {
            wanted.insert(Key::of(tenant, &feed, &one), one);
        }
        // What is dropped ends.
        running.retain(|key, (one, _)| wanted.get(key) == Some(one));
        publisher.states().retain(|key, _| wanted.contains_key(key));
        for (key, one) in wanted {
            running.entry(key.clone()).or_insert_with(|| {
                let mut task = JoinSet::new();
                task.spawn(insist(Arc::clone(&publisher), key, one.clone()));
                (one, task)
            });
        }
        tokio::select! {
            _ = closed.wait_for(|closed| *closed) => return,
            defined = defined.changed() => if defined.is_err() { return },
        }
    }
}

/// Goes on after a fault, which ends the one look alone.
async fn insist(publisher: Arc<Publisher>, key: Key, one: Publication) {
    loop {
        let mut task = JoinSet::new();
        let (brings, of, by) = (Arc::clone(&publisher), key.clone(), one.clone());
        task.spawn(async move { brings.bring(&of, &by).await });
        let why = match task.join_next().await {
            Some(Ok(Ok(()))) | None => return,
            Some(Ok(Err(error))) => error.to_string(),
            Some(Err(error)) => {
                tracing::error!(%error, "bringing a report to its contract broke");
                "it broke by a fault of the appliance".to_owned()
            }
        };
        publisher.note(&key, one.target, |it| it.trouble = Some(why));
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

/// Why what has ended did not do what it was to do.
fn why_not(ended: &Transaction) -> Option<String> {
    Some(match &ended.outcome {
        Some(Outcome::Included(inclusion)) if inclusion.succeeded => return None,
        Some(Outcome::Included(_)) => {
            "it was reverted: another may have brought it first, or its contract does not take it".to_owned()
        }
        Some(Outcome::Abandoned(Reason::NotTaken(why))) => format!("no node takes it: {why}"),
        Some(Outcome::Abandoned(_)) => "its time was over, or it was cancelled".to_owned(),
        Some(Outcome::Refused { code, message }) => format!("the wallet does not sign: {message} ({code})"),
        Some(Outcome::Displaced) => "something else of the wallet's key took its place".to_owned(),
        _ => "its transaction has not ended".to_owned(),
    })
}

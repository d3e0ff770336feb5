//! The transactions of all tenants, as the rest of the appliance sees them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::wallets::EvmAddress;
use r3e_store::Store;
use serde::Serialize;
use tokio::sync::watch;

use crate::call::{Call, Submission, is_transaction_id};
use crate::entry::{Attempt, Entry, Inclusion, Outcome, Reason};
use crate::error::TransactionsError;
use crate::lane::Place;
use crate::limits::{MAX_LANES_OF_ONE, MAX_OPEN};
use crate::outside::{Chains, Signer};
use crate::spaces::{self, Address};
use crate::work::{self, Worker};

/// What [`Transactions`] are made of.
pub struct TransactionsParts {
    /// Where they lie.
    pub store: Store,
    /// The time, in Unix milliseconds.
    pub now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// The chains that there are nodes of.
    pub chains: Arc<dyn Chains>,
    /// Who signs.
    pub signer: Arc<dyn Signer>,
}

/// The transactions of all tenants. Dropped, nothing more is signed or sent.
pub struct Transactions {
    inner: Arc<Inner>,
}

/// What its tasks share.
pub(crate) struct Inner {
    pub(crate) store: Store,
    now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    chains: Arc<dyn Chains>,
    pub(crate) signer: Arc<dyn Signer>,
    workers: Mutex<BTreeMap<Address, Arc<Worker>>>,
    pub(crate) closed: watch::Sender<bool>,
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing was signed for it.
    Waiting,
    /// What was signed for it may be in a block any time.
    Pending,
    /// It is in a block, which is not final.
    Included,
    /// It is over, for ever.
    Ended,
}

/// A transaction as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its name.
    pub id: String,
    /// The wallet that signs.
    pub wallet: String,
    /// Its account.
    pub account: EvmAddress,
    /// The chain.
    pub chain_id: u64,
    /// What it does.
    pub call: Call,
    /// Since when it is known, in Unix milliseconds.
    pub made_at_ms: u64,
    /// How far it is.
    pub stage: Stage,
    /// Its nonce, once something was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<u64>,
    /// All that was signed for it; the latest is last.
    pub attempts: Vec<Attempt>,
    /// Where the chain has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub included: Option<Inclusion>,
    /// Why it is being given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<Reason>,
    /// What became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What holds it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Transactions {
    /// The transactions in the store. Those that are open go on from here on. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The store's.
    pub fn start(parts: TransactionsParts) -> Result<Self, TransactionsError> {
        let TransactionsParts { store, now_ms, chains, signer } = parts;
        let (workers, closed) = (Mutex::default(), watch::Sender::new(false));
        let inner = Arc::new(Inner { store, now_ms, chains, signer, workers, closed });
        for address in spaces::all(&inner.store)? {
            if inner.worker(address).is_err() {
                // Another configuration may have them again.
                tracing::warn!(
                    chain = address.place.chain_id,
                    "there are transactions for a chain that has no nodes"
                );
            }
        }
        Ok(Self { inner })
    }

    /// Has a transaction brought onto its chain. Under a name that there is already, the same is answered as before. Whether it was written
    /// down is not known where the store fails; asked again under its name, it is done once.
    ///
    /// # Errors
    /// [`TransactionsError::Invalid`], [`TransactionsError::Exists`], [`TransactionsError::NoChain`], [`TransactionsError::TooMany`]; the store's.
    pub async fn submit(&self, tenant: TenantId, submission: Submission) -> Result<Shown, TransactionsError> {
        let inner = &self.inner;
        if *inner.closed.borrow() {
            return Err(TransactionsError::Stopping);
        }
        submission.check_name()?;
        let now_ms = inner.now_ms();
        let place = Place { chain_id: submission.chain_id, account: submission.account };
        if let Some(there) = spaces::read(&inner.store, tenant, &submission.id).await? {
            return Inner::same(there, &submission, place);
        }
        submission.check(now_ms)?;
        let address = Address { tenant, place };
        let worker = inner.worker(address)?;
        let mut standing = worker.standing.lock().await;
        standing.refresh(&inner.store, &address).await?;
        // Whoever was first while the lock was waited for.
        if let Some(there) = spaces::read(&inner.store, tenant, &submission.id).await? {
            return Inner::same(there, &submission, place);
        }
        if standing.lane.entries.len() >= MAX_OPEN {
            return Err(TransactionsError::TooMany {
                what: "open transactions of an account",
                max: MAX_OPEN,
            });
        }
        let Submission { id, wallet, call, .. } = submission;
        let (abandoned, out, outcome, trouble) = <_>::default();
        let entry = Entry {
            id,
            wallet,
            place,
            made_at_ms: now_ms,
            call,
            abandoned,
            out,
            outcome,
            trouble,
            rests_until_ms: 0,
            is_pushed: false,
        };
        let (shown, index) = (Inner::shown(entry.clone()), standing.lane.entries.len());
        standing.lane.entries.push(entry);
        standing.commit(&inner.store, &address, &[index], true).await?;
        worker.wake.notify_one();
        Ok(shown)
    }

    /// One of a tenant's transactions.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub async fn show(&self, tenant: TenantId, id: &str) -> Result<Shown, TransactionsError> {
        let missing = || TransactionsError::NotFound(id.to_owned());
        if !is_transaction_id(id) {
            return Err(missing());
        }
        let entry = spaces::read(&self.inner.store, tenant, id).await?.ok_or_else(missing)?;
        let address = Address { tenant, place: entry.place };
        let worker = self.inner.workers().get(&address).cloned();
        let mut shown = Inner::shown(entry);
        if let Some(worker) = worker.filter(|_| shown.outcome.is_none()) {
            let standing = worker.standing.lock().await;
            let of_it = standing.lane.entries.iter().find(|entry| entry.id == id);
            shown.trouble = of_it.and_then(|entry| entry.trouble.clone()).or_else(|| worker.trouble());
        }
        Ok(shown)
    }

    /// The names of a tenant's transactions behind `after`, open ones and those that ended last.
    ///
    /// # Errors
    /// The store's.
    pub fn names(
        &self,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, TransactionsError> {
        spaces::names(&self.inner.store, tenant, after, limit)
    }

    /// Gives a transaction up: what is out is replaced by nothing, under the same nonce. The chain may still take it as it was.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub async fn cancel(&self, tenant: TenantId, id: &str) -> Result<Shown, TransactionsError> {
        let before = self.show(tenant, id).await?;
        let address = Address { tenant, place: Place { chain_id: before.chain_id, account: before.account } };
        let worker = self.inner.worker(address)?;
        let mut standing = worker.standing.lock().await;
        standing.refresh(&self.inner.store, &address).await?;
        if let Some(index) = standing.lane.abandon(id) {
            standing.commit(&self.inner.store, &address, &[index], false).await?;
        }
        drop(standing);
        worker.wake.notify_one();
        self.show(tenant, id).await
    }

    /// Signs and sends nothing more: the appliance stops, or was handed over.
    pub fn close(&self) {
        self.inner.closed.send_replace(true);
    }
}

impl Drop for Transactions {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    pub(crate) fn now_ms(&self) -> u64 {
        (self.now_ms)()
    }

    fn workers(&self) -> MutexGuard<'_, BTreeMap<Address, Arc<Worker>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What drives a lane; from the first time on, it does.
    fn worker(self: &Arc<Self>, address: Address) -> Result<Arc<Worker>, TransactionsError> {
        let chain_id = address.place.chain_id;
        let chain = self.chains.chain(chain_id).ok_or(TransactionsError::NoChain(chain_id))?;
        let mut workers = self.workers();
        if let Some(worker) = workers.get(&address) {
            return Ok(Arc::clone(worker));
        }
        let of_one = workers.keys().filter(|other| other.tenant == address.tenant).count();
        if of_one >= MAX_LANES_OF_ONE {
            let what = "accounts that transactions go from, each on a chain";
            return Err(TransactionsError::TooMany { what, max: MAX_LANES_OF_ONE });
        }
        let worker = Worker::new(address, chain);
        workers.insert(address, Arc::clone(&worker));
        drop(workers);
        tokio::spawn(work::keep_going(Arc::clone(self), Arc::clone(&worker)));
        Ok(worker)
    }

    fn same(there: Entry, submission: &Submission, place: Place) -> Result<Shown, TransactionsError> {
        let is_same =
            there.place == place && there.wallet == submission.wallet && there.call == submission.call;
        if is_same { Ok(Self::shown(there)) } else { Err(TransactionsError::Exists(submission.id.clone())) }
    }

    fn shown(entry: Entry) -> Shown {
        let Entry { id, wallet, place, made_at_ms, call, abandoned, out, outcome, .. } = entry;
        let stage = match (&outcome, &out) {
            (Some(_), _) => Stage::Ended,
            (None, None) => Stage::Waiting,
            (None, Some(out)) if out.included.is_none() => Stage::Pending,
            (None, Some(_)) => Stage::Included,
        };
        let (nonce, attempts, included) = match out {
            Some(out) => (Some(out.nonce), out.attempts, out.included),
            None => (None, Vec::new(), None),
        };
        let Place { chain_id, account } = place;
        let trouble = None;
        Shown {
            id,
            wallet,
            account,
            chain_id,
            call,
            made_at_ms,
            stage,
            nonce,
            attempts,
            included,
            abandoned,
            outcome,
            trouble,
        }
    }
}

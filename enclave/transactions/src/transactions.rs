//! The transactions of all tenants, as the rest of the appliance sees them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::Transaction;
use r3e_store::Store;
use tokio::sync::watch;

use crate::call::{Submission, is_transaction_id};
use crate::entry::{Entry, digest};
use crate::error::TransactionsError;
use crate::lane::{Lane, Place};
use crate::limits::{MAX_ENDED, MAX_LANES_OF_ONE, MAX_OPEN, MAX_OPEN_BYTES_OF_ONE, MAX_OPEN_OF_ONE};
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
            if inner.worker(address, false).is_err() {
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
    pub async fn submit(
        &self,
        tenant: TenantId,
        submission: Submission,
    ) -> Result<Transaction, TransactionsError> {
        let inner = &self.inner;
        if *inner.closed.borrow() {
            return Err(TransactionsError::Stopping);
        }
        submission.check_name()?;
        let now_ms = inner.now_ms();
        let Submission { chain_id, account, .. } = submission;
        let address = Address { tenant, place: Place { chain_id, account } };
        let there = spaces::read(&inner.store, tenant, &submission.id).await?;
        if let Some(there) = there.filter(|there| !there.is_open()) {
            return Inner::same(there, &submission, address.place);
        }
        let worker = inner.worker(address, true)?;
        let mut standing = worker.standing.lock().await;
        standing.refresh(&inner.store, &address).await?;
        if let Some(there) = spaces::read(&inner.store, tenant, &submission.id).await? {
            if there.is_open() && !standing.lane.entries.iter().any(|entry| entry.id == there.id) {
                // A commit that nobody was told of came through.
                standing.doubt();
                worker.wake.notify_one();
            }
            return Inner::same(there, &submission, address.place);
        }
        submission.check(now_ms)?;
        inner.has_room(tenant, &submission)?;
        let too_many = |what, max| TransactionsError::TooMany { what, max };
        if standing.lane.entries.len() >= MAX_OPEN {
            return Err(too_many("open transactions of an account", MAX_OPEN));
        }
        if !submission.is_brief && !standing.has_room(&submission.asker, now_ms) {
            return Err(too_many("transactions of an account that ended within a day", MAX_ENDED));
        }
        let Submission { id, wallet, asker, call, deadline_ms, is_brief, .. } = submission;
        let entry = Entry::new(id, wallet, asker, address.place, (now_ms, deadline_ms), call);
        let entry = Entry { is_brief, ..entry };
        let (shown, index) = (entry.clone().shown(), standing.lane.entries.len());
        standing.lane.entries.push(entry);
        worker.commit(inner, &mut standing, &[index], 0).await?;
        worker.wake.notify_one();
        Ok(shown)
    }

    /// One of a tenant's transactions.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub async fn show(&self, tenant: TenantId, id: &str) -> Result<Transaction, TransactionsError> {
        let missing = || TransactionsError::NotFound(id.to_owned());
        if !is_transaction_id(id) {
            return Err(missing());
        }
        let entry = spaces::read(&self.inner.store, tenant, id).await?.ok_or_else(missing)?;
        let address = Address { tenant, place: entry.place };
        let worker = self.inner.workers().get(&address).cloned();
        let mut shown = entry.shown();
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
    pub async fn cancel(&self, tenant: TenantId, id: &str) -> Result<Transaction, TransactionsError> {
        self.give_up(tenant, id, Lane::abandon).await
    }

    /// Gives a transaction up if nothing was signed for it; else it goes on.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub async fn withdraw(&self, tenant: TenantId, id: &str) -> Result<Transaction, TransactionsError> {
        self.give_up(tenant, id, Lane::abandon_unsigned).await
    }

    async fn give_up(
        &self,
        tenant: TenantId,
        id: &str,
        abandon: fn(&mut Lane, &str) -> Option<usize>,
    ) -> Result<Transaction, TransactionsError> {
        let before = self.show(tenant, id).await?;
        let address = Address { tenant, place: Place { chain_id: before.chain_id, account: before.account } };
        let worker = self.inner.worker(address, false)?;
        let mut standing = worker.standing.lock().await;
        standing.refresh(&self.inner.store, &address).await?;
        if let Some(index) = abandon(&mut standing.lane, id) {
            worker.commit(&self.inner, &mut standing, &[index], 0).await?;
            worker.wake.notify_one();
        }
        drop(standing);
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

    /// Whether a tenant may have one more that is open.
    fn has_room(&self, tenant: TenantId, submission: &Submission) -> Result<(), TransactionsError> {
        let workers = self.workers();
        let loads =
            workers.values().filter(|worker| worker.address.tenant == tenant).map(|worker| worker.load());
        let (open, bytes) = loads.fold((0, 0), |(open, bytes), (more, longer)| (open + more, bytes + longer));
        let too_many = |what, max| Err(TransactionsError::TooMany { what, max });
        if open >= MAX_OPEN_OF_ONE {
            return too_many("open transactions", MAX_OPEN_OF_ONE);
        }
        if bytes + submission.call.data.0.len() > MAX_OPEN_BYTES_OF_ONE {
            return too_many("bytes of open transactions", MAX_OPEN_BYTES_OF_ONE);
        }
        Ok(())
    }

    /// What drives a lane; from the first time on, it does. One that is there already always has its place.
    fn worker(self: &Arc<Self>, address: Address, is_new: bool) -> Result<Arc<Worker>, TransactionsError> {
        let chain_id = address.place.chain_id;
        let chain = self.chains.chain(chain_id).ok_or(TransactionsError::NoChain(chain_id))?;
        let mut workers = self.workers();
        if let Some(worker) = workers.get(&address) {
            return Ok(Arc::clone(worker));
        }
        let of_one = workers.keys().filter(|other| other.tenant == address.tenant).count();
        if is_new && of_one >= MAX_LANES_OF_ONE {
            let what = "accounts that transactions go from, each on a chain";
            return Err(TransactionsError::TooMany { what, max: MAX_LANES_OF_ONE });
        }
        let worker = Worker::new(address, chain);
        workers.insert(address, Arc::clone(&worker));
        drop(workers);
        tokio::spawn(work::keep_going(Arc::clone(self), Arc::clone(&worker)));
        Ok(worker)
    }

    /// What there is already, if it does the same. By when, is the first one's to say.
    fn same(there: Entry, submission: &Submission, place: Place) -> Result<Transaction, TransactionsError> {
        let is_same = there.place == place
            && there.wallet == submission.wallet
            && there.digest == digest(&submission.call);
        if is_same { Ok(there.shown()) } else { Err(TransactionsError::Exists(submission.id.clone())) }
    }
}

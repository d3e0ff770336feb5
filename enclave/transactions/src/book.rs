//! The transactions of all tenants on chains of one family: taken in, shown, given up, each account's driven by a task of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::is_name;
use r3e_store::Store;
use tokio::sync::{Semaphore, watch};

use crate::error::TransactionsError;
use crate::family::{Family, Place, Record, Submitted};
use crate::limits::{
    MAX_ENDED, MAX_ID_BYTES, MAX_LANES_OF_ONE, MAX_OPEN, MAX_OPEN_BYTES_OF_ONE, MAX_OPEN_OF_ONE,
    QUESTIONS_OF_ONE,
};
use crate::outside::{Chains, Signer};
use crate::spaces::{self, Address};
use crate::work::{self, Worker};

/// What transactions on chains of a family are made of. `C` is what one chain is.
pub struct TransactionsParts<C: ?Sized> {
    /// Where they lie.
    pub store: Store,
    /// The time, in Unix milliseconds.
    pub now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    /// The chains that there are nodes of.
    pub chains: Arc<dyn Chains<C>>,
    /// Who signs.
    pub signer: Arc<dyn Signer>,
}

/// The transactions of all tenants. Dropped, nothing more is signed or sent.
pub(crate) struct Book<F: Family> {
    inner: Arc<Inner<F>>,
}

/// What drives each lane.
type Workers<F> = BTreeMap<Address<<F as Family>::Place>, Arc<Worker<F>>>;

/// As callers see one.
type Shown<F> = <<F as Family>::Record as Record>::Shown;

/// What its tasks share.
pub(crate) struct Inner<F: Family> {
    pub(crate) store: Store,
    now_ms: Arc<dyn Fn() -> u64 + Send + Sync>,
    chains: Arc<dyn Chains<F::Chain>>,
    pub(crate) signer: Arc<dyn Signer>,
    workers: Mutex<Workers<F>>,
    pub(crate) closed: watch::Sender<bool>,
}

impl<F: Family> Book<F> {
    /// The transactions in the store. Those that are open go on from here on. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn start(parts: TransactionsParts<F::Chain>) -> Result<Self, TransactionsError> {
        let TransactionsParts { store, now_ms, chains, signer } = parts;
        let (workers, closed) = (Mutex::default(), watch::Sender::new(false));
        let inner = Arc::new(Inner { store, now_ms, chains, signer, workers, closed });
        for address in spaces::all::<F>(&inner.store)? {
            if inner.worker(address, false).is_err() {
                // Another configuration may have them again.
                tracing::warn!(
                    chain = address.place.chain(),
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
    pub(crate) async fn submit(
        &self,
        tenant: TenantId,
        submission: F::Submission,
    ) -> Result<Shown<F>, TransactionsError> {
        let inner = &self.inner;
        if *inner.closed.borrow() {
            return Err(TransactionsError::Stopping);
        }
        if !is_transaction_id(submission.id()) {
            let rule = format!("a transaction's name has 1 to {MAX_ID_BYTES} of A-Z a-z 0-9 `-` `_` `.`");
            return Err(TransactionsError::Invalid(rule));
        }
        let now_ms = inner.now_ms();
        let address = Address { tenant, place: submission.place() };
        let there = spaces::read::<F>(&inner.store, tenant, submission.id()).await?;
        if let Some(there) = there.filter(|there| !there.is_open()) {
            return same(there, &submission);
        }
        let worker = inner.worker(address, true)?;
        let mut standing = worker.standing.lock().await;
        standing.refresh(&inner.store, &address).await?;
        if let Some(there) = spaces::read::<F>(&inner.store, tenant, submission.id()).await? {
            if there.is_open() && !standing.lane.entries.iter().any(|entry| entry.id() == there.id()) {
                // A commit that nobody was told of came through.
                standing.doubt();
                worker.wake.notify_one();
            }
            return same(there, &submission);
        }
        submission.check(now_ms)?;
        inner.has_room(tenant, &submission)?;
        let too_many = |what, max| TransactionsError::TooMany { what, max };
        if standing.lane.entries.len() >= MAX_OPEN {
            return Err(too_many("open transactions of an account", MAX_OPEN));
        }
        if !submission.is_brief() && !standing.has_room(submission.asker(), now_ms) {
            return Err(too_many("transactions of an account that ended within a day", MAX_ENDED));
        }
        let entry = submission.into_record(tenant, now_ms);
        let (shown, index) = (entry.clone().shown(None), standing.lane.entries.len());
        standing.lane.entries.push(entry);
        worker.commit(inner, &mut standing, &[index], 0).await?;
        worker.wake.notify_one();
        Ok(shown)
    }

    /// One of a tenant's transactions.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub(crate) async fn show(&self, tenant: TenantId, id: &str) -> Result<Shown<F>, TransactionsError> {
        let entry = self.find(tenant, id).await?;
        let address = Address { tenant, place: entry.place() };
        let worker = self.inner.workers().get(&address).cloned();
        let mut trouble = None;
        if let Some(worker) = worker.filter(|_| entry.is_open()) {
            let standing = worker.standing.lock().await;
            let of_it = standing.lane.entries.iter().find(|entry| entry.id() == id);
            trouble = of_it.and_then(Record::trouble).map(str::to_owned).or_else(|| worker.trouble());
        }
        Ok(entry.shown(trouble))
    }

    async fn find(&self, tenant: TenantId, id: &str) -> Result<F::Record, TransactionsError> {
        let missing = || TransactionsError::NotFound(id.to_owned());
        if !is_transaction_id(id) {
            return Err(missing());
        }
        spaces::read::<F>(&self.inner.store, tenant, id).await?.ok_or_else(missing)
    }

    /// The names of a tenant's transactions behind `after`, open ones and those that ended last.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn names(
        &self,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, TransactionsError> {
        spaces::names::<F>(&self.inner.store, tenant, after, limit)
    }

    /// As many of a tenant's transactions behind `after` as `limit`, and the name to go on behind.
    ///
    /// # Errors
    /// The store's.
    pub(crate) async fn page(
        &self,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Shown<F>>, Option<String>), TransactionsError> {
        let names = self.names(tenant, after, limit)?;
        let mut page = Vec::with_capacity(names.len());
        for name in &names {
            match self.show(tenant, name).await {
                Ok(shown) => page.push(shown),
                // It made way meanwhile.
                Err(TransactionsError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok((page, names.last().filter(|_| names.len() == limit).cloned()))
    }

    /// Gives a transaction up, if it `may` be.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub(crate) async fn give_up(
        &self,
        tenant: TenantId,
        id: &str,
        may: fn(&F::Record) -> bool,
    ) -> Result<Shown<F>, TransactionsError> {
        let before = self.find(tenant, id).await?;
        let address = Address { tenant, place: before.place() };
        let worker = self.inner.worker(address, false)?;
        let mut standing = worker.standing.lock().await;
        standing.refresh(&self.inner.store, &address).await?;
        if let Some(index) = standing.lane.give_up(id, may) {
            worker.commit(&self.inner, &mut standing, &[index], 0).await?;
            worker.wake.notify_one();
        }
        drop(standing);
        self.show(tenant, id).await
    }

    /// Signs and sends nothing more: the appliance stops, or was handed over.
    pub(crate) fn close(&self) {
        self.inner.closed.send_replace(true);
    }
}

impl<F: Family> Drop for Book<F> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<F: Family> Inner<F> {
    pub(crate) fn now_ms(&self) -> u64 {
        (self.now_ms)()
    }

    fn workers(&self) -> MutexGuard<'_, Workers<F>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a tenant may have one more that is open.
    fn has_room(&self, tenant: TenantId, submission: &F::Submission) -> Result<(), TransactionsError> {
        let workers = self.workers();
        let loads =
            workers.values().filter(|worker| worker.address.tenant == tenant).map(|worker| worker.load());
        let (open, bytes) = loads.fold((0, 0), |(open, bytes), (more, longer)| (open + more, bytes + longer));
        let too_many = |what, max| Err(TransactionsError::TooMany { what, max });
        if open >= MAX_OPEN_OF_ONE {
            return too_many("open transactions", MAX_OPEN_OF_ONE);
        }
        if bytes + submission.bytes() > MAX_OPEN_BYTES_OF_ONE {
            return too_many("bytes of open transactions", MAX_OPEN_BYTES_OF_ONE);
        }
        Ok(())
    }

    /// What drives a lane; from the first time on, it does. One that is there already always has its place.
    fn worker(
        self: &Arc<Self>,
        address: Address<F::Place>,
        is_new: bool,
    ) -> Result<Arc<Worker<F>>, TransactionsError> {
        let chain_id = address.place.chain();
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
        let is_beside = |other: &&Arc<Worker<F>>| {
            other.address.tenant == address.tenant && other.address.place.chain() == chain_id
        };
        let turns = workers.values().find(is_beside).map(|other| Arc::clone(&other.turns));
        let turns = turns.unwrap_or_else(|| Arc::new(Semaphore::new(QUESTIONS_OF_ONE)));
        let worker = Worker::new(address, chain, turns);
        workers.insert(address, Arc::clone(&worker));
        drop(workers);
        tokio::spawn(work::keep_going(Arc::clone(self), Arc::clone(&worker)));
        Ok(worker)
    }
}

/// Whether a transaction may be called that.
pub fn is_transaction_id(id: &str) -> bool {
    is_name(id) && id.len() <= MAX_ID_BYTES
}

/// What there is already, if it does the same.
fn same<S: Submitted>(
    there: S::Record,
    submission: &S,
) -> Result<<S::Record as Record>::Shown, TransactionsError> {
    if submission.is_same(&there) {
        Ok(there.shown(None))
    } else {
        Err(TransactionsError::Exists(submission.id().to_owned()))
    }
}

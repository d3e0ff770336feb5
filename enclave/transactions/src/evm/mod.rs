//! Chains like Ethereum (`eip155` of CAIP-2): an account's transactions take turns by their nonces, and what waits too long is replaced.

mod call;
mod chain;
mod entry;
mod fees;
mod lane;
mod look;
mod said;

use std::sync::Arc;
use std::time::Duration;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::Transaction;
use r3e_proto::api::wallets::EvmAddress;

pub use self::call::Submission;
pub use self::chain::EvmChain;
use self::entry::Entry;
use self::lane::Place;
pub use self::lane::{Receipt, Rules, View};
pub use self::said::{Refusal, refusal};
use crate::book::{Book, Inner, TransactionsParts};
use crate::error::TransactionsError;
use crate::family::{self, Family, Record as _, Spaces};
use crate::outside::Chain;
use crate::work::{Broken, Worker};

/// Transactions of all tenants on chains like Ethereum. Dropped, nothing more is signed or sent.
pub struct Transactions(Book<Evm>);

impl Transactions {
    /// The transactions in the store. Those that are open go on from here on. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The store's.
    pub fn start(parts: TransactionsParts<dyn Chain>) -> Result<Self, TransactionsError> {
        Book::start(parts).map(Self)
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
        self.0.submit(tenant, submission).await
    }

    /// One of a tenant's transactions.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub async fn show(&self, tenant: TenantId, id: &str) -> Result<Transaction, TransactionsError> {
        self.0.show(tenant, id).await
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
        self.0.names(tenant, after, limit)
    }

    /// As many of a tenant's transactions behind `after` as `limit`, and the name to go on behind.
    ///
    /// # Errors
    /// The store's.
    pub async fn page(
        &self,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Transaction>, Option<String>), TransactionsError> {
        self.0.page(tenant, after, limit).await
    }

    /// Gives a transaction up: what is out is replaced by nothing, under the same nonce. The chain may still take it as it was.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub async fn cancel(&self, tenant: TenantId, id: &str) -> Result<Transaction, TransactionsError> {
        self.0.give_up(tenant, id, |_| true).await
    }

    /// Gives a transaction up if nothing was signed for it; else it goes on.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub async fn withdraw(&self, tenant: TenantId, id: &str) -> Result<Transaction, TransactionsError> {
        self.0.give_up(tenant, id, |entry| !entry.is_signed()).await
    }

    /// Signs and sends nothing more: the appliance stops, or was handed over.
    pub fn close(&self) {
        self.0.close();
    }
}

/// The family.
pub(crate) struct Evm;

impl Family for Evm {
    const SPACES: Spaces =
        Spaces { records: "transactions", lanes: "transaction-lanes", index: "transaction-index" };

    type Place = Place;
    type Record = Entry;
    type Submission = Submission;
    type Chain = dyn Chain;

    fn pause(chain: &Self::Chain) -> Duration {
        chain.pause()
    }

    async fn look(inner: &Inner<Self>, worker: &Arc<Worker<Self>>) -> Result<bool, Broken> {
        look::look(inner, worker).await
    }
}

impl family::Place for Place {
    fn chain(&self) -> u64 {
        self.chain_id
    }

    fn key(&self) -> String {
        format!("{}.{}", self.chain_id, self.account)
    }

    fn parse(key: &str) -> Option<Self> {
        let (chain_id, account) = key.split_once('.')?;
        Some(Self { chain_id: chain_id.parse().ok()?, account: account.parse::<EvmAddress>().ok()? })
    }
}

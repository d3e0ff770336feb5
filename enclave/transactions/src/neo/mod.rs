//! Networks of Neo N3 (`neo3` of CAIP-2). There are no nonces, and a block is final as soon as it is there. What is signed for a
//! transaction is signed once, and never anew: it has a last block, and once enough nodes are beyond that one without it, none has it.

mod call;
mod chain;
mod entry;
mod look;
mod price;

use std::sync::Arc;
use std::time::Duration;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::neo_transactions::SentNeoTransaction;

pub use self::call::NeoSubmission;
pub use self::chain::{Found, NeoChain, NeoNodes, NeoTurn, Pace, Ran, in_words, refused_by};
use self::entry::{Entry, Place};
pub use self::price::{NotPriced, price};
use crate::book::{Book, Inner, TransactionsParts};
use crate::error::TransactionsError;
use crate::family::{Family, Spaces};
use crate::work::{Broken, Worker};

/// Transactions of all tenants on networks of Neo N3. Dropped, nothing more is signed or sent.
pub struct NeoTransactions(Book<Neo>);

impl NeoTransactions {
    /// As [`crate::Transactions::start`].
    ///
    /// # Errors
    /// The store's.
    pub fn start(parts: TransactionsParts<dyn NeoChain>) -> Result<Self, TransactionsError> {
        Book::start(parts).map(Self)
    }

    /// As [`crate::Transactions::submit`].
    ///
    /// # Errors
    /// [`TransactionsError::Invalid`], [`TransactionsError::Exists`], [`TransactionsError::NoChain`], [`TransactionsError::TooMany`]; the store's.
    pub async fn submit(
        &self,
        tenant: TenantId,
        submission: NeoSubmission,
    ) -> Result<SentNeoTransaction, TransactionsError> {
        self.0.submit(tenant, submission).await
    }

    /// One of a tenant's transactions.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub async fn show(&self, tenant: TenantId, id: &str) -> Result<SentNeoTransaction, TransactionsError> {
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
    ) -> Result<(Vec<SentNeoTransaction>, Option<String>), TransactionsError> {
        self.0.page(tenant, after, limit).await
    }

    /// Gives a transaction up: nothing is signed for it any more, and what was is given to no node again. The chain may still take that,
    /// until its last block.
    ///
    /// # Errors
    /// [`TransactionsError::NotFound`]; the store's.
    pub async fn cancel(&self, tenant: TenantId, id: &str) -> Result<SentNeoTransaction, TransactionsError> {
        self.0.give_up(tenant, id, |_| true).await
    }

    /// Signs and sends nothing more: the appliance stops, or was handed over.
    pub fn close(&self) {
        self.0.close();
    }
}

/// The family.
pub(crate) struct Neo;

impl Family for Neo {
    const SPACES: Spaces = Spaces {
        records: "neo-transactions",
        lanes: "neo-transaction-lanes",
        index: "neo-transaction-index",
    };

    type Place = Place;
    type Record = Entry;
    type Submission = NeoSubmission;
    type Chain = dyn NeoChain;

    fn pause(chain: &Self::Chain) -> Duration {
        chain.pause()
    }

    async fn look(inner: &Inner<Self>, worker: &Arc<Worker<Self>>) -> Result<bool, Broken> {
        look::look(inner, worker).await
    }
}

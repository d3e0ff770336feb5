//! Families of chains, as CAIP-2 has them for namespaces: what the book of transactions needs to know of each.

use std::sync::Arc;
use std::time::Duration;

use r3e_proto::api::identity::TenantId;
use r3e_proto::api::transactions::Reason;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::book::Inner;
use crate::error::TransactionsError;
use crate::outside::Asker;
use crate::work::{Broken, Worker};

/// One family: what its transactions are, and how an account's are brought onto a chain of it.
pub(crate) trait Family: Sized + Send + Sync + 'static {
    /// Where its records lie.
    const SPACES: Spaces;

    type Place: Place;
    type Record: Record<Place = Self::Place>;
    type Submission: Submitted<Record = Self::Record>;
    type Chain: ?Sized + Send + Sync;

    /// Between two looks at a chain.
    fn pause(chain: &Self::Chain) -> Duration;

    /// One look at an account's. Whether another is needed after it.
    fn look(
        inner: &Inner<Self>,
        worker: &Arc<Worker<Self>>,
    ) -> impl Future<Output = Result<bool, Broken>> + Send;
}

/// The names of namespaces.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spaces {
    /// Of a tenant: transactions, by name.
    pub(crate) records: &'static str,
    /// Of a tenant: which of them an account on a chain has.
    pub(crate) lanes: &'static str,
    /// Of the appliance: the accounts there are.
    pub(crate) index: &'static str,
}

/// Which account, on which chain.
pub(crate) trait Place: Copy + Ord + Send + Sync + 'static {
    /// The chain's number.
    fn chain(&self) -> u64;

    /// As it is a key.
    fn key(&self) -> String;

    /// The place of a key.
    fn parse(key: &str) -> Option<Self>;
}

/// One transaction as it is kept.
pub(crate) trait Record: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    type Place: Place;
    /// As callers see it.
    type Shown: Send;

    fn id(&self) -> &str;
    fn place(&self) -> Self::Place;
    fn asker(&self) -> &Asker;
    /// Nothing is known yet of what became of it.
    fn is_open(&self) -> bool;
    /// Something was signed for it.
    fn is_signed(&self) -> bool;
    /// It is not to be done any more.
    fn is_abandoned(&self) -> bool;
    /// Its name is given once, so that it is forgotten early.
    fn is_brief(&self) -> bool;
    /// Of what it does.
    fn bytes(&self) -> usize;
    /// It is not to be done any more. Where nothing was signed for it, that is all.
    fn give_up(&mut self, reason: Reason);
    /// As it is written down: once it has ended, without what is needed no more.
    fn kept(&self) -> Self;
    /// As it is shown, with what holds it up.
    fn shown(self, trouble: Option<String>) -> Self::Shown;
    /// What holds it up.
    fn trouble(&self) -> Option<&str>;
}

/// What is asked for, and whose it is.
pub(crate) trait Submitted: Send {
    type Record: Record;

    fn id(&self) -> &str;
    fn place(&self) -> <Self::Record as Record>::Place;
    fn asker(&self) -> &Asker;
    fn is_brief(&self) -> bool;
    fn bytes(&self) -> usize;

    /// Whether it breaks a rule.
    ///
    /// # Errors
    /// [`TransactionsError::Invalid`].
    fn check(&self, now_ms: u64) -> Result<(), TransactionsError>;

    /// Whether `there` does the same. By when, is the first one's to say.
    fn is_same(&self, there: &Self::Record) -> bool;

    /// One for which nothing was signed yet.
    fn into_record(self, tenant: TenantId, now_ms: u64) -> Self::Record;
}

/// The open transactions of an account on a chain, in the order in which they came. Those that have ended are taken out by the commit that says so.
#[derive(Debug)]
pub(crate) struct Lane<R> {
    pub(crate) entries: Vec<R>,
}

impl<R> Default for Lane<R> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<R: Record> Lane<R> {
    /// Gives a transaction up, if it `may` be. Whether there is one, and it is not given up already.
    pub(crate) fn give_up(&mut self, id: &str, may: impl Fn(&R) -> bool) -> Option<usize> {
        let is_it = |entry: &R| entry.id() == id && entry.is_open() && !entry.is_abandoned() && may(entry);
        let index = self.entries.iter().position(is_it)?;
        self.entries.get_mut(index)?.give_up(Reason::Cancelled);
        Some(index)
    }

    pub(crate) fn is_idle(&self) -> bool {
        !self.entries.iter().any(Record::is_open)
    }
}

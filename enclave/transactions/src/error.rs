//! Why something was not done with a transaction.

use r3e_store::StoreError;

/// Why something was not done with a transaction.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionsError {
    /// What was asked breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// The tenant has no such transaction.
    #[error("there is no transaction {0:?}")]
    NotFound(String),
    /// There is one of this name that does something else.
    #[error("there is a transaction {0:?} already, which does something else")]
    Exists(String),
    /// One more would be over a limit.
    #[error("{what}: at most {max}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The chain cannot be reached from here.
    #[error("this appliance has no nodes of the chain {0}")]
    NoChain(u64),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record that the store vouches for, and that this release cannot read or write.
    #[error("a transaction's record cannot be read or written: {0}")]
    Record(String),
    /// The appliance stops.
    #[error("the appliance stops, or is being handed over; try again in some seconds")]
    Stopping,
}

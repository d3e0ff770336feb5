//! What can go wrong with an operation on the ledger, and what to do next.

use r3e_proto::api::billing::Amount;
use r3e_store::StoreError;
use thiserror::Error;

/// Why the ledger did not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is nothing that amounts could be in.
    #[error("the measured configuration names no currency: add [billing] with `currency` and `decimals`")]
    NoCurrency,
    /// A plan that the configuration does not have.
    #[error("the measured configuration has no plan {0:?}")]
    NoSuchPlan(String),
    /// More was asked for than there is.
    #[error("this takes {needed}, and {available} can be spent; deposit the difference first")]
    Insufficient {
        /// What it takes.
        needed: Amount,
        /// What there is.
        available: Amount,
    },
    /// A transfer of nothing, or of more than an account holds.
    #[error("a transfer moves more than zero, and no account holds more than 10^30")]
    Amount,
    /// A reference that is none.
    #[error("a reference has 1 to 128 printable ASCII characters without blanks")]
    Reference,
    /// The reference was used for something else.
    #[error("the reference {0:?} is that of another transfer: of another tenant, or of another amount")]
    ReferenceTaken(String),
    /// The tenant's plans changed faster than what was admitted under them ended.
    #[error("what runs under the plans before has not ended yet; try again in a minute")]
    PlanInUse,
    /// The commit was neither confirmed nor refused in time.
    #[error(
        "the change was not confirmed in time, and may stand or not; look, or repeat it with the same reference"
    )]
    Unconfirmed,
    /// The ledger's records are still being read.
    #[error("the ledger is not read yet; try again in a second")]
    NotReady,
    /// The records are not what a ledger's are, or another configuration's. Nothing is admitted or changed.
    #[error("the ledger is closed: {0}")]
    Closed(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

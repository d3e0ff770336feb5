//! Metering, quotas, price plans, and the balance of each tenant by double entry.
//!
//! ```text
//! limits of a function -> Ledger::admit -> Admission -> settle(what it used) -> counters in memory
//!                             |   (no room)                                          |
//!                             v                                                      v  every few seconds
//! deposit, withdrawal, plan -> writer: one task, one commit at a time -> {counters, accounts, entries, head}
//! ```
//!
//! - `terms`: currency, plans and quotas, as the measured configuration has them; `price`: what usage costs.
//! - `account`: one tenant's account and what may be done with it, as pure functions over a copy; `entries`: how they are kept.
//! - `live`: what is only in memory: usage that is not written yet, and what runs now.
//! - `writer`: every change of the sealed records, in one commit each, numbered, and compared with the one before.
//!
//! Usage of the last seconds is lost with the process that gathered it, and never counted twice; money never is lost: what
//! was set aside by a process that ended is found, charged as far as it was recorded as used, and given back.
//!
//! This crate knows nothing of HTTP, of who may ask, of how functions run, or of any chain.

#![forbid(unsafe_code)]

mod account;
mod admission;
mod books;
mod entries;
mod error;
mod ledger;
pub mod limits;
mod live;
mod price;
mod state;
mod storage;
mod terms;
mod transfers;
mod usage;
mod writer;

pub use admission::{Admission, Charge, NotAdmitted};
pub use error::LedgerError;
pub use ledger::{Ledger, Options};
pub use storage::Kept;
pub use terms::{BillingTable, Terms, TermsError};
pub use transfers::{TransferFuture, Transfers};

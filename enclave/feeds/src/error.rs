//! Why something was not done with a feed.

use r3e_store::StoreError;

use crate::limits::MAX_FEEDS;

/// Why something was not done with a feed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedsError {
    /// A definition, or what was asked, breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// The tenant has no such feed, or nobody may see it.
    #[error("there is no feed {0:?}")]
    NotFound(String),
    /// It has no such report.
    #[error("the feed has no such report: {0}")]
    NoReport(&'static str),
    /// One more would be over a limit.
    #[error("{what}: at most {max}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// The appliance has as many as it can.
    #[error("the appliance has {MAX_FEEDS} feeds, as many as it can")]
    Full,
    /// It changed meanwhile, or something that it needs is not there now.
    #[error("{0}")]
    Unavailable(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The appliance stops.
    #[error("the appliance stops, or is being handed over; try again in some seconds")]
    Stopping,
    /// A record that the store vouches for, and that this release cannot read or write.
    #[error("a feed's record cannot be read or written: {0}")]
    Record(String),
    /// A report could not be signed.
    #[error("a report could not be signed: {0}")]
    Signing(String),
}

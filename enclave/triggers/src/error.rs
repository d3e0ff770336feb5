//! Why something was not done with a trigger.

use r3e_jobs::JobsError;
use r3e_store::StoreError;
use thiserror::Error;

/// Why something was not done with a trigger.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TriggersError {
    /// A field breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// The tenant has no such function.
    #[error("there is no function {0:?}")]
    NoFunction(String),
    /// The tenant has no such trigger.
    #[error("there is no trigger {0:?}")]
    NotFound(String),
    /// There is a trigger of that name, which is not the function's.
    #[error("there is a trigger {0:?} that this function did not make")]
    NotItsOwn(String),
    /// There is no such public route.
    #[error("there is no hook of this id")]
    NoHook,
    /// One more would be over a limit.
    #[error("at most {0} triggers; delete one first")]
    TooMany(usize),
    /// The appliance has as many as it can.
    #[error("the appliance has as many triggers as it can")]
    Full,
    /// It fires nothing.
    #[error("the trigger is paused")]
    Paused,
    /// A signature or a key does not hold.
    #[error("the request is not signed as it should be")]
    Refused,
    /// More comes than is taken.
    #[error(
        "more comes in a minute than this hook, or all of the tenant's triggers together, may take; try again in some seconds"
    )]
    TooFast,
    /// Something that it needs is not there now.
    #[error("{0}")]
    Unavailable(String),
    /// The job.
    #[error(transparent)]
    Job(#[from] JobsError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The appliance stops.
    #[error("the appliance stops, or is being handed over; try again in some seconds")]
    Stopping,
    /// How far a chain was read is not what it was when this was read.
    #[error("the trigger's chain was read on meanwhile")]
    Overtaken,
    /// The random generator.
    #[error("the random generator failed")]
    Random,
    /// A record that the store vouches for, and that this release cannot read or write.
    #[error("a trigger's record cannot be read or written: {0}")]
    Record(String),
}

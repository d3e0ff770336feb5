//! Why something was not done with a job.

use r3e_proto::api::jobs::{JobId, JobState};
use r3e_store::StoreError;
use thiserror::Error;

use crate::limits::{MAX_BYTES_OF_ONE, MAX_JOBS_OF_ONE, MAX_QUEUED_OF_ONE};

/// Why something was not done with a job.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum JobsError {
    /// A field breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// The tenant has no such function.
    #[error("there is no function {0:?}")]
    NoFunction(String),
    /// The tenant has no such job, or its time is over.
    #[error("there is no job {0}")]
    NotFound(JobId),
    /// The idempotency key was used with another content.
    #[error("the idempotency key was used for another job already, with another function, event or policy")]
    KeyReused,
    /// A record that was to be written with the job changed meanwhile.
    #[error("what was to be written with the job changed meanwhile; read it again")]
    Overtaken,
    /// An attempt is under way, or the job has ended.
    #[error("the job {id} is {state}; only a queued one can be cancelled")]
    Begun {
        /// The job.
        id: JobId,
        /// Where it is.
        state: JobState,
    },
    /// The job has not ended.
    #[error("the job {id} is {state}; one that has ended can be replayed")]
    NotEnded {
        /// The job.
        id: JobId,
        /// Where it is.
        state: JobState,
    },
    /// As many jobs wait as may.
    #[error("{}; try again in {} s", .full, .full.retry_after_s())]
    Full {
        /// What there is no room for.
        full: Full,
    },
    /// The function's grants could not be read now.
    #[error("the function cannot be looked up now: {0}")]
    Unavailable(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The appliance stops, or is being handed over.
    #[error("the appliance stops, or is being handed over; try again in some seconds")]
    Stopping,
    /// The random generator.
    #[error("the random generator failed")]
    Random,
    /// A record that the store vouches for, and that this release cannot read or write.
    #[error("a job's record cannot be read or written: {0}")]
    Record(String),
}

/// What there is no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Full {
    /// The tenant's queue.
    #[error("{MAX_QUEUED_OF_ONE} jobs of this tenant's wait or are under way already")]
    Queue,
    /// What the tenant has of jobs, ended ones among them.
    #[error("this tenant has {MAX_JOBS_OF_ONE} jobs, those that have ended and are kept among them")]
    Kept,
    /// The bytes of its jobs.
    #[error(
        "the events and results of this tenant's jobs have {MAX_BYTES_OF_ONE} bytes, those that have ended among them"
    )]
    Bytes,
    /// The appliance's.
    #[error("the appliance has as many jobs as it can")]
    Appliance,
}

impl Full {
    /// After how long to try again, in seconds.
    pub fn retry_after_s(self) -> u32 {
        match self {
            Self::Queue => crate::limits::FULL_RETRY_AFTER_S,
            Self::Kept | Self::Bytes | Self::Appliance => crate::limits::KEPT_RETRY_AFTER_S,
        }
    }
}

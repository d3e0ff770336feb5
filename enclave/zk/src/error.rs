//! Why there is no proof, or no verdict about one.

use r3e_functions::runner_pool::InvocationError;
use r3e_functions::{ProofError, SourceError};
use thiserror::Error;

/// Why there is no proof, or no verdict about one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ZkError {
    /// The request breaks a rule.
    #[error("{0}")]
    Refused(String),
    /// As many jobs wait as may, or none of this tenant's came to its turn in time.
    #[error("as many proofs are waited for as may be; try again in a second")]
    Busy,
    /// There is no program that makes proofs.
    #[error("this appliance makes no proofs: its image was built without r3e-prover")]
    NoProver,
    /// The job took longer than it may.
    #[error("the proof took longer than it may; the appliance is busy: try again, or ask for less at once")]
    TimedOut,
    /// The process failed.
    #[error("the process that makes proofs failed")]
    Prover(#[source] InvocationError),
    /// It answered what it is not asked for.
    #[error("the process that makes proofs gave no answer to what it was asked")]
    Answer,
    /// It cannot be started at all.
    #[error("the processes that make proofs cannot be started")]
    Start(#[source] std::io::Error),
}

impl From<InvocationError> for ZkError {
    fn from(error: InvocationError) -> Self {
        match error {
            InvocationError::Busy { .. } | InvocationError::NotReady => Self::Busy,
            InvocationError::Timeout { .. } | InvocationError::CpuLimit { .. } => Self::TimedOut,
            error => Self::Prover(error),
        }
    }
}

/// What a function is told.
impl From<ZkError> for ProofError {
    fn from(error: ZkError) -> Self {
        match error {
            ZkError::Refused(why) => Self::Invalid(why),
            ZkError::Busy | ZkError::TimedOut | ZkError::NoProver => Self::Busy(error.to_string()),
            error => Self::Unavailable(SourceError(error.to_string())),
        }
    }
}

//! Zero-knowledge proofs: what their failures are to whoever asked.

use r3e_zk::ZkError;

use super::ServiceError;
use super::error::with_causes;

/// What a tenant is told.
pub(crate) fn zk_error(error: ZkError) -> ServiceError {
    match error {
        ZkError::Refused(why) => ServiceError::Invalid(why),
        ZkError::NoProver => ServiceError::Unsupported(error.to_string()),
        ZkError::Busy | ZkError::TimedOut => ServiceError::Busy(error.to_string()),
        error => ServiceError::Internal(with_causes(&error)),
    }
}

//! Why a service did not do what it was asked.

use std::time::Duration;

use r3e_store::StoreError;
use thiserror::Error;

/// Why a service did not do what it was asked. The router turns each into a status and a stable code.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum ServiceError {
    /// A field of the request breaks a rule.
    #[error("{0}")]
    Invalid(String),
    /// No such object of this tenant's.
    #[error("there is no {kind} {name:?}")]
    NotFound {
        /// What was looked for.
        kind: &'static str,
        /// Its name or id.
        name: String,
    },
    /// It exists already, or it changed meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// One more would be over a limit.
    #[error("{what}: at most {max}; delete one first")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The limit.
        max: usize,
    },
    /// A wallet's policy does not allow it.
    #[error("{message}")]
    Denied {
        /// The rule's stable code.
        code: &'static str,
        /// For a person.
        message: String,
    },
    /// There is no room for one more, and nothing that could make way.
    #[error("{0}")]
    NoRoom(String),
    /// The image lacks what it would take.
    #[error("{0}")]
    Unsupported(String),
    /// The function's code was refused.
    #[error("{0}")]
    InvalidFunction(String),
    /// Over a queue or a rate.
    #[error("{0}")]
    Busy(String),
    /// As many events wait as may.
    #[error("{message}")]
    Overloaded {
        /// For a person.
        message: String,
        /// How long an event that came now would wait, as far as the latest ones tell.
        expected_wait: Duration,
    },
    /// What it costs is not covered, or what it is charged by is not there.
    #[error("{message}")]
    Payment {
        /// The stable code.
        code: &'static str,
        /// For a person.
        message: String,
    },
    /// Over what may be used in a month.
    #[error("{message}")]
    OverQuota {
        /// For a person.
        message: String,
        /// When it may be tried again.
        retry_after_s: u64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault of the appliance's.
    #[error("a fault of the appliance: {0}")]
    Internal(String),
}

/// An error with all that it was caused by: what fails inside is found in the log, not in a debugger.
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

//! Why there are no credentials.

use std::io;

/// Why the metadata service gave no credentials. None holds a part of them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialsError {
    /// It was not reached.
    #[error("the metadata service cannot be reached: {0}. Is this an EC2 instance?")]
    Unreachable(io::Error),
    /// It took too long.
    #[error("the metadata service did not answer in time: a hop limit that is too low looks like this")]
    TimedOut,
    /// It ended the connection, or did not speak HTTP.
    #[error("the metadata service did not answer whole: {0}")]
    Http(#[from] hyper::Error),
    /// It answered with more than there is to say.
    #[error("the metadata service answered with too many bytes")]
    TooLong,
    /// It gives no token. Its first version, which needs none, is never used: whatever can make this machine send a
    /// request could use it, too.
    #[error(
        "the metadata service gives no token (status {status}): version 2 must be enabled; version 1 is not used"
    )]
    NoToken {
        /// The status.
        status: u16,
    },
    /// No role is attached.
    #[error("no role is attached to this instance: attach one that the key's policy names")]
    NoRole,
    /// It answered with another status.
    #[error("the metadata service answered {status} for {what}")]
    Status {
        /// What was asked for.
        what: &'static str,
        /// The status.
        status: u16,
    },
    /// It answered with something else.
    #[error("what the metadata service gave cannot be credentials: {0}")]
    Form(&'static str),
}

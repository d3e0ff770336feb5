//! What can go wrong with keys. No variant carries key material.

use std::error::Error;

use r3e_proto::WireError;

/// A cause from another layer, kept for the log.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// Why a key could not be had or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A name inside a path is empty or longer than [`crate::limits::MAX_NAME_BYTES`].
    #[error("a name in a key path has {bytes} bytes; use 1 to {limit}")]
    Name {
        /// The length of the name that was refused.
        bytes: usize,
        /// The longest one allowed.
        limit: usize,
    },
    /// The message to sign is longer than [`crate::limits::MAX_SIGNED_MESSAGE_BYTES`].
    #[error("the message has {bytes} bytes; sign a hash of anything over {limit}")]
    Message {
        /// The length of the message that was refused.
        bytes: usize,
        /// The longest one allowed.
        limit: usize,
    },
    /// The entropy source failed: the appliance must not start.
    #[error("the entropy source failed; the appliance must not start")]
    Entropy(#[source] BoxError),
    /// The entropy source answered, but with a constant: the appliance must not start.
    #[error("the entropy source answered with one byte repeated; the appliance must not start")]
    DeadEntropy,
    /// An unlock provider could not release the root secret.
    #[error("the unlock provider `{provider}` did not release the root secret")]
    Locked {
        /// [`crate::UnlockProvider::name`].
        provider: &'static str,
        /// The provider's own reason.
        #[source]
        source: BoxError,
    },
    /// An unlock provider could not take over a root secret that came by handoff.
    #[error(
        "the unlock provider `{provider}` has not taken the root secret over: the appliance would not come back from a \
         restart"
    )]
    NotAdopted {
        /// [`crate::UnlockProvider::name`].
        provider: &'static str,
        /// The provider's own reason.
        #[source]
        source: BoxError,
    },
    /// No range of numbers that can be asked for; why, in words.
    #[error("{0}")]
    Range(String),
    /// What a random number is drawn for breaks a rule.
    #[error("{0}")]
    Occasion(#[source] WireError),
    /// The cryptographic library refused an operation that cannot fail on these inputs.
    #[error("the cryptographic library refused to {operation}")]
    Library {
        /// What was asked of it.
        operation: &'static str,
    },
}

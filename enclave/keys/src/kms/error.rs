//! Why the provider did not release the root secret. Each says what to do next; none carries a secret.

use std::fmt;

use super::{cms::CmsError, seams::HttpsError, slot::SlotError};
use crate::{BoxError, KeyError, limits::MAX_KMS_ATTEMPTS};

/// What is asked of KMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A new data key.
    GenerateDataKey,
    /// An old one.
    Decrypt,
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::GenerateDataKey => "GenerateDataKey",
            Self::Decrypt => "Decrypt",
        })
    }
}

/// Why there is no root secret. `message` is KMS's own, shortened; it is for the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KmsError {
    /// The key's policy does not allow it.
    #[error(
        "KMS denies {operation}: {message}. The key's policy must allow it to the parent's role, for this image \
         (kms:RecipientAttestation:PCR0 and whichever other PCRs it names) and this encryption context \
         (r3e:appliance, r3e:image); see docs/unlock.md"
    )]
    AccessDenied {
        /// What was asked.
        operation: Operation,
        /// KMS's words.
        message: String,
    },
    /// The ciphertext is of another key.
    #[error(
        "the ciphertext in the slot is of another KMS key: is this the slot of another appliance, or did \
         unlock.aws_kms.key_arn change?"
    )]
    WrongKey,
    /// The ciphertext is not of this context, or it was changed.
    #[error(
        "KMS cannot decrypt the ciphertext in the slot: it was changed, or it is of another encryption context, that is of \
         another appliance"
    )]
    Ciphertext,
    /// The answer is of another key.
    #[error(
        "KMS answered {operation} with the key {answered:?}, not the pinned one: do not trust this endpoint"
    )]
    AnswerKey {
        /// What was asked.
        operation: Operation,
        /// The key that the answer names.
        answered: String,
    },
    /// The key cannot be used.
    #[error(
        "the KMS key cannot be used ({code}): {message}. It must exist, be enabled, and be for ENCRYPT_DECRYPT"
    )]
    KeyUnusable {
        /// KMS's name of the reason.
        code: String,
        /// KMS's words.
        message: String,
    },
    /// Too many requests, even after waiting.
    #[error("KMS throttled {MAX_KMS_ATTEMPTS} attempts: {message}")]
    Throttled {
        /// KMS's words.
        message: String,
    },
    /// KMS failed, even after waiting.
    #[error("KMS failed {MAX_KMS_ATTEMPTS} times, at last with {status}: {message}")]
    Unavailable {
        /// The last status.
        status: u16,
        /// KMS's words.
        message: String,
    },
    /// KMS refused the request itself.
    #[error("KMS refused {operation} ({code}): {message}")]
    Refused {
        /// What was asked.
        operation: Operation,
        /// KMS's name of the reason.
        code: String,
        /// KMS's words.
        message: String,
    },
    /// KMS's clock and the attestation device's differ.
    #[error("KMS says that the time of the request is wrong, which the attestation device gave: {message}")]
    ClockSkew {
        /// KMS's words.
        message: String,
    },
    /// KMS does not know the credentials.
    #[error("KMS does not accept the parent's credentials ({code}): {message}")]
    CredentialsRefused {
        /// KMS's name of the reason.
        code: String,
        /// KMS's words.
        message: String,
    },
    /// The credentials have expired.
    #[error(
        "the parent gives expired credentials: is its instance role attached, and does its metadata service answer?"
    )]
    CredentialsExpired,
    /// There are no credentials.
    #[error("the parent gives no credentials: attach an instance role, or see the parent's log")]
    NoCredentials(#[source] BoxError),
    /// The server is not KMS.
    #[error(
        "{host} did not prove that it is that host: somebody stands in between, or the roots in unlock.aws_kms are not \
         this server's"
    )]
    NotTrusted {
        /// The host.
        host: String,
        /// The reason.
        #[source]
        source: BoxError,
    },
    /// The server was not reached.
    #[error("{host} was not reached in {MAX_KMS_ATTEMPTS} attempts")]
    Unreachable {
        /// The host.
        host: String,
        /// The last reason.
        #[source]
        source: BoxError,
    },
    /// A status that KMS never answers with.
    #[error(
        "the server answered {operation} with status {status}, which KMS does not; redirects are not followed"
    )]
    Status {
        /// What was asked.
        operation: Operation,
        /// The status.
        status: u16,
    },
    /// The answer is not what KMS answers.
    #[error("the answer to {operation} is not one of KMS: {why}")]
    Answer {
        /// What was asked.
        operation: Operation,
        /// What is wrong.
        why: &'static str,
    },
    /// The answer holds the data key in the open.
    #[error(
        "the answer to {operation} holds the data key in plaintext, which KMS leaves out for a recipient: it is not used. \
         If this is KMS, the slot's key is no secret any more"
    )]
    Plaintext {
        /// What was asked.
        operation: Operation,
    },
    /// The encrypted part of the answer.
    #[error("the CiphertextForRecipient of the answer cannot be used")]
    Cms(#[from] CmsError),
    /// What is in the slot.
    #[error("the slot cannot be used")]
    Slot(#[from] SlotError),
    /// The slot was not read or written.
    #[error("the parent's slot cannot be reached")]
    SlotAccess(#[source] BoxError),
    /// The slot was filled meanwhile.
    #[error(
        "another enclave filled the slot at the same time: start again, and run one enclave on one parent"
    )]
    SlotConflict,
    /// The attestation device gave no document.
    #[error("there is no attestation document for KMS")]
    Document(#[source] BoxError),
    /// The cryptographic library refused an operation that cannot fail on these inputs.
    #[error("the cryptographic library refused to {0}")]
    Library(&'static str),
    /// Another part of the keys failed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl KmsError {
    pub(super) fn of_https(error: HttpsError, host: &str) -> Self {
        let host = host.to_owned();
        match error {
            HttpsError::NotTrusted(source) => Self::NotTrusted { host, source },
            HttpsError::Failed(source) => Self::Unreachable { host, source },
        }
    }

    /// Whether the same request may succeed a moment later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::Unavailable { .. }
                | Self::Unreachable { .. }
                | Self::CredentialsExpired
                | Self::NoCredentials(_)
        )
    }
}

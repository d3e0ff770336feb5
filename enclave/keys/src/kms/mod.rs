//! The `aws-kms` unlock provider: the root secret is made inside the enclave, and kept sealed under a data key that AWS
//! KMS gives to nobody but an enclave whose attestation document the key's policy accepts.
//!
//! ```text
//! first boot   KMS GenerateDataKey(document) -> data key, ciphertext      root from the NSM, sealed under the data key
//! later boot   slot -> ciphertext -> KMS Decrypt(document) -> data key    root opened, compared with its commitment
//! ```
//!
//! TLS to KMS ends in the enclave, and each answer is encrypted to an RSA key that this boot made ([`recipient`]), so the
//! parent carries what it cannot read. The root is never KMS's to know: who holds the data key alone has nothing, who
//! holds the slot alone has nothing. Whoever can change the key's policy can have both: `docs/unlock.md`.
//!
//! This module knows nothing of sockets, of the device, or of where credentials come from: those are the traits of
//! [`seams`], and [`Documents`](crate::Documents) and [`Slot`](crate::Slot).

mod answer;
mod arn;
mod ber;
mod client;
mod cms;
mod error;
mod policy;
mod provider;
mod recipient;
mod seams;
mod sigv4;
mod slot;

pub use arn::KeyArn;
pub use cms::{CmsError, EnvelopedData};
pub use error::{KmsError, Operation};
pub use policy::{KmsPolicy, PolicyError};
pub use provider::{AwsKms, KmsParts};
pub use seams::{Credentials, CredentialsFuture, Https, HttpsAnswer, HttpsError, HttpsFuture};
pub use sigv4::{Unsigned, sign};
pub use slot::{SealedRoot, SlotError};

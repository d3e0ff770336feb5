//! AWS KMS as an enclave meets it, and EC2's metadata service as its parent does: on one machine, for tests and local runs.
//!
//! It shares no code with the product. What it checks, it checks as AWS documents it: the signature of each request
//! ([`sigv4`]), the attestation document under a root of the test's ([`attestation`]), the key's policy with its conditions
//! on PCRs and encryption context ([`policy`]). It answers in the BER that the real service writes ([`envelope`]), keeps its
//! keys in a file, and can be told to misbehave ([`Fault`]).
//!
//! Nothing here is part of the product, and nothing it encrypts is safe.

#![forbid(unsafe_code)]
#![expect(clippy::expect_used, reason = "a test's server that cannot go on ends, and says where")]

mod accounts;
mod attestation;
mod authority;
mod envelope;
mod fault;
mod imds;
mod keys;
mod kms;
mod policy;
mod refusal;
mod server;
mod sigv4;

pub use accounts::{Accounts, Issued};
pub use attestation::NitroRoot;
pub use fault::{Fault, Faults};
pub use imds::Imds;
pub use kms::Asked;
pub use policy::{KeyPolicy, example_policy};
pub use server::{Emulator, Options};

/// Now, in milliseconds since 1970, by this machine's clock: here it is AWS's.
fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

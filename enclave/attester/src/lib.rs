//! The Attester: the one place in the appliance that talks to the Nitro Secure Module (NSM).
//!
//! It obtains Evidence (attestation documents), reads, extends and locks PCRs, draws entropy, and
//! keeps [`TrustedClock`], the only clock in the enclave that the parent instance cannot move.
//!
//! The NSM answers one request at a time and takes milliseconds for each, so [`Attester`] puts one
//! dedicated thread in front of it with a bounded queue: a caller learns at once that the queue is
//! full, waits no longer than its deadline, and never blocks an executor thread.
//!
//! This crate knows nothing of sessions, keys, policies or the wire. It does not appraise documents,
//! and it does not decide what goes into `user_data`; the session layer does.
//!
//! The seam to the device is [`NsmDriver`]. The product has one implementation, [`NsmDevice`].

#![forbid(unsafe_code)]

mod attester;
mod clock;
mod device;
mod document;
mod driver;
mod entropy;
mod error;
pub mod limits;
mod queue;
mod stats;

pub use attester::{Attester, AttesterConfig, ModuleInfo, Pcr, Version};
pub use clock::TrustedClock;
pub use device::NsmDevice;
pub use document::Document;
pub use driver::{Digest, ErrorCode, NsmDriver, Request, Response};
pub use entropy::{check_entropy_source, hwrng_is_nsm};
pub use error::{AttesterError, NsmError};
pub use stats::AttesterStats;

//! The wire of R3E Enclave: what the parent and the enclave say to each other, what an enclave claims in its
//! Evidence, and what it signs.
//!
//! `SPEC.md` beside this crate is normative; `vectors/` holds what every implementation must reproduce.
//! This crate does no I/O, knows no clock and keeps no key. It verifies signatures where a format needs it
//! (`receipt`, `release`), by a function that it is given, and nothing else; appraising an attestation document is the Verifier's job, not this crate's.

#![forbid(unsafe_code)]

pub mod anchor;
pub mod api;
pub mod channel;
pub mod function_version;
pub mod handoff;
pub mod host;
pub mod limits;
pub mod notice;
pub mod observation;
pub mod proving;
pub mod random;
pub mod receipt;
pub mod release;
pub mod report;
pub mod restore;
pub mod unlock;
pub mod wallet;
mod wire;
pub mod witness;

pub use r3e_cbor::CborError;
pub use wire::WireError;

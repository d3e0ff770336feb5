//! The attested channel, enclave's side: accept, handshake, evidence, and then HTTP with a [`Session`].
//!
//! ```text
//! listener -> TLS 1.3 -> ALPN r3e/1 -> nonce -> evidence -> HTTP with a Session -> whole API
//!                    \-> any other ALPN ---------------------> HTTP without one -> public routes
//! ```
//!
//! [`Session`]: crate::session::Session

mod batch;
mod counters;
mod handshake;
mod identity;
mod leftover;
mod listener;
mod serve;
mod stage;

pub(crate) use batch::EvidenceSource;
pub(crate) use counters::{BECAME, CLASSES, Counters};
pub use identity::IdentityError;
pub(crate) use identity::TlsIdentity;
pub(crate) use listener::Channel;
pub(crate) use stage::Stages;

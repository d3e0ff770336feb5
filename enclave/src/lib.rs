//! R3E Enclave: the process that holds keys, secrets and state, inside the enclave.
//!
//! A request walks one way: `channel` (TLS, evidence) makes a `session`; `router` turns it and the request into
//! typed authority; a `service` does the work with the capability crates. Each step consumes what the one before
//! made, so no handler runs without a session, and no session exists without evidence.
//!
//! This crate composes. It knows nothing of HTTP outside `channel` and `router`, nothing of the device's protocol
//! (`r3e-attester`), of sealing (`r3e-store`), of tenants' code (`r3e-functions`). A program wires [`Parts`] and calls
//! [`run`]; the production one is `main.rs` beside this file, and there is no switch in it that turns attestation off.

#![forbid(unsafe_code)]

mod anchor;
mod appliance;
mod aws_kms;
mod boot;
mod channel;
mod configuration;
mod descriptors;
mod handoff;
mod limits;
mod locked;
mod measure;
mod memory;
mod peer;
mod router;
mod service;
mod session;
mod unlock;
mod witness;

pub use boot::{BootError, Parts, run};
pub use channel::IdentityError;
pub use configuration::{
    Configuration, ConfigurationError, PeerChoice, PeersChoice, PeersList, UnlockChoice, WitnessChoice,
};
pub use handoff::SuccessionError;
pub use limits::HANDOFF_PATIENCE;
pub use measure::MeasureError;
pub use unlock::NoProvider;

#[cfg(test)]
#[path = "../store/tests/keeper/mod.rs"]
mod keeper;

/// The release, as it says itself. What the release is, PCR0 says.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

//! Tenants' functions: deploying, invoking, and what an invocation may reach.
//!
//! ```text
//! Deploy -> Definition -> runner loads it -> Loadable -> Registry (sealed store)
//! event  -> Invoker -> Registry -> RunnerPool <-> Host (grants, budgets) -> {secrets, store, egress, attestation}
//!                                      \-> Completed: outcome, log, usage, and their hashes
//! ```
//!
//! This crate knows nothing of HTTP, of who may ask, of keys, or of how a receipt is signed.

#![forbid(unsafe_code)]

mod check;
mod completed;
mod definition;
mod fetches;
mod host;
mod invoker;
pub mod limits;
mod logs;
mod registry;
mod runner;
pub mod runner_pool;
mod secrets;
mod sources;
mod turnstile;
mod values;
mod writes;

pub use check::{CheckError, Loadable};
pub use completed::{Completed, Hashes};
pub use definition::{Definition, DefinitionError};
pub use invoker::{InvokeError, Invoker, InvokerParts};
pub use logs::Logs;
pub use r3e_proto::function_version::Version;
pub use registry::{Deployed, Deployment, Registry, RegistryError};
pub use sources::{AttestationSource, SecretAnswer, SecretReader, SecretSource, SourceError, SourceFuture};

#[cfg(test)]
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;

//! Tenants' functions: deploying, invoking, and what an invocation may reach.
//!
//! ```text
//! Deploy -> Definition -> runner loads it -> Loadable -> Registry (sealed store)
//! event  -> Invoker -> Registry -> RunnerPool <-> Host (grants, budgets) -> {secrets, store, internet, prices, random numbers, chains, attestation}
//!                                      \-> Completed: outcome, log, usage, and their hashes
//! ```
//!
//! This crate knows nothing of HTTP, of who may ask, of keys, or of how a receipt is signed.

#![forbid(unsafe_code)]

mod admissions;
mod bundler;
mod check;
mod compiled;
mod completed;
mod counts;
mod course;
mod definition;
mod events;
mod fetches;
mod host;
mod invoker;
pub mod limits;
mod logs;
mod metrics;
mod networks;
mod observing;
mod own_triggers;
mod proofs;
mod registry;
mod runner;
pub mod runner_pool;
mod secrets;
mod sources;
mod turnstile;
mod values;
mod weather;
mod writes;

pub use admissions::{AdmissionFuture, Admissions, Admitted, NotAdmitted};
pub use bundler::{BundleError, Bundler};
pub use check::{CheckError, Loadable};
pub use completed::{Completed, Hashes};
pub use counts::{Counts, DURATION_BOUNDS_US, Ended, FunctionCounts, OUTCOMES, REASONS};
pub use course::Told;
pub use definition::{Definition, DefinitionError, Sources};
pub use invoker::{InvokeError, Invoker, InvokerParts, Run};
pub use logs::{Logs, TooManyFollowers};
pub use metrics::AllMetrics;
pub use observing::Seen;
pub use r3e_proto::function_version::Version;
pub use registry::{By, Changed, Deployed, Deployment, Draw, Registry, RegistryError};
pub use sources::{
    AnyTransaction, AttestationSource, ChainError, ChainFuture, ChangeError, ChangeFuture, ContractAnswer,
    ContractCall, Event, EventSink, FunctionVersion, Internet, LatestPrice, MadeTrigger, Networks, Notary,
    OwnTriggers, PriceSource, ProofError, ProofFuture, ProofSource, PublishError, PublishFuture, RandomError,
    RandomFuture, RandomSource, ResponseFuture, SecretAnswer, SecretReader, SecretSource, SourceError,
    SourceFuture, Taken, ToSend,
};

pub use values::Values;

#[cfg(test)]
#[path = "../../store/tests/keeper/mod.rs"]
mod keeper;

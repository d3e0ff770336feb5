//! The supervisor of runner processes: starts them, hands them events, measures them, ends them.
//!
//! Each function version is loaded in one process, of which every event gets a copy of its own; only for a function that asked
//! for it does a copy handle one event after another. What is loaded is itself a copy, of a process with an engine and without a
//! function:
//!
//! ```text
//! nursery -> one process per function version (a family) -> one process per event
//! ```
//!
//! Nothing a runner says about time, memory or itself is believed: the clocks are the kernel's, and a
//! message out of turn ends the process.
//!
//! The pool knows nothing of permissions, secrets, storage or networks: what a function asks for goes to the
//! caller's [`HostCalls`].

mod admission;
mod config;
mod engines;
mod error;
mod exchange;
mod family;
mod first;
mod forker;
mod handle;
mod held;
mod kept;
mod leases;
pub mod limits;
mod memory;
mod meter;
mod notes;
mod nursery;
mod pool;
mod process;
mod run;
mod spawner;
mod strangers;
mod waiting_calls;

pub use config::{FunctionKey, HostCalls, HostFuture, Limits, NotReady, ReadyFuture, RunnerConfig, Stage};
pub use engines::{Code, Engine, Fetching, LateSource, Layers, Source};
pub use error::{InvocationError, StartError};
pub use leases::Lease;
pub use notes::ProcessNotes;
pub use pool::{Invocation, RunnerPool, Usage};
pub use r3e_runner_api::{
    Fault, FaultKind, HostCall, HostError, HostErrorCode, HostReply, HostValue, LogLevel, LogRecord,
    SecretText,
};

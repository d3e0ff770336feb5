//! The supervisor of runner processes: starts them, hands them events, measures them, ends them.
//!
//! One process serves one version of one tenant's function, one event at a time, and is kept warm between events.
//! Nothing a runner says about time, memory or itself is believed: the clocks are the kernel's, and a
//! message out of turn ends the process.
//!
//! The pool knows nothing of permissions, secrets, storage or networks: what a function asks for goes to the
//! caller's [`HostCalls`].

mod admission;
mod config;
mod error;
mod exchange;
mod leases;
pub mod limits;
mod memory;
mod meter;
mod notes;
mod pool;
mod process;
mod spawner;
mod waiting_calls;

pub use config::{FunctionKey, HostCalls, HostFuture, Limits, NotReady, ReadyFuture, RunnerConfig, Stage};
pub use error::{InvocationError, StartError};
pub use leases::Lease;
pub use notes::ProcessNotes;
pub use pool::{Invocation, RunnerPool, Usage};
pub use r3e_runner_api::{
    Fault, FaultKind, HostCall, HostError, HostErrorCode, HostReply, HostValue, LogLevel, LogRecord,
    SecretText,
};

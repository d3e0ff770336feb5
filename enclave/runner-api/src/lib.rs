//! The protocol between the enclave process and `r3e-runner`, the sandboxed process that runs one
//! version of one tenant's function.
//!
//! One stream socket pair, length-prefixed frames, two directions:
//!
//! | enclave to runner | runner to enclave |
//! |---|---|
//! | [`HostMessage::Load`] | [`RunnerMessage::Ready`], [`RunnerMessage::Loaded`], [`RunnerMessage::LoadFailed`] |
//! | [`HostMessage::Invoke`] | [`RunnerMessage::Log`], [`RunnerMessage::HostCall`], [`RunnerMessage::Done`] |
//! | [`HostMessage::HostReply`] | |
//! | [`HostMessage::Rehearse`] | [`RunnerMessage::Ready`] |
//! | [`HostMessage::Fork`] | [`RunnerMessage::Forked`], [`RunnerMessage::ForkFailed`], later [`RunnerMessage::Ended`] |
//!
//! A runner that was ordered to fork goes on as it was; its copy talks over a socket that came with the order, and is idle: it
//! has loaded what the runner had loaded. The order carries that socket, and the answer a handle of the copy's process, as
//! descriptors of their first byte (`SCM_RIGHTS`, `unix(7)`).
//!
//! The enclave does not trust the runner: everything that comes from it passes through
//! [`Session`], which bounds each frame before it is stored and refuses a message that does not
//! belong to the state of the conversation.
//!
//! This crate knows nothing of processes, sockets, engines, tenants or permissions.
#![forbid(unsafe_code)]

pub mod bundling;
mod chain_call;
mod decoder;
mod fault;
mod forks;
mod frame;
mod host_call;
pub mod json;
pub mod limits;
mod message;
pub mod process;
pub mod program;
mod session;

pub use chain_call::{ChainSend, SentTransaction};
pub use decoder::{FrameDecoder, RawFrame};
pub use fault::{Fault, FaultKind};
pub use frame::{FrameKind, ProtocolError};
pub use host_call::{HostCall, HostError, HostErrorCode, HostReply, HostValue, SecretText, Weather};
pub use message::{FunctionLimits, HostMessage, LogLevel, LogRecord, Purpose, RunnerMessage};
pub use session::{RunnerEvent, Session};

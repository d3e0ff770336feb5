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
//!
//! The enclave does not trust the runner: everything that comes from it passes through
//! [`Session`], which bounds each frame before it is stored and refuses a message that does not
//! belong to the state of the conversation.
//!
//! This crate knows nothing of processes, sockets, engines, tenants or permissions.
#![forbid(unsafe_code)]

pub mod bundling;
mod decoder;
mod fault;
mod frame;
mod host_call;
pub mod json;
pub mod limits;
mod message;
pub mod process;
pub mod program;
mod session;

pub use decoder::{FrameDecoder, RawFrame};
pub use fault::{Fault, FaultKind};
pub use frame::{FrameKind, ProtocolError};
pub use host_call::{HostCall, HostError, HostErrorCode, HostReply, HostValue, SecretText};
pub use message::{FunctionLimits, HostMessage, LogLevel, LogRecord, RunnerMessage};
pub use session::{RunnerEvent, Session};

//! The box that tenants' code runs in, for whatever engine runs it.
//!
//! A program is boxed in one of two ways:
//!
//! - [`serve`] for a program with an [`Engine`]: it speaks `r3e_runner_api` with the enclave process. The process that was
//!   started runs our own code alone; by order it splits off a copy that loads a function, and that one splits off a copy
//!   that handles an event;
//! - [`serve_once`] for one that turns a single message into a single answer and ends.
//!
//! Either way the order of life is the same: check what was inherited, enter the box, start, close the box by the system
//! call filter, and only then see the first byte of a tenant's. Each step that fails ends the process with a code of its own,
//! and with a line on standard error while that is heard.
//!
//! This crate knows nothing of engines, languages, tenants, permissions, keys or networks.

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("the sandbox is made of 64-bit Linux system calls");

mod allocator;
mod engine;
mod fork;
mod inherited;
mod limits;
mod link;
mod log;
mod once;
mod orders;
mod program;
mod serve;
mod walls;

pub use allocator::EndWhenExhausted;
pub use engine::{Demands, Engine, Progress};
pub use inherited::InheritedError;
pub use limits::{MAX_MEMORY_MIB, MIN_MEMORY_MIB};
pub use link::{LinkError, Sender};
pub use log::Log;
pub use once::{OnceError, OnceLimits, serve_once};
pub use program::serve;
pub use serve::ServeError;
pub use walls::SandboxError;

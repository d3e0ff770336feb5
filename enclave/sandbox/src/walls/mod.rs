//! The box, built from the outside in. The order matters: each step needs a right that a later one gives up.
//!
//! 1. resource limits; 2. namespaces; 3. an empty, read-only root; 4. no capabilities and a user id of its own;
//! 5. no new privileges; 6. the system call filter, after the engine has started ([`Boxed::seal`]).
//!
//! A PID namespace is left out: entering one takes a second process. What it would hide is out of reach
//! anyway: there is no `/proc` here, and no call that takes another process's number passes the filter.

mod namespaces;
mod privileges;
mod resources;
mod root;
mod syscalls;

use thiserror::Error;

pub(crate) use resources::lower_memory;

/// Which wall of the box could not be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SandboxError {
    /// The score by which the kernel chooses what to end when memory runs out.
    #[error("the place in the kernel's order of victims")]
    Order(#[source] std::io::Error),
    /// What the kernel counts.
    #[error("resource limits")]
    Resources(#[source] nix::Error),
    /// What others would be seen by.
    #[error("namespaces")]
    Namespaces(#[source] std::io::Error),
    /// The file system.
    #[error("the empty root")]
    Root(#[source] nix::Error),
    /// Capabilities, user id, new privileges.
    #[error("privileges: {step}")]
    Privileges {
        /// Which of them.
        step: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// Installing it.
    #[error("the system call filter")]
    Filter(#[source] seccompiler::Error),
    /// Compiling it.
    #[error("the system call table")]
    Table(#[source] seccompiler::BackendError),
}

impl SandboxError {
    /// The process's exit code for this wall.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Order(_) | Self::Resources(_) => 20,
            Self::Namespaces(_) => 21,
            Self::Root(_) => 22,
            Self::Privileges { .. } => 23,
            Self::Filter(_) | Self::Table(_) => 24,
        }
    }
}

/// A box that is complete but for the system call filter.
pub(crate) struct Boxed {
    filter: syscalls::Filter,
}

/// Enters the box. From here on the process has no files, no network and no rights, and cannot get any.
pub(crate) fn enter() -> Result<Boxed, SandboxError> {
    resources::be_first_to_go()?;
    resources::limit()?;
    let users = namespaces::enter()?;
    root::empty()?;
    privileges::give_up(users)?;
    Ok(Boxed { filter: syscalls::Filter::compile()? })
}

impl Boxed {
    /// Closes the box for good.
    pub(crate) fn seal(self) -> Result<(), SandboxError> {
        self.filter.install()
    }
}

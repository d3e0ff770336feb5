//! The box, built from the outside in. The order matters: each step needs a right that a later one gives up.
//!
//! 1. resource limits; 2. namespaces; 3. an empty, read-only root; 4. no capabilities and a user id of its own;
//! 5. no new privileges; 6. the system call filter.
//!
//! A process that boxes copies of itself ([`Nursery`]) does the first three once, for all of them, and keeps the few
//! capabilities that the rest takes. Each copy begins in namespaces of its own, among them one of processes, in which it is the
//! first: with it ends whatever it may have started. It goes through the rest at once ([`Nursery::box_copy`]). Its own copies, one
//! an event, lose even the calls by which it made them ([`Inner::seal`]).
//!
//! Every wall stands, or the process ends: there is no weaker box. What differs is only who it is run as
//! ([`Identity`]).

mod namespaces;
mod privileges;
mod resources;
mod root;
mod runtime;
mod syscalls;

use r3e_runner_api::process::Identity;
use thiserror::Error;

pub(crate) use resources::lower_memory;

use crate::engine::Demands;
use crate::fork::PLAIN;
use crate::limits::{FIRST_UID, MAX_THREADS, UIDS};
use namespaces::Users;
use syscalls::{Filter, Kind};

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
    /// The table does not compare what it must.
    #[error("the system call filter names its own process {0} times")]
    OwnProcess(usize),
}

impl SandboxError {
    /// The process's exit code for this wall.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Order(_) | Self::Resources(_) => 20,
            Self::Namespaces(_) => 21,
            Self::Root(_) => 22,
            Self::Privileges { .. } => 23,
            Self::Filter(_) | Self::Table(_) | Self::OwnProcess(_) => 24,
        }
    }
}

/// A box that is complete but for the system call filter.
pub(crate) struct Boxed {
    filter: Filter,
}

/// Enters the box. From here on the process has no files, no network and no rights, and cannot get any.
pub(crate) fn enter() -> Result<Boxed, SandboxError> {
    resources::be_first_to_go()?;
    resources::limit(0)?;
    resources::limit_processes(0)?;
    let users = namespaces::enter()?;
    root::empty()?;
    privileges::give_up(users, first_uid()?)?;
    Ok(Boxed { filter: Filter::of_events(Kind::Plain)? })
}

/// The same for a process that has threads, makes code, and has files of its own: an empty folder in memory, which ends with it.
pub(crate) fn enter_workshop(scratch_bytes: u64) -> Result<Boxed, SandboxError> {
    resources::be_first_to_go()?;
    resources::limit_with_files(scratch_bytes)?;
    resources::limit_processes(MAX_THREADS)?;
    let users = namespaces::enter()?;
    root::scratch(scratch_bytes)?;
    privileges::give_up(users, first_uid()?)?;
    Ok(Boxed { filter: Filter::of_events(Kind::Workshop)? })
}

impl Boxed {
    /// Closes the box for good.
    pub(crate) fn seal(mut self) -> Result<(), SandboxError> {
        self.filter.install()
    }
}

/// A process that has no files and no network any more, and just the rights to box copies of itself.
pub(crate) struct Nursery {
    users: Users,
    next_uid: u32,
    outer: Filter,
    inner: Inner,
}

/// The last wall of a process that handles events.
pub(crate) struct Inner {
    filter: Filter,
    processes: u64,
}

impl Nursery {
    /// Goes as far into the box as its copies can have in common.
    pub(crate) fn enter(demands: Demands) -> Result<Self, SandboxError> {
        resources::be_first_to_go()?;
        resources::limit(demands.reserved_bytes)?;
        let users = namespaces::enter()?;
        root::empty()?;
        privileges::keep_for_boxing()?;
        let kind = if demands.makes_code { Kind::Runtime } else { Kind::Plain };
        let outer = Filter::of_orders(demands.loads_code, kind)?;
        let processes = if demands.makes_code { MAX_THREADS } else { 0 };
        let inner = Inner { filter: Filter::of_events(kind)?, processes };
        Ok(Self { users, next_uid: first_uid()?, outer, inner })
    }

    /// Who the copies will be.
    pub(crate) fn identity(&self) -> Identity {
        match self.users {
            Users::Machine => Identity::OwnUser,
            Users::Own => Identity::OwnUserNamespace,
        }
    }

    /// What a copy is made with.
    pub(crate) fn flags(&self) -> i32 {
        let own_user = match self.users {
            Users::Machine => 0,
            Users::Own => libc::CLONE_NEWUSER,
        };
        PLAIN | libc::CLONE_NEWPID | libc::CLONE_NEWNET | libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | own_user
    }

    /// The next copy has another user id than all before it.
    pub(crate) fn turn_user(&mut self) {
        self.next_uid = FIRST_UID + (self.next_uid - FIRST_UID + 1) % UIDS;
    }

    /// In a copy: closes the box but for the calls by which it follows orders to split, which gives the wall for its own
    /// copies.
    pub(crate) fn box_copy(mut self) -> Result<Inner, SandboxError> {
        resources::limit_processes(resources::FAMILY.max(self.inner.processes))?;
        privileges::give_up(self.users, self.next_uid)?;
        self.outer.install()?;
        Ok(self.inner)
    }
}

impl Inner {
    /// In a copy's copy: closes the box for good.
    pub(crate) fn seal(mut self) -> Result<(), SandboxError> {
        resources::limit_processes(self.processes)?;
        self.filter.install()
    }
}

/// Where to begin with user ids, so that two programs on one machine hardly ever give the same.
fn first_uid() -> Result<u32, SandboxError> {
    let mut bytes = [0; 4];
    let failed =
        |errno: rustix::io::Errno| SandboxError::Privileges { step: "a user id", source: errno.into() };
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).map_err(failed)?;
    Ok(FIRST_UID + u32::from_ne_bytes(bytes) % UIDS)
}

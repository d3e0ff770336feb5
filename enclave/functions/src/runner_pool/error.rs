//! Why an event has no output.

use std::io;

use r3e_runner_api::json::JsonError;
use r3e_runner_api::{Fault, ProtocolError};
use thiserror::Error;

/// Why an event has no output. [`InvocationError::code`] is stable; the texts are for people.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InvocationError {
    /// No slot was free in time; try again later.
    #[error("too many events at once for this {scope}; try again in a second")]
    Busy {
        /// Whose slots were taken: `function`, `tenant` or `appliance`; or whose memory.
        scope: &'static str,
    },
    /// The function's memory limit is over what a tenant or all of the appliance has.
    #[error(
        "the function may come to need {needed_mib} MiB, and has {max_mib} MiB here at most; deploy it with a lower \
         memory limit"
    )]
    NoRoom {
        /// What its process may come to hold.
        needed_mib: u32,
        /// What there is.
        max_mib: u32,
    },
    /// The appliance has nothing that runs the function's language.
    #[error("this appliance runs no {name}: its image was built without that layer")]
    NoEngine {
        /// The language.
        name: &'static str,
    },
    /// The event is not JSON that a function can be given.
    #[error("the event is not acceptable JSON")]
    Event(#[source] JsonError),
    /// What the host does before an event could not be done: no event was handed over.
    #[error("the event was not handed over; try again")]
    NotReady,
    /// The event or the source does not fit a message.
    #[error("the event or the source is too large")]
    TooLarge(#[source] ProtocolError),
    /// No process could be started; nothing the function did.
    #[error("no runner could be started")]
    Start(#[from] StartError),
    /// The module did not load.
    #[error("the function does not load: {}: {}", .0.name, .0.message)]
    Load(Fault),
    /// The function threw, or broke its contract in a way that [`Fault::kind`] tells.
    #[error("the function failed: {}: {}", .0.name, .0.message)]
    Function(Fault),
    /// The output is longer than the limit.
    #[error("the output is longer than {max_bytes} bytes")]
    OutputTooLarge {
        /// The limit.
        max_bytes: u32,
    },
    /// The function's memory limit was reached.
    #[error("the function used more than {max_mib} MiB of memory")]
    Memory {
        /// The limit.
        max_mib: u32,
    },
    /// The event took too long.
    #[error("the function took longer than {max_ms} ms")]
    Timeout {
        /// The limit.
        max_ms: u64,
    },
    /// The event used too much processor time.
    #[error("the function used more than {max_ms} ms of processor time")]
    CpuLimit {
        /// The limit.
        max_ms: u64,
    },
    /// More host calls than the limit.
    #[error("the function made more than {max} host calls")]
    TooManyHostCalls {
        /// The limit.
        max: u32,
    },
    /// The process was ended by a signal that the supervisor did not send.
    #[error("the runner was ended by signal {signal}")]
    Crashed {
        /// The signal's number; 31 is a system call outside the sandbox's list.
        signal: i32,
    },
    /// The process ended by itself in the middle of an event.
    #[error("the runner exited with status {status}")]
    Exited {
        /// Its exit status.
        status: i32,
    },
    /// The runner broke the protocol.
    #[error("the runner broke the protocol")]
    Protocol(#[from] ProtocolError),
    /// The socket or the process table failed; nothing the function did.
    #[error("the runner could not be reached")]
    Io(#[from] io::Error),
}

impl InvocationError {
    /// What a program decides by.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::NoRoom { .. } => "no_room",
            Self::NoEngine { .. } => "no_engine",
            Self::Event(_) => "event",
            Self::NotReady => "not_ready",
            Self::TooLarge(_) => "too_large",
            Self::Start(_) => "start",
            Self::Load(_) => "load",
            Self::Function(_) => "function",
            Self::OutputTooLarge { .. } => "output_too_large",
            Self::Memory { .. } => "memory",
            Self::Timeout { .. } => "timeout",
            Self::CpuLimit { .. } => "cpu_limit",
            Self::TooManyHostCalls { .. } => "too_many_host_calls",
            Self::Crashed { .. } => "crashed",
            Self::Exited { .. } => "exited",
            Self::Protocol(_) => "protocol",
            Self::Io(_) => "io",
        }
    }
}

/// Why no process could be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The program could not be run.
    #[error("the runner program could not be run")]
    Spawn(#[source] io::Error),
    /// The thread that starts processes is gone: the pool is shutting down.
    #[error("the pool is shutting down")]
    ShuttingDown,
    /// The process cannot be measured.
    #[error("the process cannot be measured")]
    Meter(#[source] io::Error),
    /// It ended before it was ready. The statuses from 10 to 30 say which wall of its sandbox was missing.
    #[error("the runner ended at its start: {status}")]
    Ended {
        /// How it ended.
        status: std::process::ExitStatus,
    },
    /// It was not ready in time.
    #[error("the runner was not ready in time")]
    TimedOut,
    /// It did not speak the protocol.
    #[error("the runner broke the protocol at its start")]
    Protocol(#[source] ProtocolError),
    /// Its socket failed.
    #[error("the runner could not be reached")]
    Io(#[source] io::Error),
    /// The system did not let it make a copy of itself: too many processes, or too little memory.
    #[error("the runner could not be copied")]
    Refused(#[source] io::Error),
    /// It gave no handle of its copy, or of another process.
    #[error("the runner did not hand over its copy")]
    NoHandle,
    /// It closed its socket.
    #[error("the runner is gone")]
    Gone,
}

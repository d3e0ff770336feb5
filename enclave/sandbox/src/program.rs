//! The order of life of a boxed program, and what its exit status says.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::process::ExitCode;

use r3e_runner_api::process::EXIT_INHERITED;
use thiserror::Error;

use crate::engine::Engine;
use crate::inherited::{self, InheritedError};
use crate::link::Link;
use crate::orders;
use crate::serve::{self, ServeError};
use crate::walls::{Nursery, SandboxError};

/// Why a process ended other than by the enclave closing the socket.
#[derive(Debug, Error)]
pub(crate) enum ProgramError<E: StdError + 'static> {
    #[error("refused what was inherited")]
    Inherited(#[from] InheritedError),
    #[error("the sandbox is not complete")]
    Sandbox(#[from] SandboxError),
    #[error("the engine did not start")]
    Engine(#[source] E),
    #[error("the end of a copy cannot be heard of")]
    Signals(#[source] std::io::Error),
    #[error("the conversation with the enclave broke")]
    Serve(#[from] ServeError),
}

impl<E: StdError> ProgramError<E> {
    /// What the supervisor sees as the exit status.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Inherited(_) => EXIT_INHERITED,
            Self::Sandbox(error) => error.exit_code(),
            Self::Engine(_) | Self::Signals(_) => 30,
            Self::Serve(_) => 40,
        }
    }
}

/// The `main` of a program that runs functions by the engine `E`. `program` is its name on standard error.
///
/// Returns only when the box could not be built; the status then says which wall is missing.
pub fn serve<E: Engine>(program: &str) -> ExitCode {
    match start::<E>() {
        Ok(never) => match never {},
        Err(error) => ExitCode::from(report(program, &error, error.exit_code())),
    }
}

fn start<E: Engine>() -> Result<Infallible, ProgramError<E::Error>> {
    let inherited = inherited::check()?;
    E::gather().map_err(ProgramError::Engine)?;
    let nursery = Nursery::enter(E::DEMANDS)?;
    let mut link = Link::new(inherited.socket);
    let mut engine = E::start(link.sender()).map_err(ProgramError::Engine)?;
    orders::hear_of_ends().map_err(ProgramError::Signals)?;
    inherited.silence.apply()?;
    // Copies go on in here: whatever returns, returns in a process that has nothing more to do.
    let code = match serve::serve(&mut link, &mut engine, nursery) {
        Ok(()) => 0,
        // Standard error goes nowhere from here on: the exit status tells.
        Err(ServeError::Sandbox(error)) => error.exit_code(),
        Err(error) => ProgramError::<E::Error>::from(error).exit_code(),
    };
    end(code)
}

/// Ends the process at once: tearing an engine down is work without a use, and needs system calls that are gone.
pub(crate) fn end(code: u8) -> ! {
    // SAFETY: ends the process; nothing of it is used afterwards.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Tells the supervisor's standard error, where it is still heard, and gives the exit status back.
pub(crate) fn report(program: &str, error: &dyn StdError, code: u8) -> u8 {
    eprintln!("{program}: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    code
}

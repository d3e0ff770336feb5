//! `r3e-runner`: runs one version of one tenant's function, boxed.
//!
//! Order of life: check what was inherited, enter the sandbox, start the engine, close the box by the system
//! call filter, and only then speak to the enclave process over the one socket. Each step that fails ends the
//! process with a code of its own and a line on standard error. Nothing of a tenant's is seen before the last.
//!
//! This program knows nothing of tenants, permissions, keys, networks or files; what it cannot do inside
//! the box it asks the enclave process to do.

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
compile_error!("the sandbox is made of 64-bit Linux system calls");

mod engine;
mod inherited;
mod limits;
mod link;
mod memory;
mod sandbox;
mod serve;

use std::convert::Infallible;
use std::error::Error as _;
use std::process::ExitCode;

use thiserror::Error;

#[global_allocator]
static ALLOCATOR: memory::EndWhenExhausted = memory::EndWhenExhausted;

/// Why the process ended other than by the enclave closing the socket.
#[derive(Debug, Error)]
enum RunnerError {
    #[error("refused what was inherited")]
    Inherited(#[from] inherited::InheritedError),
    #[error("the sandbox is not complete")]
    Sandbox(#[from] sandbox::SandboxError),
    #[error("the engine did not start")]
    Engine(#[from] engine::EngineError),
    #[error("the conversation with the enclave broke")]
    Serve(#[from] serve::ServeError),
}

impl RunnerError {
    /// What the supervisor sees as the exit status.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Inherited(_) => 10,
            Self::Sandbox(error) => error.exit_code(),
            Self::Engine(_) => 30,
            Self::Serve(_) => 40,
        }
    }
}

fn main() -> ExitCode {
    match start() {
        Ok(never) => match never {},
        Err(error) => ExitCode::from(report(&error)),
    }
}

fn start() -> Result<Infallible, RunnerError> {
    let inherited = inherited::check()?;
    let boxed = sandbox::enter()?;
    let mut link = link::Link::new(inherited.socket);
    let mut engine = engine::Engine::start(link.sender())?;
    inherited.silence.apply()?;
    boxed.seal()?;
    let code = match serve::serve(&mut link, &mut engine) {
        Ok(()) => 0,
        Err(error) => report(&error.into()),
    };
    // At once: tearing the engine down is work without a use, and needs system calls that are gone.
    // SAFETY: ends the process; nothing of it is used afterwards.
    unsafe { libc::_exit(i32::from(code)) }
}

/// Tells the supervisor's standard error, where it is still heard, and gives the exit status.
fn report(error: &RunnerError) -> u8 {
    eprintln!("r3e-runner: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
    error.exit_code()
}

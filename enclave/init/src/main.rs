//! `r3e-init`: the first process of the enclave. It makes the machine ready, starts the enclave process and ends the
//! machine with it. Any step that fails ends the machine too: an enclave is whole, or it is off.
//!
//! Order of life: file systems, the kernel's settings, the devices, the image's end, entropy, the heartbeat to the parent, `r3e-enclave`.
//!
//! It takes no decision from outside the image. The kernel hands its first process an environment and arguments that come
//! from the command line, which the parent can add to and which is measured only in part: none of it is read, and none of it
//! is passed on. It knows nothing of attestation, configuration, keys or tenants.

mod console;
mod entropy;
mod error;
mod heartbeat;
mod image;
mod limits;
mod machine;
mod memory;
mod program;
mod system;

use std::convert::Infallible;
use std::process::ExitCode;

use console::say;
use error::InitError;

fn main() -> ExitCode {
    if std::process::id() != 1 {
        // Anywhere else its mounts would cover someone's files, and its end would be theirs.
        say("this is the first process of an enclave, and does nothing anywhere else");
        return ExitCode::FAILURE;
    }
    std::panic::set_hook(Box::new(|panic| {
        say(&format!("panicked: {panic}"));
        machine::end();
    }));
    let Err(error) = run();
    say(&error.to_string());
    machine::end()
}

fn run() -> Result<Infallible, InitError> {
    machine::mount_all()?;
    console::attach();
    machine::settle()?;
    say(&format!("memory: {}", memory::Memory::read()));
    image::require_whole()?;
    machine::limit_resources()?;
    entropy::seed()?;
    heartbeat::beat()?;
    let ended = program::run()?;
    Err(InitError::Ended(ended))
}

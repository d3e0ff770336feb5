//! The one program of the enclave: started, waited for, and its end put into words. Processes that lost their parent are
//! reaped meanwhile: the kernel hands them to its first process.

use std::fmt;
use std::process::{Command, Stdio};

use crate::error::InitError;
use crate::memory::Memory;
use crate::system::{self, Exit};

/// The program's name, as messages call it.
pub(crate) const NAME: &str = "r3e-enclave";
/// Where the image has it. The runner stands beside it.
const PATH: &str = "/usr/bin/r3e-enclave";

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    exit: Exit,
    memory: Memory,
}

/// Starts the program and waits for its end.
pub(crate) fn run() -> Result<Ended, InitError> {
    // Neither what the kernel was told nor what it was given by whom reaches the program: no argument, no environment.
    let child = Command::new(PATH)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .spawn()
        .map_err(|source| InitError::Start { path: PATH, source })?;
    loop {
        let (pid, exit) = system::wait_for_any().map_err(InitError::Wait)?;
        if pid == child.id() {
            return Ok(Ended { exit, memory: Memory::read() });
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.exit {
            Exit::Code(code) => write!(f, "ended with status {code}"),
            Exit::Signal(signal) => {
                write!(f, "was ended by signal {signal}")?;
                match signal {
                    libc::SIGKILL => f.write_str(
                        ", as the kernel does when memory runs out: give the enclave more memory, or configure fewer runners",
                    )?,
                    libc::SIGABRT => f.write_str(
                        ": it gave up by itself, as it does when it is refused memory; the lines above say why",
                    )?,
                    _ => {}
                }
                write!(f, " ({})", self.memory)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_for_lack_of_memory_says_so() {
        let text = |exit| Ended { exit, memory: Memory::read() }.to_string();
        assert_eq!(text(Exit::Code(1)), "ended with status 1");
        for signal in [libc::SIGKILL, libc::SIGABRT] {
            let text = text(Exit::Signal(signal));
            assert!(text.contains("memory"), "{text}");
        }
        assert!(text(Exit::Signal(libc::SIGTERM)).starts_with("was ended by signal 15 ("));
    }
}

//! A boxed program of one message: it reads one, answers it, and ends.
//!
//! Both messages are their length as a big-endian `u32`, then as many bytes. There is no `Ready` before: whoever
//! started the process writes at once, and a start that fails is seen as the end of the stream.

use std::convert::Infallible;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use r3e_runner_api::process::EXIT_INHERITED;
use thiserror::Error;

use crate::inherited::{self, InheritedError};
use crate::limits::ONCE_PREFIX_BYTES;
use crate::program::{end, report};
use crate::walls::{self, SandboxError};

/// What a program of one message may use.
#[derive(Debug, Clone, Copy)]
pub struct OnceLimits {
    /// Longest request, in bytes.
    pub request_bytes: u32,
    /// Longest answer, in bytes.
    pub answer_bytes: u32,
    /// Memory that it may come to write, in bytes, beside what the program itself takes.
    pub memory_bytes: u64,
    /// Bytes of files that it may write into a folder of its own, which is in memory too and beside that. A program with files is a
    /// runtime that makes machine code as it runs, in threads; with none, it is neither.
    pub scratch_bytes: u64,
}

/// Why a program of one message gave no answer.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OnceError {
    /// It was not started as it must be.
    #[error("refused what was inherited")]
    Inherited(#[from] InheritedError),
    /// A wall of the box is missing.
    #[error("the sandbox is not complete")]
    Sandbox(#[from] SandboxError),
    /// The socket failed, or was closed early.
    #[error("the socket failed")]
    Io(#[from] io::Error),
    /// The request or the answer is longer than it may be.
    #[error("a message of {bytes} bytes; at most {max_bytes} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// What is allowed.
        max_bytes: u32,
    },
}

impl OnceError {
    /// What the supervisor sees as the exit status.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Inherited(_) => EXIT_INHERITED,
            Self::Sandbox(error) => error.exit_code(),
            Self::Io(_) | Self::TooLong { .. } => 40,
        }
    }
}

/// The `main` of a program that turns one message into one answer by `answer`, which runs with the box closed.
/// `program` is its name on standard error.
///
/// A panic ends the process without an answer, and so does running out of memory: its allocator should be
/// [`crate::EndWhenExhausted`], which then says so by the exit status.
pub fn serve_once(program: &str, limits: &OnceLimits, answer: impl FnOnce(Vec<u8>) -> Vec<u8>) -> ExitCode {
    match start(limits, answer) {
        Ok(never) => match never {},
        Err(error) => ExitCode::from(report(program, &error, error.exit_code())),
    }
}

fn start(limits: &OnceLimits, answer: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Result<Infallible, OnceError> {
    let inherited = inherited::check()?;
    let boxed = match limits.scratch_bytes {
        0 => walls::enter()?,
        bytes => walls::enter_workshop(bytes)?,
    };
    let mut socket = inherited.socket;
    inherited.silence.apply()?;
    walls::lower_memory(limits.memory_bytes, 0)?;
    boxed.seal()?;
    // Standard error goes nowhere from here on: the exit status tells.
    let code = match exchange(&mut socket, limits, answer) {
        Ok(()) => 0,
        Err(error) => error.exit_code(),
    };
    end(code)
}

fn exchange(
    socket: &mut UnixStream,
    limits: &OnceLimits,
    answer: impl FnOnce(Vec<u8>) -> Vec<u8>,
) -> Result<(), OnceError> {
    let mut prefix = [0; ONCE_PREFIX_BYTES];
    socket.read_exact(&mut prefix)?;
    let length = u32::from_be_bytes(prefix);
    let bytes = usize::try_from(length).unwrap_or(usize::MAX);
    if length > limits.request_bytes {
        return Err(OnceError::TooLong { bytes, max_bytes: limits.request_bytes });
    }
    let mut request = Vec::new();
    socket.take(u64::from(length)).read_to_end(&mut request)?;
    if request.len() < bytes {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    let answer = answer(request);
    let length = u32::try_from(answer.len()).ok().filter(|length| *length <= limits.answer_bytes);
    let Some(length) = length else {
        return Err(OnceError::TooLong { bytes: answer.len(), max_bytes: limits.answer_bytes });
    };
    socket.write_all(&length.to_be_bytes())?;
    Ok(socket.write_all(&answer)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: OnceLimits =
        OnceLimits { request_bytes: 8, answer_bytes: 4, memory_bytes: 0, scratch_bytes: 0 };

    fn exchanged(sent: &[u8], answer: &[u8]) -> (Result<(), OnceError>, Vec<u8>) {
        let (mut ours, mut theirs) = UnixStream::pair().unwrap();
        ours.write_all(sent).unwrap();
        ours.shutdown(std::net::Shutdown::Write).unwrap();
        let done = exchange(&mut theirs, &LIMITS, |request| {
            assert_eq!(request, sent.get(4..).unwrap());
            answer.to_vec()
        });
        drop(theirs);
        let mut got = Vec::new();
        ours.read_to_end(&mut got).unwrap();
        (done, got)
    }

    #[test]
    fn one_message_in_and_one_out() {
        let (done, got) = exchanged(b"\0\0\0\x03abc", b"defg");
        done.unwrap();
        assert_eq!(got, b"\0\0\0\x04defg");
        let (done, got) = exchanged(b"\0\0\0\0", b"");
        done.unwrap();
        assert_eq!(got, b"\0\0\0\0");
    }

    #[test]
    fn messages_that_are_too_long_or_cut_short_are_not_answered() {
        let (done, got) = exchanged(b"\0\0\0\x09", b"");
        assert!(matches!(done, Err(OnceError::TooLong { bytes: 9, max_bytes: 8 })), "{done:?}");
        assert!(got.is_empty());
        let (done, got) = exchanged(b"\0\0\0\x01a", b"defgh");
        assert!(matches!(done, Err(OnceError::TooLong { bytes: 5, max_bytes: 4 })), "{done:?}");
        assert!(got.is_empty());
        for short in [&b"\0\0"[..], b"\0\0\0\x03ab"] {
            let (done, got) = exchanged(short, b"");
            assert!(matches!(done, Err(OnceError::Io(_))), "{done:?}");
            assert!(got.is_empty());
        }
    }
}

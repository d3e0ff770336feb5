//! What the bundler is asked, and what it answers. It is asked by the text of a [`Program`](crate::program::Program) that was
//! not compiled.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::limits::{MAX_FAULT_TEXT_BYTES, MAX_SOURCE_BYTES};

/// The first byte of an answer that is a program.
const PROGRAM: u8 = b'P';
/// The first byte of an answer that says why there is none.
const PROBLEM: u8 = b'E';

/// Longest question and answer: a program, and the byte that says that it is one.
pub const MAX_MESSAGE_BYTES: usize = MAX_SOURCE_BYTES + 1;

/// Memory that a bundler may come to write, beside what it is itself, in MiB: as much as the largest function's heap. A source of
/// 1 MiB takes about a quarter of it.
pub const MEMORY_MIB: u32 = 256;

/// So much more for each MiB of WebAssembly in base64 beyond the first: 5.6 MiB of Go's take 380.
const WASM_MEMORY_PER_MIB: u32 = 96;

/// Memory that compiling a module of WebAssembly may come to write, in MiB, which has so many MiB in base64 beyond the first. The
/// compiler is started with this number.
pub fn wasm_memory_mib(beyond_one_mib: u32) -> u32 {
    let most = u32::try_from(MAX_SOURCE_BYTES / (1024 * 1024)).unwrap_or(u32::MAX);
    MEMORY_MIB + WASM_MEMORY_PER_MIB * beyond_one_mib.min(most)
}

/// Why sources make no program, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// The module's path; empty where it is no one module's.
    pub path: String,
    /// The line, from 1; 0 where it is the whole module.
    pub line: u32,
    /// The column, from 1, in characters; 0 where it is the whole module.
    pub column: u32,
    /// What is wrong, and what to do about it.
    pub message: String,
}

impl Problem {
    /// A problem of a whole module.
    pub fn of_module(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: 0, column: 0, message: message.into() }
    }

    /// A problem of no one module.
    pub fn of_all(message: impl Into<String>) -> Self {
        Self::of_module("", message)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.as_str(), self.line) {
            ("", _) => {}
            (path, 0) => write!(f, "{path}: ")?,
            (path, line) => write!(f, "{path}:{line}:{}: ", self.column)?,
        }
        f.write_str(&self.message)
    }
}

/// An answer that no bundler of this build gives.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Empty, or of an unknown kind.
    #[error("an answer of no known kind")]
    Kind,
    /// Not text.
    #[error("an answer that is not UTF-8")]
    NotText,
    /// No readable problem.
    #[error("an answer that says no readable problem")]
    Problem(#[from] serde_json::Error),
}

/// The bytes of an answer; the program is the text of one.
pub fn encode_answer(answer: Result<String, Problem>) -> Vec<u8> {
    match answer {
        Ok(program) => [&[PROGRAM], program.as_bytes()].concat(),
        Err(problem) => {
            let mut bytes = vec![PROBLEM];
            // Texts and numbers alone: this cannot fail, and an empty body would be refused by the reader.
            bytes.extend(serde_json::to_vec(&cut(problem)).unwrap_or_default());
            bytes
        }
    }
}

/// Reads an answer. That the program is one, is for its reader to find.
///
/// # Errors
/// [`AnswerError`].
pub fn decode_answer(bytes: &[u8]) -> Result<Result<String, Problem>, AnswerError> {
    match bytes.split_first() {
        Some((&PROGRAM, program)) => {
            let program = std::str::from_utf8(program).map_err(|_| AnswerError::NotText)?;
            Ok(Ok(program.to_owned()))
        }
        Some((&PROBLEM, problem)) => Ok(Err(cut(serde_json::from_slice(problem)?))),
        _ => Err(AnswerError::Kind),
    }
}

/// Cuts the texts, which may repeat what stood in a source.
fn cut(mut problem: Problem) -> Problem {
    for text in [&mut problem.path, &mut problem.message] {
        text.truncate(text.floor_char_boundary(MAX_FAULT_TEXT_BYTES));
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_is_read() {
        let problem = Problem { path: "a.ts".into(), line: 3, column: 14, message: "no such module".into() };
        assert_eq!(problem.to_string(), "a.ts:3:14: no such module");
        assert_eq!(Problem::of_module("a.ts", "empty").to_string(), "a.ts: empty");
        assert_eq!(Problem::of_all("too much").to_string(), "too much");
        for answer in [Ok("\0program".to_owned()), Err(problem)] {
            assert_eq!(decode_answer(&encode_answer(answer.clone())).unwrap(), answer);
        }
        let long = Problem::of_all("ä".repeat(MAX_FAULT_TEXT_BYTES));
        let read = decode_answer(&encode_answer(Err(long))).unwrap().unwrap_err();
        assert!(read.message.len() <= MAX_FAULT_TEXT_BYTES);
    }

    #[test]
    fn what_a_bundler_that_was_taken_over_may_answer() {
        for wrong in [&b""[..], b"X", b"E", b"E{}", b"E{\"path\":1}", b"P\xff", b"Enull"] {
            assert!(decode_answer(wrong).is_err(), "{wrong:?}");
        }
    }
}

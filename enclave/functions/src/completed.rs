//! What an invocation gave, with the hashes that its receipt holds.

use r3e_proto::api::functions::{FunctionError, LogLine, Outcome, Usage};
use r3e_proto::receipt::{OUTCOME_OK, log_hash};
use sha2::{Digest as _, Sha256};

use crate::course::Told;
use r3e_proto::function_version::Version;

/// An invocation that is over: all that it wrote is durable, or its outcome says that nobody knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// What ran.
    pub version: Version,
    /// The result, or why there is none.
    pub outcome: Outcome,
    /// What it logged.
    pub logs: Vec<LogLine>,
    /// Whether text or lines were left out of `logs` for their size.
    pub logs_truncated: bool,
    /// What it used.
    pub usage: Usage,
    /// The hashes of what went in and came out.
    pub hashes: Hashes,
    /// Where its time went.
    pub course: Told,
}

/// SHA-256 over the exact bytes, as `r3e_proto::receipt::Receipt` defines them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hashes {
    /// Of the event's JSON text.
    pub input: [u8; 32],
    /// Of the result's JSON text, or of the error's message.
    pub output: [u8; 32],
    /// Of the log lines.
    pub log: [u8; 32],
}

impl Completed {
    /// `ok`, or the error's stable code.
    pub fn code(&self) -> &str {
        match &self.outcome {
            Outcome::Output(_) => OUTCOME_OK,
            Outcome::Error(error) => &error.code,
        }
    }
}

impl Hashes {
    /// The hashes of an invocation: `logs` are the lines that its caller is given, `truncated` whether some were left out.
    pub fn of(event: &[u8], outcome: &Outcome, logs: &[LogLine], truncated: bool) -> Self {
        let output = match outcome {
            Outcome::Output(text) | Outcome::Error(FunctionError { message: text, .. }) => text,
        };
        Self {
            input: Sha256::digest(event).into(),
            output: Sha256::digest(output.as_bytes()).into(),
            log: log_hash(logs, truncated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha256(text: &str) -> [u8; 32] {
        Sha256::digest(text.as_bytes()).into()
    }

    fn line(level: &str, text: &str) -> LogLine {
        LogLine { level: level.into(), text: text.into() }
    }

    #[test]
    fn hashes_are_over_what_the_caller_is_given() {
        let logs = [line("info", "one"), line("error", "")];
        let hashes = Hashes::of(b"{ \"a\": 1 }", &Outcome::Output("[1]".into()), &logs, false);
        assert_eq!(hashes.input, sha256("{ \"a\": 1 }"), "the bytes as sent, blanks and all");
        assert_eq!(hashes.output, sha256("[1]"));
        assert_eq!(hashes.log, log_hash(&logs, false));
    }

    #[test]
    fn an_errors_message_stands_for_the_output() {
        let error =
            FunctionError { code: "timeout".into(), message: "over 5 s".into(), stack: Some("at f".into()) };
        let hashes = Hashes::of(b"null", &Outcome::Error(error), &[], true);
        assert_eq!(hashes.output, sha256("over 5 s"));
        assert_eq!(hashes.log, log_hash(&[], true));
    }
}

//! How an event ended, in the API's words: `output` with its JSON, or an error's code with what is known beside it.

use std::fmt;

use r3e_functions::runner_pool::{Fault, InvocationError};

/// The API's codes, and ours for failures that are the appliance's own.
const CODES: [&str; 10] = [
    "output",
    "function_error",
    "load_error",
    "output_limit",
    "memory_limit",
    "timeout",
    "cpu_limit",
    "host_call_limit",
    "crashed",
    "protocol",
];

/// How an event ended, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// `output`, or an error's stable code.
    pub code: String,
    /// The output; a fault's kind; a signal's number; or anything, where an expectation leaves it open.
    pub detail: Option<String>,
}

impl Ending {
    /// Reads `output JSON`, `code` or `code/detail`.
    pub fn parse(text: &str) -> Option<Self> {
        let (code, detail) = match text.split_once([' ', '/']) {
            Some((code, detail)) => (code, Some(detail.to_owned())),
            None => (text, None),
        };
        CODES.contains(&code).then(|| Self { code: code.to_owned(), detail })
    }

    /// Of what the pool gave. An appliance's failure has a code that no script can expect.
    pub fn of(outcome: &Result<String, InvocationError>) -> Self {
        let kind = |fault: &Fault| {
            let kind = serde_json::to_value(fault.kind).ok();
            kind.and_then(|kind| kind.as_str().map(str::to_owned))
        };
        let (code, detail) = match outcome {
            Ok(output) => ("output", Some(output.clone())),
            Err(error) => match error {
                InvocationError::Load(fault) => ("load_error", kind(fault)),
                InvocationError::Function(fault) => ("function_error", kind(fault)),
                InvocationError::OutputTooLarge { .. } => ("output_limit", None),
                InvocationError::Memory { .. } => ("memory_limit", None),
                InvocationError::Timeout { .. } => ("timeout", None),
                InvocationError::CpuLimit { .. } => ("cpu_limit", None),
                InvocationError::TooManyHostCalls { .. } => ("host_call_limit", None),
                InvocationError::Crashed { signal } => ("crashed", Some(signal.to_string())),
                InvocationError::Exited { status } => ("crashed", Some(format!("status {status}"))),
                InvocationError::Protocol(_) => ("protocol", None),
                other => (other.code(), Some(other.to_string())),
            },
        };
        Self { code: code.to_owned(), detail }
    }

    /// Whether this is what was expected; an expectation without a detail takes any.
    pub fn is(&self, expected: &Self) -> bool {
        self.code == expected.code && (expected.detail.is_none() || self.detail == expected.detail)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.code == "output" { ' ' } else { '/' };
        match &self.detail {
            Some(detail) => write!(f, "{}{separator}{detail}", self.code),
            None => f.write_str(&self.code),
        }
    }
}

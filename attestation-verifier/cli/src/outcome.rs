//! What a run prints, and its exit status.

use std::{
    io::{Write, stderr, stdout},
    process::ExitCode,
};

use crate::{error::VerifyError, report::Report};

/// The end of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    status: u8,
    out: String,
    err: String,
}

impl Outcome {
    /// Success, with this on the standard output.
    pub(crate) fn shown(out: String) -> Self {
        Self { status: 0, out, err: String::new() }
    }

    /// A verdict.
    pub(crate) fn verdict(report: &Report, json: bool) -> Self {
        let out = if json { report.json() } else { report.human() };
        Self { status: u8::from(!report.accepted), out, err: String::new() }
    }

    /// What a judgement came to: a verdict, also where the files do not even hold what is judged.
    pub(crate) fn of(judged: Result<Report, VerifyError>, json: bool) -> Self {
        match judged {
            Ok(report) => Self::verdict(&report, json),
            Err(error) if error.is_verdict() => {
                Self::verdict(&Report::rejected(&error, None, None, Vec::new()), json)
            }
            Err(error) => Self::unusable(&error, json),
        }
    }

    /// No verdict: the tool was not used rightly, or could not read what it needs.
    pub(crate) fn unusable(error: &VerifyError, json: bool) -> Self {
        if json {
            return Self { status: 2, out: Report::unusable(error).json(), err: String::new() };
        }
        let advice = error.advice().map(|advice| format!("{advice}\n")).unwrap_or_default();
        Self {
            status: 2,
            out: String::new(),
            err: format!("error ({}): {}\n{advice}", error.code(), error.full_message()),
        }
    }

    /// Prints it. A verdict that could not be written must not look like success.
    pub(crate) fn print(self) -> ExitCode {
        // Nothing is left to do if the standard error is closed.
        let _ = stderr().write_all(self.err.as_bytes());
        match stdout().write_all(self.out.as_bytes()).and_then(|()| stdout().flush()) {
            Ok(()) => ExitCode::from(self.status),
            Err(_) => ExitCode::from(2),
        }
    }
}

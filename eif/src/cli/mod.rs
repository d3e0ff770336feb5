//! The command line: what can be asked, and the exit code of each outcome.

mod build;
mod completions;
mod describe;
mod diff;
mod measure;
mod reference_values;
mod sign;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;

const EXIT_REFUSED: u8 = 1;
const EXIT_UNUSABLE: u8 = 2;

const EXIT_STATUS: &str = "\
Exit status:
  0  done; for diff: the images are the same
  1  the image is refused, or the images differ; the reason is printed
  2  wrong usage, or a file that cannot be read or written";

/// Builds, measures, describes, compares and signs enclave images
#[derive(Debug, Parser)]
#[command(name = "r3e-eif", version, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Build),
    Measure(measure::Measure),
    Describe(describe::Describe),
    Diff(diff::Diff),
    ReferenceValues(reference_values::ReferenceValues),
    Sign(sign::Sign),
    Completions(completions::Completions),
}

/// Does what the command line asks. Wrong use ends the process with 2 (by clap).
pub(crate) fn run() -> ExitCode {
    let (json, done) = match Cli::parse().command {
        Command::Build(args) => (args.json, args.run()),
        Command::Measure(args) => (args.json, args.run()),
        Command::Describe(args) => (args.json, args.run()),
        Command::Diff(args) => (args.json, args.run()),
        Command::ReferenceValues(args) => (false, args.run()),
        Command::Sign(args) => (args.json, args.run()),
        Command::Completions(args) => (false, args.run()),
    };
    match done {
        Ok(output) => match print(output.text.as_bytes()) {
            Ok(()) => output.code,
            Err(failure) => failure.report(false),
        },
        Err(failure) => failure.report(json),
    }
}

/// What a subcommand prints, and the exit code that goes with it.
#[derive(Debug)]
struct Output {
    text: String,
    code: ExitCode,
}

impl Output {
    fn done(text: String) -> Self {
        Self { text, code: ExitCode::SUCCESS }
    }

    fn refused(text: String) -> Self {
        Self { text, code: ExitCode::from(EXIT_REFUSED) }
    }
}

/// Why a subcommand has nothing to print.
#[derive(Debug)]
enum Failure {
    /// The image, or what was given beside it, breaks a rule.
    Refused(anyhow::Error),
    /// A file cannot be read or written.
    Unusable(anyhow::Error),
}

impl Failure {
    fn refused(error: impl Into<anyhow::Error>) -> Self {
        Self::Refused(error.into())
    }

    /// Says why on the error stream and, where JSON is asked for, as one object on the output.
    fn report(&self, json: bool) -> ExitCode {
        let (reason, error, code) = match self {
            Self::Refused(error) => ("refused", error, EXIT_REFUSED),
            Self::Unusable(error) => ("unusable", error, EXIT_UNUSABLE),
        };
        if json {
            let object = serde_json::json!({ "error": reason, "message": format!("{error:#}") });
            let _ = print(to_json(&object).as_bytes());
        }
        // A closed error stream is not worth a word.
        let _ = writeln!(std::io::stderr(), "r3e-eif: {error:#}");
        ExitCode::from(code)
    }
}

/// One JSON object over several lines.
fn to_json(value: &impl Serialize) -> String {
    // Only a map with keys that are no strings could make this fail; there is none.
    serde_json::to_string_pretty(value).map_or_else(|_| "null\n".to_owned(), |json| json + "\n")
}

/// A reader that has had enough is no failure.
fn print(text: &[u8]) -> Result<(), Failure> {
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Unusable(anyhow::Error::new(error).context("cannot write the output")))
        }
        _ => Ok(()),
    }
}
